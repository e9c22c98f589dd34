"""A field's density varies little from voxel to voxel: takes away the mist that no view forbids."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.loop.terms.rendered import RenderedStep
from engine.scene.field import Field

WEIGHT = 2e-3  # from 3e-3 on, views that were not fitted get worse; at 1e-3 some mist is left


def total_variation(grid: Tensor) -> Tensor:
    """Mean absolute difference of neighbours on the three axes of ``grid`` (X,Y,Z) or (X,Y,Z,C)."""
    return torch.stack([grid.diff(dim=axis).abs().mean() for axis in range(3)]).mean()


def loss(step: RenderedStep) -> Tensor | None:
    """``WEIGHT`` times the total variation of the raw density; None for scenes that are no fields."""
    scene = step.state.scene
    return step.scaled(WEIGHT * total_variation(scene.raw_density)) if isinstance(scene, Field) else None
