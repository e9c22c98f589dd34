"""How much one person, and all of them together, may ask of a session."""

from __future__ import annotations

from dataclasses import dataclass

GIBIBYTE = 1 << 30


@dataclass(frozen=True)
class Limits:
    """The bounds of a studio, generous for one person at their own machine.

    ``jobs_per_owner`` and ``jobs`` bound those that wait or run, of one owner and of all; ``bytes_per_owner`` what an owner's
    runs take on disk. ``memory_share`` is how much of the memory that is free a scene may be expected to take.
    ``viewports`` are 3D views that are open at once, each with threads and a socket of its own. ``sockets_per_client`` are
    WebSockets from one address. ``upload_bytes`` bounds one file, ``upload_bytes_per_client`` what one address or login sends
    within ``upload_window_seconds``, ``uploads_bytes`` all uploads that are kept, and ``upload_keep_seconds`` for how long.
    ``watched_messages`` are the pictures, and as many status messages, that all watchers together get in a second while a run
    goes.
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
