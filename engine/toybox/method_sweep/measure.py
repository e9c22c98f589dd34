"""One cell: an object made by a method alone, judged from eight azimuths beside true objects of the same
prompt.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from engine.errors import StudioError
from engine.loop.messages import Finished, RolledBack, SceneCopy, StageStarted, Stepped, Unattended
from engine.loop.run import run
from engine.loop.settings import Settings
from engine.loop.stages import first_scene
from engine.prior.base import Prior
from engine.toybox.benchmark.assets import see
from engine.toybox.benchmark.perceptual import chroma_shift, colour_distance, colour_histograms
from engine.toybox.benchmark.shapes import INSTANCES, Bank, make_bank, views_of
from engine.toybox.benchmark.tasks import AZIMUTHS_DEG, BANK_SEED, ELEVATIONS_DEG, TextTask
from engine.toybox.benchmark.verdicts import Verdict, judge
from engine.toybox.benchmark.workers import classifier_of_process, prior_of_process
from engine.toybox.classifier import ToyClassifier
from engine.toybox.method_sweep.cells import BALL, TRUE, Cell
from engine.toybox.objects import ToyObject, draw_object

BANK = 40  # true objects of a prompt that a result is compared with
TRUE_SEED = BANK_SEED + INSTANCES  # where those begin that are judged as if they were results


@dataclass
class Passes:
    """How often a network was run forward, and how often a gradient went back through it."""

    forwards: int = 0
    backwards: int = 0

    def clear(self) -> None:
        """Count from zero again."""
        self.forwards = self.backwards = 0


@contextmanager
def counted(network: torch.nn.Module) -> Iterator[Passes]:
    """Count the passes of ``network``, whose output is one tensor, until the block ends."""
    passes = Passes()

    def backward(_: Tensor) -> None:
        passes.backwards += 1

    def forward(_: torch.nn.Module, __: tuple, output: Tensor) -> None:
        passes.forwards += 1
        if output.requires_grad:
            output.register_hook(backward)

    handle = network.register_forward_hook(forward)
    try:
        yield passes
    finally:
        handle.remove()


@dataclass(frozen=True)
class Effort:
    """What making an object took: ``seconds``, refine steps, passes of the denoiser in them, roll-backs of
    the health check.

    ``ended_early``: the health check gave the run up, and the last good shape is judged.
    """

    seconds: float = 0.0
    steps: int = 0
    forwards: int = 0
    backwards: int = 0
    roll_backs: int = 0
    ended_early: bool = False


@dataclass(frozen=True, eq=False)
class Outcome:
    """A cell's ``verdict``, colours and ``effort``; ``views`` (8,64,64,4) uint8 premultiplied. ``error``: why
    it was not made.
    """

    key: str
    digest: str
    verdict: Verdict | None
    colour_distance: float
    chroma_shift: float
    effort: Effort
    views: np.ndarray
    error: str = ""


def measure_cell(cell: Cell) -> Outcome:
    """Make and judge one object in this process; what a method refuses is told in ``error``."""
    try:
        rgba, effort = _made(cell)
    except StudioError as error:
        nothing = np.zeros((len(AZIMUTHS_DEG), 2, 2, 4), np.uint8)
        return Outcome(cell.key, cell.digest, None, 0.0, 0.0, Effort(), nothing, str(error))
    return judged(cell, rgba, effort, classifier_of_process())


def judged(cell: Cell, rgba: np.ndarray, effort: Effort, classifier: ToyClassifier) -> Outcome:
    """The outcome for views (8,64,64,4), premultiplied, of what was made."""
    truth = truth_of(cell.task.kind, tuple(cell.task.colours.items()))
    verdict, histograms = judge(rgba, cell.task, classifier, truth.bank), colour_histograms(rgba)
    distance, shift = colour_distance(histograms, truth.colours), chroma_shift(histograms, truth.colours)
    views = (rgba.clip(0, 1) * 255).round().astype(np.uint8)
    return Outcome(cell.key, cell.digest, verdict, distance, shift, effort, views)


def _made(cell: Cell) -> tuple[np.ndarray, Effort]:
    if cell.row.name == TRUE:
        return views_of(true_object(cell.task, cell.seed)), Effort()
    assert cell.settings is not None, "only the truth has none"
    prior = prior_of_process(cell.settings.spec.prior)
    copy, effort = (
        (ball(cell.settings, prior), Effort()) if cell.row.name == BALL else make(cell.settings, prior)
    )
    return see(copy, AZIMUTHS_DEG, ELEVATIONS_DEG), effort


def true_object(task: TextTask, seed: int) -> ToyObject:
    """A true object of the prompt that no result is compared with."""
    return draw_object(TRUE_SEED + seed, task.kind, task.colours)


def make(settings: Settings, prior: Prior) -> tuple[SceneCopy, Effort]:
    """The product's own run to its end, its passes counted while it refines. Seconds are those of the run
    without loading.
    """
    finished, steps, roll_backs = None, 0, 0
    assert prior.network is not None, "what is counted has a network"
    with counted(prior.network) as passes:
        for event in run(settings.spec, settings.knobs, Unattended(), lambda _: prior):
            if isinstance(event, StageStarted):
                passes.clear()
            refined = isinstance(event, Stepped) and event.stage == "refine"
            steps, roll_backs = steps + refined, roll_backs + isinstance(event, RolledBack)
            finished = event if isinstance(event, Finished) else finished
    assert finished is not None, "a run ends with it"
    used = passes if steps else Passes()
    seconds = finished.seconds["total"] - finished.seconds["load"]
    return finished.copy, Effort(seconds, steps, used.forwards, used.backwards, roll_backs, finished.stopped)


def ball(settings: Settings, prior: Prior) -> SceneCopy:
    """What every method begins with."""
    spec, info = settings.spec, prior.info
    scene = first_scene(spec, torch.Generator().manual_seed(spec.seed), prior.device)
    return SceneCopy(0, 0, scene, spec.backend, info.fov_deg, info.distance, spec.render_size)


@dataclass(frozen=True, eq=False)
class Truth:
    """True objects of a prompt, and the histograms of their colours."""

    bank: Bank
    colours: np.ndarray


@lru_cache(maxsize=4)
def truth_of(kind: str, colours: tuple[tuple[str, str], ...]) -> Truth:
    """Drawn once in each process."""
    bank = make_bank(kind, dict(colours), BANK)
    return Truth(bank, colour_histograms(bank.rgba))
