"""Which settings go together, and with which prior: asked before a run begins, when a preset is read, and at
live changes.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from engine.core.fields import marked_fields
from engine.errors import InputError
from engine.loop.plan import plan
from engine.loop.reference.mechanism import chosen_way
from engine.loop.settings import Settings
from engine.loop.spec import RunSpec
from engine.prior.base import PriorInfo
from engine.prior.capabilities import info_of
from engine.prior.control.entries import OFF

LACKS = {
    "wants_view_words": "is not told views in words",
    "takes_controls": "takes no ControlNet",
    "takes_styles": "wears no style files",
    "guidance_distilled": "was taught no guidance in one pass",
    "sharpens": "draws no finer views",
    "takes_source": "edits no pictures",
    "has_vae": "has no VAE to go past",
    "taught_words": "reads any words as they are",
}
"""What a prior without a flag of its info is like: how a refusal says it."""


def refusal(settings: Settings, info: PriorInfo) -> InputError | None:
    """Why these settings cannot work together with this prior; None where they can."""
    try:
        check_combination(settings, info)
    except InputError as error:
        return error
    return None


def check_before_loading(settings: Settings) -> None:
    """``check_combination`` with what is known of the prior before its weights are read; nothing is, of a
    name in no list.
    """
    info = info_of(settings.spec.prior)
    if info is not None:
        check_combination(settings, info)


def check_combination(settings: Settings, info: PriorInfo) -> None:
    """Raises InputError, with a remedy, for settings that are each allowed and cannot work together with this
    prior.
    """
    _check_pictures(settings.spec, info)
    plan(settings.spec, info)
    _check_visible(settings.spec)
    _check_views(settings.spec, info)
    _check_reference(settings.spec, info)
    settings.knobs.guidance.check(info)
    for owner in (settings.spec, settings.knobs, settings.knobs.guidance, settings.knobs.timesteps):
        _check_needs(owner, info)


def _check_visible(spec: RunSpec) -> None:
    """A ControlNet must have something to see."""
    if spec.control != OFF and spec.scene == "canvas":
        raise InputError(
            f"control is {spec.control!r}, and a canvas is flat: it has no depth that a ControlNet could "
            "see.",
            "Set control to off, or choose the scene splats or field.",
        )


def _check_pictures(spec: RunSpec, info: PriorInfo) -> None:
    """Given pictures need a shape to be seen on, and words beside them for a prior that cannot see; some
    priors need one.
    """
    if not spec.images.strip():
        if info.needs_images:
            raise InputError(
                f"The prior {info.id!r} draws an object from a picture of it, and images names none.",
                "Give a picture, in the Image tab or with --image, or choose a prior that reads words, "
                "such as toybox.",
            )
        return
    if spec.scene == "canvas":
        raise InputError(
            "images names pictures of an object, and scene is 'canvas', which is flat.",
            "Choose splats or field.",
        )
    if not info.takes_images and not spec.prompt.strip():
        raise InputError(
            f"The prompt is empty, and the prior {info.id!r} cannot see pictures: it would not know what "
            "to make.",
            "Say in a few words what the pictures show, or choose a prior that takes them, such as toybox.",
        )


def _check_views(spec: RunSpec, info: PriorInfo) -> None:
    """A prior that draws fixed views only can draft an object, and judge it from nowhere else."""
    if info.fixed_views and (spec.start != "draft" or spec.refine_steps):
        raise InputError(
            f"The prior {info.id!r} draws {len(info.fixed_views)} fixed views and cannot look from "
            "elsewhere; "
            f"start is {spec.start!r} and refine_steps is {spec.refine_steps}.",
            'Set start = "draft" and refine_steps = 0, and refine the result with another prior: start = '
            '"file".',
        )


def _check_reference(spec: RunSpec, info: PriorInfo) -> None:
    """A 3D reference needs a shape to guide, and a way to guide it."""
    if not spec.reference.strip():
        return
    if spec.scene == "canvas":
        raise InputError(
            "reference names a 3D model, and scene is 'canvas', which is flat.", "Choose splats or field."
        )
    chosen_way(spec, info)


def _check_needs(owner: Any, info: PriorInfo) -> None:
    """A setting that needs something of the prior may be at its default, or the prior must have it."""
    defaults = {field.name: field.default for field in fields(owner)}
    for knob in marked_fields(owner):
        needs, default = knob.mark.needs, defaults[knob.name]
        if needs and knob.value != default and not getattr(info, needs):
            raise InputError(
                f"{knob.name} is {knob.value!r}, and the prior {info.id!r} "
                f"{LACKS.get(needs, f'lacks {needs}')}.",
                f"Leave {knob.name} at {default!r}, or choose another prior.",
            )
