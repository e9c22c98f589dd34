"""Guidance rescale: high guidance makes pictures too bright and too dark; this gives them the contrast of the plain prediction.

arXiv 2305.08891, section 3.4, on the clean picture instead of the network's output, as MVDream does (arXiv 2308.16512,
section 3.3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.noise_schedule import NoiseSchedule
from engine.lazy import torch
from engine.prior.base import Prediction

if TYPE_CHECKING:
    from torch import Tensor


def rescaled(
    guided: Prediction, conditional: Prediction, share: float, t: Tensor, schedule: NoiseSchedule, joint: bool
) -> Prediction:
    """``guided`` with its clean picture scaled ``share`` (0..1) of the way to the spread of ``conditional``'s.

    Spread is the std over a picture, or over all views together if they are ``joint``. The noise follows the clean picture.
    """
    if share == 0:
        return guided
    factor = (spread(conditional.x0, joint) + 1e-8) / (spread(guided.x0, joint) + 1e-8)
    x0 = guided.x0 * (share * factor + (1 - share))
    a, sig = schedule.signal_and_noise(t, x0)
    return Prediction(guided.eps + a / sig * (guided.x0 - x0), x0)


def spread(x: Tensor, joint: bool) -> Tensor:
    """Std of each picture (B,1,1,1), or of all of them (1,1,1,1)."""
    return torch.std(x, dim=(0, 1, 2, 3) if joint else (1, 2, 3), correction=0, keepdim=True)
