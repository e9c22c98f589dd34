"""Load a DeepFloyd IF first-stage pipeline folder, one part after the other, and check that it is one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from engine.errors import FileFormatError
from engine.prior.base import PriorInfo
from engine.prior.latent.loading import Layout, load_network, readable, square_side
from engine.prior.latent.scheduler_config import read_scheduler
from engine.prior.pixel.prior import CHANNELS, PROMPT_TOKENS, PixelParts, PixelPrior
from engine.prior.pixel.sentencepiece import read_t5_tokenizer

LAYOUT = Layout(
    "IFPipeline",
    {"unet": "UNet2DConditionModel", "text_encoder": "T5EncoderModel", "tokenizer": "T5Tokenizer"},
    "Choose the first stage of DeepFloyd IF.",
)
ELEVATIONS_DEG = (-10.0, 80.0)  # threestudio's preset for this model goes on to 90, where no side is up
GUIDANCE = 20.0


def load_pixel(
    folder: Path, device: torch.device | str = "cpu", info: PriorInfo | None = None, max_views_per_call: int = 16
) -> PixelPrior:
    """The model in ``folder``: half precision on a GPU, full on a CPU. ``info``'s resolution gives way to the model's own.

    Raises MissingError for an incomplete folder, FileFormatError for another kind of model or for files that cannot be read,
    DeviceError when it does not fit.
    """
    folder, device = Path(folder), torch.device(device)
    LAYOUT.check(folder)
    schedule, prediction_type = read_scheduler(folder)
    parts = _load_parts(folder, device)
    side = square_side(folder, "unet", parts.unet)
    info = PriorInfo(folder.name, folder.name, "rgb", side, GUIDANCE) if info is None else info
    info = replace(info, channels="rgb", resolution=side, elevation_range_deg=ELEVATIONS_DEG, wants_view_words=True)
    return PixelPrior(parts, info, schedule, prediction_type, max_views_per_call)


def _load_parts(folder: Path, device: torch.device) -> PixelParts:
    from diffusers import UNet2DConditionModel  # slow to import, so only when a model is loaded
    from transformers import T5EncoderModel

    unet = load_network(folder, "unet", UNet2DConditionModel.from_pretrained, device)
    takes, gives = unet.config.in_channels, unet.config.out_channels
    if takes != CHANNELS or gives not in (CHANNELS, 2 * CHANNELS):
        raise FileFormatError(
            f"The unet in {folder} takes {takes} channels and gives {gives}; a first stage takes {CHANNELS} and gives "
            f"{CHANNELS}, or {2 * CHANNELS} with the variance: it is an upscaler or an editing model.",
            LAYOUT.remedy,
        )
    text_encoder = load_network(folder, "text_encoder", T5EncoderModel.from_pretrained, device)
    with readable(folder, "tokenizer"):
        tokenizer = read_t5_tokenizer(folder / "tokenizer", PROMPT_TOKENS)
    return PixelParts(unet, text_encoder, tokenizer)
