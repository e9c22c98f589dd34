"""MVDream behind the prior protocol (arXiv 2308.16512): four opaque views of one object, 90 degrees apart at
one height.

Words and pictures go the way of Stable Diffusion 2.1, on which it was trained further. The views of one call
of the network see each other, so more than four are worked off four at a time, each four by themselves.

Our cameras as the 16 numbers that MVDream was trained with.

| | here | MVDream |
|---|---|---|
| world | +z up, the front of an object faces +x, azimuth 0 | the same world; it counts this azimuth as 90 |
| camera axes | OpenCV: right, down, forward | OpenGL: right, up, backward |
| position | in the world | moved to the unit sphere |
| numbers | c2w (4,4) | c2w, row by row |

Checked against ``mvdream/camera_utils.py`` in bytedance/MVDream, whose azimuth 0 is -y and whose azimuth 90
is +x. What it draws as the front is its azimuth 90: ``scripts/t2i.py`` starts there by default,
DreamGaussian's ``main.py`` and LGM's text path take the second of the four views that start at 0 as the
front, and MVDream-threestudio passes its cameras, whose azimuth 0 is +x, unturned.

Load MVDream from a folder laid out like ashawkey/mvdream-sd2.1-diffusers on the Hub.

Its ``model_index.json`` names a UNet class of the publisher's own, whose code lies beside the weights. That
code is neither fetched nor run: the network is built here, from ``unet/config.json``, and the weights are
renamed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from engine.core.cameras import Cameras
from engine.errors import FileFormatError, InputError
from engine.prior.base import Condition, Prediction, PriorInfo
from engine.prior.latent.loading import Layout, Network, check_channels, dtype_for, readable
from engine.prior.latent.prior import LatentParts, LatentPrior
from engine.prior.latent.stable_diffusion import load_vae, one_tower_parts
from engine.prior.mvdream.names import diffusers_name, unet_config
from engine.prior.pipeline_folder import read_json, variant_of
from engine.prior.prediction_type import read_output

if TYPE_CHECKING:
    pass


LAYOUT = Layout(
    "MVDreamPipeline",
    {
        "unet": "MultiViewUNetModel",
        "vae": "AutoencoderKL",
        "text_encoder": "CLIPTextModel",
        "tokenizer": "CLIPTokenizer",
    },
    "Choose MVDream for text, such as ashawkey/mvdream-sd2.1-diffusers.",
)
GUIDANCE = 7.5  # for sampling, as in its publisher's examples

AXES = (1.0, -1.0, -1.0, 1.0)

VIEWS = 4
CAPTION_END = ", 3d asset"
FOV_DEG = 40.0
DISTANCE = 1 / math.tan(math.radians(FOV_DEG / 2))
"""The picture is then as high as the unit sphere is in its middle. Training kept the objects' size in the
picture.
"""
ELEVATIONS_DEG = (0.0, 30.0)


def camera_numbers(cameras: Cameras) -> Tensor:
    """The camera condition (B,16) of B cameras, none of which stands at the origin."""
    c2w = cameras.c2w * cameras.c2w.new_tensor(AXES)
    position = torch.nn.functional.normalize(c2w[:, :3, 3], dim=1)
    return torch.cat([torch.cat([c2w[:, :3, :3], position[..., None]], dim=2), c2w[:, 3:]], dim=1).flatten(1)


class MvdreamPrior(LatentPrior):
    """Its space is the VAE's latents (B,4,h/8,w/8); the B views of a call are fours of one object, in
    order.
    """

    def predict(self, x_t: Tensor, t: Tensor, condition: Condition) -> Prediction:
        """One call of the network for every four views. Raises InputError if nobody says from where they are
        seen.
        """
        if condition.cameras is None:
            raise InputError(
                f"{self.info.title} has to know from where its views are seen.", "Give it their cameras."
            )
        cameras = camera_numbers(condition.cameras.to(x_t.device)).to(x_t.dtype)
        assert len(cameras) == len(x_t), f"{len(cameras)} cameras for {len(x_t)} views"
        tokens = condition.text.expand(len(x_t)).tokens.to(x_t.device)
        fours = zip(*(batch.split(VIEWS) for batch in (x_t, t.to(x_t.device), tokens, cameras)), strict=True)
        output = torch.cat([self._denoise(*four) for four in fours])
        return read_output(output, x_t, t.to(x_t.device), self.schedule, self.prediction_type)

    def _denoise(self, x_t: Tensor, t: Tensor, tokens: Tensor, cameras: Tensor) -> Tensor:
        dtype = self.network.dtype
        return self.network(
            x_t.to(dtype), t, encoder_hidden_states=tokens.to(dtype), class_labels=cameras.to(dtype)
        ).sample


def load_mvdream(
    folder: Path, device: torch.device | str = "cpu", info: PriorInfo | None = None
) -> MvdreamPrior:
    """The model in ``folder``; ``info``'s resolution gives way to the model's own.

    Raises as `Layout.open` does, and DeviceError when it does not fit.
    """
    pipeline = LAYOUT.open(folder, device)
    folder, device = pipeline.folder, pipeline.device
    parts = _load_parts(folder, device)
    return MvdreamPrior(
        parts, described(folder, parts.space.side, info), pipeline.schedule, pipeline.prediction_type
    )


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


def _load_unet(folder: Path, device: torch.device) -> Network:
    """The published weights in our network. Raises FileFormatError for a file that is damaged, incomplete or
    another's.
    """
    from engine.prior.mvdream.network import empty_unet

    with readable(folder, "unet"):
        published = read_json(folder / "unet" / "config.json")
        unet = empty_unet(unet_config(published))
        return filled(unet, _read_weights(folder, published["num_res_blocks"]), folder, device)


def filled(unet: Network, tensors: Mapping[str, Tensor], folder: Path, device: torch.device) -> Network:
    """The network with these weights of ``folder``, ready to be asked. Raises FileFormatError if some are
    lacking.
    """
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
    return {
        diffusers_name(tensor, blocks): value for tensor, value in load_file(folder / "unet" / name).items()
    }
