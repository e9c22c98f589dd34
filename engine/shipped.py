"""Where the files lie that come with the studio: presets, priors, the shelf, examples."""

from __future__ import annotations

from pathlib import Path


def presets_folder() -> Path:
    """The folder ``presets``: beside ``engine`` in a checkout, inside it where a wheel was installed."""
    here = Path(__file__).resolve().parent
    installed = here / "presets"
    return installed if installed.is_dir() else here.parent / "presets"
