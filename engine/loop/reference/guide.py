"""The reference of a run: what it looks like from anywhere, by which way it acts, and how strongly at this
moment.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, cast

import torch
from torch import Tensor

from engine.assets.meshes.canonical_pose import Orientation, Tip
from engine.assets.meshes.mesh_file import read_reference
from engine.assets.meshes.mesh_shape import ReferenceShape
from engine.assets.meshes.render_maps import reference_maps, reference_pictures
from engine.core.cameras import Cameras
from engine.core.views import Views
from engine.loop.input_images import GivenViews
from engine.loop.reference.input_files import existing_file
from engine.loop.reference.likeness import Outlines, probe_cameras
from engine.loop.reference.mechanism import Way, chosen_way
from engine.loop.reference.provenance import origin_of
from engine.loop.reference_settings import AUTO, OPEN, read_curve, read_gate
from engine.loop.spec import Knobs, RunSpec
from engine.prior.base import Prior, Prompts, Reference
from engine.prior.reference.maps import Reading, ReferenceMaps
from engine.prior.reference.strength import Influence, gate

HALF_OPEN, HALF_OPEN_BY_PICTURE, GATE_WIDTH = 0.55, 0.75, 0.2
"""Likeness at which the automatic gate is half open, by words and by given pictures; over how much of it a
gate opens.

By outlines, three in four of 24 toys are over 0.64 like toybox's first guess at the word for their kind, and
three in four of 24 toys of other kinds are under 0.48. A picture says more: of four references for each of 12
held-out toys, 16 of the 18 under 0.75 made toybox's drafts worse, and 27 of the 30 over it made them better.
"""

SURE, SURE_WIDTH = 0.9, 0.04
"""Likeness to given pictures at which the pull on the shape itself is half open, and over how much of it that
opens.

With the best of the shelf as reference, 12 held-out toys won 0.96 dB with 0.94, 1.12 dB with 0.90 and 1.11 dB
with 0.86 (one seed each); with shapes that only looked alike, at a likeness of 0.9 on average, six toys lost
0.9 dB.
"""

STAND_IN_FOLLOWS = 0.6
"""How closely a draft keeps at the least to what stands in for a kind that the prior has not learned: it
would make another.
"""

GREY = 0.6


class Model(Protocol):
    """Anything that cameras can look at as a reference."""

    def maps(self, cameras: Cameras) -> ReferenceMaps:
        """Of one object from V cameras."""
        ...

    def pictures(self, cameras: Cameras) -> Tensor:
        """Premultiplied RGBA (V,H,W,4) in 0..1 of it."""
        ...


@dataclass(frozen=True, eq=False)
class MeshModel:
    """A reference that was read from a file."""

    shape: ReferenceShape

    def maps(self, cameras: Cameras) -> ReferenceMaps:
        return reference_maps(self.shape, cameras)

    def pictures(self, cameras: Cameras) -> Tensor:
        return reference_pictures(self.shape, cameras)


@dataclass(frozen=True, eq=False)
class Guide:
    """Fixed for a run, but for ``likeness``: of the reference and what is wanted; None where there is nothing
    to compare it with.

    ``side`` is the prior's resolution, ``clean_maps`` belong to the given pictures, ``alone`` says of a
    controller that nothing shall act beside it, ``chosen`` that a person picked the reference, whose choice
    no likeness overrules, ``painted`` that it stands in for a kind that the prior has not learned, in the
    prompt's colours already.
    """

    model: Model
    way: Way
    reading: Reading
    side: int
    outlines: Outlines
    clean_maps: ReferenceMaps | None = None
    likeness: float | None = None
    notes: tuple[str, ...] = ()
    alone: bool = False
    chosen: bool = False
    painted: bool = False

    def opening(self, knobs: Knobs) -> float:
        """How far the gate is open, 0..1. A controller weighs by itself what comes through."""
        if self.likeness is None or not self.is_judged(knobs):
            return 1.0
        chosen = read_gate(knobs.reference_gate)
        half = HALF_OPEN if self.clean_maps is None else HALF_OPEN_BY_PICTURE
        half = half if isinstance(chosen, str) else chosen
        return gate(self.likeness, half - GATE_WIDTH / 2, half + GATE_WIDTH / 2)

    def is_judged(self, knobs: Knobs) -> bool:
        """Whether the likeness decides: not of what a person chose, unless they set the gate as well."""
        gate = read_gate(knobs.reference_gate)
        return self.likeness is not None and gate != OPEN and not (self.chosen and gate == AUTO)

    def following(self, knobs: Knobs) -> float:
        """0..1: how closely a draft keeps to the reference's own look; not at all where the reference does
        not act in noise.

        Beside given pictures, which show the object itself, that is only what a person chose.
        """
        if knobs.ignore_reference or self.way == "controlnet" or self.alone:
            return 0.0
        if self.clean_maps is not None and not self.chosen:
            return 0.0
        least = STAND_IN_FOLLOWS if self.painted else 0.0
        influence = self.influence(knobs)
        return (least + (1 - least) * knobs.reference_follow) * min(1.0, influence.at(1.0))

    def influence(self, knobs: Knobs) -> Influence:
        """The curve through the gate; nothing while the reference is ignored."""
        curve = read_curve(knobs.reference_curve, knobs.reference_early, knobs.reference_late)
        return Influence(curve, 0.0 if knobs.ignore_reference else self.opening(knobs))

    def pulling(self, knobs: Knobs) -> Influence:
        """How strongly the shape itself is pulled, beside what the prior is told.

        As the reference acts, where the prior is told nothing; but by given pictures, unless the artist has
        set the gate, and beside a controller, only as far as the reference has very nearly their outlines.
        """
        influence = self.influence(knobs)
        if self.chosen and self.way != "controlnet" and not self.alone:
            return replace(influence, opening=influence.opening * knobs.reference_follow)
        likeness = None if self.clean_maps is None else self.likeness  # with given pictures
        if self.way == "shape" and not (likeness is not None and read_gate(knobs.reference_gate) == AUTO):
            return influence
        if self.way == "controlnet" or self.alone or likeness is None:
            return replace(influence, opening=0.0)
        sure = gate(likeness, SURE - SURE_WIDTH / 2, SURE + SURE_WIDTH / 2)
        return replace(influence, opening=influence.opening * sure)

    def maps_from(self, cameras: Cameras, side: int | None = None) -> ReferenceMaps:
        """The reference as the prior's controller sees it from V cameras, or with ``side`` pixels."""
        return self.model.maps(cameras.resized(self.side if side is None else side))

    def condition(self, cameras: Cameras, knobs: Knobs) -> Reference | None:
        """What the prior is told at this moment for views from ``cameras``; None where it is not told
        anything.
        """
        influence = self.influence(knobs)
        if self.way == "shape" or (self.way == "controller" and influence.silent):
            return None
        if influence.silent:
            return Reference(influence)
        maps = self.maps_from(cameras)
        if self.way == "controller":
            return Reference(influence, maps, self.clean_maps, reading=self.reading)
        return Reference(influence, views=views_of(maps, cameras.resized(self.side)))


def with_reference(prompts: Prompts, cameras: Cameras, guide: Guide | None, knobs: Knobs) -> Prompts:
    """``prompts`` that all see the reference, so that guidance strengthens the words and not the
    reference.
    """
    reference = None if guide is None else guide.condition(cameras, knobs)
    return (
        prompts
        if reference is None
        else prompts.map(lambda condition: replace(condition, reference=reference))
    )


def guide_for(spec: RunSpec, prior: Prior, given: GivenViews | None, folder: Path | None) -> Guide | None:
    """The reference that ``spec`` names, found in ``folder`` first; None if there is none.

    Raises InputError, MissingError or FileFormatError for a file that cannot be used.
    """
    if not spec.reference.strip():
        return None
    orientation = Orientation(cast(Tip, spec.reference_up), spec.reference_turn_deg)
    path = existing_file(spec.reference, folder)
    shape, origin = read_reference(path, orientation), origin_of(path)
    reason = (origin.reason,) if origin is not None and origin.reason else ()
    notes = tuple(f"{shape.name}: {note}" for note in shape.notes)
    guide = guide_by(MeshModel(shape), spec, prior, given)
    chosen = origin is None or not origin.retrieved
    return replace(guide, notes=(*reason, *notes, *guide.notes), chosen=chosen, painted=bool(reason))


def guide_by(model: Model, spec: RunSpec, prior: Prior, given: GivenViews | None) -> Guide:
    """The guide that a model makes."""
    info, device = prior.info, prior.device
    cameras = probe_cameras(info).to(device)
    outlines = Outlines(cameras, mask_of(model.maps(cameras)))
    clean = None if given is None else model.maps(given.cameras.resized(info.resolution))
    way = chosen_way(spec, info)
    notes = (info.reference_note,) if way == "controller" and info.reference_note else ()
    return Guide(
        model,
        way,
        cast(Reading, spec.reference_map),
        info.resolution,
        outlines,
        clean,
        notes=notes,
        alone=spec.reference_by == "controller",
    )


def mask_of(maps: ReferenceMaps) -> Tensor:
    """The silhouettes of one object, (V,H,W,1)."""
    return maps.mask[0].movedim(1, -1)


def views_of(maps: ReferenceMaps, cameras: Cameras) -> Views:
    """Grey renders with the depth that the maps' points have from their ``cameras``."""
    mask, points = mask_of(maps), 2 * maps.ccm[0].movedim(1, -1) - 1
    offsets = points - cameras.positions[:, None, None]
    depth = torch.einsum("bhwi,bi->bhw", offsets, cameras.c2w[:, :3, 2])[..., None]
    return Views((GREY * mask).expand(-1, -1, -1, 3), mask, depth * mask)
