"""Where the files of ControlNets are, and how to get them."""

from __future__ import annotations

from pathlib import Path

from engine.errors import MissingError, StorageError
from engine.prior import hub
from engine.prior.control.entries import ControlEntry

CONFIG = "config.json"
WEIGHTS = ("diffusion_pytorch_model.fp16.safetensors", "diffusion_pytorch_model.safetensors")
"""In the order in which they are wanted: half precision is enough."""


def local_folder(entry: ControlEntry) -> Path | None:
    """The folder with all files that are needed; None if some are not here. No network is asked."""
    if entry.is_local:
        candidates: list[Path | None] = [entry.local_source]
    else:
        candidates = [hub.cached_folder(repo, revision, CONFIG) for repo, revision in entry.hub_sources]
    return next((folder for folder in candidates if folder is not None and complete(folder)), None)


def complete(folder: Path) -> bool:
    """True for a folder with a config and weights; the links of a half-fetched cache count as not there."""
    return (folder / CONFIG).exists() and any((folder / name).exists() for name in WEIGHTS)


def fetch_control(entry: ControlEntry, report: hub.Report = lambda share: None) -> Path:
    """Download what is missing, from the source or else from its mirrors, and return the folder.

    Size and licence are in ``entry``: show them first. Raises MissingError or StorageError; what was fetched is kept.
    """
    place = local_folder(entry)
    if place is not None:
        return place
    if entry.is_local:
        raise MissingError(f"{entry.local_source} lacks {CONFIG} or {WEIGHTS[-1]}.", "Put the ControlNet's files there.")
    if hub.free_bytes() < entry.size_mb * 1_000_000:
        raise StorageError(
            f"{entry.title} needs {entry.size_mb} MB, and {hub.free_bytes() // 1_000_000} MB are free.",
            "Free some space, or set HF_HOME to a larger disk.",
        )
    refusals = []
    for repo, revision in entry.hub_sources:
        try:
            return _fetch(repo, revision, entry.size_mb, report)
        except hub.GoneError as error:
            refusals.append(error)
    raise MissingError(" ".join(error.what for error in refusals), refusals[0].remedy)


def _fetch(repo: str, revision: str, size_mb: int, report: hub.Report) -> Path:
    """Half-precision weights where the repository has them, full ones else."""
    for name in WEIGHTS:
        place = hub.download(repo, revision, [CONFIG, name], size_mb, report)
        if complete(place):
            return place
    raise hub.GoneError(f"{repo} has no safetensors weights.", "Choose another ControlNet.")
