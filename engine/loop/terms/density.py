"""A field's density varies little from voxel to voxel: takes away the mist that no view forbids.

Terms that keep a scene tidy while guidance pushes it: pure functions of pictures, grids or samples along rays.

Formulas of pictures and of samples are those that threestudio's presets share; S samples lie on each of N rays.
"""

from __future__ import annotations

import torch
from torch import Tensor

from engine.loop.terms.rendered import RenderedStep
from engine.scene.field import Field

WEIGHT = 2e-3  # from 3e-3 on, views that were not fitted get worse; at 1e-3 some mist is left


def sparsity(alpha: Tensor) -> Tensor:
    """Mean of sqrt(alpha^2 + 0.01): small where nothing is drawn, and smooth there (arXiv 2209.14988, appendix)."""
    return (alpha.square() + 0.01).sqrt().mean()


def opaqueness(alpha: Tensor) -> Tensor:
    """Mean binary entropy of ``alpha`` in nats, held within 0.001..0.999: drives pixels to clear or opaque."""
    alpha = alpha.clamp(1e-3, 1 - 1e-3)
    return -(alpha * alpha.log() + (1 - alpha) * (1 - alpha).log()).mean()


def total_variation(grid: Tensor) -> Tensor:
    """Mean absolute difference of neighbours on the three axes of ``grid`` (X,Y,Z) or (X,Y,Z,C)."""
    return torch.stack([grid.diff(dim=axis).abs().mean() for axis in range(3)]).mean()


def distortion(weights: Tensor, edges: Tensor) -> Tensor:
    """How far a ray's weights are spread, (N,): the double integral of w(s) w(t) |s - t| (arXiv 2111.12077).

    ``weights`` (N,S) are spread evenly over the intervals between ``edges`` (N,S+1). Takes time linear in S:
    sum_i w_i^2 d_i / 3 + 2 sum_{i>j} w_i w_j (m_i - m_j), with lengths d and middles m.
    """
    middles, lengths = (edges[:, 1:] + edges[:, :-1]) / 2, edges.diff(dim=1)
    before = weights.cumsum(dim=1) - weights
    moment_before = (weights * middles).cumsum(dim=1) - weights * middles
    return (weights.square() * lengths / 3 + 2 * weights * (middles * before - moment_before)).sum(dim=1)


def depth_variance(weights: Tensor, depths: Tensor) -> Tensor:
    """Mean variance of ``depths`` (N,S) under the normalised ``weights`` (N,S) of rays over half opaque (arXiv 2305.18766)."""
    opacity = weights.sum(dim=1)
    if not bool((opacity > 0.5).any()):
        return 0 * opacity.sum()
    weights, depths = weights[opacity > 0.5], depths[opacity > 0.5]
    weights = weights / weights.sum(dim=1, keepdim=True)
    mean = (weights * depths).sum(dim=1, keepdim=True)
    return (weights * (depths - mean).square()).sum(dim=1).mean()


def orientation(weights: Tensor, normals: Tensor, directions: Tensor) -> Tensor:
    """Mean over samples of w max(0, n . d)^2: normals (N,S,3) of what is seen must not point away along ``directions`` (N,3).

    Moves the normals only, not the ``weights`` (N,S) (arXiv 2112.03907, equation 11).
    """
    away = torch.einsum("nsi,ni->ns", normals, directions).clamp_min(0)
    return (weights.detach() * away.square()).mean()


def loss(step: RenderedStep) -> Tensor | None:
    """``WEIGHT`` times the total variation of the raw density; None for scenes that are no fields."""
    scene = step.state.scene
    return step.scaled(WEIGHT * total_variation(scene.raw_density)) if isinstance(scene, Field) else None
