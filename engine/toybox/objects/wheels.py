"""Things on wheels and tracks: their front is at +x."""

from __future__ import annotations

import numpy as np

from engine.toybox.objects.assembly import Assembly, Paint
from engine.toybox.objects.details import (
    DARK_GLASS,
    GLASS,
    GLOW,
    INK,
    STEEL,
    TYRE,
    add_wheel,
    between,
    contrasting,
    shade,
)
from engine.toybox.objects.primitives import (
    ball,
    box,
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


def build_truck(rng: Draws, paint: Paint) -> Assembly:
    """A lorry: a cab with a windscreen before a box or an open bed, on six wheels."""
    out = Assembly()
    long, half_y, wheel = rng.random(), rng.uniform(0.38, 0.44), rng.uniform(0.18, 0.22)
    load = between(long, 0.85, 1.25)
    cab = 0.72
    out.add(shade(TYRE, 1.3), box((load + cab, 1.4 * half_y, 0.12), (0.5 * cab - 0.5 * load, 0, wheel + 0.1)))
    out.add(paint["cab"], rounded_box((0.56, 2 * half_y, cab), (0.36, 0, wheel + 0.1 + 0.5 * cab), 0.08))
    glass = contrasting(paint["cab"], GLASS, DARK_GLASS)
    out.add(glass, box((0.1, 1.6 * half_y, 0.28), (0.62, 0, wheel + 0.58)))
    out.add(glass, box((0.26, 2 * half_y + 0.04, 0.26), (0.44, 0, wheel + 0.58)))
    tall = rng.uniform(0.7, 0.95)
    if rng.random() < 0.7:
        out.add(
            paint["body"],
            rounded_box((load, 2.1 * half_y, tall), (-0.5 * load, 0, wheel + 0.18 + 0.5 * tall), 0.04),
        )
    else:
        out.add(paint["body"], box((load, 2.1 * half_y, 0.1), (-0.5 * load, 0, wheel + 0.2)))
        for sy in (-1, 1):
            out.add(paint["body"], box((load, 0.08, 0.34), (-0.5 * load, sy * half_y, wheel + 0.4)))
        for x in (-load + 0.04, -0.06):
            out.add(paint["body"], box((0.08, 2.1 * half_y, 0.34), (x, 0, wheel + 0.4)))
    for x in (0.36, -0.45 * load, -0.8 * load):
        for sy in (-1, 1):
            add_wheel(out, (x, sy * (half_y - 0.03), wheel), wheel, 0.18, paint["wheels"])
    for sy in (-1, 1):
        out.add(GLOW, disc(0.075, 0.1, (0.63, sy * 0.7 * half_y, wheel + 0.2), "x", 10))
    out.describe(long, "short", "long")
    return out


def build_train(rng: Draws, paint: Paint) -> Assembly:
    """A steam engine: boiler, chimney, dome, a cab with a roof, red-rimmed wheels and a cow catcher."""
    out = Assembly()
    long = rng.random()
    half, radius = between(long, 0.55, 0.78), rng.uniform(0.25, 0.3)
    out.add(shade(TYRE, 1.2), box((2 * half + 0.5, 0.56, 0.12), (-0.2, 0, 0.3)))
    barrel = lathe(
        [(0.9 * radius, -half), (radius, -half + 0.05), (radius, half - 0.05), (0.9 * radius, half)], 18
    )
    out.add(paint["body"], moved(turned(barrel, "y", 90), (0.05, 0, 0.36 + radius)))
    out.add(INK, disc(0.8 * radius, 0.08, (0.05 + half, 0, 0.36 + radius), "x", 14))
    top = 0.36 + 2 * radius
    out.add(
        paint["chimney"],
        moved(lathe([(0.1, -0.06), (0.09, 0.2), (0.15, 0.34), (0.13, 0.36)], 12), (0.7 * half, 0, top)),
    )
    out.add(paint["chimney"], ball((0.12, 0.12, 0.12), (0.1 * half, 0, top), 10, 6))
    back, tall = -half - 0.14, rng.uniform(0.84, 0.98)
    out.add(paint["cab"], rounded_box((0.46, 0.66, tall), (back, 0, 0.34 + 0.5 * tall), 0.04))
    out.add(
        contrasting(paint["cab"], GLASS, DARK_GLASS), box((0.24, 0.7, 0.24), (back, 0, 0.34 + 0.68 * tall))
    )
    out.add(shade(paint["cab"], 0.75), rounded_box((0.6, 0.78, 0.08), (back, 0, 0.36 + tall), 0.04))
    for x, size in ((-half - 0.1, 0.24), (-0.25, 0.24), (0.26, 0.24), (half, 0.17)):
        for sy in (-1, 1):
            add_wheel(out, (x, sy * 0.3, size), size, 0.1, paint["wheels"])
    out.add(
        STEEL,
        moved(
            turned(slab([(-0.26, 0), (0.26, 0), (0.16, 0.26), (-0.16, 0.26)], 0.06), "z", 90),
            (half + 0.2, 0, 0.06),
        ),
    )
    out.describe(long, "short", "long")
    return out


def build_bicycle(rng: Draws, paint: Paint) -> Assembly:
    """A bicycle: two thin wheels with spokes, a tube frame, a saddle, handlebars."""
    out = Assembly()
    radius, base = rng.uniform(0.36, 0.42), rng.uniform(0.54, 0.6)
    for x in (-base, base):
        ring = hoop([(radius - 0.05, -0.03), (radius, -0.035), (radius, 0.035), (radius - 0.05, 0.03)], 22)
        out.add(paint["wheels"], moved(turned(ring, "x", 90), (x, 0, radius)))
        for angle in np.arange(0, 180, 45):
            d = np.array([np.cos(np.deg2rad(angle)), 0, np.sin(np.deg2rad(angle))]) * (radius - 0.03)
            centre = np.array([x, 0, radius])
            out.add(STEEL, rod(centre - d, centre + d, 0.014, segments=5))
    crank, seat, head = np.array([-0.08, 0, 0.3]), np.array([-0.24, 0, 0.86]), np.array([0.38, 0, 0.88])
    hub, fork = np.array([-base, 0, radius]), np.array([base, 0, radius])
    for a, b in (
        (crank, seat),
        (crank, head - (0, 0, 0.1)),
        (seat - (0, 0, 0.1), head),
        (hub, crank),
        (hub, seat),
        (fork, head + (-0.06, 0, 0.14)),
    ):
        out.add(paint["body"], rod(a, b, 0.05))
    out.add(paint["saddle"], ball((0.19, 0.1, 0.06), seat + (0.0, 0, 0.07), 10, 6))
    bar = head + (-0.06, 0, 0.2)
    out.add(STEEL, rod(bar + (0, -0.28, 0), bar + (0, 0.28, 0), 0.03))
    for sy in (-1, 1):
        out.add(INK, rod(bar + (0, sy * 0.2, 0), bar + (-0.1, sy * 0.3, 0), 0.045))
        out.add(INK, box((0.14, 0.1, 0.04), crank + (sy * 0.14, sy * 0.14, sy * -0.06)))
    out.add(STEEL, disc(0.11, 0.05, crank, "y", 12))
    return out


def build_motorcycle(rng: Draws, paint: Paint) -> Assembly:
    """A motorcycle: thick wheels, a tank, an engine, a seat, a fork with a lamp, a pipe."""
    out = Assembly()
    radius, base = rng.uniform(0.3, 0.35), rng.uniform(0.56, 0.64)
    for x in (-base, base):
        add_wheel(out, (x, 0, radius), radius, 0.17, paint["wheels"])
    out.add(paint["body"], ball((0.3, 0.17, 0.16), (0.12, 0, 0.72), 12, 7))
    out.add(paint["body"], ball((0.24, 0.13, 0.09), (-base, 0, 0.68), 12, 6))
    out.add(paint["body"], ball((0.24, 0.12, 0.07), (base, 0, 2 * radius + 0.05), 12, 6))
    out.add(paint["seat"], rounded_box((0.52, 0.24, 0.12), (-0.3, 0, 0.74), 0.06))
    out.add(STEEL, rounded_box((0.4, 0.28, 0.3), (0.02, 0, 0.4), 0.06))
    out.add(STEEL, disc(0.13, 0.34, (-0.02, 0, 0.42), "y", 12))
    for sy in (-1, 1):
        out.add(STEEL, rod((base, sy * 0.12, radius), (base - 0.24, sy * 0.1, 0.9), 0.04))
        out.add(shade(TYRE, 1.3), rod((-base, sy * 0.12, radius), (0.05, sy * 0.12, 0.4), 0.045))
    bar = np.array([base - 0.28, 0, 0.98])
    out.add(INK, rod(bar + (0, -0.32, 0), bar + (0, 0.32, 0), 0.035))
    out.add(GLOW, disc(0.1, 0.12, (base - 0.12, 0, 0.84), "x", 12))
    out.add(STEEL, rod((-0.05, -0.17, 0.3), (-base - 0.22, -0.17, 0.34), 0.06))
    return out


def build_tractor(rng: Draws, paint: Paint) -> Assembly:
    """A tractor: a narrow bonnet, large wheels behind, small ones before, a cab and an exhaust."""
    out = Assembly()
    rear, front = rng.uniform(0.42, 0.5), rng.uniform(0.22, 0.27)
    out.add(paint["body"], rounded_box((0.86, 0.4, 0.36), (0.38, 0, 0.6), 0.08))
    out.add(INK, box((0.06, 0.3, 0.24), (0.81, 0, 0.6)))
    out.add(paint["body"], rounded_box((0.56, 0.52, 0.26), (-0.3, 0, 0.55), 0.05))
    tall = rng.uniform(0.5, 0.62)
    out.add(
        contrasting(paint["cab"], GLASS, DARK_GLASS),
        box((0.44, 0.44, tall), (-0.3, 0, 0.66 + 0.5 * tall), (0.9, 0.9)),
    )
    out.add(paint["cab"], rounded_box((0.58, 0.58, 0.09), (-0.3, 0, 0.68 + tall), 0.05))
    for sx in (-0.53, -0.07):
        for sy in (-0.22, 0.22):
            out.add(paint["cab"], rod((sx, sy, 0.64), (sx, 0.92 * sy, 0.68 + tall), 0.035))
    out.add(shade(TYRE, 1.4), rod((0.5, 0.12, 0.76), (0.5, 0.12, 1.14), 0.045))
    for sy in (-1, 1):
        add_wheel(out, (-0.32, sy * 0.4, rear), rear, 0.24, paint["wheels"])
        add_wheel(out, (0.6, sy * 0.3, front), front, 0.17, paint["wheels"])
        out.add(GLOW, disc(0.06, 0.08, (0.8, sy * 0.13, 0.74), "x", 8))
    return out


def build_tank(rng: Draws, paint: Paint) -> Assembly:
    """A tank: tracks with road wheels, a hull, a turret with a gun that points to +x."""
    out = Assembly()
    long = rng.random()
    for sy in (-1, 1):
        out.add(paint["tracks"], rounded_box((1.7, 0.28, 0.36), (0, sy * 0.44, 0.2), 0.16))
        for x in np.linspace(-0.62, 0.62, 5):
            out.add(
                contrasting(paint["tracks"], STEEL, TYRE), disc(0.13, 0.34, (x, sy * 0.44, 0.18), "y", 10)
            )
    out.add(paint["body"], box((1.5, 1.04, 0.24), (0, 0, 0.44), (0.86, 0.94)))
    out.add(paint["turret"], rounded_box((0.74, 0.72, 0.26), (-0.08, 0, 0.68), 0.14, (0.85, 0.85)))
    out.add(shade(paint["turret"], 0.85), disc(0.15, 0.1, (-0.2, 0.12, 0.84), "z", 12))
    reach = between(long, 0.95, 1.3)
    out.add(paint["turret"], rod((0.24, 0, 0.7), (reach, 0, 0.74), 0.065))
    out.add(paint["turret"], rod((reach - 0.16, 0, 0.735), (reach, 0, 0.74), 0.09))
    return out


def build_skateboard(rng: Draws, paint: Paint) -> Assembly:
    """A skateboard: a board with turned-up ends on four small wheels."""
    out = Assembly()
    long = rng.random()
    half = between(long, 0.7, 0.95)
    path = [(-half, 0, 0.3), (-0.75 * half, 0, 0.2), (0.75 * half, 0, 0.2), (half, 0, 0.3)]
    out.add(paint["body"], tube(path, [0.2, 0.26, 0.26, 0.2], 12, 0.16))
    for x in (-0.55 * half, 0.55 * half):
        out.add(STEEL, rod((x, -0.22, 0.1), (x, 0.22, 0.1), 0.035))
        out.add(STEEL, box((0.16, 0.14, 0.1), (x, 0, 0.14)))
        for sy in (-1, 1):
            out.add(paint["wheels"], disc(0.1, 0.11, (x, sy * 0.22, 0.1), "y", 14))
    out.describe(long, "short", "long")
    return out
