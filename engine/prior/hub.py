"""The Hugging Face Hub's cache and downloads, with its errors said in our words."""

from __future__ import annotations

import errno
import io
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.errors import MissingError, StorageError, StudioError

Report = Callable[[float], None]
"""Called with the share 0..1 that is done, from whichever thread downloads."""


def cached_folder(repo: str, revision: str, name: str = "model_index.json") -> Path | None:
    """The snapshot of ``repo`` in this machine's cache that holds the file ``name``, complete or not; no network is asked."""
    from huggingface_hub import try_to_load_from_cache  # slow to import

    found = try_to_load_from_cache(repo, name, revision=revision)
    return Path(found).parent if isinstance(found, str) else None


def download(repo: str, revision: str, patterns: list[str], size_mb: int, report: Report) -> Path:
    """Fetch the files that match, or what is still missing of them, and return their folder.

    Raises MissingError (gone, gated, offline) or StorageError (no room, not writable), each with a remedy.
    """
    from huggingface_hub import snapshot_download

    meter = _Meter(size_mb * 1_000_000, report)
    try:
        return Path(snapshot_download(repo, revision=revision, allow_patterns=patterns, tqdm_class=_bar_class(meter)))
    except Exception as error:  # which class the network raises depends on the HTTP library that the Hub's client uses
        raise in_our_words(error, repo) from error


class GoneError(MissingError):
    """A repository is not there for us: removed, private, or behind a licence gate. A mirror may help."""


def in_our_words(error: Exception, repo: str) -> StudioError:
    """What went wrong while ``repo`` was fetched, and what to do."""
    from huggingface_hub import errors

    page = f"https://huggingface.co/{repo}"
    status = getattr(getattr(error, "response", None), "status_code", None)
    if isinstance(error, errors.GatedRepoError):
        return GoneError(f"{repo} asks everyone to accept its licence first.",
                         f"Accept it at {page}, run `hf auth login`, and fetch again.")
    if isinstance(error, errors.RepositoryNotFoundError | errors.RevisionNotFoundError) or status in (401, 403):
        return GoneError(f"{repo} is not on the Hub at that revision, or it is private.",
                         f"Look at {page}; if it is private, run `hf auth login`.")
    if status is not None:
        return MissingError(f"The Hub answered {status} for {repo}.", "Try again later; what was fetched is kept.")
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StorageError(f"The disk is full: {repo} could not be stored in {_cache()}.",
                            "Free some space, or set HF_HOME to a larger disk.")
    if isinstance(error, PermissionError):
        return StorageError(f"{_cache()} cannot be written, so {repo} was not stored.", "Set HF_HOME to a folder of yours.")
    reason = (str(error).strip() or type(error).__name__).split("\n")[0]
    return MissingError(f"{repo} is not on this machine and could not be fetched: {reason}",
                        "Check the network connection and HF_HUB_OFFLINE; what was fetched is kept.")


def free_bytes() -> int:
    """Room on the disk that holds the cache."""
    folder = _cache()
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def _cache() -> Path:
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


class _Meter:
    """Adds up what progress bars say. The Hub's client draws several over the same bytes, so the furthest one counts."""

    def __init__(self, expected: int, report: Report) -> None:
        self.expected = expected
        self.report = report
        self.share = 0.0

    def saw(self, done: float, total: float | None) -> None:
        """A bar stands at ``done`` bytes of ``total``; the share never falls."""
        self.share = max(self.share, min(1.0, done / max(self.expected, total or 0, 1)))
        self.report(self.share)


def _bar_class(meter: _Meter) -> type:
    """A silent tqdm whose bars over bytes report to ``meter``."""
    from huggingface_hub.utils import tqdm

    class Bar(tqdm):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **{**kwargs, "file": io.StringIO()})
            self.done = float(kwargs.get("initial") or 0)
            self.over_bytes = kwargs.get("unit") == "B"

        def update(self, n: float | None = 1) -> bool | None:
            self.done += n or 0
            if self.over_bytes:
                meter.saw(self.done, getattr(self, "total", None))
            return super().update(n)

    return Bar
