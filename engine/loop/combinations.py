"""Which settings go together, and with which prior: asked before a run begins, when a preset is read, and at live changes."""

from __future__ import annotations

from engine.errors import InputError
from engine.loop.settings import Settings
from engine.loop.stages import plan
from engine.prior.base import PriorInfo


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
    settings.knobs.guidance.check(info)
    if settings.knobs.perp_neg and not info.wants_view_words:
        raise InputError(
            f"perp_neg is on, and the prior {info.id!r} is not told views in words, which Perp-Neg pushes away from.",
            "Switch Perp-Neg off, or choose a prior that reads view words, such as stable-diffusion-1.5.",
        )
