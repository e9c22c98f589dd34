"""A scorer in closed form, and an asset whose brightness from each azimuth is known."""

from __future__ import annotations

import numpy as np
import torch

from engine.loop.messages import SceneCopy
from engine.scene.canvas import from_rgba
from engine.scoring.base import ScorerInfo, over_white

LEVELS = (0.9, 0.5, 0.6, 0.1, 0.3, 0.2, 0.8, 0.7)  # brightness of the eight pictures round the object


class Brightness:
    """The score of a picture is its mean over white, 0..1; a picture looks like the front if it is brighter
    than ``front``.
    """

    def __init__(self, front: float = 2.0, knows: str = "") -> None:
        self.info = ScorerInfo("brightness", "Brightness", "How bright it is.", 8, points=(200.0, -50.0))
        self.front, self.knows, self.calls = front, knows, 0

    def scores(self, rgba: np.ndarray, prompt: str) -> np.ndarray | None:
        self.calls += 1
        return over_white(rgba).mean((1, 2, 3)) / 255 if self.knows in prompt else None

    def fronts(self, rgba: np.ndarray, prompt: str) -> np.ndarray | None:
        return None if self.front > 1 else over_white(rgba).mean((1, 2, 3)) / 255 > self.front


def lit(levels: tuple[float, ...] = LEVELS) -> SceneCopy:
    """Pictures of one plain brightness each, all the way round, as a finished scene."""
    rgba = torch.ones(len(levels), 8, 8, 4)
    rgba[..., :3] = torch.tensor(levels)[:, None, None, None]
    canvas = from_rgba(rgba)
    canvas.raw[..., 3] = 20.0  # opaque
    return SceneCopy(1, 0, canvas, "auto", 40.0, 3.0, 8)
