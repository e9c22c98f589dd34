"""Load a Stable Diffusion 1.x or 2.x pipeline folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from engine.prior.base import PriorInfo
from engine.prior.latent.config import read_scheduler
from engine.prior.latent.loading import Layout, check_channels, load_network, load_tokenizer, square_side
from engine.prior.latent.prior import LatentParts, LatentPrior
from engine.prior.latent.space import LatentSpace, shrinkage
from engine.prior.latent.unet import UnetDenoiser
from engine.prior.latent.words import ClipTower, ClipWords

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
    """The model in ``folder``: half precision on a GPU, full on a CPU. ``info``'s resolution gives way to the model's own.

    Raises MissingError for an incomplete folder, FileFormatError for another kind of model or for files that cannot be read,
    DeviceError when it does not fit.
    """
    folder, device = Path(folder), torch.device(device)
    LAYOUT.check(folder)
    schedule, prediction_type = read_scheduler(folder)
    parts = _load_parts(folder, device)
    return LatentPrior(parts, described(folder, parts.space.side, info), schedule, prediction_type, max_views_per_call)


def _load_parts(folder: Path, device: torch.device) -> LatentParts:
    from diffusers import AutoencoderKL, UNet2DConditionModel  # slow to import, so only when a model is loaded
    from transformers import CLIPTextModel, CLIPTokenizer

    unet = load_network(folder, "unet", UNet2DConditionModel.from_pretrained, device)
    vae = load_network(folder, "vae", AutoencoderKL.from_pretrained, device)
    check_channels(folder, "unet", unet, vae)
    space = LatentSpace(vae, square_side(folder, "unet", unet) * shrinkage(vae))
    encoder = load_network(folder, "text_encoder", CLIPTextModel.from_pretrained, device)
    tower = ClipTower(load_tokenizer(folder, "tokenizer", CLIPTokenizer.from_pretrained), encoder)
    return LatentParts(UnetDenoiser(unet), space, ClipWords(tower))


def described(folder: Path, side: int, info: PriorInfo | None, has_unet: bool = True) -> PriorInfo:
    """``info``, or the folder's name, with what holds for every latent model of single opaque views of ``side`` pixels.

    ControlNets and styles are made for the UNets of Stable Diffusion.
    """
    known = info or PriorInfo(folder.name, folder.name, "rgb", side, DEFAULT_GUIDANCE_SCALE)
    traits = {"has_vae": True, "wants_view_words": True, "takes_controls": has_unet, "takes_styles": has_unet}
    return replace(known, channels="rgb", resolution=side, elevation_range_deg=ELEVATIONS_DEG, **traits)
