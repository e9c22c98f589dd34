"""Road vehicles: car and bus."""

from __future__ import annotations

import numpy as np

from engine.toybox.objects.assembly import Assembly, Paint
from engine.toybox.objects.details import (
    DARK_GLASS,
    GLASS,
    GLOW,
    INK,
    SIGNAL,
    STEEL,
    add_wheel,
    between,
    contrasting,
)
from engine.toybox.objects.primitives import Solid, box, disc, loft, rod, rounded_box, slab


def build_car(rng: np.random.Generator, paint: Paint) -> Assembly:
    """A chunky car with its headlights at +x: hull, glass cabin with pillars, roof, four large wheels."""
    out = Assembly()
    long, tall = rng.random(2)
    half_x, half_y = between(long, 0.82, 1.12), rng.uniform(0.42, 0.5)
    wheel = rng.uniform(0.2, 0.27)
    belt, bonnet = wheel + rng.uniform(0.3, 0.38), wheel + rng.uniform(0.2, 0.28)
    floor = 0.62 * wheel
    rear = half_x * rng.uniform(-0.96, -0.55)
    front = half_x * rng.uniform(0.22, 0.45)
    side = [
        (-half_x, floor),
        (half_x, floor),
        (half_x + 0.04, 0.5 * (floor + bonnet)),
        (half_x - 0.06, bonnet),
        (front, belt),
        (rear, belt),
        (-half_x + 0.03, belt - 0.04),
        (-half_x - 0.03, 0.5 * (floor + belt)),
    ]
    out.add(paint["body"], slab(side, 2 * half_y, 0.06))
    _add_cabin(out, paint, rear, front - 0.02, 0.88 * half_y, belt - 0.03, between(tall, 0.3, 0.46), rng)
    for x in (-0.58 * half_x, 0.6 * half_x):
        for sy in (-1, 1):
            add_wheel(out, (x, sy * (half_y - 0.02), wheel), wheel, 0.2, paint["wheels"])
    _add_lights(out, half_x, half_y, 0.5 * (floor + bonnet) + 0.05)
    if rng.random() < 0.25 and rear > -0.85 * half_x:
        out.add(
            paint["body"], rounded_box((0.14, 1.8 * half_y, 0.07), (-half_x + 0.08, 0, belt + 0.14), 0.03)
        )
        out.add(paint["body"], box((0.08, 1.2 * half_y, 0.2), (-half_x + 0.09, 0, belt + 0.05)))
    out.describe(long, "short", "long")
    return out


def _cabin(
    rear: float, front: float, half_y: float, base: float, height: float, slope: float, lean: float
) -> Solid:
    """A truncated pyramid: windscreen leaning back by `slope`, sides leaning in by `lean`."""
    low = [(front, half_y), (rear, half_y), (rear, -half_y), (front, -half_y)]
    top_y = half_y * lean
    high = [
        (front - slope, top_y),
        (rear + 0.6 * slope, top_y),
        (rear + 0.6 * slope, -top_y),
        (front - slope, -top_y),
    ]
    return loft(np.array([[(*p, base) for p in low], [(*p, base + height) for p in high]]))


def _add_cabin(
    out: Assembly,
    paint: Paint,
    rear: float,
    front: float,
    half_y: float,
    base: float,
    height: float,
    rng: np.random.Generator,
) -> None:
    """The glass house with body-coloured pillars and the roof on top."""
    slope, lean = rng.uniform(0.18, 0.3), rng.uniform(0.8, 0.92)
    glass = contrasting(paint["body"], GLASS, DARK_GLASS)
    cabin = _cabin(rear, front, half_y, base, height, slope, lean)
    out.add(glass, cabin)
    low, high = cabin.vertices[:4], cabin.vertices[4:8]
    for a, b in zip(low, high, strict=True):
        out.add(paint["body"], rod(a, b, 0.05, segments=6))
    for left in (0, 2):
        middle_low, middle_high = low[left : left + 2].mean(0), high[left : left + 2].mean(0)
        out.add(paint["body"], rod(middle_low, middle_high, 0.045, segments=6))
    centre, extent = high.mean(0), np.ptp(high, axis=0)
    out.add(
        paint["roof"], rounded_box((extent[0] + 0.12, extent[1] + 0.12, 0.1), centre + (0, 0, 0.02), 0.05)
    )


def _add_lights(out: Assembly, half_x: float, half_y: float, z: float) -> None:
    """Headlights, tail lights, a grille and two bumpers."""
    for sy in (-1, 1):
        out.add(GLOW, disc(0.095, 0.12, (half_x, sy * 0.66 * half_y, z), "x", 10))
        out.add(SIGNAL, rounded_box((0.12, 0.16, 0.12), (-half_x, sy * 0.7 * half_y, z + 0.03), 0.03))
    out.add(INK, rounded_box((0.1, 0.55 * half_y, 0.13), (half_x + 0.01, 0, z - 0.01), 0.03))
    for sx in (-1, 1):
        out.add(
            STEEL, rounded_box((0.12, 2 * half_y + 0.02, 0.09), (sx * (half_x + 0.03), 0, z - 0.17), 0.04)
        )


def build_bus(rng: np.random.Generator, paint: Paint) -> Assembly:
    """A single or double-decker bus with its windscreen at +x."""
    out = Assembly()
    long, double = rng.random(), bool(rng.random() < 0.3)
    half_x, half_y = between(long, 0.92, 1.3), rng.uniform(0.38, 0.44)
    wheel, floor = rng.uniform(0.17, 0.21), 0.12
    top = floor + (rng.uniform(1.15, 1.3) if double else rng.uniform(0.76, 0.9))
    out.add(
        paint["body"], rounded_box((2 * half_x, 2 * half_y, top - floor), (0, 0, 0.5 * (top + floor)), 0.08)
    )
    out.add(
        paint["roof"], rounded_box((2 * half_x - 0.06, 2 * half_y + 0.02, 0.14), (0, 0, top + 0.01), 0.07)
    )
    axles = [-0.62 * half_x, 0.62 * half_x] + ([-0.3 * half_x] if long > 0.75 else [])
    for x in axles:
        for sy in (-1, 1):
            add_wheel(out, (x, sy * (half_y - 0.04), wheel), wheel, 0.18, paint["wheels"])
    rows = [top - 0.26] + ([top - 0.72] if double else [])
    for z in rows:
        _add_bus_windows(out, paint, half_x, half_y, z, 4 + int(long > 0.5))
    _add_bus_front(out, paint, half_x, half_y, rows[-1], 0.13 + wheel)
    out.describe(long, "short", "long")
    if double:
        out.adjectives.append("tall")
    return out


def _add_bus_windows(out: Assembly, paint: Paint, half_x: float, half_y: float, z: float, count: int) -> None:
    """One storey of side windows, with front and rear panes."""
    glass = contrasting(paint["body"], GLASS, DARK_GLASS)
    step = (2 * half_x - 0.16) / count
    for x in -half_x + 0.08 + step * (np.arange(count) + 0.5):
        out.add(glass, box((0.76 * step, 2 * half_y + 0.05, 0.24), (x, 0, z)))
    out.add(glass, rounded_box((2 * half_x + 0.05, 1.6 * half_y, 0.27), (0, 0, z), 0.05))


def _add_bus_front(
    out: Assembly, paint: Paint, half_x: float, half_y: float, z: float, light_z: float
) -> None:
    """Headlights, tail lights, a bumper, and the passengers' door on the right-hand side near the front."""
    for sy in (-1, 1):
        out.add(GLOW, disc(0.085, 0.1, (half_x, sy * 0.68 * half_y, light_z), "x", 10))
        out.add(SIGNAL, rounded_box((0.1, 0.13, 0.13), (-half_x, sy * 0.72 * half_y, light_z), 0.03))
    for sx in (-1, 1):
        out.add(STEEL, rounded_box((0.1, 2 * half_y - 0.04, 0.08), (sx * (half_x + 0.02), 0, 0.16), 0.03))
    door = contrasting(paint["body"], GLASS, DARK_GLASS)
    tall = z - 0.06
    out.add(door, box((0.2, 0.06, tall), (half_x - 0.16, -half_y, 0.1 + 0.5 * tall)))
