"""By which way a reference acts: asked before anything is loaded."""

from __future__ import annotations

from typing import Literal, cast

from engine.errors import InputError
from engine.loop.reference_settings import AUTO
from engine.loop.spec import RunSpec
from engine.prior.base import PriorInfo
from engine.prior.control.entries import OFF

Way = Literal["controller", "shape", "controlnet"]


def chosen_way(spec: RunSpec, info: PriorInfo) -> Way:
    """By which way the reference acts with this prior. Raises InputError, with another way, where that cannot
    be.
    """
    if spec.reference_by == AUTO:
        return "controller" if info.takes_references else "controlnet" if spec.control != OFF else "shape"
    if spec.reference_by == "controller" and not info.takes_references:
        raise InputError(
            f"reference_by is 'controller', and the prior {info.id!r} has no controller that could read a "
            "3D reference.",
            "Set reference_by to shape, which pulls the shape itself, or to auto.",
        )
    if spec.reference_by == "controlnet" and spec.control == OFF:
        raise InputError(
            "reference_by is 'controlnet', and control is 'off': there is no ControlNet to show the "
            "reference to.",
            "Choose one with control, or set reference_by to shape.",
        )
    return cast(Way, spec.reference_by)
