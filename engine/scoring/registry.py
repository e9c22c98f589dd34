"""Which scorers there are, which are on this machine, and how to get and load one."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from types import ModuleType

import torch

from engine.errors import InputError, MissingError, StorageError
from engine.prior import hub
from engine.scoring.base import Scorer, ScorerInfo

MODULES = {
    "toybox": "engine.toybox.scorer",  # stands beside the house, and is only looked up when it is asked for
    "clip": "engine.scoring.clip",
    "pick-score": "engine.scoring.pick_score",
    "image-reward": "engine.scoring.image_reward",
}
"""A scorer is a module with ``INFO`` and ``load(folder, device)``; one that is not in this list is named by
its dotted name.
"""


def scorer_infos() -> tuple[ScorerInfo, ...]:
    """What is known of every scorer of the list."""
    return tuple(_module(name).INFO for name in MODULES)


def find_scorer(name: str) -> ScorerInfo:
    """The scorer of that name, loaded or not. Raises InputError that lists the known ones."""
    return _module(name).INFO


def local_folder(info: ScorerInfo) -> Path | None:
    """Where its files are, if all are on this machine; no network is asked."""
    cached = hub.cached_folder(info.source, info.revision, info.files[0])
    complete = cached is not None and all((cached / name).is_file() for name in info.files)
    return cached if complete else None


def installed(info: ScorerInfo) -> bool:
    """True if its files and packages are here."""
    return not _missing_packages(info) and (not info.source or local_folder(info) is not None)


def load_scorer(name: str, device: torch.device | str | None = None) -> Scorer:
    """The scorer of that name on ``device`` (a GPU where there is one, unless told). Raises InputError or
    MissingError.
    """
    module = _module(name)
    info: ScorerInfo = module.INFO
    missing = _missing_packages(info)
    if missing:
        raise MissingError(
            f"{info.title} needs the Python package {', '.join(missing)}.", f"Run: {info.install}"
        )
    folder = local_folder(info) if info.source else None
    if info.source and folder is None:
        raise MissingError(
            f"{info.title} is not on this machine ({info.size_mb} MB to fetch from {info.source}; licence: "
            f"{info.licence}).",
            f"Fetch it with: python -m studio evaluate --fetch {info.id}",
        )
    return module.load(folder, torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu")))


def fetch_scorer(info: ScorerInfo, report: hub.Report = lambda share: None) -> None:
    """Download what is missing; size and licence are in ``info``: show them first. Raises MissingError or
    StorageError.
    """
    if not info.source or local_folder(info) is not None:
        return
    free_mb = hub.free_bytes() // 1_000_000
    if free_mb < info.size_mb:
        raise StorageError(f"{info.title} needs {info.size_mb} MB, and {free_mb} MB are free.",
                           "Free some space, or set HF_HOME to a larger disk.")  # fmt: skip
    folder = hub.download(info.source, info.revision, list(info.files), info.size_mb, report)
    lacking = [name for name in info.files if not (folder / name).is_file()]
    if lacking:
        raise MissingError(
            f"{info.source} lacks {', '.join(lacking)}.", f"Look at https://huggingface.co/{info.source}."
        )


def _module(name: str) -> ModuleType:
    dotted = MODULES.get(name, name if "." in name else "")
    try:
        module = importlib.import_module(dotted) if dotted else None
    except ModuleNotFoundError as error:
        raise InputError(
            f"The scorer {name!r} cannot be imported: {error}.", f"Choose one of {', '.join(MODULES)}."
        ) from error
    if module is None or not hasattr(module, "INFO") or not hasattr(module, "load"):
        raise InputError(f"There is no scorer {name!r}.",
                         f"Choose one of {', '.join(MODULES)}, or the dotted name of a module with INFO "
                         "and load.")  # fmt: skip
    return module


def _missing_packages(info: ScorerInfo) -> list[str]:
    return [name for name in info.needs if importlib.util.find_spec(name) is None]
