"""Load ImageDream from a folder laid out like ashawkey/imagedream-ipmv-diffusers on the Hub.

It is MVDream's layout with an image encoder; as there, the network is built here from ``unet/config.json`` and the publisher's
code is neither fetched nor run.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from engine.errors import FileFormatError
from engine.prior.base import PriorInfo
from engine.prior.image_prompt.capabilities import IMAGEDREAM
from engine.prior.image_prompt.clip_image_encoder import ClipImageEncoder, Preparation
from engine.prior.imagedream.prior import ImageDreamPrior
from engine.prior.latent.common import load_vae, one_tower_parts
from engine.prior.latent.loading import Layout, check_channels, load_network, readable
from engine.prior.latent.scheduler_config import read_scheduler
from engine.prior.mvdream.load import described as described_mvdream
from engine.prior.mvdream.load import filled
from engine.prior.mvdream.names import diffusers_name, unet_config
from engine.prior.pipeline_folder import BEFORE_EYE, EYE, parts_of, read_json
from engine.prior.weights import files_of

if TYPE_CHECKING:  # slow to import; only when a model is loaded
    from diffusers import UNet2DConditionModel

LAYOUT = Layout(
    "MVDreamPipeline",
    {
        "unet": "MultiViewUNetModel",
        "vae": "AutoencoderKL",
        "text_encoder": "CLIPTextModel",
        "tokenizer": "CLIPTokenizer",
        EYE: "CLIPVisionModel",
    },
    "Choose ImageDream, such as ashawkey/imagedream-ipmv-diffusers.",
)
GUIDANCE = 5.0


def load_imagedream(folder: Path, device: torch.device | str = "cpu", info: PriorInfo | None = None) -> ImageDreamPrior:
    """The model in ``folder``: half precision on a GPU, full on a CPU. ``info``'s resolution gives way to the model's own.

    Raises MissingError for an incomplete folder, FileFormatError for another kind of model or for files that cannot be read,
    DeviceError when it does not fit.
    """
    from transformers import CLIPVisionModel  # slow to import, so only when a model is loaded

    folder, device = Path(folder), torch.device(device)
    LAYOUT.check(folder)
    schedule, prediction_type = read_scheduler(folder)
    encoder = load_network(folder, EYE, CLIPVisionModel.from_pretrained, device)
    unet, vae = _load_unet(folder, device, encoder.config.hidden_size), load_vae(folder, device)
    check_channels(folder, "unet", unet, vae)
    parts = replace(one_tower_parts(folder, unet, vae, device), others={EYE: encoder})
    eye = ClipImageEncoder(encoder, Preparation.read(folder, BEFORE_EYE) if BEFORE_EYE in parts_of(folder) else Preparation())
    return ImageDreamPrior(parts, described(folder, parts.space.side, info), schedule, prediction_type, eye)


def described(folder: Path, side: int, info: PriorInfo | None) -> PriorInfo:
    """What holds for MVDream, and that it needs a picture."""
    known = info or PriorInfo(folder.name, folder.name, "rgb", side, GUIDANCE)
    return replace(described_mvdream(folder, side, known), **IMAGEDREAM)


def _load_unet(folder: Path, device: torch.device, patch_width: int) -> UNet2DConditionModel:
    """The published weights in our network. Raises FileFormatError for a file that is damaged, incomplete or another's."""
    from engine.prior.imagedream.network import picture_unet

    with readable(folder, "unet"):
        published = read_json(folder / "unet" / "config.json")
        picture_tokens = published.get("ip_dim", 0)
        if not picture_tokens:
            raise FileFormatError(f"The unet in {folder} sees no picture: it is MVDream's for text.", LAYOUT.remedy)
        if published.get("ip_weight", 1.0) != 1:
            raise ValueError(f"it has ip_weight {published['ip_weight']!r}, which makes another network than ImageDream's")
        unet = picture_unet(unet_config({**published, "ip_dim": 0}), picture_tokens, patch_width)
        return filled(unet, _read_weights(folder, published["num_res_blocks"]), folder, device)


def _read_weights(folder: Path, blocks: int) -> dict[str, Tensor]:
    from safetensors.torch import load_file

    tensors = {name: value for path in files_of(folder, "unet") for name, value in load_file(path).items()}
    return {name if name.startswith("image_embed.") else diffusers_name(name, blocks): value for name, value in tensors.items()}
