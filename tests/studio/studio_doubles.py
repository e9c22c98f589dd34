"""A real session over a double of the engine: a run that takes its time, and pictures of a ring of dots that
grows.

``python studio_doubles.py LIBRARY PORT`` serves the page over it, for browser tests that need no diffusion
model.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from engine.assets.export.ply import write_splat_ply
from engine.assets.export.splat_cloud import AXES_COMMENT, sh0_from_rgb, to_file
from engine.core.camera import Camera
from engine.errors import RunError
from engine.guidance import key_of
from engine.guidance.base import Guidance
from engine.loop.frames import SplatArrays
from engine.loop.messages import (
    Checkpointed,
    CommandSource,
    Event,
    Finished,
    KnobsApplied,
    Pictures,
    SceneCopy,
    SetKnobs,
    StageStarted,
    Stepped,
    Stop,
    Watch,
)
from engine.loop.recipe import Recipe
from engine.loop.settings import Settings
from engine.loop.spec import Knobs, RunSpec
from engine.prior.reference.strength import StrengthCurve
from engine.session import Session
from engine.session.presets import load_presets
from studio.app import serve_page
from studio.catalogue import Catalogue, PriorChoice
from studio.composition import offers_of
from studio.panel import Panel, draw_panel
from studio.server import Serving

DOTS = 200
GATE = 0.5
PAPER = 244
WORDS = frozenset(("red", "blue", "yellow", "mug", "chair", "handle", "legs", "with", "and"))


def slow_run(step_seconds: float) -> Callable[..., Iterator[Event]]:
    """A run whose scene is the number of its step, and whose steps take ``step_seconds``. A prompt with "bad"
    fails at step 5.
    """

    def run(
        spec: RunSpec,
        knobs: Knobs,
        commands: CommandSource,
        load_prior: Callable[[str], Any],
        *,
        folder: Path,
        resume: bool = False,
    ) -> Iterator[Event]:
        step, revision, watched, stopping = 0, 0, False, False
        if resume and (folder / "checkpoint.json").exists():
            step, revision = json.loads((folder / "checkpoint.json").read_text())
        yield StageStarted("refine", spec.refine_steps)
        while step < spec.refine_steps and not stopping:
            for command in commands.take():
                if isinstance(command, SetKnobs):
                    knobs, revision = command.knobs, command.revision
                    yield KnobsApplied(revision, step + 1, knobs)
                watched = command.on if isinstance(command, Watch) else watched
                stopping = stopping or isinstance(command, Stop)
            time.sleep(step_seconds)
            step += 1
            if "bad" in spec.prompt and step == 5:
                raise RunError("The loss is not a finite number at step 5.", "Lower the learning rate.")
            if watched:
                yield copy_of(step, revision)
            yield pictures_of(step, revision)
            metrics = {"null_convergence": min(1.0, step / 100)} if key_of(knobs.guidance) == "lods" else {}
            metrics |= reference_metrics(step, spec, knobs) if spec.reference else {}
            yield Stepped(
                "refine",
                step,
                spec.refine_steps,
                step,
                revision,
                1.0 / step,
                step * step_seconds,
                1.0,
                10.0,
                metrics,
            )
            (folder / "new.part").write_text(json.dumps([step, revision]))
            # never written to in place, as a real one
            (folder / "new.part").replace(folder / "checkpoint.json")
            yield Checkpointed(step)
        yield Finished(
            copy_of(step, revision),
            stopping,
            {"total": step * step_seconds},
            step,
            Recipe(Settings(spec, knobs)),
        )

    return run


def reference_metrics(step: int, spec: RunSpec, knobs: Knobs) -> dict[str, float]:
    """A run that comes down from all noise, heeds a gate that is half open, and resembles its reference more
    and more.
    """
    noise = max(0.0, 1 - step / spec.refine_steps)
    guide = StrengthCurve.parse(
        knobs.reference_curve or f"0:{knobs.reference_early},1:{knobs.reference_late}"
    )
    opening = 0.0 if knobs.ignore_reference else GATE
    return {
        "noise": noise,
        "reference_similarity": 0.3 + 0.4 * opening * min(1.0, step / 100),
        "reference_strength": opening * guide.at(1 - noise),
        "reference_gate": GATE,
        "reference_fit": 0.55,
    }


def pictures_of(step: int, revision: int) -> Pictures:
    """Four grey denoised views, and smaller, darker renders of them at half the noise."""
    shade = 100 + step % 100
    denoised, renders = (
        np.full((4, side, side, 3), grey, np.uint8) for side, grey in ((16, shade), (12, shade - 60))
    )
    return Pictures("denoised", step, revision, denoised, renders, noise=0.5)


def copy_of(step: int, revision: int) -> SceneCopy:
    return SceneCopy(step, revision, step, "auto", 40.0, 3.05)  # type: ignore[arg-type]


class DotFrames:
    """Pictures of ``DOTS`` dots on a ring round the z axis, whose radius and redness grow with the step."""

    def render_frame(self, copy: SceneCopy, camera: Camera) -> np.ndarray:
        centres, colours = ring(int(copy.scene))  # type: ignore[call-overload]
        points = (centres - camera.c2w[:3, 3]) @ camera.c2w[:3, :3]
        column, row = ((points / points[:, 2:]) @ camera.K.T)[:, :2].astype(int).T
        picture = np.full((camera.height, camera.width, 3), PAPER, np.uint8)
        reach = max(1, camera.width // 60)
        for x, y, colour in zip(column, row, colours, strict=True):
            picture[max(y - reach, 0) : max(y + reach, 0), max(x - reach, 0) : max(x + reach, 0)] = (
                colour * 255
            )
        return picture

    def azimuth_strip(self, copy: SceneCopy, size: int) -> np.ndarray:
        return np.stack(
            [np.full((size, size, 3), 20 * view + int(copy.scene) % 20, np.uint8) for view in range(8)]
        )  # type: ignore[call-overload]

    def point_cloud(self, copy: SceneCopy, limit: int) -> SplatArrays:
        centres, colours = (array[:limit].astype(np.float32) for array in ring(int(copy.scene)))  # type: ignore[call-overload]
        covariances = np.repeat(0.003 * np.eye(3, dtype=np.float32)[None], len(centres), axis=0)
        return SplatArrays(centres, covariances, colours, np.full((len(centres), 1), 0.9, np.float32))


def ring(step: int) -> tuple[np.ndarray, np.ndarray]:
    """Centres (DOTS,3) and colours 0..1 (DOTS,3)."""
    angle = np.linspace(0, 2 * np.pi, DOTS, endpoint=False)
    radius = 0.3 + 0.5 * min(step / 100, 1.0)
    centres = np.stack([radius * np.cos(angle), radius * np.sin(angle), 0.3 * np.sin(3 * angle)], axis=1)
    shade = (np.arange(DOTS) * 17 + step) % DOTS / DOTS
    return centres, np.stack([np.full(DOTS, min(1.0, step / 50)), shade, 1 - shade], axis=1)


def write_files(finished: Finished, prior_id: str, folder: Path) -> dict[str, Path]:
    files = {"recipe": folder / "recipe.toml", "ply": folder / "scene.ply"}
    files["recipe"].write_text(finished.recipe.to_toml())
    centres, colours = ring(int(finished.copy.scene))  # type: ignore[call-overload]
    means, quats = to_file(centres.astype(np.float32), np.tile(np.float32([1, 0, 0, 0]), (DOTS, 1)))
    parts = (means, np.full((DOTS, 3), 0.05), quats, np.full(DOTS, 0.95), sh0_from_rgb(colours))
    write_splat_ply(files["ply"], *parts, comments=[AXES_COMMENT], recipe=finished.recipe.to_toml())
    return files


def open_double(library: Path, step_seconds: float = 0.02) -> Session:
    """A session over ``library``; enter it to start it."""
    return Session(library, slow_run(step_seconds), DotFrames(), write_files, lambda prior_id: None)  # type: ignore[arg-type, return-value]


def catalogue() -> Catalogue:
    """Three priors of our own: "plain" has no network that an adapter could change, and "wide" is not on this
    machine.

    Those that presets name offer what they offer outside of tests.
    """
    presets = load_presets()
    named = sorted(
        {str(preset.values["prior"]) for preset in presets.presets if "prior" in preset.values} - {"toybox"}
    )
    priors = (
        PriorChoice("toybox", "Toybox"),
        PriorChoice("plain", "Plain", offers=frozenset({"wants_view_words"})),
        PriorChoice("wide", "Wide", "Fetch it.", any_words=True),
        *(PriorChoice(key, key, "Fetch it.", offers=offers_of(key)) for key in named),
    )
    return Catalogue(presets, priors, notes_on, refusal)


@cache
def drawn_panel() -> Panel:
    """The panel over this catalogue, drawn once: handlers answer with updates and leave its components as
    they are.
    """
    with gr.Blocks():
        return draw_panel(catalogue())


def notes_on(spec: RunSpec) -> tuple[str, ...]:
    """Of the words that our toybox does not know; there is no saying what becomes of them."""
    strange = [word for word in spec.prompt.lower().split() if word not in WORDS | {"a", "the", "with"}]
    return (f"Not known: {', '.join(strange)}.",) if strange and spec.prior == "toybox" else ()


def refusal(prior: str, method: Guidance) -> str:
    learns = key_of(method) in ("vsd", "lods_lora")
    return "Plain has no network in which an adapter could learn." if prior == "plain" and learns else ""


def announce(serving: Serving) -> None:
    print(serving.url, flush=True)


if __name__ == "__main__":
    with open_double(Path(sys.argv[1]), step_seconds=0.05) as opened:
        serve_page(
            opened, catalogue(), host="127.0.0.1", port=int(sys.argv[2]), share=False, on_ready=announce
        )
