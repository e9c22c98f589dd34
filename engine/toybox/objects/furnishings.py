"""Beds, seats, shelves, doors: furniture with its open side at +x."""

from __future__ import annotations

import numpy as np

from engine.toybox.objects.assembly import Assembly, Paint
from engine.toybox.objects.details import INK, PAPER, STEEL, between, contrasting, leg, shade
from engine.toybox.objects.primitives import ball, box, hoop, lathe, moved, rod, rounded_box

Draws = np.random.Generator


def build_bed(rng: Draws, paint: Paint) -> Assembly:
    """A bed along x, its foot at +x: frame, mattress with a blanket, one or two pillows."""
    out = Assembly()
    wide, half = rng.random(), 0.92
    half_y = between(wide, 0.42, 0.7)
    out.add(paint["body"], rounded_box((2 * half, 2 * half_y, 0.2), (0, 0, 0.28), 0.04))
    high = rng.uniform(0.55, 0.85)
    out.add(paint["body"], rounded_box((0.12, 2 * half_y + 0.06, high), (-half, 0, 0.5 * high + 0.1), 0.05))
    out.add(paint["body"], rounded_box((0.1, 2 * half_y + 0.06, 0.4), (half, 0, 0.3), 0.05))
    out.add(PAPER, rounded_box((1.9 * half, 1.9 * half_y, 0.18), (0, 0, 0.44), 0.07))
    out.add(paint["blanket"], rounded_box((1.25 * half, 2.02 * half_y, 0.2), (0.3 * half, 0, 0.47), 0.07))
    for y in (-0.5, 0.5) if wide > 0.5 else (0.0,):
        out.add(paint["pillows"], ball((0.18, 0.3, 0.1), (-0.7 * half, y * half_y, 0.58), 12, 7))
    for sx in (-1, 1):
        for sy in (-1, 1):
            out.add(
                paint["body"],
                rod(
                    (sx * 0.95 * half, sy * 0.9 * half_y, 0), (sx * 0.95 * half, sy * 0.9 * half_y, 0.3), 0.06
                ),
            )
    out.describe(wide, "narrow", "wide")
    return out


def build_stool(rng: Draws, paint: Paint) -> Assembly:
    """A round stool on three or four splayed legs with a ring between them."""
    out = Assembly()
    tall = rng.random()
    high, radius, count = between(tall, 0.55, 1.15), rng.uniform(0.32, 0.4), int(rng.integers(3, 5))
    out.add(
        paint["body"],
        lathe(
            [
                (radius - 0.04, high),
                (radius, high + 0.03),
                (radius, high + 0.09),
                (radius - 0.05, high + 0.12),
            ],
            20,
        ),
    )
    for k in range(count):
        d = np.array([np.cos(2 * np.pi * k / count + 0.7), np.sin(2 * np.pi * k / count + 0.7), 0])
        out.add(paint["legs"], leg(radius * d * 1.1, 0.6 * radius * d + (0, 0, high + 0.02), 0.055, False))
    ring = [(0.83 * radius, -0.025), (0.97 * radius, -0.025), (0.97 * radius, 0.025), (0.83 * radius, 0.025)]
    out.add(paint["legs"], moved(hoop(ring, 16), (0, 0, 0.4 * high)))
    out.describe(tall, "short", "tall")
    return out


def build_bench(rng: Draws, paint: Paint) -> Assembly:
    """A park bench: slats of seat and back on two side frames."""
    out = Assembly()
    long = rng.random()
    half = between(long, 0.6, 1.0)
    for x in (-0.18, 0.0, 0.18):
        out.add(paint["body"], rounded_box((0.15, 2 * half, 0.06), (x, 0, 0.46), 0.02))
    for z in (0.64, 0.84):
        out.add(paint["body"], rounded_box((0.06, 2 * half, 0.15), (-0.3, 0, z), 0.02))
    for sy in (-1, 1):
        y = sy * 0.82 * half
        out.add(paint["legs"], rod((0.22, y, 0), (0.2, y, 0.44), 0.05))
        out.add(paint["legs"], rod((-0.3, y, 0), (-0.3, y, 0.92), 0.05))
        out.add(paint["legs"], rod((-0.3, y, 0.42), (0.22, y, 0.42), 0.045))
    out.describe(long, "short", "long")
    return out


def build_bookcase(rng: Draws, paint: Paint) -> Assembly:
    """A bookcase, open at the front, with rows of coloured books."""
    out = Assembly()
    tall = rng.random()
    high, half_y, deep = between(tall, 0.9, 1.7), rng.uniform(0.4, 0.55), 0.32
    for sy in (-1, 1):
        out.add(paint["body"], box((deep, 0.07, high), (0, sy * half_y, 0.5 * high)))
    out.add(paint["body"], box((0.05, 2 * half_y, high), (-0.5 * deep, 0, 0.5 * high)))
    rows = 3 if tall < 0.5 else 4
    for k in range(rows + 1):
        out.add(paint["body"], box((deep, 2 * half_y + 0.06, 0.07), (0, 0, 0.04 + k * (high - 0.08) / rows)))
    gap = (high - 0.08) / rows
    for k in range(rows):
        y = -half_y + 0.08
        while y < half_y - 0.14:
            thick, size = rng.uniform(0.07, 0.12), rng.uniform(0.6, 0.82) * gap
            tone = shade(paint["books"], rng.uniform(0.7, 1.15))
            out.add(tone, box((0.2, 0.9 * thick, size), (0.0, y + 0.5 * thick, 0.08 + k * gap + 0.5 * size)))
            y += thick
    out.describe(tall, "short", "tall")
    return out


def build_cabinet(rng: Draws, paint: Paint) -> Assembly:
    """A chest of drawers or a two-door cupboard with knobs."""
    out = Assembly()
    tall = rng.random()
    high, half_y = between(tall, 0.8, 1.5), rng.uniform(0.42, 0.58)
    out.add(paint["body"], rounded_box((0.56, 2 * half_y, high), (0, 0, 0.5 * high + 0.1), 0.03))
    out.add(
        shade(paint["body"], 0.85), rounded_box((0.64, 2 * half_y + 0.1, 0.07), (0.01, 0, high + 0.12), 0.02)
    )
    for sx in (-0.2, 0.2):
        for sy in (-0.85, 0.85):
            out.add(shade(paint["body"], 0.8), rod((sx, sy * half_y, 0), (sx, sy * half_y, 0.14), 0.05))
    if rng.random() < 0.6:
        rows = 3 if tall < 0.5 else 4
        step = (high - 0.1) / rows
        for z in 0.15 + step * (np.arange(rows) + 0.5):
            out.add(paint["drawers"], rounded_box((0.06, 1.84 * half_y, 0.84 * step), (0.28, 0, z), 0.02))
            for sy in (-0.45, 0.45):
                out.add(contrasting(paint["drawers"], STEEL, INK), ball(0.045, (0.33, sy * half_y, z), 8, 5))
    else:
        for sy in (-1, 1):
            door = (0.06, 0.9 * half_y, 0.88 * high)
            out.add(paint["drawers"], rounded_box(door, (0.28, sy * 0.48 * half_y, 0.1 + 0.5 * high), 0.02))
            out.add(
                contrasting(paint["drawers"], STEEL, INK),
                ball(0.045, (0.33, sy * 0.12, 0.1 + 0.52 * high), 8, 5),
            )
    out.describe(tall, "short", "tall")
    return out


def build_door(rng: Draws, paint: Paint) -> Assembly:
    """A door in its frame, with panels and a knob."""
    out = Assembly()
    high = rng.uniform(1.5, 1.75)
    out.add(paint["body"], box((0.1, 0.76, high), (0, 0, 0.5 * high)))
    for z, size in ((0.27 * high, 0.4 * high), (0.74 * high, 0.36 * high)):
        for sy in (-1, 1):
            out.add(shade(paint["body"], 0.82), rounded_box((0.15, 0.26, size), (0, sy * 0.17, z), 0.03))
    for sy in (-1, 1):
        out.add(paint["frame"], box((0.16, 0.1, high + 0.06), (0, sy * 0.43, 0.5 * high)))
    out.add(paint["frame"], box((0.16, 0.96, 0.12), (0, 0, high + 0.06)))
    for sx in (-1, 1):
        out.add(paint["knob"], ball(0.07, (sx * 0.11, -0.29, 0.48 * high), 10, 6))
    return out


def build_ladder(rng: Draws, paint: Paint) -> Assembly:
    """A ladder: two rails and rungs."""
    out = Assembly()
    tall = rng.random()
    high, half = between(tall, 1.2, 2.0), rng.uniform(0.24, 0.32)
    for sy in (-1, 1):
        out.add(paint["body"], rounded_box((0.1, 0.09, high), (0, sy * half, 0.5 * high), 0.02))
    for z in np.linspace(0.14, high - 0.14, 5 + int(3 * tall)):
        out.add(paint["rungs"], rod((0, -half, z), (0, half, z), 0.045))
    out.describe(tall, "short", "tall")
    return out
