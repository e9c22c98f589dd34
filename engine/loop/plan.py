"""Which stages a run has: asked before anything is loaded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.errors import InputError
from engine.loop.messages import Stage
from engine.loop.region_settings import DRAFT
from engine.loop.spec import RunSpec

if TYPE_CHECKING:
    from engine.prior.base import PriorInfo


@dataclass(frozen=True)
class Planned:
    """A stage of a run and how many steps it takes."""

    name: Stage
    steps: int


def plan(spec: RunSpec, info: PriorInfo) -> tuple[Planned, ...]:
    """The stages that ``spec`` asks for, in order. Raises InputError for a draft from a prior that cannot
    make one.
    """
    check_start(spec, info)
    check_region_start(spec, info)
    if spec.start == "draft" and not info.joint_views:
        raise InputError(
            f"The prior {info.id!r} makes one view at a time and cannot draft an object.",
            'Choose start = "ball", or a multi-view prior such as toybox.',
        )
    stages = stages_of(spec)
    if not stages:
        raise InputError(
            "There is nothing to do: no draft, no refine steps and no sharpen steps.",
            "Set refine_steps above 0, or start from a draft.",
        )
    return stages


def stages_of(spec: RunSpec) -> tuple[Planned, ...]:
    """The stages that ``spec`` asks for, whether its prior can make them or not."""
    begins = spec.start == "draft" or (spec.region.strip() and spec.region_start == DRAFT)
    drafted = (Planned("draft", spec.sampling_steps), Planned("fit", spec.fit_steps)) if begins else ()
    refined = (Planned("refine", spec.refine_steps),) if spec.refine_steps else ()
    whole = spec.scene != "canvas" and not spec.region.strip()  # what lies outside a region is not touched
    finer = (Planned("sharpen", spec.sharpen_steps),) if spec.sharpen_steps and whole else ()
    return (*drafted, *refined, *finer)


def check_region_start(spec: RunSpec, info: PriorInfo) -> None:
    """Raises InputError for a region of nothing, and for one that is drafted by a prior that cannot hold the
    rest.
    """
    if not spec.region.strip():
        return
    if spec.start != "file":
        raise InputError(
            f"region names a part of a finished scene, and start is {spec.start!r}.",
            'Set start = "file" and start_file to a splat PLY, such as the scene.ply of an earlier result.',
        )
    if spec.region_start == DRAFT and not (info.joint_views and info.channels == "rgba"):
        raise InputError(
            f"The prior {info.id!r} cannot draft a region with all else held.",
            'Set region_start = "fill", or choose toybox.',
        )


def check_start(spec: RunSpec, info: PriorInfo) -> None:
    """Raises InputError for a run from a file that cannot be one, and for a prior that edits and is given
    nothing to edit.
    """
    if spec.start != "file":
        if info.takes_source:
            raise InputError(
                f"The prior {info.id!r} edits what is there, and start is {spec.start!r}.",
                'Set start = "file" and start_file to a splat PLY, such as the scene.ply of an earlier '
                "result.",
            )
        return
    if spec.scene != "splats":
        raise InputError(
            f"A run from a file keeps its splats, and scene is {spec.scene!r}.",
            'Set scene = "splats", or choose another start.',
        )
    if not spec.start_file:
        raise InputError(
            "The run shall start from a file, and start_file names none.",
            "Give the path of a splat PLY, such as the scene.ply of an earlier result.",
        )
