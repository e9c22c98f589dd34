"""Load a Stable Diffusion 1.x or 2.x pipeline folder, one part after the other, and check that it is one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from engine.errors import DeviceError, FileFormatError, MissingError, StudioError
from engine.prior.base import PriorInfo
from engine.prior.latent.config import read_scheduler
from engine.prior.latent.prior import LatentParts, LatentPrior
from engine.prior.pipeline_folder import missing_files, parts_of, pipeline_class, read_json, variant_of

PIPELINE = "StableDiffusionPipeline"
PARTS = {"unet": "UNet2DConditionModel", "vae": "AutoencoderKL", "text_encoder": "CLIPTextModel", "tokenizer": "CLIPTokenizer"}
ELEVATIONS_DEG = (-10.0, 45.0)  # what threestudio's presets for these models look from


def load_latent(
    folder: Path, device: torch.device | str = "cpu", info: PriorInfo | None = None, max_views_per_call: int = 8
) -> LatentPrior:
    """The model in ``folder``: half precision on a GPU, full on a CPU. ``info``'s resolution gives way to the model's own.

    Raises MissingError for an incomplete folder, FileFormatError for another kind of model or for files that cannot be read,
    DeviceError when it does not fit.
    """
    folder, device = Path(folder), torch.device(device)
    _check_folder(folder)
    schedule, prediction_type = read_scheduler(folder)
    parts = _load_parts(folder, device)
    return LatentPrior(parts, _info(folder, parts, info), schedule, prediction_type, max_views_per_call)


def _check_folder(folder: Path) -> None:
    missing = missing_files(folder)
    if missing:
        raise MissingError(f"{folder} lacks {', '.join(missing)}.", "Fetch the prior again; what is there is kept.")
    kind, found = pipeline_class(folder), parts_of(folder)
    wrong = [found.get(part, f"no {part}") for part, known in PARTS.items() if not found.get(part, "").startswith(known)]
    if kind != PIPELINE or wrong:
        raise FileFormatError(
            f"{folder} holds a {' with '.join([kind, *wrong])}; this loader takes a {PIPELINE} with {', '.join(PARTS.values())}.",
            "Choose a Stable Diffusion 1.x or 2.x model.",
        )


def _load_parts(folder: Path, device: torch.device) -> LatentParts:
    from diffusers import AutoencoderKL, UNet2DConditionModel  # slow to import, so only when a model is loaded
    from transformers import CLIPTextModel, CLIPTokenizer

    dtype = dtype_for(folder, "unet", device)
    unet = _load(folder, "unet", UNet2DConditionModel.from_pretrained, dtype, device)
    vae = _load(folder, "vae", AutoencoderKL.from_pretrained, dtype_for(folder, "vae", device), device)
    if unet.config.in_channels != vae.config.latent_channels:
        raise FileFormatError(
            f"The unet in {folder} takes {unet.config.in_channels} channels and the vae gives "
            f"{vae.config.latent_channels}: it is an inpainting, depth or editing model.",
            "Choose a plain text-to-image model.",
        )
    text_encoder = _load(folder, "text_encoder", CLIPTextModel.from_pretrained, dtype, device)
    with _readable(folder, "tokenizer"):
        tokenizer = CLIPTokenizer.from_pretrained(folder / "tokenizer", local_files_only=True)
    return LatentParts(unet, vae, text_encoder, tokenizer)


def dtype_for(folder: Path, part: str, device: torch.device) -> torch.dtype:
    """float16 on a GPU, float32 on a CPU; a part whose config says ``force_upcast`` would overflow in half and stays full."""
    upcast = read_json(folder / part / "config.json").get("force_upcast", False)
    return torch.float16 if device.type == "cuda" and not upcast else torch.float32


def _load(folder: Path, part: str, from_pretrained: Callable[..., Any], dtype: torch.dtype, device: torch.device) -> Any:
    with _readable(folder, part):
        network, report = from_pretrained(
            folder / part,
            torch_dtype=dtype,
            variant=variant_of(folder, part),
            use_safetensors=True,
            local_files_only=True,
            output_loading_info=True,
        )
        if report["missing_keys"]:
            raise FileFormatError(
                f"The weights of {part} in {folder} lack {len(report['missing_keys'])} tensors, "
                f"among them {sorted(report['missing_keys'])[0]}.",
                _again(folder),
            )
        return _frozen(network).to(device)


def _frozen(network: nn.Module) -> nn.Module:
    return network.eval().requires_grad_(False)


@contextmanager
def _readable(folder: Path, part: str) -> Iterator[None]:
    """Say which part of which folder could not be read; libraries raise anything from OSError to their own classes here."""
    try:
        yield
    except StudioError:
        raise
    except torch.OutOfMemoryError as error:
        raise DeviceError(
            f"{part} of {folder} does not fit into the GPU's memory.",
            "Close other programs that use it, or choose a smaller prior.",
        ) from error
    except Exception as error:
        reason = str(error).strip().split("\n")[0] or type(error).__name__
        raise FileFormatError(f"{part} in {folder} cannot be read: {reason}.", _again(folder)) from error


def _again(folder: Path) -> str:
    return f"Delete {folder} and fetch the prior again."


def _info(folder: Path, parts: LatentParts, info: PriorInfo | None) -> PriorInfo:
    side = parts.unet.config.sample_size
    if not isinstance(side, int):
        raise FileFormatError(
            f"The unet in {folder} has sample_size {side!r}; it must be one number.", "Choose a model for square pictures."
        )
    resolution = side * 2 ** (len(parts.vae.config.block_out_channels) - 1)
    if info is None:
        return PriorInfo(
            folder.name, folder.name, "rgb", resolution, 7.5, elevation_range_deg=ELEVATIONS_DEG, wants_view_words=True
        )
    return replace(info, channels="rgb", resolution=resolution, elevation_range_deg=ELEVATIONS_DEG, wants_view_words=True)
