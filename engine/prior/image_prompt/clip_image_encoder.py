"""CLIP's image encoder (arXiv 2103.00020), and how a picture is prepared for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch.nn.functional as F
from torch import Tensor

from engine.errors import FileFormatError
from engine.prior.pipeline_folder import read_json

if TYPE_CHECKING:  # slow to import; whoever loads a model has done it
    from transformers import CLIPVisionModel, CLIPVisionModelWithProjection

SIDE = 224
MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
"""Of the pictures that CLIP was trained on, where a pipeline does not say otherwise."""


@dataclass(frozen=True)
class Preparation:
    """Square pictures are resized to ``side`` pixels, cut to the middle ``crop`` of them, and normalised
    channel by channel.
    """

    side: int = SIDE
    crop: int = SIDE
    mean: tuple[float, ...] = MEAN
    std: tuple[float, ...] = STD

    @staticmethod
    def read(folder: Path, part: str) -> Preparation:
        """As ``preprocessor_config.json`` of a pipeline's part says. Raises FileFormatError for one that
        makes no sense.
        """
        path = folder / part / "preprocessor_config.json"
        config = read_json(path)
        try:
            side = _edge(config.get("size", SIDE))
            crop = _edge(config.get("crop_size", side)) if config.get("do_center_crop", True) else side
            mean, std = (
                tuple(map(float, config.get(name, usual)))
                for name, usual in (("image_mean", MEAN), ("image_std", STD))
            )
            sensible = 0 < crop <= side and len(mean) == len(std) == 3 and min(std) > 0
        except (TypeError, ValueError, KeyError):
            sensible = False
        if not sensible:
            raise FileFormatError(
                f"{path} does not say how a picture is prepared.",
                f"Delete {folder} and fetch the prior again.",
            )
        return Preparation(side, crop, mean, std)

    def __call__(self, rgb: Tensor) -> Tensor:
        """Opaque pictures (M,H,W,3) in 0..1 to (M,3,crop,crop)."""
        pictures = rgb.permute(0, 3, 1, 2)
        if pictures.shape[-1] != self.side:
            pictures = F.interpolate(pictures, (self.side, self.side), mode="bicubic", antialias=True).clamp(
                0, 1
            )
        edge = (self.side - self.crop) // 2
        pictures = pictures[..., edge : edge + self.crop, edge : edge + self.crop]
        mean, std = (pictures.new_tensor(values).view(1, 3, 1, 1) for values in (self.mean, self.std))
        return (pictures - mean) / std


@dataclass(frozen=True, eq=False)
class ClipImageEncoder:
    """An image encoder in its own dtype."""

    encoder: CLIPVisionModel | CLIPVisionModelWithProjection
    prepare: Preparation

    def summary(self, rgb: Tensor) -> Tensor:
        """Opaque pictures (M,H,W,3) as one projected token each (M,1,D), float32."""
        return self._output(rgb).image_embeds[:, None].float()

    def patches(self, rgb: Tensor) -> Tensor:
        """The hidden states before the last layer, of the whole and of each patch (M,L,D), float32."""
        return self._output(rgb).hidden_states[-2].float()

    def _output(self, rgb: Tensor) -> Any:
        return self.encoder(self.prepare(rgb).to(self.encoder.dtype), output_hidden_states=True)


def _edge(size: Any) -> int:
    """A side that is written as a number, as the shortest edge, or as height and width."""
    if isinstance(size, Mapping):
        size = size.get("shortest_edge", size.get("height"))
    return int(size)
