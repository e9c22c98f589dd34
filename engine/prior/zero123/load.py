"""Load Zero123, Zero123-XL or Stable Zero123 from a pipeline folder of one of the two layouts that are
published.

``Zero123Pipeline`` (such as ashawkey/zero123-xl-diffusers) and ``Zero1to3StableDiffusionPipeline`` (such as
kxic/zero123-xl, diffusers' community pipeline) hold the same parts; the layer for the camera has another
name. It is read here as two tensors: the publishers' code for it is neither fetched nor run.
"""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from engine.errors import FileFormatError
from engine.prior.base import PriorInfo
from engine.prior.image_prompt.capabilities import ZERO123
from engine.prior.image_prompt.clip_image_encoder import ClipImageEncoder, Preparation
from engine.prior.image_prompt.prior import NoWords
from engine.prior.latent.loading import Layout, Network, load_network, readable
from engine.prior.latent.prior import LatentParts
from engine.prior.latent.stable_diffusion import load_unet, load_vae, space_of
from engine.prior.latent.unet import UnetDenoiser
from engine.prior.pipeline_folder import BEFORE_EYE, EYE, parts_of, pipeline_class
from engine.prior.weights import files_of
from engine.prior.zero123.prior import Projection, Zero123Prior

PARTS = {"unet": "UNet2DConditionModel", "vae": "AutoencoderKL", EYE: "CLIPVisionModelWithProjection"}
REMEDY = "Choose Zero123, such as ashawkey/zero123-xl-diffusers."
LAYOUTS = {
    "clip_camera_projection": Layout(
        "Zero123Pipeline", {**PARTS, "clip_camera_projection": "CLIPCameraProjection"}, REMEDY
    ),
    "cc_projection": Layout(
        "Zero1to3StableDiffusionPipeline", {**PARTS, "cc_projection": "CCProjection"}, REMEDY
    ),
}
"""By the part that holds the layer for the camera."""

CAMERA_NUMBERS = 4
GUIDANCE = 3.0
FOV_DEG = 49.1  # of the renders that it was trained on
DISTANCE = 1 / math.tan(math.radians(FOV_DEG / 2))
"""The picture is then as high as the unit sphere is in its middle."""
ELEVATIONS_DEG = (-10.0, 80.0)  # what threestudio's preset for Zero123 looks from


def load_zero123(
    folder: Path,
    device: torch.device | str = "cpu",
    info: PriorInfo | None = None,
    *,
    stable: bool = False,
    max_views_per_call: int = 8,
) -> Zero123Prior:
    """The model in ``folder``; ``info``'s resolution gives way to the model's own.

    Files do not say whether they are Stable Zero123's, whose camera has another fourth number: ``stable``
    does. Raises as `Layout.open` does, and DeviceError when it does not fit.
    """
    folder = Path(folder)
    layer = next((part for part, layout in LAYOUTS.items() if _is(folder, layout)), "clip_camera_projection")
    pipeline = LAYOUTS[layer].open(folder, device)
    device = pipeline.device
    eye = load_eye(folder, device)
    unet, vae = load_unet(folder, device), load_vae(folder, device)
    _check_channels(folder, unet, vae)
    width = unet.config.cross_attention_dim
    projection = Projection(*_layer(folder, layer, width, eye.encoder.config.projection_dim), stable=stable)
    space = space_of(folder, unet, vae)
    parts = LatentParts(UnetDenoiser(unet), space, NoWords(width), {EYE: eye.encoder})
    known, schedule, kind = described(folder, space.side, info), pipeline.schedule, pipeline.prediction_type
    return Zero123Prior(parts, known, schedule, kind, eye, projection, max_views_per_call)


def described(folder: Path, side: int, info: PriorInfo | None) -> PriorInfo:
    """``info``, or the folder's name, with what holds for every model of this kind."""
    known = info or PriorInfo(folder.name, folder.name, "rgb", side, GUIDANCE)
    return replace(
        known,
        channels="rgb",
        resolution=side,
        fov_deg=FOV_DEG,
        distance=DISTANCE,
        elevation_range_deg=ELEVATIONS_DEG,
        **ZERO123,
    )


def load_eye(folder: Path, device: torch.device) -> ClipImageEncoder:
    """The part ``image_encoder``, and ``feature_extractor`` where the pipeline has one, else CLIP's usual
    preparation.
    """
    from transformers import CLIPVisionModelWithProjection  # slow to import, so only when a model is loaded

    encoder = load_network(folder, EYE, CLIPVisionModelWithProjection.from_pretrained, device)
    return ClipImageEncoder(
        encoder, Preparation.read(folder, BEFORE_EYE) if BEFORE_EYE in parts_of(folder) else Preparation()
    )


def _is(folder: Path, layout: Layout) -> bool:
    return (folder / "model_index.json").exists() and pipeline_class(folder) == layout.pipeline


def _check_channels(folder: Path, unet: Network, vae: Network) -> None:
    takes, latent = unet.config.in_channels, vae.config.latent_channels
    if takes != 2 * latent:
        raise FileFormatError(
            f"The unet in {folder} takes {takes} channels; Zero123's takes {2 * latent}, of the noise and "
            "of the picture.",
            REMEDY,
        )


def _layer(folder: Path, part: str, width: int, embedding: int) -> tuple[Tensor, Tensor]:
    """Weight and bias of the layer for the camera. Raises FileFormatError for other tensors than those."""
    from safetensors.torch import load_file

    with readable(folder, part):
        tensors = {name: value for path in files_of(folder, part) for name, value in load_file(path).items()}
        weights = {name.rpartition(".")[2]: value.float() for name, value in tensors.items()}
        shapes = {name: tuple(value.shape) for name, value in weights.items()}
        if shapes != {"weight": (width, embedding + CAMERA_NUMBERS), "bias": (width,)}:
            raise FileFormatError(
                f"{part} in {folder} holds {shapes}; it must be one layer from "
                f"{embedding + CAMERA_NUMBERS} to {width}.",
                REMEDY,
            )
        return weights["weight"], weights["bias"]
