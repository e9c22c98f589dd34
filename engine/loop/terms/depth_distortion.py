"""Depth distortion: what a pixel shows lies at one depth (2DGS, arXiv 2403.17888, eq. 13; after arXiv
2111.12077, eq. 15).

Of splats with compositing weights w_i at depths z_i, the squared form needs no second pass over them:

    sum_{i<j} w_i w_j (z_i - z_j)^2 = (sum w)(sum w z^2) - (sum w z)^2.
"""

from __future__ import annotations

from torch import Tensor

from engine.core.views import Views
from engine.loop.terms.rendered import RenderedStep


def loss(step: RenderedStep) -> Tensor | None:
    """``distortion_weight`` times the distortion of the step's views; None where it is 0 or they have no
    square of depth.
    """
    if step.views.depth2 is None or not step.knobs.distortion_weight:
        return None
    return step.scaled(step.knobs.distortion_weight * depth_distortion(step.views))


def depth_distortion(views: Views) -> Tensor:
    """Mean over all pixels of the sum above, in units of the world squared."""
    assert views.depth2 is not None
    return (views.alpha * views.depth2 - views.depth.square()).mean()
