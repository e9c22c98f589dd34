"""Which loader reads which family of priors. Each is imported when it is asked for: their libraries are slow to import."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch

from engine.prior.base import Prior
from engine.prior.entries import PriorEntry

Loader = Callable[[PriorEntry, Path, torch.device], Prior]
"""Entry, folder with the files, device -> prior."""


def _toybox(entry: PriorEntry, folder: Path, device: torch.device) -> Prior:
    from engine.prior.toybox.prior import load_toybox

    return load_toybox(folder, device)


def _latent(entry: PriorEntry, folder: Path, device: torch.device) -> Prior:
    from engine.prior.latent.load import load_latent

    return load_latent(folder, device, entry.info())


def _sdxl(entry: PriorEntry, folder: Path, device: torch.device) -> Prior:
    from engine.prior.latent.sdxl import load_sdxl

    return load_sdxl(folder, device, entry.info())


def _flow(entry: PriorEntry, folder: Path, device: torch.device) -> Prior:
    from engine.prior.flow.load import load_flow

    return load_flow(folder, device, entry.info(), entry.leave_out)


def _pixel(entry: PriorEntry, folder: Path, device: torch.device) -> Prior:
    from engine.prior.pixel.load import load_pixel

    return load_pixel(folder, device, entry.info())


def _mvdream(entry: PriorEntry, folder: Path, device: torch.device) -> Prior:
    from engine.prior.mvdream.load import load_mvdream

    return load_mvdream(folder, device, entry.info())


def _instruct(entry: PriorEntry, folder: Path, device: torch.device) -> Prior:
    from engine.prior.instruct.load import load_instruct

    return load_instruct(folder, device, entry.info())


FAMILIES: dict[str, Loader] = {
    "toybox": _toybox,
    "latent": _latent,
    "sdxl": _sdxl,
    "flow": _flow,
    "pixel": _pixel,
    "mvdream": _mvdream,
    "instruct": _instruct,
}
