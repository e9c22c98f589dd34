"""Load a Stable Diffusion 1.x or 2.x pipeline folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from engine.prior.base import PriorInfo
from engine.prior.latent.common import load_unet, load_vae, one_tower_parts
from engine.prior.latent.loading import Layout, check_channels
from engine.prior.latent.prior import LatentParts, LatentPrior

LAYOUT = Layout(
    "StableDiffusionPipeline",
    {"unet": "UNet2DConditionModel", "vae": "AutoencoderKL", "text_encoder": "CLIPTextModel", "tokenizer": "CLIPTokenizer"},
    "Choose a Stable Diffusion 1.x or 2.x model.",
)
ELEVATIONS_DEG = (-10.0, 45.0)  # what threestudio's presets for models of single views look from
DEFAULT_GUIDANCE_SCALE = 7.5


def load_latent(
    folder: Path, device: torch.device | str = "cpu", info: PriorInfo | None = None, max_views_per_call: int = 8
) -> LatentPrior:
    """The model in ``folder``; ``info``'s resolution gives way to the model's own.

    Raises as `Layout.open` does, and DeviceError when it does not fit.
    """
    pipeline = LAYOUT.open(folder, device)
    folder, device = pipeline.folder, pipeline.device
    parts = _load_parts(folder, device)
    return LatentPrior(
        parts, described(folder, parts.space.side, info), pipeline.schedule, pipeline.prediction_type, max_views_per_call
    )


def _load_parts(folder: Path, device: torch.device) -> LatentParts:
    unet, vae = load_unet(folder, device), load_vae(folder, device)
    check_channels(folder, "unet", unet, vae)
    return one_tower_parts(folder, unet, vae, device)


def described(folder: Path, side: int, info: PriorInfo | None, has_unet: bool = True) -> PriorInfo:
    """``info``, or the folder's name, with what holds for every latent model of single opaque views of ``side`` pixels.

    ControlNets and styles are made for the UNets of Stable Diffusion.
    """
    known = info or PriorInfo(folder.name, folder.name, "rgb", side, DEFAULT_GUIDANCE_SCALE)
    traits = {"has_vae": True, "wants_view_words": True, "takes_controls": has_unet, "takes_styles": has_unet}
    return replace(known, channels="rgb", resolution=side, elevation_range_deg=ELEVATIONS_DEG, **traits)
