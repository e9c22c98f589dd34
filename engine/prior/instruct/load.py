"""Load an InstructPix2Pix pipeline folder, such as timbrooks/instruct-pix2pix on the Hub."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from engine.errors import FileFormatError
from engine.prior.base import PriorInfo
from engine.prior.instruct.prior import InstructPrior
from engine.prior.latent.common import load_unet, load_vae, one_tower_parts
from engine.prior.latent.load import described
from engine.prior.latent.loading import Layout
from engine.prior.latent.prior import LatentParts
from engine.prior.latent.scheduler_config import read_scheduler

LAYOUT = Layout(
    "StableDiffusionInstructPix2PixPipeline",
    {"unet": "UNet2DConditionModel", "vae": "AutoencoderKL", "text_encoder": "CLIPTextModel", "tokenizer": "CLIPTokenizer"},
    "Choose an InstructPix2Pix model.",
)


def load_instruct(
    folder: Path, device: torch.device | str = "cpu", info: PriorInfo | None = None, max_views_per_call: int = 8
) -> InstructPrior:
    """The model in ``folder``: half precision on a GPU, full on a CPU. ``info``'s resolution gives way to the model's own.

    Raises MissingError for an incomplete folder, FileFormatError for another kind of model or for files that cannot be read,
    DeviceError when it does not fit.
    """
    folder, device = Path(folder), torch.device(device)
    LAYOUT.check(folder)
    schedule, prediction_type = read_scheduler(folder)
    parts = _load_parts(folder, device)
    known = described(folder, parts.space.side, info)
    known = replace(known, takes_source=True, wants_view_words=False, takes_controls=False, takes_styles=False)
    return InstructPrior(parts, known, schedule, prediction_type, max_views_per_call)


def _load_parts(folder: Path, device: torch.device) -> LatentParts:
    unet, vae = load_unet(folder, device), load_vae(folder, device)
    takes, latent = unet.config.in_channels, vae.config.latent_channels
    if takes != 2 * latent:
        raise FileFormatError(
            f"The unet in {folder} takes {takes} channels; one that edits takes {2 * latent}, of the noise and of the picture.",
            LAYOUT.remedy,
        )
    return one_tower_parts(folder, unet, vae, device)
