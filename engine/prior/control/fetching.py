"""Where the files of ControlNets are, and how to get them."""

from __future__ import annotations

from pathlib import Path

from engine.prior import fetching, hub
from engine.prior.control.entries import ControlEntry

CONFIG = "config.json"
WEIGHTS = ("diffusion_pytorch_model.fp16.safetensors", "diffusion_pytorch_model.safetensors")
"""In the order in which they are wanted: half precision is enough."""

FILES = fetching.Files((CONFIG,), WEIGHTS)


def local_folder(entry: ControlEntry) -> Path | None:
    """The folder with all files that are needed; None if some are not here. No network is asked."""
    return fetching.local_folder(entry, FILES)


def fetch_control(entry: ControlEntry, report: hub.Report = lambda share: None) -> Path:
    """Download what is missing and return the folder; see `engine.prior.fetching.fetch_files`."""
    return fetching.fetch_files(entry, FILES, report)
