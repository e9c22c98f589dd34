"""Is the shape still a shape? Cheap checks on what a step rendered."""

from __future__ import annotations

import math

import torch

from engine.core.views import Views
from engine.loop.state import RunState
from engine.loop.step import StepOut
from engine.scene.canvas import Canvas

EMPTY_ALPHA = 0.003  # mean coverage under which nothing is left to see
FILLED_ALPHA = 0.85  # mean coverage over which the shape has swallowed the picture
BORDER_ALPHA = 0.35  # mean coverage of the outermost pixels over which it has grown past the frame


def complaint(out: StepOut, state: RunState) -> str | None:
    """What is wrong after a step, as a clause for a sentence; None when all is well."""
    if not math.isfinite(out.loss):
        return "the loss was not a finite number"
    if not all(bool(torch.isfinite(tensor).all()) for tensor in state.scene.parameters().values()):
        return "the scene held numbers that are not finite"
    if isinstance(state.scene, Canvas):  # pictures may fill their frame
        return None
    return shape_complaint(out.views)


def shape_complaint(views: Views) -> str | None:
    """What is wrong with a picture: emptied, filled, or grown past the frame."""
    coverage = float(views.alpha.mean())
    if coverage < EMPTY_ALPHA:
        return "the shape had vanished"
    if coverage > FILLED_ALPHA:
        return "the shape had swallowed the whole picture"
    if border_alpha(views) > BORDER_ALPHA:
        return "the shape had grown past the frame"
    return None


def border_alpha(views: Views) -> float:
    """Mean alpha of the outermost ring of pixels."""
    alpha = views.alpha[..., 0]
    ring = torch.cat([alpha[:, 0], alpha[:, -1], alpha[:, 1:-1, 0], alpha[:, 1:-1, -1]], dim=1)
    return float(ring.mean())
