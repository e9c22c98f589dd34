"""``python -m engine.toybox.benchmark --edits``: parts that are changed by words, and what edits cost.

*Cost*: synchronised sampling beside the prior's own passes, and how soon an edit shows its first picture, in
processor time.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace

import torch

from engine.assets.meshes.mesh_shape import ReferenceShape
from engine.editing.restyling import Restyle, restyle
from engine.editing.strategies import painted_by
from engine.editing.texturing import STRATEGIES, Paint, prepared, sampled
from engine.errors import InputError
from engine.loop.devices import limit_threads
from engine.loop.settings import Settings, with_values
from engine.loop.spec import Knobs, RunSpec
from engine.prior.base import Prior
from engine.prior.registry import load_prior
from engine.prior.sampling import ddim, sampling_times
from engine.session.presets import DEFAULT_PRESET, apply_preset, find_preset
from engine.synchronisation.space import initial_noise
from engine.toybox.benchmark.edits import EditResult, EditTask, edits_table, measure_edits
from engine.toybox.benchmark.readme import put_between_markers
from engine.toybox.benchmark.tasks import text_tasks
from engine.toybox.classifier import load_classifier

USUAL_OBJECTS, REGION_PRESET = 12, "toybox-region"


def add_options(parser: argparse.ArgumentParser) -> None:
    """The option of the table of edits."""
    parser.add_argument("--edits", action="store_true", help="measure edits of a part instead")


def compare(
    options: argparse.Namespace, changes: dict[str, str], show_progress: Callable[[int, int, float], None]
) -> None:
    """Measure, print the table, and write it where it was asked for."""
    count = USUAL_OBJECTS if options.objects is None else options.objects
    if count < 1:
        raise InputError("The benchmark was asked for fewer than one object.", "Give --objects 1 or more.")
    limit_threads()
    prior, classifier = load_prior("toybox"), load_classifier()
    how = Paint(prompt="-", steps=options.painting_steps, views=options.painting_views, guidance_scale=4.0)
    region, anew = (_settings(preset, changes) for preset in (REGION_PRESET, DEFAULT_PRESET))
    results: list[EditResult] = []
    began = time.monotonic()
    tasks = [EditTask.of(task) for task in text_tasks(count)]
    for done, task in enumerate(tasks, 1):
        results += measure_edits(task, region, anew, how, prior, classifier)
        show_progress(done, count, time.monotonic() - began)
    mesh = tasks[0].task.object.mesh
    shape = ReferenceShape(mesh.vertices, mesh.faces, mesh.face_colours, tasks[0].task.kind)
    paint = replace(how, prompt=tasks[0].words)
    cost = overhead(shape, paint, prior)
    soon = first_pictures(shape, paint, tasks[0].task.prompt, prior)
    lines = [
        edits_table(results),
        "",
        f"{count} held-out objects, {how.steps} steps, {how.views} views, seed 0.",
        "",
        f"Synchronised sampling takes {cost:.2f} times the prior's own passes. Seconds of a core to the "
        "first changed",
        f"picture: {', '.join(f'{name} {seconds:.1f}' for name, seconds in soon.items())}.",
    ]
    print("\n".join(lines))
    if options.readme is not None:
        put_between_markers(options.readme, "edits", "\n".join(lines))


def overhead(shape: ReferenceShape, how: Paint, prior: Prior, repeats: int = 3) -> float:
    """Processor time of synchronised sampling as a share of that of the same passes without; the least of
    ``repeats`` each.
    """
    studio = prepared(shape, how, prior)
    times = sampling_times(studio.prior.schedule, how.steps)
    noise = initial_noise(studio.space, studio.background.shape[1], torch.Generator().manual_seed(how.seed))
    z, x = (part.to(prior.device) for part in noise)

    def plain() -> None:
        for _ in ddim(studio.prior, studio.prompts, x, times, how.guidance_scale):
            pass

    def together() -> None:
        for _ in sampled(studio, (z, x), times, replace(how, until=1.0)):
            pass

    alone, joined = (min(_seconds(call) for _ in range(repeats)) for call in (plain, together))
    return joined / alone


def first_pictures(shape: ReferenceShape, how: Paint, was: str, prior: Prior) -> dict[str, float]:
    """Processor seconds from the click to the first changed picture, by the way of editing; prior and mesh
    are there.
    """
    ways: dict[str, Callable[[], object]] = {
        f"paint, {name}": lambda name=name: next(iter(painted_by(shape, replace(how, strategy=name), prior)))
        for name in STRATEGIES
    }
    ways["restyle"] = lambda: next(iter(restyle(shape, Restyle(paint=how, was=was), prior)))
    next(iter(painted_by(shape, how, prior)))  # compiled by now, as in a studio that has run
    return {name: _seconds(way) for name, way in ways.items()}


def _seconds(call: Callable[[], object]) -> float:
    began = time.process_time()
    call()
    return time.process_time() - began


def _settings(preset: str, changes: dict[str, str]) -> Settings:
    blank = Settings(RunSpec(prompt=text_tasks(1)[0].prompt), Knobs())
    return with_values(apply_preset(find_preset(preset), blank), changes)
