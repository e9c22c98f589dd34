"""Boxes along the axes of the world: written as text, hit by rays, and what lies in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.core.cameras import Cameras
from engine.errors import InputError
from engine.lazy import torch

if TYPE_CHECKING:
    from torch import Tensor

AXES = "xyz"
REACH = 1.5  # a side that is not given ends here, beyond every object of the unit sphere
BETWEEN = ";"
HOW = "Write where it begins and ends on each axis, for example x=0.3:1,z=-0.4:0.4."


@dataclass(frozen=True)
class Box:
    """From ``low`` to ``high``, both (x, y, z) in world units."""

    low: tuple[float, float, float]
    high: tuple[float, float, float]

    def __str__(self) -> str:
        """As `read_boxes` reads it."""
        return ",".join(f"{axis}={a:g}:{b:g}" for axis, a, b in zip(AXES, self.low, self.high))

    @property
    def sides(self) -> tuple[float, float, float]:
        """Its length on each axis."""
        x, y, z = (b - a for a, b in zip(self.low, self.high))
        return x, y, z

    def contains(self, points: Tensor) -> Tensor:
        """Whether points (N,3) lie in it, (N,)."""
        return ((points >= points.new_tensor(self.low)) & (points <= points.new_tensor(self.high))).all(
            dim=-1
        )


def read_boxes(text: str) -> tuple[Box, ...]:
    """The boxes of a text such as ``x=0.3:1,z=-0.4:0.4; y=0.5:1``; an axis that is not named is not bounded.

    Raises InputError for what is no box, for one without volume, and for one that lies beyond every object.
    """
    parts = [part.strip() for part in text.split(BETWEEN) if part.strip()]
    if not parts:
        raise InputError("No box is given.", HOW)
    return tuple(_read(part) for part in parts)


def contained(boxes: tuple[Box, ...], points: Tensor) -> Tensor:
    """Whether points (N,3) lie in any of the boxes, (N,)."""
    return torch.stack([box.contains(points) for box in boxes]).any(dim=0)


def first_depth(boxes: tuple[Box, ...], cameras: Cameras) -> Tensor:
    """Where each pixel's ray enters the first box: depth (B,H,W,1) along the camera's axis; inf where it
    meets none.

    The slab test (Kay and Kajiya 1986); depth along the axis is length along the ray times the cosine to the
    axis.
    """
    origins, directions = cameras.rays()
    safe = torch.where(directions.abs() < 1e-9, torch.full_like(directions, 1e-9), directions)
    lengths = torch.stack([_entry(box, origins, safe) for box in boxes]).amin(dim=0)
    cosine = (directions * cameras.c2w[:, None, None, :3, 2]).sum(-1)
    return (lengths * cosine)[..., None]


def _entry(box: Box, origins: Tensor, directions: Tensor) -> Tensor:
    """Length along each ray (B,H,W) to where it enters; 0 for rays that begin inside, inf for those that
    miss.
    """
    low, high = ((origins.new_tensor(side) - origins) / directions for side in (box.low, box.high))
    near, far = torch.minimum(low, high).amax(dim=-1), torch.maximum(low, high).amin(dim=-1)
    return torch.where((far >= near) & (far > 0), near.clamp(min=0), torch.inf)


def _read(part: str) -> Box:
    bounds = {axis: (-REACH, REACH) for axis in AXES}
    for term in part.split(","):
        axis, _, ends = (piece.strip() for piece in term.partition("="))
        if axis not in AXES or len(axis) != 1:
            raise InputError(
                f"The box {part!r} names {axis or term!r}, which is no axis; there are x, y and z.", HOW
            )
        bounds[axis] = _ends(part, axis, ends)
    low, high = ((bounds["x"][k], bounds["y"][k], bounds["z"][k]) for k in range(2))
    return Box(low, high)


def _ends(part: str, axis: str, ends: str) -> tuple[float, float]:
    first, between, last = ends.partition(":")
    try:
        low, high = float(first) if first.strip() else -REACH, float(last) if last.strip() else REACH
    except ValueError:
        low, high, between = 0.0, 0.0, ""
    if not between:
        raise InputError(f"The box {part!r} does not say where it begins and ends on {axis}.", HOW)
    low, high = max(low, -REACH), min(high, REACH)
    if not low < high:  # not a number, or the wrong way round, or beyond reach
        what = (
            f"The box {part!r} is empty on {axis}: it must begin before it ends, between -{REACH} and "
            f"{REACH}."
        )
        raise InputError(what, HOW)
    return low, high
