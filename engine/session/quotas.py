"""One owner's part of a session: so many runs, so much on disk."""

from __future__ import annotations

from collections.abc import Callable

from engine.core.fields import is_writable
from engine.errors import InputError, LimitError, StateError
from engine.loop.settings import Settings
from engine.session.input_files import as_asked
from engine.session.jobs import Board
from engine.session.limits import GIBIBYTE, Limits
from engine.session.record import MAX_OWNER_CHARACTERS, JobRecord


def already_submitted(settings: Settings, client_key: str, known: JobRecord | None) -> str:
    """The token of what was ``known`` to be submitted under this key; empty where there is none.

    Raises StateError where the key stands for other settings.
    """
    if known is not None and as_asked(known.settings) != as_asked(settings):
        what = f"The key {client_key[:60]!r} belongs to a run with other settings."
        raise StateError(what, "Use a new key for a new run.")
    return "" if known is None else known.token


def check_shares(owner: str, board: Board, limits: Limits, bytes_of: Callable[[str], int]) -> None:
    """Raises InputError for a name that cannot be kept, and for an owner who has a full share already."""
    if not isinstance(owner, str) or len(owner) > MAX_OWNER_CHARACTERS or not is_writable(owner):
        raise InputError(f"The owner of a run is a text of at most {MAX_OWNER_CHARACTERS} characters.", "Reload the page.")
    jobs = board.all()
    going = [job.record.owner for job in jobs if job.record.state in ("queued", "running")]
    if going.count(owner) >= limits.jobs_per_owner:
        what = f"{going.count(owner)} of your runs wait or go, which is as many as one person may have."
        raise LimitError(what, "Stop one of them, or wait until one is done.")
    if len(going) >= limits.jobs:
        raise LimitError(f"{len(going)} runs wait already, which is as many as this studio takes.", "Try again later.")
    held = bytes_of(owner)
    if held > limits.bytes_per_owner:
        what = f"Your runs take {held / GIBIBYTE:.1f} GiB on disk, which is more than one person may have."
        raise LimitError(what, f"Delete runs that you need no more, here or in {board.library.root}, and empty the trash.")
