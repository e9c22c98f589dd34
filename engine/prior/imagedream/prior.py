"""ImageDream behind the prior protocol (arXiv 2312.02201): four opaque views of the object in a picture, at
one height.

Words are read as by MVDream, and may be missing. The picture is a fifth view of every four, clean and without
a camera, and a few tokens behind the words. Without it, both are made of zeros: the branch that guidance
pushes off from. Of several pictures, the first is seen.

Our cameras as the 16 numbers that ImageDream was trained with.

| | here | ImageDream |
|---|---|---|
| world | +z up, azimuth from +x towards +y | the same |
| the picture's camera | at its azimuth | at azimuth 0, on +x: the picture shows the front |
| camera axes | OpenCV: right, down, forward | OpenGL: right, up, backward |
| position | in the world | moved to the unit sphere |
| numbers | c2w (4,4) | c2w, row by row |

The picture's own view has no camera: all numbers are 0. Checked against ``get_camera`` and
``multiview_diffusion_guidance.py`` in bytedance/ImageDream, whose scenes have azimuth 0 on +x, and against
ashawkey/mvdream_diffusers, where +x is the second view.

Load ImageDream from a folder laid out like ashawkey/imagedream-ipmv-diffusers on the Hub.

It is MVDream's layout with an image encoder; as there, the network is built here from ``unet/config.json``
and the publisher's code is neither fetched nor run.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from engine.core.cameras import Cameras
from engine.errors import FileFormatError, InputError
from engine.prior.base import CleanViews, Condition, Prediction, PriorInfo
from engine.prior.image_prompt.capabilities import IMAGEDREAM
from engine.prior.image_prompt.clip_image_encoder import ClipImageEncoder, Preparation
from engine.prior.image_prompt.prior import ImagePromptPrior
from engine.prior.latent.loading import Layout, Network, check_channels, load_network, readable
from engine.prior.latent.stable_diffusion import load_vae, one_tower_parts
from engine.prior.mvdream.names import diffusers_name, unet_config
from engine.prior.mvdream.prior import VIEWS, filled
from engine.prior.mvdream.prior import described as described_mvdream
from engine.prior.pipeline_folder import BEFORE_EYE, EYE, parts_of, read_json
from engine.prior.prediction_type import read_output
from engine.prior.weights import files_of

if TYPE_CHECKING:
    pass


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

AXES = (1.0, -1.0, -1.0, 1.0)


def camera_numbers(cameras: Cameras, front_deg: float) -> Tensor:
    """The camera condition (B,16) of B cameras beside a picture from azimuth ``front_deg``; none stands at
    the origin.
    """
    c2w = _turn(-front_deg).to(cameras.c2w) @ cameras.c2w * cameras.c2w.new_tensor(AXES)
    position = torch.nn.functional.normalize(c2w[:, :3, 3], dim=1)
    return torch.cat([torch.cat([c2w[:, :3, :3], position[..., None]], dim=2), c2w[:, 3:]], dim=1).flatten(1)


def _turn(degrees: float) -> Tensor:
    """A rotation about +z (4,4)."""
    angle = torch.deg2rad(torch.tensor(degrees, dtype=torch.float64))
    turned = torch.eye(4, dtype=torch.float64)
    turned[:2, :2] = torch.stack(
        [torch.stack([angle.cos(), -angle.sin()]), torch.stack([angle.sin(), angle.cos()])]
    )
    return turned


class ImageDreamPrior(ImagePromptPrior):
    """Its space is the VAE's latents (B,4,h/8,w/8); the B views of a call are fours of one object, in
    order.
    """

    def tokens(self, rgb: Tensor) -> Tensor:
        """What the image encoder sees patch by patch."""
        return self.eye.patches(rgb)

    def predict(self, x_t: Tensor, t: Tensor, condition: Condition) -> Prediction:
        """One call of the network for every four views. Raises InputError if nobody says from where they are
        seen.
        """
        if condition.cameras is None:
            raise InputError(
                f"{self.info.title} has to know from where its views are seen.", "Give it their cameras."
            )
        assert len(condition.cameras) == len(x_t), f"{len(condition.cameras)} cameras for {len(x_t)} views"
        clean, t = condition.clean_views, t.to(x_t.device)
        front = 0.0 if clean is None else float(clean.cameras.azimuths_deg()[0])
        cameras = camera_numbers(condition.cameras.to(x_t.device), front).to(x_t)
        words = condition.text.expand(len(x_t)).tokens.to(x_t.device)
        picture, tokens = self._image_condition(x_t, clean)
        fours = zip(*(batch.split(VIEWS) for batch in (x_t, t, words, cameras)), strict=True)
        output = torch.cat(
            [self._denoise(x, time, text, camera, picture, tokens) for x, time, text, camera in fours]
        )
        return read_output(output, x_t, t, self.schedule, self.prediction_type)

    def _image_condition(self, x_t: Tensor, clean: CleanViews | None) -> tuple[Tensor, Tensor]:
        """The latents of the picture (1,4,h,w) and its tokens (1,n,D)."""
        if clean is None:
            config: Any = self.eye.encoder.config
            patches = x_t.new_zeros(1, 1 + (config.image_size // config.patch_size) ** 2, config.hidden_size)
            return torch.zeros_like(x_t[:1]), self._tokens_of(patches)
        assert clean.tokens is not None, "this prior's own clean views have them"
        return clean.x[:1].to(x_t), self._tokens_of(clean.tokens[:1].to(x_t))

    def _tokens_of(self, patches: Tensor) -> Tensor:
        return self.network.image_embed(patches.to(self.network.dtype))

    def _denoise(
        self, x_t: Tensor, t: Tensor, words: Tensor, cameras: Tensor, picture: Tensor, tokens: Tensor
    ) -> Tensor:
        """The network's output for the views of one object (V,4,h,w); what it says of the picture is left
        out.
        """
        dtype = self.network.dtype
        views = torch.cat([x_t, picture]).to(dtype)
        cameras = torch.cat([cameras, torch.zeros_like(cameras[:1])]).to(dtype)
        words = torch.cat([words, words[:1]]).to(dtype)
        tokens_in = torch.cat([words, tokens.to(words.device).expand(len(words), -1, -1)], dim=1)
        output = self.network(
            views, torch.cat([t, t[:1]]), encoder_hidden_states=tokens_in, class_labels=cameras
        ).sample
        return output[: len(x_t)]


def load_imagedream(
    folder: Path, device: torch.device | str = "cpu", info: PriorInfo | None = None
) -> ImageDreamPrior:
    """The model in ``folder``; ``info``'s resolution gives way to the model's own.

    Raises as `Layout.open` does, and DeviceError when it does not fit.
    """
    from transformers import CLIPVisionModel  # slow to import, so only when a model is loaded

    pipeline = LAYOUT.open(folder, device)
    folder, device = pipeline.folder, pipeline.device
    encoder = load_network(folder, EYE, CLIPVisionModel.from_pretrained, device)
    unet, vae = _load_unet(folder, device, encoder.config.hidden_size), load_vae(folder, device)
    check_channels(folder, "unet", unet, vae)
    parts = replace(one_tower_parts(folder, unet, vae, device), others={EYE: encoder})
    eye = ClipImageEncoder(
        encoder, Preparation.read(folder, BEFORE_EYE) if BEFORE_EYE in parts_of(folder) else Preparation()
    )
    return ImageDreamPrior(
        parts, described(folder, parts.space.side, info), pipeline.schedule, pipeline.prediction_type, eye
    )


def described(folder: Path, side: int, info: PriorInfo | None) -> PriorInfo:
    """What holds for MVDream, and that it needs a picture."""
    known = info or PriorInfo(folder.name, folder.name, "rgb", side, GUIDANCE)
    return replace(described_mvdream(folder, side, known), **IMAGEDREAM)


def _load_unet(folder: Path, device: torch.device, patch_width: int) -> Network:
    """The published weights in our network. Raises FileFormatError for a file that is damaged, incomplete or
    another's.
    """
    from engine.prior.imagedream.network import picture_unet

    with readable(folder, "unet"):
        published = read_json(folder / "unet" / "config.json")
        picture_tokens = published.get("ip_dim", 0)
        if not picture_tokens:
            raise FileFormatError(
                f"The unet in {folder} sees no picture: it is MVDream's for text.", LAYOUT.remedy
            )
        if published.get("ip_weight", 1.0) != 1:
            raise ValueError(
                f"it has ip_weight {published['ip_weight']!r}, which makes another network than ImageDream's"
            )
        unet = picture_unet(unet_config({**published, "ip_dim": 0}), picture_tokens, patch_width)
        return filled(unet, _read_weights(folder, published["num_res_blocks"]), folder, device)


def _read_weights(folder: Path, blocks: int) -> dict[str, Tensor]:
    from safetensors.torch import load_file

    tensors = {name: value for path in files_of(folder, "unet") for name, value in load_file(path).items()}
    return {
        name if name.startswith("image_embed.") else diffusers_name(name, blocks): value
        for name, value in tensors.items()
    }
