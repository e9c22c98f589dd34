"""Which way the surfaces in a photo face, by Marigold (arXiv 2312.02145, 2505.09358): a diffusion model of
normals.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch

from engine.errors import FileFormatError
from engine.lazy import importing
from engine.prior.vision.entries import HALF, PHOTO_FOLDER, installed_folder

STEPS, SIDE = 4, 768
"""Denoising steps, and pixels of a picture's longer side, where the model itself says nothing of them."""

TO_CAMERA = np.array([1.0, -1.0, -1.0], np.float32)
"""Marigold's axes are right, up and towards the viewer; a camera's are right, down and forward."""


@dataclass(frozen=True, eq=False)
class NormalEstimator:
    """A frozen `diffusers.MarigoldNormalsPipeline`."""

    pipeline: Any

    @torch.no_grad()
    def normals(self, rgb: np.ndarray) -> np.ndarray:
        """Unit normals (S,S,3) float32 of a square picture (S,S,3) in 0..1, in the axes of its camera (right,
        down, forward). The same picture gives the same normals.
        """
        settings = self.pipeline.config
        out = self.pipeline(
            np.ascontiguousarray(rgb, np.float32)[None],
            num_inference_steps=settings.default_denoising_steps or STEPS,
            processing_resolution=settings.default_processing_resolution or SIDE,
            generator=torch.Generator().manual_seed(0),
        )
        facing = out.prediction[0].astype(np.float32)
        length = np.linalg.norm(facing, axis=-1, keepdims=True)
        return np.where(length > 1e-6, facing / np.maximum(length, 1e-6), [0, 0, 1]) * TO_CAMERA


@lru_cache(maxsize=1)
def load_normal_estimator(model_id: str, folder: Path = PHOTO_FOLDER) -> NormalEstimator:
    """The model named ``model_id``, in float32 whatever it is stored in. Raises InputError (unknown),
    MissingError (not fetched) or FileFormatError (damaged).
    """
    place = installed_folder(model_id, folder)
    half = (place / "unet" / f"diffusion_pytorch_model.{HALF}.safetensors").is_file()
    try:
        with importing:
            kind = import_module("diffusers").MarigoldNormalsPipeline
            pipeline = kind.from_pretrained(
                place,
                local_files_only=True,
                use_safetensors=True,
                variant=HALF if half else None,
            )
    except Exception as error:  # diffusers and safetensors raise many kinds
        raise FileFormatError(
            f"The model in {place} cannot be loaded ({error}).", "Fetch it again."
        ) from error
    pipeline.to(torch.float32)
    for part in (pipeline.unet, pipeline.vae, pipeline.text_encoder):
        part.eval().requires_grad_(False)
    pipeline.set_progress_bar_config(disable=True)
    return NormalEstimator(pipeline)
