"""A field's density varies little from voxel to voxel: takes away the mist that no view forbids."""

from __future__ import annotations

from torch import Tensor

from engine.loop.terms.rendered import RenderedStep
from engine.scene.field import Field
from engine.scene.regularise import total_variation

WEIGHT = 2e-3  # from 3e-3 on, views that were not fitted get worse; at 1e-3 some mist is left


def loss(step: RenderedStep) -> Tensor | None:
    """``WEIGHT`` times the total variation of the raw density; None for scenes that are no fields."""
    scene = step.state.scene
    return step.scaled(WEIGHT * total_variation(scene.raw_density)) if isinstance(scene, Field) else None
