"""Fruit, vegetables and what grows."""

from __future__ import annotations

import numpy as np

from engine.toybox.objects.assembly import Assembly, Paint
from engine.toybox.objects.details import GLOW, arc, between, shade
from engine.toybox.objects.primitives import ball, box, lathe, moved, rod, slab, tube, turned

Draws = np.random.Generator


def _leaf(out: Assembly, colour, root: np.ndarray, lean_deg: float, turn_deg: float, size: float) -> None:
    """A flat leaf that grows from ``root``."""
    blade = turned(
        turned(ball((size, 0.42 * size, 0.1 * size), (0.9 * size, 0, 0), 10, 6), "y", -lean_deg),
        "z",
        turn_deg,
    )
    out.add(colour, moved(blade, root))


def build_apple(rng: Draws, paint: Paint) -> Assembly:
    """An apple: dimpled at both ends, a stem with a leaf."""
    out = Assembly()
    fat = rng.uniform(0.5, 0.58)
    profile = [
        (0.0, -0.38),
        (0.2, -0.45),
        (0.42, -0.36),
        (fat, 0.05),
        (0.46, 0.34),
        (0.22, 0.44),
        (0.0, 0.32),
    ]
    out.add(paint["body"], lathe(profile, 22))
    out.add(paint["stem"], tube([(0, 0, 0.3), (0.02, 0, 0.48), (0.1, 0, 0.66)], [0.045, 0.045, 0.055], 7))
    _leaf(out, paint["leaf"], np.array([0.04, 0, 0.48]), rng.uniform(5, 35), rng.uniform(0, 360), 0.2)
    return out


def build_pear(rng: Draws, paint: Paint) -> Assembly:
    """A pear: narrow above, wide below."""
    out = Assembly()
    tall = rng.random()
    high = between(tall, 0.95, 1.25)
    profile = [
        (0.0, -0.02),
        (0.3, 0.0),
        (0.46, 0.24 * high),
        (0.36, 0.5 * high),
        (0.2, 0.78 * high),
        (0.12, 0.95 * high),
        (0.0, high),
    ]
    out.add(paint["body"], lathe(profile, 22))
    out.add(paint["stem"], tube([(0, 0, 0.95 * high), (0.02, 0, high + 0.1), (0.1, 0, high + 0.2)], 0.04, 7))
    _leaf(out, paint["leaf"], np.array([0.03, 0, high + 0.05]), rng.uniform(5, 35), rng.uniform(0, 360), 0.18)
    out.describe(tall, "short", "tall")
    return out


def build_banana(rng: Draws, paint: Paint) -> Assembly:
    """A bent banana with dark ends; now and then a bunch of three."""
    out = Assembly()
    bend = rng.uniform(100, 140)
    path = arc((0, 0, 0.7), (0.85, 0.85), 270 - 0.5 * bend, 270 + 0.5 * bend, "xz", 11)
    radii = 0.16 * np.sin(np.linspace(0.35, np.pi - 0.35, 11)) ** 0.6
    turns = (0.0,) if rng.random() < 0.6 else (-26.0, 0.0, 26.0)
    for angle in turns:
        out.add(paint["body"], turned(tube(path, radii, 7), "x", angle))
        out.add(
            paint["stem"],
            turned(rod(path[-1], path[-1] + (path[-1] - path[-2]) * 1.1, 0.075, 0.06), "x", angle),
        )
        out.add(shade(paint["stem"], 0.7), turned(ball(0.07, path[0], 8, 5), "x", angle))
    return out


def build_pumpkin(rng: Draws, paint: Paint) -> Assembly:
    """A ribbed pumpkin with a stem; now and then with a carved face at the front."""
    out = Assembly()
    flat = rng.random()
    high = between(flat, 0.5, 0.36)
    for k in range(10):
        rib = ball((0.3, 0.2, high), (0.3, 0, 0), 12, 8)
        out.add(shade(paint["body"], 1.0 if k % 2 else 0.9), turned(rib, "z", 36 * k))
    out.add(
        paint["stem"],
        tube([(0, 0, 0.8 * high), (0.02, 0, high + 0.08), (0.14, 0, high + 0.24)], [0.1, 0.08, 0.07], 8),
    )
    if rng.random() < 0.45:
        for sy in (-1, 1):
            eye = turned(slab([(-0.1, 0), (0.1, 0), (0, 0.17)], 0.08), "z", 90)
            out.add(GLOW, moved(eye, (0.56, sy * 0.2, 0.06)))
        out.add(GLOW, box((0.08, 0.42, 0.09), (0.56, 0, -0.14)))
    out.describe(flat, "tall", "flat")
    return out


def build_carrot(rng: Draws, paint: Paint) -> Assembly:
    """A carrot with rings and a tuft of leaves."""
    out = Assembly()
    long = rng.random()
    high = between(long, 0.9, 1.4)
    out.add(
        paint["body"], lathe([(0.0, -high), (0.09, -0.8 * high), (0.24, -0.12), (0.2, 0.0), (0.0, 0.04)], 16)
    )
    for z in (-0.25, -0.5, -0.7):
        radius = 0.25 * (1 + z / high * 0.85)
        out.add(
            shade(paint["body"], 0.78),
            moved(turned(rod((0, -0.06, 0), (0, 0.06, 0), 0.02), "z", 60 * z), (radius, 0, z * high)),
        )
    for k in range(6):
        angle = np.deg2rad(60 * k)
        d = np.array([np.cos(angle), np.sin(angle), 0])
        out.add(
            paint["leaves"],
            tube([(0, 0, 0), 0.1 * d + (0, 0, 0.24), 0.26 * d + (0, 0, 0.5)], [0.05, 0.075, 0.03], 6),
        )
    out.describe(long, "short", "long")
    return out


def build_tomato(rng: Draws, paint: Paint) -> Assembly:
    """A tomato with a star of sepals."""
    out = Assembly()
    fat = rng.uniform(0.46, 0.56)
    out.add(paint["body"], ball((fat, fat, 0.42), (0, 0, 0), 20, 10))
    for k in range(5):
        _leaf(out, paint["leaf"], np.array([0, 0, 0.41]), -12, 72 * k + rng.uniform(-8, 8), 0.14)
    out.add(paint["leaf"], rod((0, 0, 0.38), (0.04, 0, 0.58), 0.04))
    return out


def build_strawberry(rng: Draws, paint: Paint) -> Assembly:
    """A strawberry: a heart-shaped berry with seeds and a crown of leaves."""
    out = Assembly()
    profile = [(0.0, -0.62), (0.16, -0.5), (0.36, -0.14), (0.44, 0.12), (0.34, 0.28), (0.0, 0.32)]
    out.add(paint["body"], lathe(profile, 18))
    for row, (radius, z) in enumerate(((0.2, -0.42), (0.335, -0.18), (0.425, 0.06))):
        for k in range(7):
            angle = np.deg2rad(360 / 7 * (k + 0.5 * (row % 2)))
            out.add(
                paint["seeds"],
                ball((0.035, 0.035, 0.05), (radius * np.cos(angle), radius * np.sin(angle), z), 6, 4),
            )
    for k in range(6):
        _leaf(out, paint["leaf"], np.array([0, 0, 0.3]), rng.uniform(-5, 25), 60 * k, 0.2)
    out.add(paint["leaf"], rod((0, 0, 0.28), (0.03, 0, 0.54), 0.035))
    return out


def build_watermelon(rng: Draws, paint: Paint) -> Assembly:
    """A slice of watermelon: red flesh with seeds in a green rind."""
    out = Assembly()
    half = np.concatenate([arc((0, 0, 0), (0.8, 0.8), 180, 360, "xz", 15)])[:, [0, 2]]
    thick = rng.uniform(0.26, 0.4)
    out.add(paint["rind"], moved(slab(half * 1.12, thick), (0, 0, 0)))
    out.add(paint["body"], moved(slab(half * 0.94, thick + 0.04), (0, 0, 0.03)))
    for x, z in ((-0.45, -0.16), (-0.2, -0.34), (0.05, -0.2), (0.28, -0.38), (0.48, -0.16), (0.0, -0.56)):
        for sy in (-1, 1):
            out.add(paint["seeds"], ball((0.045, 0.03, 0.07), (x, sy * (0.5 * thick + 0.02), z), 6, 4))
    return Assembly([turned(solid, "z", 90) for solid in out.solids], out.colours)


def build_cherry(rng: Draws, paint: Paint) -> Assembly:
    """A pair of cherries on joined stems with a leaf."""
    out = Assembly()
    spread = rng.uniform(0.3, 0.42)
    top = np.array([0, 0, 0.85])
    for sy in (-1, 1):
        at = np.array([0, sy * spread, rng.uniform(-0.05, 0.05)])
        out.add(paint["body"], ball(0.3, at, 16, 9))
        out.add(paint["stem"], tube([at + (0, 0, 0.24), at + (0, -0.2 * sy * spread, 0.55), top], 0.032, 7))
    _leaf(out, paint["leaf"], top, rng.uniform(0, 25), rng.uniform(0, 360), 0.26)
    out.add(paint["stem"], ball(0.06, top, 8, 5))
    return out


def build_corn(rng: Draws, paint: Paint) -> Assembly:
    """A corn cob: rows of kernels between husk leaves."""
    out = Assembly()
    out.add(
        shade(paint["body"], 0.85),
        lathe([(0.1, -0.7), (0.2, -0.5), (0.21, 0.2), (0.1, 0.75), (0.0, 0.82)], 14),
    )
    for row in range(8):
        z = -0.35 + 0.135 * row
        radius = 0.21 if row < 5 else 0.21 - 0.03 * (row - 4)
        for k in range(9):
            angle = np.deg2rad(40 * (k + 0.5 * (row % 2)))
            out.add(
                paint["body"],
                ball((0.06, 0.06, 0.065), (radius * np.cos(angle), radius * np.sin(angle), z), 5, 3),
            )
    for k in range(3):
        husk = tube([(0.12, 0, -0.75), (0.28, 0, -0.3), (0.36, 0, 0.25)], [0.1, 0.2, 0.04], 8, 0.3)
        out.add(paint["leaves"], turned(husk, "z", 120 * k + rng.uniform(-15, 15)))
    out.add(paint["leaves"], rod((0, 0, -0.95), (0, 0, -0.66), 0.07))
    return out


def build_flower(rng: Draws, paint: Paint) -> Assembly:
    """A flower: petals round a centre that faces up and forward, a stem with leaves."""
    out = Assembly()
    tall, count = rng.random(), int(rng.integers(5, 10))
    high = between(tall, 0.7, 1.3)
    size = rng.uniform(0.26, 0.36)
    head = []
    for k in range(count):
        petal = ball((0.5 * size, 1.35 * size * 3 / count, 0.07), (0.95 * size, 0, 0), 10, 6)
        head.append((paint["body"], turned(petal, "z", 360 / count * k)))
    head.append((paint["centre"], ball((0.62 * size, 0.62 * size, 0.13), (0, 0, 0.03), 12, 7)))
    tilt = rng.uniform(20, 65)
    for colour, solid in head:
        out.add(colour, moved(turned(solid, "y", tilt), (0.06, 0, high)))
    out.add(paint["stem"], tube([(0, 0, 0), (-0.04, 0, 0.5 * high), (0.03, 0, high - 0.02)], 0.045, 8))
    for turn in (rng.uniform(40, 140), rng.uniform(220, 320)):
        _leaf(out, paint["stem"], np.array([-0.02, 0, rng.uniform(0.15, 0.4) * high]), 35, turn, 0.24)
    out.describe(tall, "short", "tall")
    return out


def build_palm(rng: Draws, paint: Paint) -> Assembly:
    """A palm: a bent ringed trunk, drooping fronds, coconuts."""
    out = Assembly()
    lean, high = rng.uniform(0.05, 0.4), rng.uniform(1.2, 1.6)
    path = np.array([(lean * s**2, 0, high * s) for s in np.linspace(0, 1, 7)])
    out.add(paint["trunk"], tube(path, np.linspace(0.13, 0.08, 7), 9))
    for k in range(1, 6):
        out.add(
            shade(paint["trunk"], 0.8),
            tube(path[k] + np.array([(0, 0, -0.02), (0, 0, 0.02)]), 0.155 - 0.012 * k, 9),
        )
    top = path[-1]
    for k in range(8):
        frond = [(0, 0, 0), (0.3, 0, 0.16), (0.62, 0, 0.06), (0.86, 0, rng.uniform(-0.4, -0.15))]
        blade = tube(frond, [0.06, 0.15, 0.13, 0.03], 8, 0.25)
        out.add(
            shade(paint["body"], 1.0 if k % 2 else 0.88),
            moved(turned(blade, "z", 45 * k + rng.uniform(-10, 10)), top),
        )
    for k in range(3):
        d = 0.13 * np.array([np.cos(2.1 * k), np.sin(2.1 * k), 0])
        out.add(paint["coconuts"], ball(0.1, top + d + (0, 0, -0.1), 9, 6))
    return out
