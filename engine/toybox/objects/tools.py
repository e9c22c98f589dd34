"""Tools, books and pencils."""

from __future__ import annotations

import numpy as np

from engine.toybox.objects.assembly import Assembly, Paint
from engine.toybox.objects.details import STEEL, arc, between
from engine.toybox.objects.primitives import (
    ball,
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


def build_hammer(rng: Draws, paint: Paint) -> Assembly:
    """A hammer: a handle, a head with a round face and a claw or a wedge."""
    out = Assembly()
    long = rng.random()
    high = between(long, 1.2, 1.7)
    out.add(paint["handle"], tube([(0, 0, 0), (0, 0, 0.35 * high), (0, 0, high)], [0.085, 0.07, 0.055], 10))
    out.add(paint["body"], rounded_box((0.26, 0.2, 0.22), (0, 0, high), 0.04))
    out.add(paint["body"], rod((0.1, 0, high), (0.42, 0, high), 0.1, 0.1, 12))
    out.add(paint["body"], disc(0.15, 0.12, (0.42, 0, high), "x", 14))
    if rng.random() < 0.6:
        for sy in (-1, 1):
            claw = [
                (-0.1, sy * 0.05, high + 0.02),
                (-0.3, sy * 0.07, high + 0.04),
                (-0.48, sy * 0.1, high - 0.12),
            ]
            out.add(paint["body"], tube(claw, [0.075, 0.06, 0.025], 7))
    else:
        out.add(
            paint["body"],
            moved(turned(box((0.2, 0.18, 0.34), (0, 0, 0), (0.3, 1)), "y", -90), (-0.3, 0, high)),
        )
    out.describe(long, "short", "long")
    return out


def build_axe(rng: Draws, paint: Paint) -> Assembly:
    """An axe: a curved blade on a wooden handle, sometimes on both sides."""
    out = Assembly()
    long, double = rng.random(), bool(rng.random() < 0.35)
    high = between(long, 1.3, 1.8)
    out.add(
        paint["handle"],
        tube([(0.04, 0, 0), (0, 0, 0.4 * high), (0.02, 0, high + 0.08)], [0.085, 0.06, 0.065], 10),
    )
    blade = [(0.04, 0.1), (0.3, 0.18), (0.5, 0.36), (0.58, 0.0), (0.5, -0.36), (0.3, -0.16), (0.04, -0.1)]
    for side in (1, -1) if double else (1,):
        piece = slab([(side * x, z) for x, z in blade], 0.11, 0.25)
        out.add(paint["body"], moved(piece, (0, 0, high - 0.1)))
    out.add(paint["body"], rounded_box((0.2, 0.17, 0.26), (0, 0, high - 0.1), 0.03))
    out.describe(long, "short", "long")
    return out


def build_shield(rng: Draws, paint: Paint) -> Assembly:
    """A shield that faces +x: round with a boss, or pointed below, with a rim and an emblem."""
    out = Assembly()
    boss = rng.uniform(0.2, 0.32)
    if rng.random() < 0.5:
        out.add(paint["body"], disc(0.8, 0.1, (0, 0, 0), "x", 26))
        ring = [(0.74, -0.09), (0.88, -0.09), (0.88, 0.09), (0.74, 0.09)]
        out.add(paint["rim"], turned(hoop(ring, 26), "y", 90))
        out.add(paint["emblem"], ball((0.16, boss, boss), (0.05, 0, 0), 14, 8))
        for k in range(8):
            out.add(
                paint["rim"],
                ball(0.05, (0.08, 0.56 * np.cos(k * np.pi / 4), 0.56 * np.sin(k * np.pi / 4)), 6, 4),
            )
    else:
        outline = np.array(
            [
                (-0.62, 0.7),
                (0, 0.78),
                (0.62, 0.7),
                (0.6, 0.05),
                (0.36, -0.52),
                (0, -0.88),
                (-0.36, -0.52),
                (-0.6, 0.05),
            ]
        )
        out.add(paint["rim"], turned(slab(outline * 1.1, 0.1), "z", 90))
        out.add(paint["body"], turned(slab(outline * 0.94, 0.16), "z", 90))
        out.add(paint["emblem"], rounded_box((0.22, 0.6 * boss, 1.1), (0, 0, 0.0), 0.03))
        out.add(paint["emblem"], rounded_box((0.22, 0.8, 0.16), (0, 0, 0.22), 0.03))
        for y, z in ((-0.42, 0.5), (0.42, 0.5), (-0.36, -0.2), (0.36, -0.2)):
            out.add(paint["rim"], ball(0.06, (0.1, y, z), 6, 4))
    return out


def build_key(rng: Draws, paint: Paint) -> Assembly:
    """A key: a ring, a shaft, a bit with teeth."""
    out = Assembly()
    long = rng.random()
    high = between(long, 0.9, 1.3)
    ring = tube(arc((0, 0, high + 0.24), (0.26, 0.26), 0, 352, "yz", 18), 0.085, 8)
    out.add(paint["bow"], ring)
    out.add(paint["body"], rod((0, 0, 0), (0, 0, high + 0.04), 0.08, 0.08, 10))
    out.add(paint["body"], disc(0.13, 0.08, (0, 0, high - 0.06), "z", 12))
    for z, size in ((0.1, 0.34), (0.26, 0.24), (0.4, 0.3))[: int(rng.integers(2, 4))]:
        out.add(paint["body"], box((0.1, size, 0.1), (0, 0.5 * size, z)))
    out.describe(long, "short", "long")
    return out


def build_book(rng: Draws, paint: Paint) -> Assembly:
    """A closed book standing or lying, or an open one: covers, pages, a band on the spine."""
    out = Assembly()
    thick = rng.random()
    deep = between(thick, 0.14, 0.36)
    if rng.random() < 0.6:
        for sx in (-1, 1):
            out.add(paint["body"], rounded_box((0.06, 0.86, 1.16), (sx * 0.5 * deep, 0, 0), 0.02))
        out.add(paint["body"], rounded_box((deep, 0.07, 1.16), (0, -0.42, 0), 0.02))
        out.add(paint["pages"], rounded_box((deep - 0.03, 0.78, 1.08), (0, 0.0, 0), 0.01))
        for z in (0.34, -0.34):
            out.add(paint["band"], box((deep + 0.03, 0.09, 0.09), (0, -0.43, z)))
        out.add(paint["band"], box((deep + 0.08, 0.4, 0.18), (0, 0.02, 0.2)))
        if rng.random() < 0.5:
            out = Assembly([turned(solid, "y", 90) for solid in out.solids], out.colours)
    else:
        for sy in (-1, 1):
            out.add(paint["body"], turned(box((1.1, 0.86, 0.05), (0, sy * 0.44, 0)), "x", sy * 9))
            leaves = ball((0.52, 0.4, 0.06 + 0.25 * deep), (0, sy * 0.42, 0.07), 14, 6)
            out.add(paint["pages"], turned(leaves, "x", sy * 7))
        out.add(paint["band"], box((1.22, 0.08, 0.05), (0, 0, 0.12)))
    out.describe(thick, "slim", "thick")
    return out


def build_pencil(rng: Draws, paint: Paint) -> Assembly:
    """A six-sided pencil: point, sharpened wood, shaft, metal band, eraser."""
    out = Assembly()
    long = rng.random()
    high, radius = between(long, 1.2, 1.9), 0.14
    out.add(paint["body"], lathe([(radius, 0.3), (radius, high)], 6))
    out.add((0.9, 0.74, 0.52), lathe([(0.05, 0.1), (radius, 0.32)], 10))
    out.add(paint["tip"], cone((0, 0, 0.13), (0, 0, -0.06), 0.065, 10))
    out.add(STEEL, lathe([(radius, high), (1.05 * radius, high + 0.05), (radius, high + 0.12)], 12))
    out.add(paint["eraser"], ball((radius, radius, 0.14), (0, 0, high + 0.12), 12, 7))
    solids = out.solids
    if rng.random() < 0.5:
        solids = [turned(solid, "x", rng.uniform(20, 40)) for solid in solids]
    out.solids = solids
    out.describe(long, "short", "long")
    return out


def build_anchor(rng: Draws, paint: Paint) -> Assembly:
    """A ship's anchor: shank, stock, curved arms with flukes, a ring."""
    out = Assembly()
    high = rng.uniform(1.1, 1.4)
    out.add(paint["body"], rod((0, 0, 0), (0, 0, high), 0.09, 0.075, 10))
    out.add(paint["stock"], rod((0, -0.42, high - 0.16), (0, 0.42, high - 0.16), 0.07, 0.07, 9))
    out.add(paint["body"], tube(arc((0, 0, 0.52), (0.62, 0.52), 200, 340, "yz", 11), 0.1, 9))
    for sy in (-1, 1):
        tip = np.array([0, sy * 0.6, 0.36])
        out.add(paint["body"], cone(tip, tip + (0, sy * 0.03, 0.34), 0.17, 8))
    out.add(paint["ring"], tube(arc((0, 0, high + 0.14), (0.16, 0.16), 92, 445, "yz", 16), 0.05, 7))
    return out


def build_magnet(rng: Draws, paint: Paint) -> Assembly:
    """A horseshoe magnet with bright tips."""
    out = Assembly()
    radius, thick = rng.uniform(0.4, 0.5), rng.uniform(0.13, 0.17)
    out.add(paint["body"], tube(arc((0, 0, 0), (radius, radius), 180, 360, "yz", 15), thick, 10))
    for sy in (-1, 1):
        out.add(paint["body"], rod((0, sy * radius, -0.01), (0, sy * radius, 0.4), thick, thick, 10))
        out.add(
            paint["tips"], rod((0, sy * radius, 0.38), (0, sy * radius, 0.68), 1.03 * thick, 1.03 * thick, 10)
        )
    return out
