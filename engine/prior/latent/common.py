"""The parts that Stable Diffusion's relatives share: a VAE's space, CLIP towers, and UNet, VAE and CLIP put together."""

from __future__ import annotations

from pathlib import Path

import torch

from engine.prior.latent.loading import Network, load_network, load_tokenizer, square_side
from engine.prior.latent.prior import LatentParts
from engine.prior.latent.space import LatentSpace, shrinkage
from engine.prior.latent.text_encoder import ClipTower, ClipWords
from engine.prior.latent.unet import UnetDenoiser


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
    folder: Path, device: torch.device, suffix: str = "", kind: type | None = None, half: torch.dtype = torch.float16
) -> ClipTower:
    """The parts ``text_encoder`` and ``tokenizer`` with this suffix; ``kind`` is the encoder's class, else `CLIPTextModel`."""
    from transformers import CLIPTextModel, CLIPTokenizer

    encoder = load_network(folder, f"text_encoder{suffix}", (kind or CLIPTextModel).from_pretrained, device, half)
    return ClipTower(load_tokenizer(folder, f"tokenizer{suffix}", CLIPTokenizer.from_pretrained), encoder)


def one_tower_parts(folder: Path, unet: Network, vae: Network, device: torch.device) -> LatentParts:
    """UNet, VAE and the one CLIP tower of Stable Diffusion 1.x and 2.x."""
    return LatentParts(UnetDenoiser(unet), space_of(folder, unet, vae), ClipWords(clip_tower(folder, device)))
