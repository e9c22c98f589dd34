"""Load Zero123++ from a folder laid out like sudo-ai/zero123plus-v1.1 or -v1.2 on the Hub.

Its ``model_index.json`` names a pipeline class of the publisher's own and holds ``ramping_coefficients``, one number for each
token of a prompt. The publisher's code is neither fetched nor run.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from engine.errors import FileFormatError
from engine.prior.base import PriorInfo
from engine.prior.image_prompt.capabilities import ZERO123PLUS
from engine.prior.image_prompt.clip_image_encoder import ClipImageEncoder, Preparation
from engine.prior.image_prompt.no_words import EmptyTextEncoder
from engine.prior.latent.common import clip_tower, load_unet, load_vae
from engine.prior.latent.loading import Layout, check_channels, load_network
from engine.prior.latent.prior import LatentParts
from engine.prior.latent.scheduler_config import read_scheduler
from engine.prior.latent.space import shrinkage
from engine.prior.latent.text_encoder import ClipWords
from engine.prior.latent.unet import UnetDenoiser
from engine.prior.pipeline_folder import INDEX, read_json
from engine.prior.zero123plus.prior import Zero123PlusPrior
from engine.prior.zero123plus.tiles import TileSpace

EYE = "vision_encoder"
LAYOUT = Layout(
    "Zero123PlusPipeline",
    {
        "unet": "UNet2DConditionModel",
        "vae": "AutoencoderKL",
        "text_encoder": "CLIPTextModel",
        "tokenizer": "CLIPTokenizer",
        EYE: "CLIPVisionModelWithProjection",
    },
    "Choose Zero123++, such as sudo-ai/zero123plus-v1.2.",
)
RAMP = "ramping_coefficients"
SIDE, GUIDANCE = 320, 4.0


def load_zero123plus(
    folder: Path, device: torch.device | str = "cpu", info: PriorInfo | None = None, version: str = "v1.2"
) -> Zero123PlusPrior:
    """The model in ``folder``: half precision on a GPU, full on a CPU. Its views have ``info``'s resolution.

    Files do not say which ``version`` they are, "v1.1" or "v1.2": their views have other heights and another field of
    view. Raises MissingError for an incomplete folder, FileFormatError for another kind of model or for files that
    cannot be read, DeviceError when it does not fit.
    """
    from transformers import CLIPVisionModelWithProjection  # slow to import, so only when a model is loaded

    from engine.prior.zero123plus.network import with_reference_attention

    folder, device = Path(folder), torch.device(device)
    LAYOUT.check(folder)
    schedule, prediction_type = read_scheduler(folder)
    encoder = load_network(folder, EYE, CLIPVisionModelWithProjection.from_pretrained, device)
    unet, vae = load_unet(folder, device), load_vae(folder, device)
    check_channels(folder, "unet", unet, vae)
    tower = clip_tower(folder, device)
    known = described(folder, info, version)
    if known.resolution % shrinkage(vae):
        raise FileFormatError(f"{known.resolution} is no multiple of the {shrinkage(vae)} pixels of a latent.", LAYOUT.remedy)
    denoiser = UnetDenoiser(with_reference_attention(unet))
    parts = LatentParts(denoiser, TileSpace(vae, known.resolution), EmptyTextEncoder(ClipWords(tower)), {EYE: encoder})
    eye, shown = (Preparation.read(folder, f"feature_extractor_{name}") for name in ("clip", "vae"))
    ramp = _ramp(folder, tower.length)
    return Zero123PlusPrior(parts, known, schedule, prediction_type, ClipImageEncoder(encoder, eye), shown, ramp)


def described(folder: Path, info: PriorInfo | None, version: str) -> PriorInfo:
    """``info``, or the folder's name, with what holds for every model of this version."""
    known = info or PriorInfo(folder.name, folder.name, "rgb", SIDE, GUIDANCE)
    heights = [elevation for _, elevation in ZERO123PLUS[version]["fixed_views"]]
    return replace(known, channels="rgb", elevation_range_deg=(min(heights), max(heights)), **ZERO123PLUS[version])


def _ramp(folder: Path, length: int) -> Tensor:
    """The share (L,) of CLIP's embedding for each token. Raises FileFormatError if there is not one number for each."""
    ramp = read_json(folder / INDEX).get(RAMP)
    if not isinstance(ramp, list) or len(ramp) != length or not all(isinstance(part, int | float) for part in ramp):
        raise FileFormatError(f"{folder / INDEX} holds no {RAMP}, {length} numbers.", LAYOUT.remedy)
    return torch.tensor(ramp, dtype=torch.float32)
