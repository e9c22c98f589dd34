"""Load a Stable Diffusion XL pipeline folder (arXiv 2307.01952).

Its first VAE overflows in half precision: the published config says ``force_upcast``, and then the VAE alone
stays in float32. A folder into which a repaired VAE was put (config: ``force_upcast`` false) has it in half
precision like the rest.
"""

from __future__ import annotations

from pathlib import Path

import torch

from engine.errors import FileFormatError
from engine.prior.base import PriorInfo
from engine.prior.latent.loading import Layout, check_channels
from engine.prior.latent.prior import LatentParts, LatentPrior
from engine.prior.latent.stable_diffusion import clip_tower, described, load_unet, load_vae, space_of
from engine.prior.latent.text_encoder import TwinClipWords
from engine.prior.latent.unet import PictureSize, UnetDenoiser
from engine.prior.pipeline_folder import INDEX, read_json

LAYOUT = Layout(
    "StableDiffusionXLPipeline",
    {
        "unet": "UNet2DConditionModel",
        "vae": "AutoencoderKL",
        "text_encoder": "CLIPTextModel",
        "text_encoder_2": "CLIPTextModelWithProjection",
        "tokenizer": "CLIPTokenizer",
        "tokenizer_2": "CLIPTokenizer",
    },
    "Choose a Stable Diffusion XL base model.",
)


def load_sdxl(
    folder: Path,
    device: torch.device | str = "cpu",
    info: PriorInfo | None = None,
    max_views_per_call: int = 2,
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
    from transformers import CLIPTextModelWithProjection  # slow to import, so only when a model is loaded

    unet, vae = load_unet(folder, device), load_vae(folder, device)
    check_channels(folder, "unet", unet, vae)
    space = space_of(folder, unet, vae)
    first, second = clip_tower(folder, device), clip_tower(folder, device, "_2", CLIPTextModelWithProjection)
    size = PictureSize.native(space.side)
    _check_conditioning(folder, unet.config, second.encoder.config.projection_dim, len(size.numbers))
    zero_empty = bool(read_json(folder / INDEX).get("force_zeros_for_empty_prompt", True))
    return LatentParts(UnetDenoiser(unet, size), space, TwinClipWords(first, second, zero_empty))


def _check_conditioning(folder: Path, config: object, pooled: int | None, numbers: int) -> None:
    """Raises FileFormatError for a network that is told something else than the pooled text and the picture's
    size.
    """
    takes = getattr(config, "projection_class_embeddings_input_dim", None)
    gives = (pooled or 0) + numbers * (getattr(config, "addition_time_embed_dim", None) or 0)
    if getattr(config, "addition_embed_type", None) != "text_time" or takes != gives:
        raise FileFormatError(
            f"The unet in {folder} is told {takes} numbers besides the words; the pooled text and six of "
            "the picture's size "
            f"make {gives}: it is a refiner or an editing model.",
            LAYOUT.remedy,
        )
