"""One cell of the playground: a run of the product's own loop on a canvas of one picture, watched and
measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from statistics import fmean

import numpy as np

from engine.errors import StudioError
from engine.loop.frames import PAPER, render_frame, render_rgba, strip_cameras
from engine.loop.messages import Command, Finished, RolledBack, SceneCopy, Stepped, Warned, Watch
from engine.loop.recipe import Recipe
from engine.loop.run import run
from engine.playground.grid import Cell
from engine.prior.analytic import CountingPrior
from engine.prior.base import Prior

SIZE = 168  # side in pixels of a picture on the sheet
FRAMES = 24  # pictures kept of the way there
LAST = 0.1  # share of the steps, at the end, over which numbers are averaged
VISIBLE_ALPHA, BURNT = 0.5, 0.02


@dataclass(frozen=True, eq=False)
class Painting:
    """What became of a cell. ``trouble`` says why there is no picture; the other fields are empty then.

    ``rgba`` (S,S,4) uint8 premultiplied, as it was optimised; ``frames`` (F,168,168,3) uint8 after
    ``frame_steps`` (F,), the last one finished; ``losses`` and ``gradient_norms`` (steps,); ``numbers`` by
    name; ``notes`` on what went wrong underway.
    """

    cell: Cell
    rgba: np.ndarray = field(default_factory=lambda: np.zeros((0, 0, 4), np.uint8))
    frames: np.ndarray = field(default_factory=lambda: np.zeros((0, SIZE, SIZE, 3), np.uint8))
    frame_steps: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    losses: np.ndarray = field(default_factory=lambda: np.zeros(0))
    gradient_norms: np.ndarray = field(default_factory=lambda: np.zeros(0))
    numbers: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    recipe: str = ""
    trouble: str = ""


@dataclass(frozen=True)
class Brushed:
    """One step of a cell is done."""

    cell: Cell
    step: int
    loss: float


class Onlooker:
    """Commands that watches all the way and changes nothing."""

    def __init__(self) -> None:
        self.waiting: list[Command] = [Watch(True)]

    def take(self) -> list[Command]:
        """The wish to watch, once."""
        waiting, self.waiting = self.waiting, []
        return waiting


def paint(cell: Cell, prior: Prior) -> Iterator[Brushed | Painting]:
    """Run a cell: ``Brushed`` after each step, and the ``Painting`` at the end; what cannot be run ends with
    its trouble.
    """
    if cell.settings is None:
        yield Painting(cell, trouble=cell.trouble)
        return
    counted, watcher = CountingPrior(prior), _Watcher()
    try:
        for event in run(cell.settings.spec, cell.settings.knobs, Onlooker(), lambda _: counted):
            watcher.see(event)
            if isinstance(event, Stepped):
                yield Brushed(cell, event.step, event.loss)
    except StudioError as error:
        yield Painting(cell, trouble=error.what)
        return
    yield watcher.painting(cell, counted)


class _Watcher:
    """Gathers what the events of one run tell."""

    def __init__(self) -> None:
        self.steps: list[Stepped] = []
        self.copies: dict[int, np.ndarray] = {}
        self.notes: list[str] = []
        self.finished: Finished | None = None

    def see(self, event: object) -> None:
        """Note one event."""
        if isinstance(event, Stepped):
            self.steps.append(event)
        elif isinstance(event, SceneCopy):
            self.copies[event.total_step] = _shown(event)
        elif isinstance(event, RolledBack):
            self.notes.append(f"went back to step {event.to_step} because {event.reason}")
        elif isinstance(event, Warned):
            self.notes.append(event.what)
        elif isinstance(event, Finished):
            self.finished = event

    def painting(self, cell: Cell, counted: CountingPrior) -> Painting:
        """All that was gathered."""
        assert self.finished is not None, "a run always ends with Finished"
        done, steps = self.finished, max(1, len(self.steps))
        rgba = render_rgba(done.copy, strip_cameras(done.copy, done.copy.render_size, 1))[0]
        self.copies[done.steps] = _shown(done.copy)
        frame_steps = _spread(sorted(self.copies), FRAMES)
        losses = np.array([event.loss for event in self.steps])
        norms = np.array([event.metrics.get("gradient_norm", np.nan) for event in self.steps])
        numbers = {
            "loss": _end_of(losses),
            "gradient_norm": _end_of(norms),
            **colour_numbers(rgba),
            "seconds": done.seconds.get("refine", 0.0),
            "forwards_per_step": counted.forwards / steps,
            "backwards_per_step": counted.backwards / steps,
        }
        return Painting(
            cell, rgba, np.stack([self.copies[step] for step in frame_steps]), np.array(frame_steps), losses,
                norms,
            numbers, tuple(self.notes), Recipe.to_toml(done.recipe),
        )  # fmt: skip


def colour_numbers(rgba: np.ndarray) -> dict[str, float]:
    """Of the visible pixels of a premultiplied (H,W,4) uint8 picture: mean ``saturation`` (largest channel
    less the smallest, over the largest), the share of channel values ``burnt`` out at black or full, and how
    much of the picture is ``covered``.
    """
    alpha = rgba[..., 3].astype(np.float64) / 255
    visible = alpha > VISIBLE_ALPHA
    if not visible.any():
        return {"saturation": 0.0, "burnt": 0.0, "covered": 0.0}
    rgb = np.clip(rgba[..., :3][visible] / 255 / alpha[visible, None], 0, 1)
    high, low = rgb.max(-1), rgb.min(-1)
    saturation = np.where(high > 0, (high - low) / np.maximum(high, 1e-9), 0.0)
    burnt = (rgb <= BURNT) | (rgb >= 1 - BURNT)
    return {
        "saturation": float(saturation.mean()),
        "burnt": float(burnt.mean()),
        "covered": float(visible.mean()),
    }


def _shown(copy: SceneCopy) -> np.ndarray:
    return render_frame(copy, strip_cameras(copy, SIZE, 1)[0], PAPER)


def _spread(steps: list[int], most: int) -> list[int]:
    """At most ``most`` of the sorted ``steps``, evenly, with the first and the last."""
    if len(steps) <= most:
        return steps
    return [steps[round(i * (len(steps) - 1) / (most - 1))] for i in range(most)]


def _end_of(values: np.ndarray) -> float:
    """The mean over the last tenth of a curve; not a number where there is none."""
    finite = values[np.isfinite(values)]
    return fmean(finite[-max(1, round(LAST * len(finite))) :]) if len(finite) else float("nan")
