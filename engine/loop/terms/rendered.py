"""What a loss term is shown: one step's renders, and what the prior read of them."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from engine.core.cameras import Cameras
from engine.core.views import Views
from engine.loop.region import Kept
from engine.loop.spec import Knobs
from engine.loop.state import Context, RunState


@dataclass(frozen=True, eq=False)
class RenderedStep:
    """``views`` (B,H,W,...) of the scene from ``cameras`` over ``background`` (3,), or over none.

    ``kept`` is the scene as it was, where only a region may change. While the prior refines, ``x`` (B,C,h,w)
    is what it reads of them and ``t`` (B,) the noise level's index; None in a fit.
    """

    context: Context
    state: RunState
    knobs: Knobs
    views: Views
    cameras: Cameras
    background: Tensor | None = None
    x: Tensor | None = None
    t: Tensor | None = None
    kept: Kept | None = None

    def scaled(self, mean: Tensor) -> Tensor:
        """A penalty on the scale of a mean, brought to that of a guidance loss, which is half a sum over each
        view of ``x``.
        """
        return mean if self.x is None else mean * (0.5 * self.x[0].numel())
