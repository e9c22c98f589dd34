"""Which settings go together, and with which prior: asked before a run begins, when a preset is read, and at live changes."""

from __future__ import annotations

from engine.errors import InputError
from engine.loop.settings import Settings
from engine.loop.spec import RunSpec
from engine.loop.stages import plan
from engine.prior.base import PriorInfo
from engine.prior.control.entries import OFF


def refusal(settings: Settings, info: PriorInfo) -> InputError | None:
    """Why these settings cannot work together with this prior; None where they can."""
    try:
        check_combination(settings, info)
    except InputError as error:
        return error
    return None


def check_combination(settings: Settings, info: PriorInfo) -> None:
    """Raises InputError, with a remedy, for settings that are each allowed and cannot work together with this prior."""
    plan(settings.spec, info)
    check_outfit(settings.spec, info)
    settings.knobs.guidance.check(info)
    if settings.knobs.perp_neg and not info.wants_view_words:
        raise InputError(
            f"perp_neg is on, and the prior {info.id!r} is not told views in words, which Perp-Neg pushes away from.",
            "Switch Perp-Neg off, or choose a prior that reads view words, such as stable-diffusion-1.5.",
        )


def check_outfit(spec: RunSpec, info: PriorInfo) -> None:
    """Raises InputError for a ControlNet or a style that this prior cannot wear, or that the scene gives nothing to see."""
    if spec.control != OFF and not info.takes_controls:
        raise InputError(
            f"control is {spec.control!r}, and the prior {info.id!r} takes no ControlNet.",
            "Set control to off, or choose a Stable Diffusion prior.",
        )
    if spec.control != OFF and spec.scene == "canvas":
        raise InputError(
            f"control is {spec.control!r}, and a canvas is flat: it has no depth that a ControlNet could see.",
            "Set control to off, or choose the scene splats or field.",
        )
    if spec.style_file and not info.takes_styles:
        raise InputError(
            f"style_file is {spec.style_file!r}, and the prior {info.id!r} wears no LoRA files.",
            "Leave style_file empty, or choose a Stable Diffusion prior.",
        )
