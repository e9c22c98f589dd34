"""Fetching a single model: its settings, and one file of weights of the names it may have."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine.errors import MissingError, StorageError
from engine.prior import hub
from engine.prior.entries import Entry


@dataclass(frozen=True)
class Files:
    """What a model consists of: all of ``settings``, and the first of ``weights`` that its repository has."""

    settings: tuple[str, ...]
    weights: tuple[str, ...]

    def complete(self, folder: Path) -> bool:
        """True for a folder that has them; the links of a half-fetched cache count as not there."""
        return all((folder / name).exists() for name in self.settings) and any(
            (folder / name).exists() for name in self.weights
        )


def local_folder(entry: Entry, files: Files) -> Path | None:
    """The folder with all files that are needed; None if some are not here. No network is asked."""
    if entry.is_local:
        candidates: list[Path | None] = [entry.local_source]
    else:
        candidates = [
            hub.cached_folder(repo, revision, files.settings[0]) for repo, revision in entry.hub_sources
        ]
    return next((folder for folder in candidates if folder is not None and files.complete(folder)), None)


def fetch_files(entry: Entry, files: Files, report: hub.Report = lambda share: None) -> Path:
    """Download what is missing, from the source or else from its mirrors, and return the folder.

    Size and licence are in ``entry``: show them first. Raises MissingError or StorageError; what was fetched
    is kept.
    """
    place = local_folder(entry, files)
    if place is not None:
        return place
    if entry.is_local:
        wanted = f"{', '.join(files.settings)} or {files.weights[-1]}"
        raise MissingError(f"{entry.local_source} lacks {wanted}.", "Put the model's files there.")
    if hub.free_bytes() < entry.size_mb * 1_000_000:
        raise StorageError(
            f"{entry.title} needs {entry.size_mb} MB, and {hub.free_bytes() // 1_000_000} MB are free.",
            "Free some space, or set HF_HOME to a larger disk.",
        )
    refusals = []
    for repo, revision in entry.hub_sources:
        try:
            return _fetch(repo, revision, files, entry.size_mb, report)
        except hub.GoneError as error:
            refusals.append(error)
    raise MissingError(" ".join(error.what for error in refusals), refusals[0].remedy)


def _fetch(repo: str, revision: str, files: Files, size_mb: int, report: hub.Report) -> Path:
    for name in files.weights:
        place = hub.download(repo, revision, [*files.settings, name], size_mb, report)
        if files.complete(place):
            return place
    raise hub.GoneError(f"{repo} has no safetensors weights.", "Choose another model.")
