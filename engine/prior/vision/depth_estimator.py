"""How near the parts of a photo are, by a DPT-class estimator (arXiv 2103.13413, 2406.09414): up to scale and
shift.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from engine.prior.vision.entries import PHOTO_FOLDER, installed_folder
from engine.prior.vision.image_processor import Look, model_from, read_look


@dataclass(frozen=True, eq=False)
class Estimator:
    """A frozen model of `transformers.AutoModelForDepthEstimation` and what it is shown."""

    model: torch.nn.Module
    look: Look

    @torch.no_grad()
    def nearness(self, rgb: np.ndarray) -> np.ndarray:
        """Relative inverse depth (S,S) float32 of a square picture (S,S,3) in 0..1: larger is nearer, scale
        and shift unknown.
        """
        predicted = self.model(pixel_values=self.look.normalised(rgb, self.look.size)).predicted_depth
        return F.interpolate(predicted[None], rgb.shape[:2], mode="bilinear", antialias=True)[0, 0].numpy()


@lru_cache(maxsize=1)
def load_estimator(model_id: str, folder: Path = PHOTO_FOLDER) -> Estimator:
    """The model named ``model_id``. Raises InputError (unknown), MissingError (not fetched) or
    FileFormatError (damaged).
    """
    place = installed_folder(model_id, folder)
    return Estimator(model_from("AutoModelForDepthEstimation", place), read_look(place))
