"""The outline of what stands in a box of a photo, by Segment Anything (arXiv 2304.02643)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from engine.prior.vision.entries import PHOTO_FOLDER, installed_folder
from engine.prior.vision.image_processor import Look, model_from, read_look

Box = tuple[float, float, float, float]
"""Left, top, right and bottom in shares 0..1 of the picture."""


@dataclass(frozen=True, eq=False)
class Segmenter:
    """A frozen `transformers.SamModel` and what it is shown: pictures whose longer side is ``look.size``,
    padded to a square.
    """

    model: torch.nn.Module
    look: Look

    @torch.no_grad()
    def mask(self, rgb: np.ndarray, box: Box) -> np.ndarray:
        """How surely each pixel (H,W) of a picture (H,W,3) in 0..1 belongs to what fills ``box``, in 0..1.

        Of the three outlines that the model offers, the one that it trusts most.
        """
        side = self.look.size[0]
        scale = side / max(rgb.shape[:2])
        height, width = (max(1, round(length * scale)) for length in rgb.shape[:2])
        shown = F.pad(self.look.normalised(rgb, (height, width)), (0, side - width, 0, side - height))
        corners = torch.tensor([[[box[0] * width, box[1] * height, box[2] * width, box[3] * height]]])
        out = self.model(pixel_values=shown, input_boxes=corners, multimask_output=True)
        best = int(out.iou_scores[0, 0].argmax())
        return _enlarged(out.pred_masks[0, 0, best], side, height, width, rgb.shape[:2])


def _enlarged(logits: Tensor, side: int, height: int, width: int, size: tuple[int, int]) -> np.ndarray:
    """A small mask of the padded square to the picture's own pixels."""
    whole = F.interpolate(logits[None, None], (side, side), mode="bilinear")[..., :height, :width]
    return torch.sigmoid(F.interpolate(whole, tuple(size), mode="bilinear"))[0, 0].numpy()


@lru_cache(maxsize=1)
def load_segmenter(model_id: str, folder: Path = PHOTO_FOLDER) -> Segmenter:
    """The model named ``model_id``. Raises InputError (unknown), MissingError (not fetched) or
    FileFormatError (damaged).
    """
    place = installed_folder(model_id, folder)
    return Segmenter(model_from("SamModel", place), read_look(place))
