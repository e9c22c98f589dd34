"""A reference in closed form: a ball, which looks the same from everywhere, and counts how often it is looked
at.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch

from engine.core.cameras import Cameras
from engine.prior.reference.maps import ReferenceMaps


@dataclass(eq=False)
class BallModel:
    """A ball of ``radius`` round ``centre``; ``looks`` are the sizes of the pictures that were asked for."""

    radius: float = 0.6
    centre: tuple[float, float, float] = (0.0, 0.0, 0.0)
    looks: list[int] = field(default_factory=list)

    def maps(self, cameras: Cameras) -> ReferenceMaps:
        self.looks.append(cameras.width)
        origins, directions = cameras.rays()
        offset = origins - torch.tensor(self.centre)
        half = (offset * directions).sum(-1)
        square = half**2 - (offset.square().sum(-1) - self.radius**2)
        mask = square > 0
        points = origins + (-half - square.clamp(min=0).sqrt())[..., None] * directions
        ccm = torch.where(mask[..., None], (points + 1) / 2, 0.0)
        return ReferenceMaps(ccm.movedim(-1, 1)[None], mask[:, None].float()[None])

    def pictures(self, cameras: Cameras) -> torch.Tensor:
        """The ball in grey, (V,H,W,4) premultiplied."""
        mask = self.maps(cameras).mask[0].movedim(1, -1)
        return torch.cat([0.5 * mask.expand(-1, -1, -1, 3), mask], dim=-1)
