"""Which loader reads which family of priors. Each is imported when it is asked for: their libraries are slow
to import.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from engine.lazy import torch
from engine.prior.base import Prior
from engine.prior.entries import PriorEntry

Loader = Callable[[PriorEntry, Path, "torch.device"], Prior]
"""Entry, folder with the files, device -> prior."""


def _toybox(entry: PriorEntry, folder: Path, device: torch.device) -> Prior:
    from engine.prior.toybox.prior import load_toybox

    return load_toybox(folder, device)


def _latent(entry: PriorEntry, folder: Path, device: torch.device) -> Prior:
    from engine.prior.latent.stable_diffusion import load_latent

    return load_latent(folder, device, entry.info())


def _sdxl(entry: PriorEntry, folder: Path, device: torch.device) -> Prior:
    from engine.prior.latent.sdxl import load_sdxl

    return load_sdxl(folder, device, entry.info())


def _flow(entry: PriorEntry, folder: Path, device: torch.device) -> Prior:
    from engine.prior.flow.load import load_flow

    return load_flow(folder, device, entry.info(), entry.leave_out)


def _pixel(entry: PriorEntry, folder: Path, device: torch.device) -> Prior:
    from engine.prior.pixel.prior import load_pixel

    return load_pixel(folder, device, entry.info())


def _mvdream(entry: PriorEntry, folder: Path, device: torch.device) -> Prior:
    from engine.prior.mvdream.prior import load_mvdream

    return load_mvdream(folder, device, entry.info())


def _instruct(entry: PriorEntry, folder: Path, device: torch.device) -> Prior:
    from engine.prior.instruct.prior import load_instruct

    return load_instruct(folder, device, entry.info())


def _zero123(entry: PriorEntry, folder: Path, device: torch.device) -> Prior:
    from engine.prior.zero123.load import load_zero123

    return load_zero123(folder, device, entry.info(), stable=entry.family == "stable-zero123")


def _zero123plus(entry: PriorEntry, folder: Path, device: torch.device) -> Prior:
    from engine.prior.zero123plus.prior import load_zero123plus

    return load_zero123plus(folder, device, entry.info(), entry.family.removeprefix("zero123plus-"))


def _imagedream(entry: PriorEntry, folder: Path, device: torch.device) -> Prior:
    from engine.prior.imagedream.prior import load_imagedream

    return load_imagedream(folder, device, entry.info())


FAMILIES: dict[str, Loader] = {
    "toybox": _toybox,
    "latent": _latent,
    "sdxl": _sdxl,
    "flow": _flow,
    "pixel": _pixel,
    "mvdream": _mvdream,
    "instruct": _instruct,
    "zero123": _zero123,
    "stable-zero123": _zero123,
    "zero123plus-v1.1": _zero123plus,
    "zero123plus-v1.2": _zero123plus,
    "imagedream": _imagedream,
}
