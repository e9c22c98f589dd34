"""Standing figures: robot and snowman."""

from __future__ import annotations

import numpy as np

from engine.toybox.objects.assembly import Assembly, Paint
from engine.toybox.objects.details import (
    EMBER,
    GLASS,
    GLOW,
    INK,
    PAPER,
    SIGNAL,
    STEEL,
    WOOD,
    add_eye,
    between,
    contrasting,
)
from engine.toybox.objects.primitives import ball, cone, disc, hoop, lathe, moved, rod, rounded_box


def build_robot(rng: np.random.Generator, paint: Paint) -> Assembly:
    """A boxy robot facing +x with glowing eyes, chest panel, antenna, arms and legs."""
    out = Assembly()
    wide, tall = rng.random(2)
    half_y, half_x, chest = between(wide, 0.3, 0.46), rng.uniform(0.22, 0.3), rng.uniform(0.6, 0.78)
    legs = between(tall, 0.34, 0.62)
    soft = rng.uniform(0.03, 0.1)
    out.add(paint["body"], rounded_box((2 * half_x, 2 * half_y, chest), (0, 0, legs + 0.5 * chest), soft))
    for sy in (-1, 1):
        y = sy * 0.55 * half_y
        out.add(paint["legs"], rounded_box((0.2, 0.2, legs), (0, y, 0.5 * legs), 0.04))
        out.add(paint["legs"], rounded_box((0.42, 0.27, 0.15), (0.08, y, 0.075), 0.05))
        _add_arm(out, paint, sy, half_y, legs + chest, rng.uniform(-0.15, 0.35))
    _add_panel(out, paint, half_x, half_y, legs + 0.55 * chest)
    _add_robot_head(out, paint, legs + chest, half_y, rng)
    out.describe(tall, "short", "tall")
    out.describe(wide, "slim", "wide")
    return out


def _add_arm(out: Assembly, paint: Paint, sy: int, half_y: float, top: float, forward: float) -> None:
    """A shoulder joint, an arm in the body's colour and a round steel hand."""
    shoulder = np.array([0, sy * (half_y + 0.07), top - 0.13])
    hand = shoulder + (forward, sy * 0.1, -0.5)
    out.add(STEEL, ball(0.115, shoulder, 9, 6), ball(0.115, hand, 9, 6))
    out.add(paint["body"], rod(shoulder, hand, 0.085))


def _add_panel(out: Assembly, paint: Paint, half_x: float, half_y: float, z: float) -> None:
    """A chest plate with three buttons."""
    plate = contrasting(paint["body"], PAPER, (0.25, 0.27, 0.3))
    out.add(plate, rounded_box((0.08, 1.3 * half_y, 0.34), (half_x, 0, z), 0.04))
    for y, colour in zip((-0.4, 0.0, 0.4), (SIGNAL, GLOW, (0.2, 0.7, 0.3)), strict=True):
        out.add(colour, disc(0.06, 0.13, (half_x, y * half_y, z), "x", 8))


def _add_robot_head(
    out: Assembly, paint: Paint, base: float, half_y: float, rng: np.random.Generator
) -> None:
    """Neck, head, eyes, mouth and one antenna or two."""
    wide, deep, tall = rng.uniform(0.24, 0.36), rng.uniform(0.22, 0.28), rng.uniform(0.38, 0.5)
    out.add(STEEL, rod((0, 0, base - 0.03), (0, 0, base + 0.1), 0.12))
    middle = base + 0.07 + 0.5 * tall
    out.add(paint["head"], rounded_box((2 * deep, 2 * wide, tall), (0, 0, middle), rng.uniform(0.03, 0.1)))
    eye = contrasting(paint["head"], GLOW, (0.1, 0.3, 0.5))
    for sy in (-1, 1):
        out.add(eye, disc(0.1, 0.12, (deep, 0.48 * sy * wide, middle + 0.06), "x", 10))
        out.add(INK, disc(0.045, 0.16, (deep, 0.48 * sy * wide, middle + 0.06), "x", 8))
        out.add(STEEL, disc(0.09, 0.1, (0, sy * wide, middle), "y", 8))
    out.add(
        contrasting(paint["head"], PAPER, INK),
        rounded_box((0.08, 1.05 * wide, 0.08), (deep, 0, middle - 0.12), 0.02),
    )
    spots = (0.0,) if rng.random() < 0.6 else (-0.6 * wide, 0.6 * wide)
    for y in spots:
        out.add(STEEL, rod((0, y, middle), (0, 1.3 * y, middle + 0.5 * tall + 0.18), 0.045, segments=6))
        out.add(SIGNAL, ball(0.08, (0, 1.3 * y, middle + 0.5 * tall + 0.2), 8, 6))


def build_snowman(rng: np.random.Generator, paint: Paint) -> Assembly:
    """Two or three snowballs with a carrot nose at +x, coal eyes and buttons, stick arms, scarf and hat."""
    out = Assembly()
    chubby = rng.random()
    low = between(chubby, 0.42, 0.56)
    middle, head = low * rng.uniform(0.68, 0.8), rng.uniform(0.26, 0.31)
    z_middle = 0.78 * low + 0.62 * middle
    z_head = z_middle + 0.72 * middle + 0.66 * head
    out.add(
        paint["body"],
        ball(low, (0, 0, 0), 16, 9),
        ball(middle, (0, 0, z_middle), 16, 9),
        ball(head, (0, 0, z_head), 14, 9),
    )
    coal = contrasting(paint["body"], PAPER, INK)
    for sy in (-1, 1):
        if coal is INK:
            out.add(INK, ball(0.06, (0.88 * head, 0.38 * sy * head, z_head + 0.28 * head), 8, 5))
        else:
            add_eye(out, (0.82 * head, 0.38 * sy * head, z_head + 0.28 * head), 0.08)
        end = (rng.uniform(0.0, 0.15), sy * (middle + 0.42), z_middle + rng.uniform(0.1, 0.4))
        out.add(WOOD, rod((0, 0.8 * sy * middle, z_middle + 0.05), end, 0.055, 0.05, 6))
    for share in (-0.15, 0.35):
        out.add(coal, ball(0.065, (np.sqrt(1 - share**2) * middle, 0, z_middle + share * middle), 8, 5))
    out.add(
        EMBER,
        cone((0.85 * head, 0, z_head - 0.03), (head + rng.uniform(0.24, 0.36), 0, z_head - 0.06), 0.085, 8),
    )
    _add_scarf(out, paint, z_head - 0.78 * head, 0.74 * head, rng)
    _add_hat(out, paint, z_head + 0.6 * head, head, rng)
    out.describe(chubby, "slim", "chubby")
    return out


def _add_scarf(out: Assembly, paint: Paint, z: float, radius: float, rng: np.random.Generator) -> None:
    """A thick ring round the neck with one end hanging at the front, to the left or right."""
    wide = radius + 0.12
    out.add(
        paint["scarf"],
        hoop(
            [
                (radius - 0.1, z - 0.05),
                (wide, z - 0.08),
                (wide + 0.03, z),
                (wide, z + 0.08),
                (radius - 0.1, z + 0.05),
            ],
            16,
        ),
    )
    side = 0.16 if rng.random() < 0.5 else -0.16
    out.add(paint["scarf"], rounded_box((0.11, 0.16, 0.36), (wide - 0.01, side, z - 0.2), 0.04))


def _add_hat(out: Assembly, paint: Paint, z: float, head: float, rng: np.random.Generator) -> None:
    """A top hat with a brim, or a woolly cone with a bobble."""
    if rng.random() < 0.6:
        tall, wide = rng.uniform(0.3, 0.48), rng.uniform(0.75, 0.9) * head
        brim = [(wide + 0.16, 0), (wide + 0.16, 0.06), (wide, 0.06), (1.06 * wide, tall), (0, tall)]
        out.add(paint["hat"], moved(lathe(brim, 16), (0, 0, z)))
    else:
        tall = rng.uniform(0.34, 0.5)
        knit = [(0.98 * head, -0.06), (0.98 * head, 0.08), (0.62 * head, 0.62 * tall), (0.05, tall)]
        out.add(paint["hat"], moved(lathe(knit, 14), (0, 0, z)))
        out.add(PAPER if np.min(paint["hat"]) < 0.8 else GLASS, ball(0.1, (0, 0, z + tall), 9, 6))
