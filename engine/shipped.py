"""What comes with the studio: its version, and where the files lie (presets, priors, the shelf, examples)."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def presets_folder() -> Path:
    """The folder ``presets``: beside ``engine`` in a checkout, inside it where a wheel was installed."""
    here = Path(__file__).resolve().parent
    installed = here / "presets"
    return installed if installed.is_dir() else here.parent / "presets"


def installed_version(package: str = "maquette") -> str:
    """The version of an installed package; empty if it is not installed, as in a checkout that is only looked
    at.
    """
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
