"""Load MVDream from a folder laid out like ashawkey/mvdream-sd2.1-diffusers on the Hub.

Its ``model_index.json`` names a UNet class of the publisher's own, whose code lies beside the weights. That code is neither
fetched nor run: the network is built here, from ``unet/config.json``, and the weights are renamed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from engine.errors import FileFormatError
from engine.prior.base import PriorInfo
from engine.prior.latent.common import load_vae, one_tower_parts
from engine.prior.latent.loading import Layout, check_channels, dtype_for, readable
from engine.prior.latent.prior import LatentParts
from engine.prior.latent.scheduler_config import read_scheduler
from engine.prior.mvdream.names import diffusers_name, unet_config
from engine.prior.mvdream.prior import CAPTION_END, DISTANCE, ELEVATIONS_DEG, FOV_DEG, VIEWS, MvdreamPrior
from engine.prior.pipeline_folder import read_json, variant_of

if TYPE_CHECKING:  # slow to import; only when a model is loaded
    from diffusers import UNet2DConditionModel

LAYOUT = Layout(
    "MVDreamPipeline",
    {"unet": "MultiViewUNetModel", "vae": "AutoencoderKL", "text_encoder": "CLIPTextModel", "tokenizer": "CLIPTokenizer"},
    "Choose MVDream for text, such as ashawkey/mvdream-sd2.1-diffusers.",
)
GUIDANCE = 7.5  # for sampling, as in its publisher's examples


def load_mvdream(folder: Path, device: torch.device | str = "cpu", info: PriorInfo | None = None) -> MvdreamPrior:
    """The model in ``folder``: half precision on a GPU, full on a CPU. ``info``'s resolution gives way to the model's own.

    Raises MissingError for an incomplete folder, FileFormatError for another kind of model or for files that cannot be read,
    DeviceError when it does not fit.
    """
    folder, device = Path(folder), torch.device(device)
    LAYOUT.check(folder)
    schedule, prediction_type = read_scheduler(folder)
    parts = _load_parts(folder, device)
    return MvdreamPrior(parts, described(folder, parts.space.side, info), schedule, prediction_type)


def described(folder: Path, side: int, info: PriorInfo | None) -> PriorInfo:
    """``info``, or the folder's name, with what holds for every model of this kind."""
    known = info or PriorInfo(folder.name, folder.name, "rgb", side, GUIDANCE)
    return replace(
        known,
        channels="rgb",
        resolution=side,
        takes_cameras=True,
        joint_views=True,
        has_vae=True,
        orbit_views=VIEWS,
        prompt_suffix=CAPTION_END,
        fov_deg=FOV_DEG,
        distance=DISTANCE,
        elevation_range_deg=ELEVATIONS_DEG,
    )


def _load_parts(folder: Path, device: torch.device) -> LatentParts:
    unet, vae = _load_unet(folder, device), load_vae(folder, device)
    check_channels(folder, "unet", unet, vae)
    return one_tower_parts(folder, unet, vae, device)


def _load_unet(folder: Path, device: torch.device) -> UNet2DConditionModel:
    """The published weights in our network. Raises FileFormatError for a file that is damaged, incomplete or another's."""
    from engine.prior.mvdream.network import empty_unet

    with readable(folder, "unet"):
        published = read_json(folder / "unet" / "config.json")
        unet = empty_unet(unet_config(published))
        return filled(unet, _read_weights(folder, published["num_res_blocks"]), folder, device)


def filled(unet: UNet2DConditionModel, tensors: Mapping[str, Tensor], folder: Path, device: torch.device) -> UNet2DConditionModel:
    """The network with these weights of ``folder``, ready to be asked. Raises FileFormatError if some are lacking."""
    lacking = sorted(set(unet.state_dict()) - set(tensors))
    if lacking:
        raise FileFormatError(
            f"The weights of unet in {folder} lack {len(lacking)} tensors, among them {lacking[0]}.",
            f"Delete {folder} and fetch the prior again.",
        )
    unet.load_state_dict(tensors, assign=True)
    return unet.to(device, dtype_for(folder, "unet", device)).eval().requires_grad_(False)


def _read_weights(folder: Path, blocks: int) -> dict[str, Tensor]:
    from safetensors.torch import load_file

    variant = variant_of(folder, "unet")
    name = f"diffusion_pytorch_model{'.' + variant if variant else ''}.safetensors"
    return {diffusers_name(tensor, blocks): value for tensor, value in load_file(folder / "unet" / name).items()}
