"""Which priors there are, which are on this machine, and how to get and load one."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

from engine.errors import DeviceError, FileFormatError, MissingError, PresetError, StorageError
from engine.lazy import importing, torch
from engine.prior import hub
from engine.prior.base import Prior
from engine.prior.entries import PRIORS_FOLDER, PriorEntry, known_file, lacking, read_entry
from engine.prior.families import FAMILIES
from engine.prior.pipeline_folder import (
    HALF,
    INDEX,
    missing_files,
    parts_without_weights,
    settings_patterns,
    weight_patterns,
)
from engine.prior.weights import elements_in


def list_priors(folder: Path = PRIORS_FOLDER) -> tuple[PriorEntry, ...]:
    """Every entry, what comes with the studio first. Raises PresetError for a file that cannot be read."""
    entries = [read_entry(path) for path in sorted(folder.glob("*.toml"))]
    return tuple(sorted(entries, key=lambda entry: (not entry.is_local, entry.title)))


def find_entry(prior_id: str, folder: Path = PRIORS_FOLDER) -> PriorEntry:
    """The entry named ``prior_id``; raises InputError that lists the known ones."""
    return read_entry(known_file("prior", prior_id, folder))


def installed(entry: PriorEntry) -> bool:
    """True if all files are here: beside the entry, or in the Hub's cache. No network is asked."""
    return local_folder(entry) is not None


def local_folder(entry: PriorEntry) -> Path | None:
    """Where the files are, if all are here."""
    if entry.is_local:
        candidates = [entry.local_source]
    else:
        candidates = [hub.cached_folder(repo, revision) for repo, revision in entry.hub_sources]
    return next(
        (
            folder
            for folder in candidates
            if folder is not None and not missing_files(folder, entry.leave_out)
        ),
        None,
    )


def load_prior(
    prior_id: str,
    device: torch.device | str | None = None,
    folder: Path = PRIORS_FOLDER,
    *,
    precision: str = "auto",
) -> Prior:
    """The prior named ``prior_id``, on ``device`` (a GPU where there is one, unless told); see
    ``load_within`` for ``precision``.

    Raises InputError (unknown), MissingError (not installed), PresetError or FileFormatError (unreadable),
    DeviceError.
    """
    from engine.prior.memory_savings import load_within  # imports torch

    entry = find_entry(prior_id, folder)
    if entry.family not in FAMILIES:
        raise PresetError(
            f"Prior {prior_id} is of the family {entry.family!r}.",
            f"Known families are {', '.join(FAMILIES)}.",
        )
    _check_packages(entry)
    place = local_folder(entry)
    if place is None:
        raise _not_installed(entry)
    weights = elements_in(place, entry.leave_out)
    with importing:  # loaders import diffusers bit by bit
        return load_within(
            lambda where: FAMILIES[entry.family](entry, place, where), weights, _device(device), precision
        )


def fetch(entry: PriorEntry, report: hub.Report = lambda share: None) -> Path:
    """Download what is missing, from the source or else from its mirrors, and return the folder.

    Size and licence are in ``entry``: show them first. Raises MissingError or StorageError; what was fetched
    is kept.
    """
    place = local_folder(entry)
    if place is not None:
        return place
    if entry.is_local:
        raise _not_installed(entry)
    if hub.free_bytes() < entry.size_mb * 1_000_000:
        raise StorageError(
            f"{entry.title} needs {entry.size_mb} MB, and {hub.free_bytes() // 1_000_000} MB are free.",
            "Free some space, or set HF_HOME to a larger disk.",
        )
    return _fetch_from_any(entry, hub.rising(report))


def vocabulary_of(entry: PriorEntry) -> frozenset[str] | None:
    """The words a prior was taught, from its tokenizer's JSON file; None if it reads any."""
    if not entry.vocabulary:
        return None
    path = entry.folder / entry.vocabulary
    try:
        return frozenset(json.loads(path.read_text(encoding="utf-8"))["model"]["vocab"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FileFormatError(
            f"{path} lists no words: {error}.", f"Restore the files of {entry.id}."
        ) from error


def kinds_of(entry: PriorEntry) -> frozenset[str] | None:
    """The kinds of objects that a prior makes by itself, from its JSON list; None if it is not bound to
    kinds.
    """
    if not entry.kinds:
        return None
    path = entry.folder / entry.kinds
    try:
        return frozenset(str(kind) for kind in json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise FileFormatError(
            f"{path} lists no kinds: {error}.", f"Restore the files of {entry.id}."
        ) from error


def _fetch_from_any(entry: PriorEntry, report: hub.Report) -> Path:
    """From the source, or from the next mirror where a repository is gone."""
    refusals = []
    for repo, revision in entry.hub_sources:
        try:
            place = _fetch_parts(repo, revision, entry, report)
            if not missing_files(place, entry.leave_out):
                return place
            refusals.append(MissingError(f"{repo} lacks {', '.join(missing_files(place, entry.leave_out))}."))
        except hub.GoneError as error:
            refusals.append(error)
    raise MissingError(" ".join(error.what for error in refusals), refusals[0].remedy)


def _fetch_parts(repo: str, revision: str, entry: PriorEntry, report: hub.Report) -> Path:
    """The parts that the index names: half-precision weights where the repository has them, full ones for
    what is left.
    """
    place = hub.download(repo, revision, [INDEX], entry.size_mb, lambda share: None)
    if missing_files(place) == [INDEX]:
        return place
    for variant in (HALF, None):
        lacking = parts_without_weights(place, entry.leave_out)
        weights = [pattern for part in lacking for pattern in weight_patterns(part, variant)]
        place = hub.download(
            repo, revision, settings_patterns(place, entry.leave_out) + weights, entry.size_mb, report
        )
        if not missing_files(place, entry.leave_out):
            break
    return place


def _check_packages(entry: PriorEntry) -> None:
    missing = [name for name in entry.needs if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingError(
            f"{entry.title} needs {', '.join(missing)}.", f"Run: pip install {' '.join(missing)}"
        )


def _not_installed(entry: PriorEntry) -> MissingError:
    if entry.is_local:
        missing = ", ".join(missing_files(entry.local_source, entry.leave_out))
        return MissingError(
            f"{entry.title} should be in {entry.local_source}, which lacks {missing}.",
            "Restore that folder from the repository.",
        )
    return lacking(entry, entry.title)


def _device(device: torch.device | str | None) -> torch.device:
    device = torch.device(device if device is not None else ("cuda" if torch.cuda.is_available() else "cpu"))
    if device.type == "cuda" and not torch.cuda.is_available():
        raise DeviceError(
            "A GPU was asked for, and PyTorch finds none.",
            "Use the device cpu, or install a CUDA build of PyTorch.",
        )
    return device
