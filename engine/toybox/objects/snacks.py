"""More to eat: fruit, sandwiches and sweets."""

from __future__ import annotations

import numpy as np

from engine.toybox.objects.assembly import Assembly, Paint
from engine.toybox.objects.details import between, shade
from engine.toybox.objects.primitives import (
    ball,
    cone,
    disc,
    lathe,
    moved,
    rod,
    slab,
    stretched,
    tube,
    turned,
)

Draws = np.random.Generator
GOLDEN_ANGLE = np.pi * (3 - 5**0.5)


def build_pineapple(rng: Draws, paint: Paint) -> Assembly:
    """A pineapple: a scaly body under a crown of pointed leaves."""
    out = Assembly()
    tall = rng.random()
    high = between(tall, 0.5, 0.72)
    out.add(paint["body"], ball((0.44, 0.44, high), (0, 0, 0), 18, 12))
    for k in range(44):
        z = 1 - 2 * (k + 0.5) / 44
        flat = np.sqrt(1 - z * z)
        x, y = 0.44 * flat * np.cos(k * GOLDEN_ANGLE), 0.44 * flat * np.sin(k * GOLDEN_ANGLE)
        out.add(paint["scales"], ball(0.055, (x, y, high * z), 6, 4))
    for ring, (lean, size) in enumerate(((0.34, 0.4), (0.2, 0.55), (0.08, 0.7))):
        for angle in np.arange(6) * np.pi / 3 + 0.5 * ring:
            tip = (lean * np.cos(angle), lean * np.sin(angle), high + size)
            out.add(paint["leaves"], cone((0.3 * tip[0], 0.3 * tip[1], high - 0.06), tip, 0.11, 6))
    out.describe(tall, "round", "tall")
    return out


def build_grapes(rng: Draws, paint: Paint) -> Assembly:
    """A bunch of grapes that narrows downwards, with a stem and a leaf."""
    out = Assembly()
    size = rng.uniform(0.155, 0.185)
    for row, count in enumerate((5, 6, 5, 4, 2, 1)):
        radius = 0.16 * (count - 1) / 2.2
        for k in range(count):
            angle = 2 * np.pi * k / count + row
            at = (radius * np.cos(angle), radius * np.sin(angle), -0.24 * row)
            out.add(paint["body"], ball(size * rng.uniform(0.95, 1.08), at, 9, 6))
    out.add(paint["body"], ball(size, (0, 0, 0), 9, 6), ball(size, (0, 0, -0.3), 9, 6))
    out.add(paint["stem"], tube([(0, 0, 0.1), (0.02, 0, 0.3), (0.1, 0, 0.42)], [0.05, 0.04, 0.045], 7))
    leaf = stretched(disc(0.26, 0.05, (0, 0, 0), "z", 9), (1.2, 0.9, 1))
    out.add(paint["leaf"], moved(turned(leaf, "y", 24), (0.26, 0.1, 0.26)))
    return out


def build_hotdog(rng: Draws, paint: Paint) -> Assembly:
    """A hot dog: a sausage in a split bun, a wave of sauce."""
    out = Assembly()
    long = rng.random()
    half = between(long, 0.62, 0.9)
    for sx in (-1, 1):
        out.add(paint["body"], turned(ball((0.2, half, 0.22), (0.17 * sx, 0, 0), 14, 8), "y", 0))
    out.add(paint["sausage"], tube([(0, -half - 0.12, 0.16), (0, 0, 0.13), (0, half + 0.12, 0.16)], 0.16, 12))
    for sy in (-1, 1):
        out.add(paint["sausage"], ball(0.16, (0, sy * (half + 0.12), 0.16), 10, 6))
    along = np.linspace(-half, half, 25)
    out.add(
        paint["sauce"],
        tube(np.stack([0.08 * np.sin(9 * along / half), along, np.full(25, 0.3)], 1), 0.045, 6),
    )
    out.describe(long, "short", "long")
    return out


def build_cupcake(rng: Draws, paint: Paint) -> Assembly:
    """A cupcake: a pleated case, a swirl of icing, a cherry, sprinkles."""
    out = Assembly()
    out.add(paint["body"], lathe([(0.36, 0), (0.52, 0.5)], 18))
    for angle in np.arange(14) * 2 * np.pi / 14:
        foot, top = (
            (0.36 * np.cos(angle), 0.36 * np.sin(angle), 0),
            (0.52 * np.cos(angle), 0.52 * np.sin(angle), 0.5),
        )
        out.add(shade(paint["body"], 0.85), rod(foot, top, 0.03, 0.045, 6))
    rounds = int(rng.integers(2, 4))
    radius, z = 0.56, 0.52
    for _ in range(rounds):
        out.add(paint["icing"], ball((radius, radius, 0.18), (0, 0, z), 18, 8))
        radius, z = 0.7 * radius, z + 0.21
    out.add(paint["icing"], cone((0, 0, z - 0.1), (0.03, 0, z + 0.14), 0.8 * radius, 12))
    out.add(paint["cherry"], ball(0.13, (0, 0, z + 0.12), 12, 7))
    for _ in range(12):
        angle, up = rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.25)
        at = ((0.52 - 0.5 * up) * np.cos(angle), (0.52 - 0.5 * up) * np.sin(angle), 0.6 + up)
        out.add(paint["cherry"], ball(0.035, at, 6, 4))
    return out


def build_cookie(rng: Draws, paint: Paint) -> Assembly:
    """A cookie that leans back and faces +x: a round biscuit full of chips, sometimes with a bite gone."""
    out = Assembly()
    bitten = rng.random() < 0.4
    around = np.linspace(0, 2 * np.pi, 41)[:-1]
    radius = 0.8 + 0.02 * np.sin(7 * around)
    if bitten:
        radius = radius - 0.36 * np.exp(-(((around - 0.8) / 0.3) ** 2))
    outline = np.stack([radius * np.cos(around), radius * np.sin(around)], 1)
    out.add(paint["body"], turned(slab(outline, 0.26, 0.12), "z", 90))
    for _ in range(int(rng.integers(9, 15))):
        angle, away = rng.uniform(1.6, 2 * np.pi), 0.66 * np.sqrt(rng.random())
        at = (0.11, away * np.cos(angle), away * np.sin(angle))
        out.add(
            paint["chips"],
            ball((0.07, 0.09, 0.08), at, 8, 5),
            ball((0.07, 0.08, 0.09), (-at[0], at[1], at[2]), 8, 5),
        )
    return out


def build_sandwich(rng: Draws, paint: Paint) -> Assembly:
    """A sandwich of square slices or a triangle: bread, leaves, cheese, bread."""
    out = Assembly()
    plump = rng.uniform(0.85, 1.2)
    square = [(-0.6, -0.6), (0.6, -0.6), (0.6, 0.6), (-0.6, 0.6)]
    outline = np.array([(-0.7, -0.5), (0.7, -0.5), (0, 0.75)] if rng.random() < 0.5 else square)
    for part, size, thick, height in (
        ("body", 1.0, 0.2, 0.1),
        ("salad", 1.08, 0.08, 0.23),
        ("cheese", 1.03, 0.07, 0.3),
        ("salad", 1.05, 0.06, 0.37),
        ("body", 1.0, 0.2, 0.5),
    ):
        out.add(
            paint[part],
            moved(turned(slab(size * outline, plump * thick, 0.06), "x", 90), (0, 0, plump * height)),
        )
    if rng.random() < 0.5:
        out.add((0.75, 0.6, 0.4), rod((0, 0, 0.5), (0, 0, 0.98), 0.03))
        out.add(paint["olive"], ball(0.11, (0, 0, 0.98), 10, 6))
    else:
        out.add(
            paint["olive"],
            *(disc(0.13, 0.1, (*at, 0.6 * plump), "z", 12) for at in ((0.1, 0.1), (-0.15, -0.15))),
        )
    return out
