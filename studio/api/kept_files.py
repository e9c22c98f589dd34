"""Files that programs send before they submit a run that uses them: kept for a day, each under an id that
nobody guesses.
"""

from __future__ import annotations

import re
import secrets
import shutil
import time
from dataclasses import dataclass
from pathlib import Path, PurePath

from engine.errors import InputError, UnknownError, storage_errors

PREFIX = "file:"
KEEP_SECONDS = 24 * 3600.0
MOST_NAME_CHARACTERS = 120
_ID = re.compile(r"[A-Za-z0-9_-]{22}")
_NAMED = re.compile(rf"{PREFIX}([^@*#]*)(.*)", re.DOTALL)


@dataclass(frozen=True)
class KeptFiles:
    """The files in ``folder``, one in a folder of its own each."""

    folder: Path

    def keep(self, name: str, content: bytes) -> str:
        """Keep ``content`` and return ``file:ID``. Raises InputError for a name that is none, StorageError if
        it fails.
        """
        plain = PurePath(name.replace("\\", "/")).name
        if not plain or plain in (".", "..") or len(plain) > MOST_NAME_CHARACTERS or not plain.isprintable():
            raise InputError(
                f"{name[:80]!r} is no file's name.", "Send a name such as mug.png, without folders."
            )
        if not content:
            raise InputError(f"{plain} is empty.", "Send its bytes as the body.")
        self.forget_old()
        kept = secrets.token_urlsafe(16)
        with storage_errors(self.folder / kept):
            (self.folder / kept).mkdir(parents=True)
            (self.folder / kept / plain).write_bytes(content)
        return PREFIX + kept

    def resolved(self, text: str) -> str:
        """``text`` with ``file:ID`` replaced by that file's path; other texts as they are. Raises
        UnknownError.
        """
        match = _NAMED.fullmatch(text)
        if match is None:
            return text
        paths = sorted((self.folder / match[1]).iterdir()) if self._is_kept(match[1]) else []
        if not paths:
            raise UnknownError(
                f"No file was sent with the id {match[1][:40]!r}.", "Send it first: POST /api/v1/files."
            )
        return f"{paths[0]}{match[2]}"

    def forget_old(self, now: float | None = None) -> None:
        """Delete what is older than a day; runs have copies of their own."""
        horizon = (time.time() if now is None else now) - KEEP_SECONDS
        for each in self.folder.glob("*/"):
            if _ID.fullmatch(each.name) and each.stat().st_mtime < horizon:
                shutil.rmtree(each, ignore_errors=True)

    def _is_kept(self, name: str) -> bool:
        return _ID.fullmatch(name) is not None and (self.folder / name).is_dir()
