"""A run cut into short calls, with full state between them: for GPUs that are lent for seconds, as ZeroGPU
lends them.

Each call is another process. It goes on from the run's checkpoint, works until its time is over, and leaves a
checkpoint; its events travel back as they come. Live changes are handed to the next call.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.loop.messages import Command, CommandSource, Event, Finished, SceneCopy, SetKnobs, Stepped, Watch
from engine.loop.spec import Knobs, RunSpec
from engine.prior.base import Prior

SLICE_SECONDS = 20.0  # long enough to be worth a start, short enough for sliders
Slice = Callable[..., Iterator[Event]]


class Handed:
    """The commands that a call was given: taken once, before its first step."""

    def __init__(self, commands: tuple[Command, ...]) -> None:
        self.waiting = commands

    def take(self) -> tuple[Command, ...]:
        taken, self.waiting = self.waiting, ()
        return taken


def one_slice(
    spec: RunSpec,
    knobs: Knobs,
    commands: tuple[Command, ...],
    folder: Path,
    resume: bool,
    seconds: float = SLICE_SECONDS,
    load_prior: Callable[[str], Prior] | None = None,
) -> Iterator[Event]:
    """A run's events for about ``seconds``, in whatever process this is called; it ends with a checkpoint.

    A draft is never cut: one that was interrupted begins anew. What is yielded holds no tensors of the GPU.
    """
    from engine.loop.run import run
    from engine.prior.registry import load_prior as load_registered

    limit = time.monotonic() + seconds
    with closing(
        run(spec, knobs, Handed(commands), load_prior or load_registered, folder=folder, resume=resume)
    ) as events:
        for event in events:
            yield _travelling(event)
            if isinstance(event, Stepped) and event.stage != "draft" and time.monotonic() >= limit:
                return  # closing leaves the checkpoint


def _travelling(event: Event) -> Event:
    """The event as another process can receive it."""
    if isinstance(event, SceneCopy):
        return replace(event, scene=event.scene.to("cpu"))
    return replace(event, copy=_travelling(event.copy)) if isinstance(event, Finished) else event


def sliced(call: Slice) -> Callable[..., Iterator[Event]]:
    """A ``run`` (`engine.loop.run.run`) that is made of ``call``s one after the other."""

    def run_in_slices(
        spec: RunSpec,
        knobs: Knobs,
        commands: CommandSource,
        load_prior: Any,
        *,
        folder: Path,
        resume: bool = False,
    ) -> Iterator[Event]:
        finished, going, watch = False, resume, ()
        while not finished:
            handed = tuple(commands.take())
            watch = tuple(each for each in handed if isinstance(each, Watch)) or watch
            # each call must know who looks
            handed = (
                *watch,
                *(each for each in handed if not isinstance(each, Watch)),
            )
            knobs = next((each.knobs for each in handed if isinstance(each, SetKnobs)), knobs)
            for event in call(spec, knobs, handed, folder, going):
                yield event
                finished = isinstance(event, Finished)
            going = True

    return run_in_slices
