"""Windows that look like each other: a perceptual gradient before each step (SyncDiffusion, arXiv 2306.05178,
algorithm 1).

Each window's noisy x moves down the gradient of how unlike its clean picture, as the prior sees it now, is to
that of the middle window. The paper measures that by LPIPS, whose network nobody ships with this program;
here it is the squared difference of what style losses compare (arXiv 1703.06868): means and deviations of
colours and of their gradients, at three sizes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.synchronisation.cases import Predict

SIZES = 3
DECAY = 0.95  # of the weight, each step
Decode = Callable[[Tensor], Tensor]
"""Clean windows (N,C,h,w) in the prior's space to pictures (N,3,H,W) in 0..1, differentiably."""


@dataclass(frozen=True, eq=False)
class Coherence:
    """``weight`` of the first step (20 in the paper), and how windows become ``pictures``."""

    weight: float
    pictures: Decode

    def moved(self, x: Tensor, predict: Predict, step: int) -> Tensor:
        """The windows x (N,C,h,w) before step ``step``; one pass forward and one back through the prior."""
        if self.weight == 0:
            return x
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            styles = style(self.pictures(predict(x).x0))
            unlike = (styles - styles[len(styles) // 2].detach()).square().sum()
            (gradient,) = torch.autograd.grad(unlike, x)
        return (x - self.weight * DECAY**step * gradient).detach()


def style(pictures: Tensor) -> Tensor:
    """What pictures (N,3,H,W) look like, wherever things stand in them: (N,12 * `SIZES`)."""
    statistics = []
    for size in range(SIZES):
        small = F.avg_pool2d(pictures, 2**size) if size else pictures
        right, down = small.diff(dim=3).abs(), small.diff(dim=2).abs()
        statistics += [
            small.mean((2, 3)),
            small.var((2, 3)).add(1e-6).sqrt(),
            right.mean((2, 3)),
            down.mean((2, 3)),
        ]
    return torch.cat(statistics, dim=1)
