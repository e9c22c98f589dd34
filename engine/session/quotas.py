"""One owner's part of a session: so many runs, so much on disk."""

from __future__ import annotations

from engine.core.fields import is_writable
from engine.errors import InputError
from engine.session.jobs import Board
from engine.session.limits import GIBIBYTE, Limits
from engine.session.record import MAX_OWNER_CHARACTERS


def check_shares(owner: str, board: Board, limits: Limits) -> None:
    """Raises InputError for a name that cannot be kept, and for an owner who has a full share already."""
    if not isinstance(owner, str) or len(owner) > MAX_OWNER_CHARACTERS or not is_writable(owner):
        raise InputError(f"The owner of a run is a text of at most {MAX_OWNER_CHARACTERS} characters.", "Reload the page.")
    jobs = board.all()
    going = [job.record.owner for job in jobs if job.record.state in ("queued", "running")]
    if going.count(owner) >= limits.jobs_per_owner:
        what = f"{going.count(owner)} of your runs wait or go, which is as many as one person may have."
        raise InputError(what, "Stop one of them, or wait until one is done.")
    if len(going) >= limits.jobs:
        raise InputError(f"{len(going)} runs wait already, which is as many as this studio takes.", "Try again later.")
    held = sum(board.library.bytes_of(job.record.token) for job in jobs if job.record.owner == owner)
    if held > limits.bytes_per_owner:
        what = f"Your runs take {held / GIBIBYTE:.1f} GiB on disk, which is more than one person may have."
        raise InputError(what, f"Delete the folders of runs that you do not need any more, in {board.library.root}.")
