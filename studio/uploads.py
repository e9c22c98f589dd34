"""What a browser may send and name: bodies of bounded length, and files that were uploaded here or that runs
keep.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from starlette.requests import Request

from engine.errors import InputError
from studio.problems import TooLargeError


def check_uploads(files: Mapping[str, Path], folders: Sequence[Path]) -> None:
    """Raises InputError for a file, by the setting that names it, that does not lie below one of ``folders``.

    Paths come from outside, so links and dots are followed before they are judged.
    """
    allowed = [folder.resolve() for folder in folders]
    for name, path in files.items():
        if not any(_real(path, name).is_relative_to(folder) for folder in allowed):
            raise InputError(f"{name} names a file that was not uploaded here.", "Choose the file again.")


def _real(path: Path, name: str) -> Path:
    try:
        return path.resolve()
    except (ValueError, RuntimeError, OSError) as error:  # characters that no name has, or links in a circle
        raise InputError(f"{name} names no file.", "Choose the file again.") from error


async def bounded_body(request: Request, most: int) -> bytes:
    """What was sent; no more than ``most`` bytes are ever held. TooLargeError for more."""
    held = bytearray()
    async for part in request.stream():
        if len(held) + len(part) > most:
            raise TooLargeError(f"More than {most:,} bytes were sent.", "Send less.")
        held += part
    return bytes(held)
