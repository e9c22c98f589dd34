"""Tools of a workshop and a garden, and machine parts."""

from __future__ import annotations

import numpy as np

from engine.toybox.objects.assembly import Assembly, Paint
from engine.toybox.objects.details import STEEL, arc, between, shade
from engine.toybox.objects.primitives import (
    annulus,
    box,
    cone,
    disc,
    hoop,
    lathe,
    moved,
    rod,
    rounded_box,
    slab,
    tube,
    turned,
)

Draws = np.random.Generator


def build_saw(rng: Draws, paint: Paint) -> Assembly:
    """A hand saw in the y-z plane: a toothed blade and a closed grip."""
    out = Assembly()
    long = rng.random()
    reach = between(long, 1.1, 1.7)
    blade = slab([(0, -0.22), (reach, -0.1), (reach, 0.12), (0, 0.24)], 0.05)
    teeth = [slab([(-0.055, 0), (0.055, 0), (0, -0.1)], 0.05) for _ in range(round(reach / 0.11))]
    out.add(paint["body"], turned(blade, "z", 90))
    for k, tooth in enumerate(teeth):
        x = 0.06 + 0.11 * k
        if x < reach - 0.04:
            out.add(paint["body"], turned(moved(tooth, (x, 0, -0.215 + 0.12 * x / reach)), "z", 90))
    grip = arc((-0.2, 0, 0.02), (0.24, 0.26), 0, 356, "xz", 18)
    out.add(paint["handle"], turned(tube(grip, 0.085, 9), "z", 90))
    out.add(STEEL, turned(disc(0.05, 0.2, (0.0, 0, 0.02), "y", 10), "z", 90))
    out.describe(long, "short", "long")
    return out


def build_drill(rng: Draws, paint: Paint) -> Assembly:
    """A cordless drill that points to +x: a barrel, a chuck, a bit, a grip on a battery."""
    out = Assembly()
    long = rng.random()
    bit = between(long, 0.35, 0.75)
    out.add(paint["body"], rod((-0.42, 0, 0.8), (0.3, 0, 0.8), 0.22, 0.2, 16))
    out.add(shade(paint["body"], 0.6), disc(0.19, 0.12, (-0.46, 0, 0.8), "x", 16))
    out.add(paint["chuck"], rod((0.28, 0, 0.8), (0.55, 0, 0.8), 0.17, 0.1, 14))
    out.add(
        STEEL,
        rod((0.5, 0, 0.8), (0.55 + bit, 0, 0.8), 0.045, 0.045),
        cone((0.55 + bit, 0, 0.8), (0.68 + bit, 0, 0.8), 0.05),
    )
    out.add(
        paint["body"], tube([(-0.16, 0, 0.75), (-0.22, 0, 0.4), (-0.24, 0, 0.12)], [0.16, 0.13, 0.13], 12)
    )
    out.add(paint["trigger"], rounded_box((0.1, 0.1, 0.2), (0.0, 0, 0.5), 0.03))
    out.add(paint["battery"], rounded_box((0.56, 0.32, 0.24), (-0.2, 0, 0.06), 0.06))
    out.describe(long, "short", "long")
    return out


def build_wrench(rng: Draws, paint: Paint) -> Assembly:
    """An upright wrench: an open jaw above, a ring below."""
    out = Assembly()
    long = rng.random()
    high = between(long, 0.9, 1.5)
    out.add(paint["handle"], rounded_box((0.13, 0.2, high), (0, 0, 0.5 * high), 0.05))
    for sy in (-1, 1):
        jaw = [
            (0, sy * 0.08, high - 0.04),
            (0, sy * 0.3, high + 0.12),
            (0, sy * 0.27, high + 0.36),
            (0, sy * 0.14, high + 0.5),
        ]
        out.add(paint["body"], tube(jaw, [0.12, 0.13, 0.1, 0.07], 9, 0.75))
    out.add(paint["body"], annulus(0.15, 0.3, 0.16, (0, 0, -0.2), segments=6))
    out.describe(long, "short", "long")
    return out


def build_screwdriver(rng: Draws, paint: Paint) -> Assembly:
    """A screwdriver that stands on its tip: a ribbed handle, a collar, a steel shaft."""
    out = Assembly()
    long = rng.random()
    shaft = between(long, 0.6, 1.2)
    out.add(
        paint["shaft"],
        rod((0, 0, 0.06), (0, 0, shaft + 0.1), 0.06, 0.06, 10),
        box((0.03, 0.14, 0.16), (0, 0, 0.03)),
    )
    out.add(paint["collar"], lathe([(0.11, shaft), (0.15, shaft + 0.06), (0.15, shaft + 0.16)], 14))
    profile = [(0.14, 0.12), (0.19, 0.2), (0.19, 0.58), (0.16, 0.68), (0.2, 0.76), (0.18, 0.86), (0, 0.9)]
    out.add(paint["body"], lathe([(radius, shaft + z) for radius, z in profile], 14))
    for angle in np.arange(6) * np.pi / 3:
        x, y = 0.19 * np.cos(angle), 0.19 * np.sin(angle)
        out.add(shade(paint["body"], 0.7), rod((x, y, shaft + 0.22), (x, y, shaft + 0.56), 0.035))
    out.describe(long, "short", "long")
    return out


def build_shovel(rng: Draws, paint: Paint) -> Assembly:
    """A shovel that stands on its blade: round or square, with a grip across the stick."""
    out = Assembly()
    long = rng.random()
    high = between(long, 1.2, 1.8)
    if rng.random() < 0.6:
        outline = [
            (-0.3, 0.55),
            (0.3, 0.55),
            (0.31, 0.15),
            (0.2, -0.12),
            (0, -0.26),
            (-0.2, -0.12),
            (-0.31, 0.15),
        ]
    else:
        edge = np.linspace(-0.2, 0.5, 9)
        outline = [*((0.32, z) for z in edge), *((-0.32, z) for z in edge[::-1])]
    blade = turned(slab(outline, 0.08, 0.12), "z", 90)
    bend = 0.35 * blade.vertices[:, 1] ** 2
    out.add(paint["body"], blade._replace(vertices=blade.vertices + np.stack([bend, 0 * bend, 0 * bend], 1)))
    out.add(paint["handle"], tube(np.linspace((0.02, 0, 0.35), (0, 0, high), 6), 0.06, 12))
    if rng.random() < 0.6:
        out.add(paint["knob"], tube(arc((0, 0, high + 0.14), (0.17, 0.15), 0, 352, "yz", 15), 0.05, 8))
    else:
        out.add(paint["knob"], tube(np.linspace((0, -0.22, high), (0, 0.22, high), 4), 0.075, 12))
    out.describe(long, "short", "long")
    return out


def build_wheel(rng: Draws, paint: Paint) -> Assembly:
    """A wheel whose face looks to +x: a tyre or a wooden rim, spokes, a hub."""
    out = Assembly()
    thick, spokes = rng.uniform(0.13, 0.26), int(rng.choice([5, 6, 8, 10]))
    ring = [
        (0.84 - thick, -0.5 * thick),
        (0.84, -0.6 * thick),
        (0.92, 0),
        (0.84, 0.6 * thick),
        (0.84 - thick, 0.5 * thick),
    ]
    out.add(paint["body"], turned(hoop(ring, 30), "y", 90))
    for angle in np.arange(spokes) * 2 * np.pi / spokes:
        out.add(paint["spokes"], rod((0, 0, 0), (0, 0.78 * np.cos(angle), 0.78 * np.sin(angle)), 0.06, 0.05))
    out.add(
        paint["hub"], disc(0.19, 1.3 * thick, (0, 0, 0), "x", 16), disc(0.09, 1.7 * thick, (0, 0, 0), "x", 10)
    )
    return out


def build_gear(rng: Draws, paint: Paint) -> Assembly:
    """A cog wheel whose face looks to +x: teeth round a disc with a hub and holes."""
    out = Assembly()
    teeth, thick = int(rng.integers(8, 15)), rng.uniform(0.22, 0.36)
    out.add(
        paint["body"],
        turned(
            hoop([(0.3, -0.5 * thick), (0.7, -0.5 * thick), (0.7, 0.5 * thick), (0.3, 0.5 * thick)], 30),
            "y",
            90,
        ),
    )
    wide = 2.2 * 0.7 / teeth
    for k in range(teeth):
        tooth = box((thick, wide, 0.28), (0, 0, 0.78), (1, 0.6))
        out.add(paint["teeth"], turned(tooth, "x", 360 / teeth * k))
    out.add(
        paint["hub"],
        turned(
            hoop(
                [(0.12, -0.65 * thick), (0.32, -0.65 * thick), (0.32, 0.65 * thick), (0.12, 0.65 * thick)], 20
            ),
            "y",
            90,
        ),
    )
    return out
