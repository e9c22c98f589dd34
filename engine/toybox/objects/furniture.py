"""Furniture: chair, table, sofa and lamp."""

from __future__ import annotations

import numpy as np

from engine.toybox.objects.assembly import Assembly, Paint
from engine.toybox.objects.details import GLOW, between, leg
from engine.toybox.objects.primitives import ball, lathe, rod, rounded_box


def _add_legs(
    out: Assembly,
    paint: Paint,
    half_x: float,
    half_y: float,
    height: float,
    radius: float,
    rng: np.random.Generator,
) -> None:
    """Four legs under the corners, square and upright or round and splayed."""
    square, splay = bool(rng.random() < 0.5), rng.uniform(0.0, 0.12)
    for sx in (-1, 1):
        for sy in (-1, 1):
            foot = (sx * (half_x + splay), sy * (half_y + splay), 0.0)
            out.add(paint["legs"], leg(foot, (sx * half_x, sy * half_y, height), radius, square))


def build_chair(rng: np.random.Generator, paint: Paint) -> Assembly:
    """A chair whose open side faces +x: legs, seat with a cushion, and a solid, slatted or barred back."""
    out = Assembly()
    tall, wide = rng.random(2)
    half_x, half_y = rng.uniform(0.36, 0.44), between(wide, 0.34, 0.54)
    seat, back = rng.uniform(0.5, 0.68), between(tall, 0.5, 1.0)
    plate = rng.uniform(0.09, 0.13)
    radius = rng.uniform(0.065, 0.09)
    _add_legs(out, paint, half_x - radius, half_y - radius, seat, radius, rng)
    out.add(paint["body"], rounded_box((2 * half_x, 2 * half_y, plate), (0, 0, seat + 0.5 * plate), 0.05))
    top = seat + plate
    out.add(paint["cushion"], rounded_box((1.6 * half_x, 1.75 * half_y, 0.12), (0.06, 0, top + 0.045), 0.06))
    _add_chair_back(out, paint, -half_x + 0.06, half_y, top - 0.04, back, rng)
    if rng.random() < 0.25:
        for sy in (-1, 1):
            y = sy * (half_y - 0.02)
            out.add(paint["body"], rounded_box((1.7 * half_x, 0.11, 0.09), (0, y, top + 0.34), 0.04))
            out.add(paint["body"], rounded_box((0.1, 0.1, 0.36), (0.7 * half_x, y, top + 0.16), 0.03))
    out.describe(tall, "short", "tall")
    out.describe(wide, "narrow", "wide")
    return out


def _add_chair_back(
    out: Assembly, paint: Paint, x: float, half_y: float, base: float, height: float, rng: np.random.Generator
) -> None:
    """The back rest at `x`: a solid panel, upright slats or cross bars between two posts."""
    style = rng.choice(3, p=[0.5, 0.25, 0.25])
    if style == 0:
        out.add(
            paint["body"],
            rounded_box((0.12, 2 * half_y, height), (x, 0, base + 0.5 * height), rng.uniform(0.04, 0.12)),
        )
        return
    for sy in (-1, 1):
        out.add(
            paint["body"],
            rounded_box((0.12, 0.12, height), (x, sy * (half_y - 0.06), base + 0.5 * height), 0.04),
        )
    if style == 1:
        out.add(paint["body"], rounded_box((0.13, 2 * half_y, 0.18), (x, 0, base + height - 0.06), 0.05))
        for y in np.linspace(-half_y, half_y, int(rng.integers(4, 6)))[1:-1]:
            out.add(
                paint["body"],
                rounded_box((0.09, 0.12, height - 0.1), (x, y, base + 0.5 * height - 0.05), 0.03),
            )
    else:
        bars = int(rng.integers(2, 4))
        for z in base + height * (np.arange(bars) + 0.85) / bars:
            out.add(
                paint["body"],
                rounded_box((0.1, 2 * half_y - 0.05, 0.55 * height / bars), (x, 0, z - 0.05), 0.04),
            )


def build_table(rng: np.random.Generator, paint: Paint) -> Assembly:
    """A rectangular or round table top on legs, with an apron under rectangular tops."""
    out = Assembly()
    tall, long = rng.random(2)
    height, plate = between(tall, 0.55, 1.05), rng.uniform(0.09, 0.14)
    radius = rng.uniform(0.07, 0.1)
    if rng.random() < 0.3:
        half = rng.uniform(0.68, 0.85)
        rim = height + plate
        out.add(
            paint["body"],
            lathe([(half - 0.04, height), (half, height + 0.03), (half, rim - 0.03), (half - 0.04, rim)], 24),
        )
        _add_legs(out, paint, 0.58 * half, 0.58 * half, height + 0.02, radius, rng)
        out.adjectives.append("round")
    else:
        half_x, half_y = rng.uniform(0.45, 0.62), between(long, 0.6, 1.05)
        out.add(
            paint["body"], rounded_box((2 * half_x, 2 * half_y, plate), (0, 0, height + 0.5 * plate), 0.05)
        )
        out.add(
            paint["body"],
            rounded_box((2 * half_x - 0.25, 2 * half_y - 0.25, 0.13), (0, 0, height - 0.05), 0.03),
        )
        _add_legs(out, paint, half_x - radius - 0.03, half_y - radius - 0.03, height, radius, rng)
        if long > 0.7:
            out.adjectives.append("long")
    out.describe(tall, "low", "tall")
    return out


def build_sofa(rng: np.random.Generator, paint: Paint) -> Assembly:
    """A sofa facing +x: base, back, two arms, one to three cushions, stub feet."""
    out = Assembly()
    wide = rng.random()
    half_y, half_x = between(wide, 0.62, 1.15), rng.uniform(0.42, 0.5)
    feet, arm, soft = rng.uniform(0.14, 0.24), rng.uniform(0.18, 0.26), rng.uniform(0.06, 0.12)
    seat = feet + rng.uniform(0.22, 0.3)
    back, side = seat + rng.uniform(0.45, 0.65), seat + rng.uniform(0.24, 0.36)
    for sx in (-1, 1):
        for sy in (-1, 1):
            x, y = sx * (half_x - 0.1), sy * (half_y - 0.12)
            out.add(paint["legs"], rod((x, y, 0), (x, y, feet + 0.03), 0.07, 0.095, 7))
    out.add(
        paint["body"], rounded_box((2 * half_x, 2 * half_y, seat - feet), (0, 0, 0.5 * (seat + feet)), 0.05)
    )
    out.add(
        paint["body"],
        rounded_box((0.26, 2 * half_y, back - feet - 0.02), (0.13 - half_x, 0, 0.5 * (back + feet)), soft),
    )
    for sy in (-1, 1):
        centre = (0.01, sy * (half_y - 0.5 * arm), 0.5 * (side + feet))
        out.add(paint["body"], rounded_box((2 * half_x + 0.04, arm, side - feet), centre, soft))
    _add_cushions(out, paint, half_x, half_y - arm, seat, back, 1 + int(wide > 0.3) + int(wide > 0.75))
    out.describe(wide, "short", "long")
    return out


def _add_cushions(
    out: Assembly, paint: Paint, half_x: float, half_y: float, seat: float, back: float, count: int
) -> None:
    """A row of seat cushions with back cushions behind them."""
    step = 2 * half_y / count
    for k in range(count):
        y = -half_y + (k + 0.5) * step
        out.add(
            paint["cushions"],
            rounded_box((2 * half_x - 0.24, 0.96 * step, 0.17), (0.13, y, seat + 0.07), 0.07),
        )
        tall = back - seat - 0.12
        out.add(
            paint["cushions"],
            rounded_box((0.16, 0.92 * step, tall), (0.29 - half_x, y, seat + 0.14 + 0.5 * tall), 0.07),
        )


def build_lamp(rng: np.random.Generator, paint: Paint) -> Assembly:
    """A table or floor lamp: foot and pole (the body), a hollow shade, a glowing bulb under it."""
    out = Assembly()
    tall, wide = rng.random(2)
    height, foot = between(tall, 0.85, 1.75), rng.uniform(0.34, 0.46)
    shade, lower = rng.uniform(0.42, 0.62), between(wide, 0.46, 0.72)
    upper = lower * rng.uniform(0.45, 0.95)
    out.add(paint["body"], lathe([(foot, 0), (foot, 0.06), (0.75 * foot, 0.13), (0.1, 0.17)], 18))
    if rng.random() < 0.4:
        swell, middle = rng.uniform(0.16, 0.28), 0.35 * height
        out.add(paint["body"], ball((swell, swell, 0.6 * middle), (0, 0, 0.13 + 0.55 * middle), 14, 8))
    out.add(paint["body"], rod((0, 0, 0.1), (0, 0, height), rng.uniform(0.065, 0.085)))
    rim, crown = height - 0.4 * shade, height + 0.6 * shade
    out.add(
        paint["shade"],
        lathe(
            [(upper - 0.05, crown - 0.05), (lower - 0.05, rim), (lower, rim), (upper, crown), (0, crown)], 20
        ),
    )
    out.add(GLOW, ball(0.16, (0, 0, rim + 0.08), 10, 6))
    out.describe(tall, "short", "tall")
    out.describe(wide, "narrow", "wide")
    return out
