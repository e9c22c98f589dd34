"""What one person, or all of them together, may ask of a studio, and the refusal of more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from engine.core.fields import is_writable
from engine.errors import InputError, LimitError, StateError
from engine.loop.settings import Settings
from engine.session.input_files import file_settings
from engine.session.jobs import Board
from engine.session.record import MAX_OWNER_CHARACTERS, JobRecord

GIBIBYTE = 1 << 30


@dataclass(frozen=True)
class Limits:
    """The bounds of a studio, generous for one person at their own machine.

    ``jobs_per_owner`` and ``jobs`` bound those that wait or run, of one owner and of all; ``bytes_per_owner``
    what an owner's runs take on disk. ``memory_share`` is how much of the memory that is free a scene may be
    expected to take. ``viewports`` are 3D views that are open at once, each with threads and a socket of its
    own. ``sockets_per_client`` are WebSockets from one address. ``upload_bytes`` bounds one file,
    ``upload_bytes_per_client`` what one address or login sends within ``upload_window_seconds``,
    ``uploads_bytes`` all uploads that are kept, and ``upload_keep_seconds`` for how long.
    ``watched_messages`` are the pictures, and as many status messages, that all watchers together get in a
    second while a run goes.
    """

    jobs_per_owner: int = 24
    jobs: int = 200
    bytes_per_owner: int = 20 * GIBIBYTE
    memory_share: float = 0.8
    viewports: int = 12
    sockets_per_client: int = 64
    upload_bytes: int = GIBIBYTE
    upload_bytes_per_client: int = 4 * GIBIBYTE
    upload_window_seconds: float = 3600.0
    uploads_bytes: int = 16 * GIBIBYTE
    upload_keep_seconds: float = 24 * 3600.0
    watched_messages: int = 60


DEFAULT_LIMITS = Limits()


def already_submitted(settings: Settings, client_key: str, known: JobRecord | None) -> str:
    """The token of what was ``known`` to be submitted under this key; empty where there is none.

    Raises StateError where the key stands for other settings.
    """
    if known is not None and file_settings(known.settings) != file_settings(settings):
        what = f"The key {client_key[:60]!r} belongs to a run with other settings."
        raise StateError(what, "Use a new key for a new run.")
    return "" if known is None else known.token


def check_shares(owner: str, board: Board, limits: Limits, bytes_of: Callable[[str], int]) -> None:
    """Raises InputError for a name that cannot be kept, and for an owner who has a full share already."""
    if not isinstance(owner, str) or len(owner) > MAX_OWNER_CHARACTERS or not is_writable(owner):
        raise InputError(
            f"The owner of a run is a text of at most {MAX_OWNER_CHARACTERS} characters.", "Reload the page."
        )
    jobs = board.all()
    going = [job.record.owner for job in jobs if job.record.state in ("queued", "running")]
    if going.count(owner) >= limits.jobs_per_owner:
        what = f"{going.count(owner)} of your runs wait or go, which is as many as one person may have."
        raise LimitError(what, "Stop one of them, or wait until one is done.")
    if len(going) >= limits.jobs:
        raise LimitError(
            f"{len(going)} runs wait already, which is as many as this studio takes.", "Try again later."
        )
    held = bytes_of(owner)
    if held > limits.bytes_per_owner:
        what = f"Your runs take {held / GIBIBYTE:.1f} GiB on disk, which is more than one person may have."
        raise LimitError(
            what, f"Delete runs that you need no more, here or in {board.library.root}, and empty the trash."
        )
