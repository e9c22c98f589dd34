"""Small pieces that several kinds share: fixed colours, eyes, wheels, legs, windows and drawing helpers."""

from __future__ import annotations

import numpy as np

from engine.core.views import LUMINANCE
from engine.toybox.objects.assembly import Assembly, Colour
from engine.toybox.objects.primitives import Solid, Vector, ball, box, disc, rod, rounded_box

GLASS = (0.62, 0.83, 0.95)
DARK_GLASS = (0.16, 0.22, 0.32)
INK = (0.09, 0.09, 0.11)
PAPER = (0.95, 0.95, 0.93)
TYRE = (0.17, 0.17, 0.19)
STEEL = (0.66, 0.69, 0.73)
WOOD = (0.48, 0.30, 0.16)
CREAM = (0.93, 0.87, 0.72)
GLOW = (1.0, 0.92, 0.55)
EMBER = (0.98, 0.55, 0.12)
SIGNAL = (0.86, 0.12, 0.12)
BLUSH = (0.95, 0.60, 0.66)


def between(share: float, low: float, high: float) -> float:
    """Linear value at `share` 0..1 of the way from `low` to `high`."""
    return low + share * (high - low)


def luminance(colour: Colour) -> float:
    """Perceived brightness 0..1 of a display colour (Rec. 709 weights)."""
    return float(np.dot(colour, LUMINANCE))


def contrasting(body: Colour, light: Colour, dark: Colour) -> Colour:
    """`light` or `dark`, whichever differs more in brightness from the body colour."""
    brightness = luminance(body)
    return light if abs(luminance(light) - brightness) >= abs(luminance(dark) - brightness) else dark


def shade(colour: Colour, factor: float) -> np.ndarray:
    """The colour made darker (factor < 1) or brighter."""
    return np.clip(np.asarray(colour, float) * factor, 0.0, 1.0)


def add_eye(
    out: Assembly, centre: Vector, radius: float, towards: Vector = (1, 0, 0), white: Colour = PAPER
) -> None:
    """A white eyeball with a large pupil that looks along the unit vector `towards`."""
    at, look = np.asarray(centre, float), np.asarray(towards, float)
    out.add(white, ball(radius, at, 10, 6))
    out.add(INK, ball(0.66 * radius, at + look * 0.56 * radius, 8, 5))


def add_wheel(out: Assembly, centre: Vector, radius: float, width: float, colour: Colour) -> None:
    """A wheel on a y axle: a tyre in the given colour and a contrasting hub that sticks out on both sides."""
    out.add(colour, disc(radius, width, centre, "y", 14))
    out.add(contrasting(colour, STEEL, TYRE), disc(0.45 * radius, width + 0.05, centre, "y", 8))


def leg(foot: Vector, top: Vector, radius: float, square: bool) -> Solid:
    """A furniture leg between two points: a round tapering bar, or an upright square post at the foot's
    place.
    """
    if not square:
        return rod(foot, top, 0.8 * radius, radius)
    centre = (top[0], top[1], 0.5 * (foot[2] + top[2]))
    return rounded_box((1.8 * radius, 1.8 * radius, top[2] - foot[2]), centre, 0.3 * radius)


def add_pane(
    out: Assembly, centre: Vector, size: Vector, glass: Colour, frame: Colour | None = None, rim: float = 0.05
) -> None:
    """A window pane (a thin box) with, when given, a wider frame that sticks out a little less."""
    extent = np.asarray(size, float)
    thin = int(np.argmin(extent))
    out.add(glass, box(extent, centre))
    if frame is not None:
        wider = extent + 2 * rim
        wider[thin] = extent[thin] - 0.03
        out.add(frame, box(wider, centre))


def arc(
    centre: Vector, radii: Vector, from_deg: float, to_deg: float, plane: str, steps: int = 9
) -> np.ndarray:
    """Points (steps,3) of an elliptic arc in the plane "yz" or "xz", 0 degrees along the plane's first
    axis.
    """
    angle = np.deg2rad(np.linspace(from_deg, to_deg, steps))
    points = np.tile(np.asarray(centre, float), (steps, 1))
    points[:, "xyz".index(plane[0])] += radii[0] * np.cos(angle)
    points[:, 2] += radii[1] * np.sin(angle)
    return points
