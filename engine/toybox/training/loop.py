"""The training loop of one process. Process 0 keeps the time for all, and reports."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch
import torch.distributed as dist
from torch import Tensor, nn

from engine.errors import FileFormatError
from engine.toybox.training.checkpoints import load_checkpoint
from engine.toybox.training.optimiser import FlatGradients, Optimiser, Rates, ema_decay, rate_factor
from engine.toybox.training.report import Pace, Progress, Reporter


class Course(Protocol):
    """One thing that can be trained. ``net`` is what the optimiser moves, and all of its parameters are
    trained.
    """

    @property
    def net(self) -> nn.Module:
        """What the optimiser moves."""
        ...

    def loss(self, step: int, images: int, progress: float) -> Tensor:
        """This process's loss of step ``step`` on ``images`` pictures, when ``progress`` 0..1 of the run is
        spent.
        """
        ...

    def state(self) -> Mapping[str, Any]:
        """What a checkpoint must hold beside the weights; among it ``config``, the network's sizes."""
        ...

    def with_weights(self, weights: Mapping[str, Tensor]) -> nn.Module:
        """A frozen network with these weights, for the examination."""
        ...

    def examine(self, net: Any, sheet: Path) -> dict[str, list[float]]:
        """Validation errors of a network, and a sheet of samples."""
        ...


@dataclass(frozen=True)
class Plan:
    """Where and how long to train, on what machine, at what rates."""

    out: Path
    cache: Path | None  # None for a course that draws its own pictures
    seconds: float  # training time in all, earlier runs counted in
    device: str = "cpu"
    processes: int = 2
    images: int = 64  # pictures a step, over all processes
    seed: int = 0
    init: Path | None = None  # a prior folder to start from
    compiled: bool = False
    pace: Pace = field(default_factory=Pace)
    rates: Rates = field(default_factory=Rates)


Enrol = Callable[[Plan, int, Mapping[str, Any] | None], Course]
"""The course of process ``rank`` of a plan, going on from a checkpoint's state if there is one."""

LOSS, PROGRESS = 0, 1
"""What processes share beside gradients: their losses are added, and only process 0 says how much of the time
is spent.
"""


class Trainer:
    """One process's share of a run; goes on from the newest checkpoint in ``plan.out`` if there is one."""

    def __init__(self, plan: Plan, rank: int, enrol: Enrol) -> None:
        torch.manual_seed(plan.seed)
        state = load_checkpoint(plan.out)
        self.plan, self.rank = plan, rank
        self.course = enrol(plan, rank, state)
        self.net = self.course.net
        self.ema = [p.detach().clone() for p in self.net.parameters()]
        self.flat = FlatGradients(self.net.parameters(), extra=2)
        self.optimiser = Optimiser(self.net, plan.rates)
        self.done = Progress()
        if state:
            self._restore(state)

    def run(self) -> None:
        """Train until the time is spent."""
        start = time.monotonic() - self.done.seconds
        reporter = Reporter(self.plan.out, self.plan.seconds, self.plan.pace) if self.rank == 0 else None
        spent = self.done.seconds / self.plan.seconds
        while spent < 1:
            loss = self._gradients((time.monotonic() - start) / self.plan.seconds, spent)
            self._update(spent)
            spent = float(self.flat.extra[PROGRESS])
            self.done = Progress(
                self.done.step + 1, self.done.images + self.plan.images, spent * self.plan.seconds
            )
            if reporter is not None:
                reporter.after_step(self, loss)
        if reporter is not None:
            reporter.finish(self)

    def _gradients(self, now_spent: float, progress: float) -> float:
        """Gradients of the whole step, summed over the processes; returns its loss."""
        self.flat.vector.zero_()
        loss = (
            self.course.loss(self.done.step, self.plan.images // self.plan.processes, progress)
            / self.plan.processes
        )
        loss.backward()
        self.flat.extra[LOSS] = loss.detach()
        self.flat.extra[PROGRESS] = now_spent if self.rank == 0 else 0.0
        if self.plan.processes > 1:
            dist.all_reduce(self.flat.vector)
        return float(self.flat.extra[LOSS])

    def _update(self, spent: float) -> None:
        step, rates = self.done.step, self.plan.rates
        self.flat.clip(rates.clip)
        self.optimiser.step(rate_factor(step, spent, rates))
        torch._foreach_lerp_(
            self.ema, [p.detach() for p in self.net.parameters()], 1 - ema_decay(step, rates)
        )

    def examine(self, sheet: Path) -> dict[str, list[float]]:
        """Validation errors of the running mean of the weights, and a sheet of its samples."""
        return self.course.examine(self.course.with_weights(self._named_ema()), sheet)

    def state(self) -> dict[str, object]:
        """Everything a resumed run needs; random numbers follow from the seed and the step."""
        return {
            "step": self.done.step,
            "images": self.done.images,
            "elapsed": self.done.seconds,
            "weights": self.net.state_dict(),
            "ema": self._named_ema(),
            "optimiser": self.optimiser.state_dict(),
            **self.course.state(),
        }

    def _named_ema(self) -> dict[str, torch.Tensor]:
        return {name: mean for (name, _), mean in zip(self.net.named_parameters(), self.ema, strict=True)}

    def _restore(self, state: Mapping[str, Any]) -> None:
        try:
            self.net.load_state_dict(state["weights"])
        except RuntimeError as error:
            raise FileFormatError(
                f"The checkpoint in {self.plan.out} is of another size: {state['config']}.",
                "Give the same --width, --depth and --heads, or train in another folder.",
            ) from error
        for mine, name in zip(self.ema, self._named_ema(), strict=True):
            mine.copy_(state["ema"][name])
        self.optimiser.load_state_dict(state["optimiser"])
        self.done = Progress(state["step"], state["images"], state["elapsed"])


def worker(rank: int, plan: Plan, enrol: Enrol, meeting_file: str) -> None:
    """Body of process ``rank``. One thread each: two threads that share a busy core wait for each other."""
    torch.set_num_threads(1)
    if plan.processes > 1:
        dist.init_process_group(
            "gloo", init_method=f"file://{meeting_file}", rank=rank, world_size=plan.processes
        )
    try:
        Trainer(plan, rank, enrol).run()
    finally:
        if plan.processes > 1:
            dist.destroy_process_group()
