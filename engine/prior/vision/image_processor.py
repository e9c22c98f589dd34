"""What models for photos are shown: a picture scaled and normalised as their ``preprocessor_config.json``
says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from engine.errors import FileFormatError
from engine.lazy import importing
from engine.prior.pipeline_folder import read_json


@dataclass(frozen=True)
class Look:
    """Mean and deviation of colours in 0..1, and the ``size`` in pixels that a picture is brought to."""

    mean: tuple[float, ...]
    std: tuple[float, ...]
    size: tuple[int, int]

    def normalised(self, rgb: np.ndarray, size: Sequence[int]) -> Tensor:
        """A picture (H,W,3) in 0..1 to (1,3,height,width), averaged where it shrinks."""
        picture = torch.from_numpy(np.ascontiguousarray(rgb, np.float32)).movedim(-1, 0)[None]
        scaled = F.interpolate(picture, tuple(size), mode="bicubic", antialias=True).clamp(0, 1)
        mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (self.mean, self.std))
        return (scaled - mean) / std


def read_look(folder: Path) -> Look:
    """The settings in a model's folder. Raises FileFormatError if they say something else."""
    path = folder / "preprocessor_config.json"
    table = read_json(path)
    try:
        size = table["size"]
        height, width = (
            (size["longest_edge"],) * 2 if "longest_edge" in size else (size["height"], size["width"])
        )
        return Look(tuple(table["image_mean"]), tuple(table["image_std"]), (int(height), int(width)))
    except (KeyError, TypeError, ValueError) as error:
        raise FileFormatError(
            f"{path} does not say what pictures the model is shown ({error}).", "Fetch the model again."
        ) from error


def model_from(kind: str, folder: Path) -> torch.nn.Module:
    """The transformers class named ``kind`` with the folder's weights, frozen, in float32 whatever they are
    stored in.

    Raises FileFormatError where they do not fit.
    """
    try:
        with importing:  # transformers imports its parts bit by bit
            kind_of = getattr(import_module("transformers"), kind)
            model = kind_of.from_pretrained(
                folder, local_files_only=True, use_safetensors=True, dtype=torch.float32
            )
    except Exception as error:  # transformers and safetensors raise many kinds
        raise FileFormatError(
            f"The model in {folder} cannot be loaded ({error}).", "Fetch it again."
        ) from error
    return model.eval().requires_grad_(False)
