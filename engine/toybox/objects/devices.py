"""Small machines to hear, type and tell the time with, which look to +x."""

from __future__ import annotations

import numpy as np

from engine.toybox.objects.assembly import Assembly, Paint
from engine.toybox.objects.details import DARK_GLASS, INK, PAPER, STEEL, arc, between, contrasting, shade
from engine.toybox.objects.primitives import (
    ball,
    box,
    disc,
    hoop,
    lathe,
    moved,
    rod,
    rounded_box,
    stretched,
    tube,
    turned,
)

Draws = np.random.Generator


def build_keyboard(rng: Draws, paint: Paint) -> Assembly:
    """A computer's keyboard, lifted at the back: rows of keys, a long one in front."""
    out = Assembly()
    wide = rng.random()
    half = between(wide, 0.75, 1.15)
    out.add(paint["body"], turned(rounded_box((0.78, 2 * half, 0.1), (0, 0, 0), 0.05), "y", 7))
    columns = round(half / 0.15)
    for row, x in enumerate((-0.26, -0.1, 0.06)):
        for y in np.linspace(-half + 0.12, half - 0.12, columns):
            colour = paint["accent"] if row == 0 and abs(y) > half - 0.2 else paint["keys"]
            out.add(
                colour, turned(box((0.13, 1.55 * half / columns, 0.09), (x, y, 0.08), (0.85, 0.85)), "y", 7)
            )
    out.add(paint["keys"], turned(rounded_box((0.13, half, 0.09), (0.23, 0, 0.08), 0.02), "y", 7))
    for sy in (-1, 1):
        out.add(
            paint["accent"],
            turned(rounded_box((0.13, 0.3 * half, 0.09), (0.23, sy * 0.75 * half, 0.08), 0.02), "y", 7),
        )
    out.describe(wide, "slim", "wide")
    return out


def build_headphones(rng: Draws, paint: Paint) -> Assembly:
    """Headphones: a padded bow over two cups with cushions."""
    out = Assembly()
    radius, high = rng.uniform(0.56, 0.66), rng.uniform(0.62, 0.78)
    out.add(paint["body"], tube(arc((0, 0, 0), (radius, high), 0, 180, "yz", 17), 0.065, 8, 1.0))
    out.add(
        paint["cushions"], tube(arc((0, 0, 0.02), (0.92 * radius, 0.97 * high), 50, 130, "yz", 9), 0.085, 8)
    )
    for sy in (-1, 1):
        cup = disc(0.3, 0.2, (0, sy * radius, -0.16), "y", 18)
        out.add(paint["body"], cup)
        out.add(paint["cushions"], disc(0.27, 0.16, (0, sy * (radius - 0.15), -0.16), "y", 18))
        out.add(STEEL, disc(0.15, 0.04, (0, sy * (radius + 0.11), -0.16), "y", 14))
    return out


def build_microphone(rng: Draws, paint: Paint) -> Assembly:
    """A microphone: a wire ball on a tapering grip, sometimes on a stand."""
    out = Assembly()
    stand, long = rng.random() < 0.5, rng.random()
    grip = between(long, 0.75, 1.0)
    lean = 0 if stand else rng.uniform(-25, 25)
    parts = [(paint["body"], lathe([(0.1, 0), (0.12, 0.1), (0.19, grip), (0.16, grip + 0.05)], 16))]
    parts += [(paint["head"], ball((0.29, 0.29, 0.32), (0, 0, grip + 0.25), 16, 10))]
    parts += [
        (
            paint["ring"],
            moved(hoop([(0.24, -0.04), (0.32, -0.04), (0.32, 0.05), (0.24, 0.05)], 18), (0, 0, grip + 0.21)),
        )
    ]
    parts += [(INK, rounded_box((0.1, 0.09, 0.16), (0.12, 0, 0.6), 0.03))]
    for colour, part in parts:
        out.add(colour, turned(part, "x", lean))
    if stand:
        out.add(STEEL, rod((0, 0, -0.75), (0, 0, 0.1), 0.05))
        out.add(shade(paint["body"], 0.8), disc(0.4, 0.07, (0, 0, -0.75), "z", 20))
    out.describe(long, "short", "long")
    return out


def build_speaker(rng: Draws, paint: Paint) -> Assembly:
    """A loudspeaker: a box with a large and a small cone in rings."""
    out = Assembly()
    tall = rng.random()
    high = between(tall, 1.0, 1.6)
    out.add(paint["body"], rounded_box((0.6, 0.76, high), (0, 0, 0.5 * high), 0.05))
    for z, radius in ((0.32 * high, 0.29), (0.32 * high + 0.33 + 0.12 * high, 0.17)):
        out.add(paint["rings"], disc(radius, 0.06, (0.3, 0, z), "x", 20))
        out.add(paint["cones"], disc(0.82 * radius, 0.08, (0.3, 0, z), "x", 18))
        out.add(
            contrasting(paint["cones"], PAPER, INK),
            ball((0.05, 0.35 * radius, 0.35 * radius), (0.34, 0, z), 10, 6),
        )
    out.describe(tall, "short", "tall")
    return out


def build_watch(rng: Draws, paint: Paint) -> Assembly:
    """A wristwatch on its closed strap, its face towards +x."""
    out = Assembly()
    around = np.deg2rad(np.linspace(24, 336, 21))
    path = np.stack([0.62 * np.cos(around) - 0.62, 0 * around, 0.62 * np.sin(around)], 1)
    out.add(paint["straps"], stretched(tube(path, 0.1, 8), (1, 2.1, 1)))
    if rng.random() < 0.6:
        out.add(paint["body"], disc(0.4, 0.16, (0.02, 0, 0), "x", 24))
        out.add(paint["face"], disc(0.33, 0.05, (0.1, 0, 0), "x", 24))
    else:
        out.add(paint["body"], rounded_box((0.16, 0.66, 0.74), (0.02, 0, 0), 0.08))
        out.add(paint["face"], rounded_box((0.05, 0.54, 0.62), (0.1, 0, 0), 0.02))
    ink = contrasting(paint["face"], PAPER, INK)
    for angle, size in ((rng.uniform(0, 360), 0.17), (rng.uniform(0, 360), 0.25)):
        out.add(ink, moved(turned(box((0.03, 0.05, size), (0, 0, 0.5 * size)), "x", angle), (0.135, 0, 0)))
    out.add(paint["body"], disc(0.06, 0.1, (0.02, 0.42, 0), "y", 10))
    return out


def build_radio(rng: Draws, paint: Paint) -> Assembly:
    """A portable radio: a loudspeaker behind bars, a scale, dials, a handle and an antenna."""
    out = Assembly()
    wide = rng.uniform(1.0, 1.35)
    out.add(paint["body"], rounded_box((0.36, wide, 0.76), (0, 0, 0.38), 0.07))
    out.add(paint["grille"], disc(0.26, 0.05, (0.18, -0.24 * wide, 0.38), "x", 20))
    for z in np.linspace(0.22, 0.54, 5):
        out.add(paint["body"], box((0.04, 0.46, 0.025), (0.2, -0.24 * wide, z)))
    out.add(DARK_GLASS, rounded_box((0.04, 0.38 * wide, 0.18), (0.18, 0.22 * wide, 0.54), 0.02))
    for y in (0.12, 0.32):
        out.add(paint["dials"], disc(0.085, 0.1, (0.18, y * wide, 0.24), "x", 14))
    out.add(
        paint["dials"], tube([(0, -0.35, 0.74), (0, -0.3, 0.95), (0, 0.3, 0.95), (0, 0.35, 0.74)], 0.045, 8)
    )
    out.add(STEEL, rod((-0.1, 0.4 * wide, 0.74), (-0.14, 0.56 * wide, 1.45), 0.022))
    return out
