"""Steps that the prior has spoilt: they are left out and counted, and after a few in a row the run ends."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.core.views import Views
from engine.guidance.base import GuidanceOut

MOST_IN_A_ROW = 5
REMEDY = (
    "Choose the precision fp32, lower the guidance scale, or fetch the prior again; another shows "
    "whether it is to blame."
)


def nonfinite(out: GuidanceOut, x: Tensor, views: Views) -> str:
    """What is wrong with a prior's answer for ``views``, which it reads as ``x`` (B,C,h,w), as a clause;
    empty if all is finite.

    Views that are not finite themselves are the scene's fault, which the health check looks after.
    """
    if not torch.isfinite(views.rgb).all():
        return ""
    if not torch.isfinite(x).all():
        return "the prior read the renders as numbers that are not finite"
    share = out.metrics.get("not_finite", 0.0)
    if share > 0:
        return f"{max(share, 0.01):.0%} of the prior's answer was not finite"
    return "" if torch.isfinite(out.loss) else "the loss was not a finite number"


def nonfinite_picture(x0: Tensor) -> str:
    """The same for a picture (B,C,h,w) that is sampled."""
    return "" if torch.isfinite(x0).all() else "the prior drew numbers that are not finite"


def ending(why: str, total: int) -> str:
    """Why a run ends that has left out ``MOST_IN_A_ROW`` steps, the last of ``total`` because of ``why``."""
    return f"{MOST_IN_A_ROW} steps in a row were left out ({total} in this run), the last because {why}."
