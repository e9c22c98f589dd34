"""ImageReward (arXiv 2304.05977): a BLIP tuned on human preferences, through its authors' package. T3Bench's
scorer.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from engine.errors import MissingError
from engine.scoring.base import ScorerInfo, over_white

INFO = ScorerInfo(
    id="image-reward",
    title="ImageReward v1.0",
    sentence="What people prefer, about normally distributed: to be compared within one prompt.",
    picture_size=224,
    points=(20.0, 50.0),  # as T3Bench rescales it
    source="zai-org/ImageReward",
    revision="5736be03b2652728fb87788c9797b0570450ab72",
    licence="Apache-2.0",
    size_mb=1790,
    files=("ImageReward.pt", "med_config.json"),
    needs=("ImageReward",),
    install="pip install image-reward",
)


class ImageRewardScorer:
    """The authors' model; it reads no sides."""

    info = INFO

    def __init__(self, model: Any) -> None:
        self.model = model

    def scores(self, rgba: np.ndarray, prompt: str) -> np.ndarray:
        """(N,) rewards."""
        pictures = [Image.fromarray(picture) for picture in over_white(rgba)]
        with torch.no_grad():
            return np.array([self.model.score(prompt, picture) for picture in pictures], np.float64)

    def fronts(self, rgba: np.ndarray, prompt: str) -> None:
        return None


def load(folder: Path, device: torch.device) -> ImageRewardScorer:
    """The model in ``folder``. Raises MissingError if the package does not work with what else is
    installed.
    """
    try:
        import ImageReward

        weights, config = (str(folder / name) for name in INFO.files)
        return ImageRewardScorer(ImageReward.load(weights, device=str(device), med_config=config))
    except (
        Exception
    ) as error:  # the package is tied to versions of others, and fails in many ways beside newer ones
        remedy = (
            "Install it in an environment of its own, or use --scorer pick-score, which needs no "
            "such package."
        )
        raise MissingError(
            f"{INFO.title} could not be loaded: {type(error).__name__}: {error}.", remedy
        ) from error
