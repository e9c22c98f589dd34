"""Seconds, taken in turns: a machine that grows slower while it is measured slows what is compared alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

import torch

Clock = Callable[[], float]


@dataclass(frozen=True)
class Comparison:
    """Seconds of something and of its reference, taken in pairs; ratios are medians of the pairs' ratios."""

    values: tuple[float, ...]
    references: tuple[float, ...]

    @property
    def value(self) -> float:
        """The median of the values."""
        return median(self.values)

    @property
    def reference(self) -> float:
        """The median of the references."""
        return median(self.references)

    @property
    def share(self) -> float:
        """How many times the reference the value is."""
        return median(
            value / reference for value, reference in zip(self.values, self.references, strict=True)
        )

    @property
    def speed_up(self) -> float:
        """How many times the value the reference is."""
        return median(
            reference / value for value, reference in zip(self.values, self.references, strict=True)
        )


def clock_of(device: torch.device | str) -> Clock:
    """The clock to compare computations with on ``device``.

    On a CPU it counts the processor's seconds of this process, so that what other programs take does not
    count; on a GPU it waits until the GPU has done all that it was asked for.
    """
    return time.process_time if torch.device(device).type == "cpu" else _synchronised


def _synchronised() -> float:
    torch.cuda.synchronize()
    return time.perf_counter()


def seconds_of(work: Callable[[], object], clock: Clock = time.perf_counter, calls: int = 1) -> float:
    """Seconds of one call of ``work``, the mean of ``calls``."""
    began = clock()
    for _ in range(calls):
        work()
    return (clock() - began) / calls


def interleaved(measures: Sequence[Callable[[], float]], repeats: int) -> tuple[tuple[float, ...], ...]:
    """What each of ``measures`` returns, ``repeats`` times; in turns, there and back, so that a steady drift
    cancels.
    """
    times: list[list[float]] = [[] for _ in measures]
    for repeat in range(repeats):
        there = list(zip(measures, times))
        for measure, samples in there if repeat % 2 == 0 else reversed(there):
            samples.append(measure())
    return tuple(tuple(samples) for samples in times)
