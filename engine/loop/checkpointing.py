"""Checkpoints of a run that goes: a disk that takes none does not end it, and one that cannot be used begins
it anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

import torch

from engine.errors import FileFormatError, InputError, MissingError, StorageError
from engine.loop import checkpoint
from engine.loop.checkpoint import Snapshot
from engine.loop.messages import Checkpointed, Event, Warned

BEGUN_ANEW = (
    "Its checkpoints cannot be read, so the run began anew, with the settings that it was asked for with."
)
UNUSABLE = (
    FileFormatError,
    MissingError,
    KeyError,
    TypeError,
    ValueError,
    IndexError,
    AttributeError,
    RuntimeError,
)


@dataclass(eq=False)
class Checkpoints:
    """Those that a run leaves in ``folder``; none where there is no folder."""

    folder: Path | None
    refused: bool = False  # the last one could not be written, and that was said

    def keep(self, take: Callable[[], Snapshot]) -> Iterator[Event]:
        """Write one. A disk that takes none costs no more than the way back: it is said once, and tried again
        next time.
        """
        if self.folder is None:
            return
        state = take()
        try:
            checkpoint.save(state, self.folder)
        except StorageError as error:
            warnings = (
                ()
                if self.refused
                else (Warned(f"A checkpoint could not be kept. {error.what}", error.remedy),)
            )
            self.refused = True
            yield from warnings
        else:
            self.refused = False
            yield Checkpointed(int(state.content["total_step"]))

    def leave(self, take: Callable[[], Snapshot]) -> None:
        """Write one if that is possible, where nobody listens any more."""
        if self.folder is not None:
            with suppress(StorageError):
                checkpoint.save(take(), self.folder)


class Resumable(Protocol):
    """A run before its first event."""

    notes: tuple[Warned, ...]

    def return_to(self, earlier: Snapshot) -> None:
        """Go on from a checkpoint."""
        ...


Resumed = TypeVar("Resumed", bound=Resumable)


def gone_on(begun: Callable[[bool], Resumed], folder: Path) -> Resumed:
    """The run as its newest checkpoint in ``folder`` holds it, or a new one that says so where no checkpoint
    can be used.

    ``begun`` makes a run that is to be resumed, or not. Raises InputError for a run that has ended.
    """
    run = begun(True)
    try:
        run.return_to(checkpoint.load(folder))
    except UNUSABLE as error:
        # an InputError is a ValueError, too
        ended = isinstance(error, InputError) and not isinstance(error, FileFormatError)
        if ended or isinstance(error, torch.OutOfMemoryError):
            raise
        run = begun(False)
        run.notes = (Warned(BEGUN_ANEW),)
    return run
