"""The training loop of one process. Process 0 keeps the time for all, and reports."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

import torch
import torch.distributed as dist

from engine.errors import FileFormatError
from engine.prior.toybox.folder import load_parts
from engine.prior.toybox.network import ToyboxDenoiser
from engine.prior.toybox.schedule import TIMES, shifted_cosine
from engine.prior.toybox.tokeniser import Tokeniser, build_tokenizer
from engine.toybox.dataset import ShardCache
from engine.toybox.training.batches import BatchSource, Shares
from engine.toybox.training.checkpoints import load_checkpoint
from engine.toybox.training.objective import training_loss
from engine.toybox.training.optimiser import FlatGradients, Optimiser, Rates, ema_decay, rate_factor
from engine.toybox.training.report import Pace, Progress, Reporter


@dataclass(frozen=True)
class Plan:
    """What to train, on what, for how long."""

    out: Path
    cache: Path
    seconds: float  # training time in all, earlier runs counted in
    device: str = "cpu"
    processes: int = 2
    images: int = 64  # pictures a step, over all processes
    width: int = 192
    depth: int = 7
    heads: int = 4
    text_depth: int = 3
    length: int = 16
    seed: int = 0
    init: Path | None = None  # a prior folder to start from
    reading_steps: int = 2500  # of teaching the text encoder to read, where it starts anew,
    reading_objects: int = 20_000  # with captions of so many objects
    compiled: bool = False
    pace: Pace = field(default_factory=Pace)
    rates: Rates = field(default_factory=Rates)
    shares: Shares = field(default_factory=Shares)


TAUGHT = "text_encoder.pt"
"""File in the run's folder: the text encoder after it learned to read, with which the first step begins."""

LOSS, PROGRESS = 0, 1
"""What processes share beside gradients: their losses are added, and only process 0 says how much of the time is spent."""


class Trainer:
    """One process's share of a run; goes on from the newest checkpoint in ``plan.out`` if there is one."""

    def __init__(self, plan: Plan, rank: int, vocabulary: tuple[str, ...]) -> None:
        torch.manual_seed(plan.seed)
        state = load_checkpoint(plan.out)
        self.plan, self.rank, self.device = plan, rank, torch.device(plan.device)
        self.vocabulary = _joined(tuple(state["vocabulary"]), vocabulary) if state else vocabulary
        self.net = new_network(plan).to(self.device)
        if plan.init is not None and state is None:
            self.vocabulary = self._start_from(plan.init, vocabulary)
        elif (plan.out / TAUGHT).exists() and state is None:
            self.net.text.load_state_dict(torch.load(plan.out / TAUGHT, map_location="cpu", weights_only=True))
        self.ema = [p.detach().clone() for p in self.net.parameters()]
        self.flat = FlatGradients(self.net.parameters(), extra=2)
        self.optimiser = Optimiser(self.net, plan.rates)
        self.schedule = shifted_cosine()
        self.done = Progress()
        if state:
            self._restore(state)
        self.tokeniser = Tokeniser(build_tokenizer(self.vocabulary), plan.length)
        self.source = BatchSource(ShardCache.open(plan.cache), self.tokeniser, TIMES, plan.seed, rank, plan.shares, self.device)
        self.forward = torch.compile(self.net) if plan.compiled else self.net

    def run(self) -> None:
        """Train until the time is spent."""
        start = time.monotonic() - self.done.seconds
        reporter = (
            Reporter(self.plan.out, self.plan.seconds, self.plan.pace, self.tokeniser, self.device) if self.rank == 0 else None
        )
        spent = self.done.seconds / self.plan.seconds
        while spent < 1:
            loss = self._gradients((time.monotonic() - start) / self.plan.seconds)
            self._update(spent)
            spent = float(self.flat.extra[PROGRESS])
            self.done = Progress(self.done.step + 1, self.done.images + self.plan.images, spent * self.plan.seconds)
            if reporter is not None:
                reporter.after_step(self, loss)
        if reporter is not None:
            reporter.finish(self)

    def _gradients(self, spent: float) -> float:
        """Gradients of the whole step, summed over the processes; returns its loss."""
        batch = self.source.batch(self.done.step, self.plan.images // self.plan.processes)
        self.flat.vector.zero_()
        loss = training_loss(self.forward, self.schedule, batch) / self.plan.processes
        loss.backward()
        self.flat.extra[LOSS] = loss.detach()
        self.flat.extra[PROGRESS] = spent if self.rank == 0 else 0.0
        if self.plan.processes > 1:
            dist.all_reduce(self.flat.vector)
        return float(self.flat.extra[LOSS])

    def _update(self, spent: float) -> None:
        step, rates = self.done.step, self.plan.rates
        self.flat.clip(rates.clip)
        self.optimiser.step(rate_factor(step, spent, rates))
        torch._foreach_lerp_(self.ema, [p.detach() for p in self.net.parameters()], 1 - ema_decay(step, rates))

    def averaged(self) -> ToyboxDenoiser:
        """A network with the running mean of the weights, for evaluation."""
        net = ToyboxDenoiser(**self.config()).to(self.device)
        net.load_state_dict(self._named_ema())
        return net.eval().requires_grad_(False)

    def config(self) -> dict[str, int]:
        """The network's sizes."""
        return {name: value for name, value in self.net.config.items() if not name.startswith("_")}

    def state(self) -> dict[str, object]:
        """Everything a resumed run needs; random numbers follow from the seed and the step."""
        return {
            "step": self.done.step,
            "images": self.done.images,
            "elapsed": self.done.seconds,
            "vocabulary": list(self.vocabulary),
            "config": self.config(),
            "weights": self.net.state_dict(),
            "ema": self._named_ema(),
            "optimiser": self.optimiser.state_dict(),
        }

    def _named_ema(self) -> dict[str, torch.Tensor]:
        return {name: mean for (name, _), mean in zip(self.net.named_parameters(), self.ema, strict=True)}

    def _restore(self, state: dict[str, object]) -> None:
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

    def _start_from(self, folder: Path, vocabulary: tuple[str, ...]) -> tuple[str, ...]:
        """Take over shipped weights and the numbers of their words; returns these words, new ones appended."""
        parts = load_parts(folder)
        self.net.load_state_dict(parts.net.state_dict())
        numbers = parts.tokeniser.tokenizer.get_vocab()
        return _joined(tuple(sorted(parts.tokeniser.vocabulary, key=numbers.__getitem__)), vocabulary)


def new_network(plan: Plan) -> ToyboxDenoiser:
    """A network of the plan's sizes."""
    return ToyboxDenoiser(width=plan.width, depth=plan.depth, heads=plan.heads, length=plan.length, text_depth=plan.text_depth)


def _joined(old: tuple[str, ...], new: tuple[str, ...]) -> tuple[str, ...]:
    """Old words keep their numbers; new ones come after."""
    return tuple(dict.fromkeys((*old, *new)))


def worker(rank: int, plan: Plan, vocabulary: tuple[str, ...], meeting_file: str) -> None:
    """Body of process ``rank``. One thread each: two threads that share a busy core wait for each other."""
    torch.set_num_threads(1)
    if plan.processes > 1:
        dist.init_process_group("gloo", init_method=f"file://{meeting_file}", rank=rank, world_size=plan.processes)
    try:
        Trainer(plan, rank, vocabulary).run()
    finally:
        if plan.processes > 1:
            dist.destroy_process_group()
