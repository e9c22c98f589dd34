"""Things to hold: sword and guitar, both standing upright with the broad side facing +x."""

from __future__ import annotations

import numpy as np

from engine.toybox.objects.assembly import Assembly, Paint
from engine.toybox.objects.details import CREAM, GLOW, INK, PAPER, STEEL, WOOD, between, contrasting
from engine.toybox.objects.primitives import (
    Solid,
    ball,
    disc,
    hoop,
    lathe,
    loft,
    rod,
    rounded_box,
    slab,
    turned,
)


def build_sword(rng: np.random.Generator, paint: Paint) -> Assembly:
    """A sword pointing up: straight or curved blade (the body), guard and grip (the hilt), pommel."""
    out = Assembly()
    wide = rng.random()
    length, half = rng.uniform(1.05, 1.4), between(wide, 0.1, 0.2)
    bend = rng.uniform(0.18, 0.34) if rng.random() < 0.25 else 0.0
    out.add(paint["body"], _blade(length, half, rng.uniform(0.055, 0.075), bend, rng.uniform(0.72, 0.9)))
    span, thick = rng.uniform(0.3, 0.46) + half, rng.uniform(0.1, 0.13)
    out.add(paint["hilt"], rounded_box((0.2, 2 * span, thick), (0, 0, 0), 0.05))
    if rng.random() < 0.5:
        out.add(paint["hilt"], *(ball(0.1, (0, sy * span, 0), 9, 6) for sy in (-1, 1)))
    grip = rng.uniform(0.34, 0.46)
    out.add(paint["hilt"], lathe([(0.075, -grip), (0.095, -0.5 * grip), (0.075, 0)], 12))
    for z in np.linspace(-0.8, -0.25, 3) * grip:
        out.add(
            contrasting(paint["hilt"], STEEL, INK),
            hoop([(0.05, z - 0.02), (0.115, z - 0.02), (0.115, z + 0.02), (0.05, z + 0.02)], 10),
        )
    out.add(paint["pommel"], ball(rng.uniform(0.11, 0.15), (0, 0, -grip - 0.06), 12, 8))
    out.describe(wide, "slim", "wide")
    if bend:
        out.adjectives.append("curved")
    return out


def _blade(length: float, half: float, thick: float, bend: float, shoulder: float) -> Solid:
    """A blade of diamond section from the guard to its point, bent towards +y by `bend` at the tip."""
    level = np.array([0.0, 0.2, 0.4, 0.6, shoulder, 0.5 * (1 + shoulder), 1.0])
    width = np.array([1.0, 0.97, 0.94, 0.94, 0.9, 0.6, 0.02])
    section = np.array(
        [
            (1.0, 0.0),
            (0.55, 0.8),
            (0.0, 1.0),
            (-0.55, 0.8),
            (-1.0, 0.0),
            (-0.55, -0.8),
            (0.0, -1.0),
            (0.55, -0.8),
        ]
    )
    rings = np.empty((len(level), len(section), 3))
    rings[:, :, 0] = thick * np.minimum(width + 0.1, 1.0)[:, None] * section[:, 1]
    rings[:, :, 1] = half * width[:, None] * section[:, 0] + bend * (level**2)[:, None]
    rings[:, :, 2] = length * level[:, None]
    return loft(rings)


def build_guitar(rng: np.random.Generator, paint: Paint) -> Assembly:
    """An acoustic or electric guitar, strings facing +x, neck up."""
    out = Assembly()
    wide, electric = rng.random(), bool(rng.random() < 0.4)
    half, tall, deep = (
        between(wide, 0.42, 0.56),
        rng.uniform(0.5, 0.58),
        rng.uniform(0.2, 0.3) - 0.06 * electric,
    )
    out.add(paint["body"], _facing_front(slab(_waist_outline(half, tall, electric), deep, 0.07)))
    length, width = rng.uniform(0.8, 1.0), rng.uniform(0.14, 0.18)
    top = 0.8 * tall + length
    neck_x = 0.5 * deep - 0.01
    out.add(
        paint["neck"],
        rounded_box((0.13, width, length + 0.35), (neck_x, 0, 0.5 * (top + 0.8 * tall - 0.35)), 0.04),
    )
    _add_headstock(out, paint, neck_x, top, width)
    front = 0.5 * deep
    if electric:
        for z in (-0.02, -0.22):
            out.add(
                contrasting(paint["body"], PAPER, INK), rounded_box((0.08, 0.3, 0.1), (front, 0, z), 0.03)
            )
        for z in (-0.15, -0.32):
            out.add(GLOW, disc(0.055, 0.12, (front, 0.6 * half, z), "x", 8))
    else:
        out.add(contrasting(paint["body"], CREAM, WOOD), disc(0.2, 0.04, (front, 0, 0.08), "x", 16))
        out.add(INK, disc(0.155, 0.08, (front, 0, 0.08), "x", 16))
    out.add(
        contrasting(paint["body"], CREAM, INK),
        rounded_box((0.1, 0.34, 0.08), (front, 0, -0.42 * tall - 0.12), 0.03),
    )
    _add_strings(out, paint, front, -0.42 * tall - 0.12, top, neck_x + 0.065)
    out.describe(wide, "slim", "wide")
    return out


def _facing_front(solid: Solid) -> Solid:
    """A slab drawn in the (x, z) plane, turned so that its broad side faces +x."""
    return turned(solid, "z", 90)


def _waist_outline(half: float, tall: float, electric: bool) -> np.ndarray:
    """A figure-of-eight outline (28,2): broad below, narrower above, with horns when electric."""
    angle = np.linspace(0, 2 * np.pi, 28, endpoint=False)
    up = np.sin(angle)
    width = half * (1 - 0.14 * up - 0.3 * np.exp(-(((up - 0.22) / 0.3) ** 2)))
    outline = np.stack([width * np.cos(angle), tall * up * (1 + 0.1 * (up > 0))], 1)
    if electric:
        horn = np.exp(-(((angle - np.deg2rad(58)) / 0.22) ** 2)) + 0.8 * np.exp(
            -(((angle - np.deg2rad(122)) / 0.22) ** 2)
        )
        outline *= (1 + 0.34 * horn)[:, None]
    return outline


def _add_headstock(out: Assembly, paint: Paint, x: float, top: float, width: float) -> None:
    """The flared head with three tuning pegs a side."""
    out.add(paint["neck"], rounded_box((0.12, 1.75 * width, 0.32), (x, 0, top + 0.14), 0.05, (1, 1.15)))
    for z in (0.04, 0.14, 0.24):
        for sy in (-1, 1):
            out.add(STEEL, ball(0.05, (x, sy * (0.95 * width + 0.03), top + z), 7, 5))


def _add_strings(
    out: Assembly, paint: Paint, front: float, low: float, high: float, neck_front: float
) -> None:
    """Two pale bands of strings from the bridge to the head, clear of the neck."""
    pale = contrasting(paint["neck"], PAPER, INK)
    x = max(front + 0.06, neck_front + 0.02)
    for y in (-0.035, 0.035):
        out.add(pale, rod((x, y, low), (x, y, high), 0.014, segments=5))
