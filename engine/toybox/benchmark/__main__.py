"""The project's yardstick: what the product makes of prompts and pictures that nothing was trained on.

    python -m engine.toybox.benchmark [--quick] [--json FILE] [--sheet FILE.png]

*Text*: plain prompts with two colours run through the product to a finished 3D asset, which is seen from
eight azimuths by a classifier trained on other seeds, and compared in outline with 200 true instances of
its kind. *Image*: the product's run from one picture of an object is compared with the true object at
twenty other cameras and on its surface. Each table has references beside the product: the true object, a
fit to its true views, and what a blob, a copy of the picture, an ellipsoid that fills its outline, or words
alone would get.
Everything but the seconds is a function of the settings. ``--only image`` leaves the prompts out, and
``--readme README.md`` writes the table of pictures between ``<!-- image -->`` and ``<!-- /image -->``.

    python -m engine.toybox.benchmark --methods all [--scenes splats,field] [--quick] [--json FILE]
                                      [--sheet FILE.png] [--resume]

compares the guidance methods instead: `engine.toybox.method_sweep`.

    python -m engine.toybox.benchmark --references [--controllers NAME=FOLDER ...] [--by words] [--quick]
                                      [--sheet FILE.jpg] ...

measures what a 3D reference is worth: `engine.toybox.reference_ablation`.

    python -m engine.toybox.benchmark --kinds all|NAME,NAME [--set refine_steps=20] [--sheet FILE.png]
                                      [--readme FILE.md]

asks for one object of each kind, and how many of its sides are named right: `engine.toybox.benchmark.kinds`.

    python -m engine.toybox.benchmark --geometry [--kinds NAME,NAME] [--objects N]
                                      [--beside surface_weight=0] [--beside-checkout FOLDER] ...

measures the exported mesh beside the true one under three lamps: `engine.toybox.benchmark.geometry`.
`blender_renders.py` beside this file draws a folder of GLB files in Blender.

    python -m engine.toybox.benchmark --texture [--objects N] [--painting-steps 16] [--readme FILE.md]

paints held-out objects that were stripped of their colours by every strategy and case:
`engine.toybox.benchmark.texture`.

    python -m engine.toybox.benchmark --edits [--objects N] [--painting-steps 16] [--readme FILE.md]

changes one part of held-out objects by words, in a box and by restyling: `engine.toybox.benchmark.edits`.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from engine.errors import InputError, StudioError, storage_errors
from engine.loop.settings import Settings, with_values
from engine.loop.spec import Knobs, RunSpec
from engine.prior.registry import load_prior
from engine.session.presets import DEFAULT_PRESET, IMAGE_PRESET, apply_preset, find_preset
from engine.toybox.benchmark import edits_command, geometry_command, texture
from engine.toybox.benchmark.image import ImageResult
from engine.toybox.benchmark.kinds import kinds_table, measure_kinds
from engine.toybox.benchmark.readme import image_markdown, put_between_markers
from engine.toybox.benchmark.report import document, gather, table
from engine.toybox.benchmark.sheet import write_sheet
from engine.toybox.benchmark.tasks import image_tasks, text_tasks
from engine.toybox.benchmark.text import TextResult
from engine.toybox.benchmark.workers import Job, measure_all
from engine.toybox.classifier import load_classifier
from engine.toybox.generate_dataset import kinds_named
from engine.toybox.method_sweep.command import add_options, check_options, compare
from engine.toybox.objects import JUDGED_KINDS
from engine.toybox.reference_ablation import command as referring

QUICK, FULL = (24, 8), (72, 100)
"""How many prompts and how many pictures."""
QUICK_REFINE_STEPS = 50


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        check_options(options)
        referring.check_options(options)
        if options.edits:
            edits_command.compare(options, _changes(options), _show_progress)
        elif options.texture:
            texture.compare(options, _show_progress)
        elif options.geometry:
            geometry_command.compare(options, _settings(options, options.preset), _show_progress)
        elif options.kinds is not None:
            _measure_kinds(options)
        elif options.references is not None:
            referring.compare(options, _changes(options), _show_progress)
        elif options.methods is not None:
            compare(options, _changes(options), _show_progress)
        else:
            _run(options)
    except StudioError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m engine.toybox.benchmark", description="Measure the product."
    )
    parser.add_argument("--quick", action="store_true", help="less of everything: minutes on 2 cores")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers there")
    parser.add_argument("--sheet", type=Path, metavar="FILE.png", help="write a picture of what was made")
    parser.add_argument("--preset", default=DEFAULT_PRESET, help="settings to measure (default %(default)s)")
    parser.add_argument(
        "--image-preset", default=IMAGE_PRESET, help="settings for pictures (default %(default)s)"
    )
    parser.add_argument("--prior", metavar="ID", help="another prior than the preset's")
    parser.add_argument("--scene", choices=("splats", "field"), help="another scene than the preset's")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="change one setting; may be repeated"
    )
    parser.add_argument("--objects", type=int, metavar="N", help="N prompts and N pictures")
    parser.add_argument("--only", choices=("text", "image"), help="measure prompts alone, or pictures alone")
    parser.add_argument(
        "--readme", type=Path, metavar="FILE.md", help="put the table (of pictures) between its markers there"
    )
    parser.add_argument(
        "--ray", default="", metavar="ADDRESS", help="measure on the Ray cluster there (auto: this machine's)"
    )
    parser.add_argument(
        "--processes", type=int, default=os.cpu_count() or 1, help="worker processes (default: one a core)"
    )
    parser.add_argument(
        "--kinds", metavar="NAME,NAME", help="measure one object of each of these kinds, or of all"
    )
    geometry_command.add_options(parser)
    texture.add_options(parser)
    edits_command.add_options(parser)
    add_options(parser)
    referring.add_options(parser)
    return parser


def _run(options: argparse.Namespace) -> None:
    settings, began = _settings(options, options.preset), time.monotonic()
    prompts, pictures = (
        (options.objects, options.objects) if options.objects else QUICK if options.quick else FULL
    )
    if prompts < 1 or options.processes < 1:
        raise InputError(
            "The benchmark was asked for fewer than one object or process.", "Give numbers of 1 or more."
        )
    if options.readme is not None and options.only == "text":
        raise InputError(
            "--readme writes the table of pictures, and --only text measures none.", "Leave --only text away."
        )
    image_settings = _settings(options, options.image_preset)
    jobs = [Job(task, settings) for task in text_tasks(prompts) if options.only != "image"]
    jobs += [Job(task, image_settings, settings) for task in image_tasks(pictures) if options.only != "text"]
    results = []
    for result in measure_all(jobs, min(options.processes, len(jobs)), options.ray):
        results.append(result)
        _show_progress(len(results), len(jobs), time.monotonic() - began)
    results.sort(key=lambda result: result.task.index)
    texts = [result for result in results if isinstance(result, TextResult)]
    images = [result for result in results if isinstance(result, ImageResult)]
    numbers = gather(texts, images, settings, image_settings, options.processes, time.monotonic() - began)
    print(table(numbers))
    if options.json is not None:
        with storage_errors(options.json):
            options.json.write_text(json.dumps(document(numbers), indent=2) + "\n", encoding="utf-8")
    if options.sheet is not None and texts:
        write_sheet(
            options.sheet, [text.task.prompt for text in texts[:24]], [text.strip for text in texts[:24]]
        )
    if options.readme is not None:
        put_between_markers(options.readme, "image", image_markdown(numbers))


def _measure_kinds(options: argparse.Namespace) -> None:
    kinds = JUDGED_KINDS if options.kinds == "all" else kinds_named(options.kinds)
    settings, began = _settings(options, options.preset), time.monotonic()
    unknown = [kind for kind in kinds if kind not in JUDGED_KINDS]
    if unknown:
        raise InputError(
            f"The judge knows no kind {unknown[0]!r}.", f"Choose among: {', '.join(JUDGED_KINDS)}."
        )
    results = []
    for result in measure_kinds(kinds, settings, load_prior(settings.spec.prior), load_classifier()):
        results.append(result)
        _show_progress(len(results), len(kinds), time.monotonic() - began)
    print(kinds_table(results))
    if options.sheet is not None:
        write_sheet(
            options.sheet, [result.prompt for result in results], [result.strip for result in results]
        )
    if options.readme is not None:
        put_between_markers(options.readme, "kinds", kinds_table(results))


def _settings(options: argparse.Namespace, preset: str) -> Settings:
    """A preset, with what the command line changes of it."""
    settings = apply_preset(find_preset(preset), Settings(RunSpec(prompt=text_tasks(1)[0].prompt), Knobs()))
    if options.quick:
        fewer = min(QUICK_REFINE_STEPS, settings.spec.refine_steps)
        settings = Settings(replace(settings.spec, refine_steps=fewer), settings.knobs)
    settings = with_values(settings, _changes(options))
    changed = {name: value for name in ("prior", "scene") if (value := getattr(options, name)) is not None}
    return Settings(replace(settings.spec, **changed), settings.knobs)


def _changes(options: argparse.Namespace) -> dict[str, str]:
    """What ``--set`` changes, by name."""
    pairs = [pair.partition("=") for pair in options.set]
    if any(not equals for _, equals, _ in pairs):
        raise InputError("--set needs NAME=VALUE.", "Write for example --set refine_steps=0.")
    return {name: value for name, _, value in pairs}


def _show_progress(done: int, wanted: int, seconds: float) -> None:
    line = f"{done}/{wanted} done, about {seconds / done * (wanted - done):.0f} s left"
    print(f"\r{line:<50}", end="\n" if done == wanted else "", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
