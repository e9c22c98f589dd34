"""Every error that Maquette raises on purpose, and what to do about it.

    StudioError
    ├── InputError         the caller gave what cannot be used (prompt, number, file); a ValueError, too
    │   ├── UnknownError   there is nothing with this name or token; a LookupError, too
    │   ├── StateError     a run is not in a state that allows it
    │   ├── LimitError     as much as one person, or all of them, may ask for has been asked for
    │   ├── PresetError    a preset file is unreadable or names what does not exist
    │   └── FileFormatError  a PLY, GLB, checkpoint ... is corrupt or of another kind
    ├── MissingError       something optional is not here: a prior's weights, a package
    ├── DeviceError        a backend was asked for that this machine cannot run
    ├── StorageError       a folder cannot be written, or the disk is full
    │   └── IncompleteError  some files of a result could not be written; it names those that are there
    └── RunError           a run cannot go on (not finite, emptied, ran away)

Each carries ``what`` (the fact: where, what was given, what is allowed) and ``remedy`` (what to do next).
``str(error)`` is both, so that it can be shown to a person as it is.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


class StudioError(Exception):
    """Base of the tree: a sentence that says what happened, and one that says what to do."""

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(what, remedy)
        self.what = what
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.what} {self.remedy}".strip()


class InputError(StudioError, ValueError):
    """The caller gave something that cannot be used."""


class UnknownError(InputError, LookupError):
    """There is nothing with this name or token."""


class StateError(InputError):
    """A run is not in a state that allows what was asked for."""


class LimitError(InputError):
    """As much as one person, or all of them together, may ask for has been asked for."""


class PresetError(InputError):
    """A preset is unreadable, or names a field, method or prior that does not exist."""


class FileFormatError(InputError):
    """A file is corrupt, truncated, or not what its name says."""


class MissingError(StudioError):
    """Something optional is not installed on this machine."""


class DeviceError(StudioError):
    """A backend was asked for that this machine cannot run."""


class StorageError(StudioError):
    """A folder cannot be written, or the disk is full."""


class IncompleteError(StorageError):
    """Some files of a result could not be written. ``written`` are those that are there, by name."""

    def __init__(self, what: str, remedy: str, written: Mapping[str, Path]) -> None:
        super().__init__(what, remedy)
        self.written = dict(written)


class RunError(StudioError):
    """A run cannot go on."""


@contextmanager
def storage_errors(path: Path | str) -> Iterator[None]:
    """Turn the operating system's refusals while writing ``path`` into a StorageError with a remedy."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            what, remedy = (
                f"The disk is full: {path} could not be written.",
                "Free some space, or choose another folder.",
            )
            raise StorageError(what, remedy) from error
        what = f"{path} could not be written ({error.strerror or error})."
        remedy = "Check that the folder exists and that you may write there, or choose another one."
        raise StorageError(what, remedy) from error
