"""Load a Stable Diffusion 1.x or 2.x pipeline folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from engine.prior.base import PriorInfo
from engine.prior.latent.loading import (
    Layout,
    Network,
    check_channels,
    load_network,
    load_tokenizer,
    square_side,
)
from engine.prior.latent.prior import LatentParts, LatentPrior
from engine.prior.latent.space import LatentSpace, shrinkage
from engine.prior.latent.text_encoder import ClipTower, ClipWords
from engine.prior.latent.unet import UnetDenoiser

LAYOUT = Layout(
    "StableDiffusionPipeline",
    {
        "unet": "UNet2DConditionModel",
        "vae": "AutoencoderKL",
        "text_encoder": "CLIPTextModel",
        "tokenizer": "CLIPTokenizer",
    },
    "Choose a Stable Diffusion 1.x or 2.x model.",
)
ELEVATIONS_DEG = (-10.0, 45.0)  # what threestudio's presets for models of single views look from
DEFAULT_GUIDANCE_SCALE = 7.5


def load_unet(folder: Path, device: torch.device) -> Network:
    """The part ``unet`` as diffusers' own class."""
    from diffusers import UNet2DConditionModel  # slow to import, so only when a model is loaded

    return load_network(folder, "unet", UNet2DConditionModel.from_pretrained, device)


def load_vae(folder: Path, device: torch.device) -> Network:
    """The part ``vae``; in full precision where its config says so."""
    from diffusers import AutoencoderKL

    return load_network(folder, "vae", AutoencoderKL.from_pretrained, device)


def space_of(folder: Path, unet: Network, vae: Network) -> LatentSpace:
    """The latents of the side that the UNet was trained on."""
    return LatentSpace(vae, square_side(folder, "unet", unet) * shrinkage(vae))


def clip_tower(
    folder: Path,
    device: torch.device,
    suffix: str = "",
    kind: type | None = None,
    half: torch.dtype = torch.float16,
) -> ClipTower:
    """The parts ``text_encoder`` and ``tokenizer`` with this suffix; ``kind`` is the encoder's class, else
    `CLIPTextModel`.
    """
    from transformers import CLIPTextModel, CLIPTokenizer

    encoder = load_network(
        folder, f"text_encoder{suffix}", (kind or CLIPTextModel).from_pretrained, device, half
    )
    return ClipTower(load_tokenizer(folder, f"tokenizer{suffix}", CLIPTokenizer.from_pretrained), encoder)


def one_tower_parts(folder: Path, unet: Network, vae: Network, device: torch.device) -> LatentParts:
    """UNet, VAE and the one CLIP tower of Stable Diffusion 1.x and 2.x."""
    return LatentParts(UnetDenoiser(unet), space_of(folder, unet, vae), ClipWords(clip_tower(folder, device)))


def load_latent(
    folder: Path,
    device: torch.device | str = "cpu",
    info: PriorInfo | None = None,
    max_views_per_call: int = 8,
) -> LatentPrior:
    """The model in ``folder``; ``info``'s resolution gives way to the model's own.

    Raises as `Layout.open` does, and DeviceError when it does not fit.
    """
    pipeline = LAYOUT.open(folder, device)
    folder, device = pipeline.folder, pipeline.device
    parts = _load_parts(folder, device)
    return LatentPrior(
        parts,
        described(folder, parts.space.side, info),
        pipeline.schedule,
        pipeline.prediction_type,
        max_views_per_call,
    )


def _load_parts(folder: Path, device: torch.device) -> LatentParts:
    unet, vae = load_unet(folder, device), load_vae(folder, device)
    check_channels(folder, "unet", unet, vae)
    return one_tower_parts(folder, unet, vae, device)


def described(folder: Path, side: int, info: PriorInfo | None, has_unet: bool = True) -> PriorInfo:
    """``info``, or the folder's name, with what holds for every latent model of single opaque views of
    ``side`` pixels.

    ControlNets and styles are made for the UNets of Stable Diffusion.
    """
    known = info or PriorInfo(folder.name, folder.name, "rgb", side, DEFAULT_GUIDANCE_SCALE)
    traits = {"has_vae": True, "wants_view_words": True, "takes_controls": has_unet, "takes_styles": has_unet}
    return replace(known, channels="rgb", resolution=side, elevation_range_deg=ELEVATIONS_DEG, **traits)
