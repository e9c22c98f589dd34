"""Things to cook and to eat with."""

from __future__ import annotations

import numpy as np

from engine.toybox.objects.assembly import Assembly, Paint
from engine.toybox.objects.details import DARK_GLASS, STEEL, arc, between, shade
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
    stretched,
    tube,
    turned,
)

Draws = np.random.Generator


def build_spoon(rng: Draws, paint: Paint) -> Assembly:
    """An upright spoon: a hollow bowl above a stem that widens to its end."""
    out = Assembly()
    long = rng.random()
    stem = between(long, 0.9, 1.4)
    wide, tall = rng.uniform(0.24, 0.3), rng.uniform(0.34, 0.42)
    level = np.linspace(-1, 1, 9)[:, None]
    rim = np.linspace(0, 2 * np.pi, 25)
    bowl = ball((0.14, wide, tall), (0, 0, 0), 16, 9)
    bowl = bowl._replace(vertices=np.minimum(bowl.vertices, [0.02, np.inf, np.inf]))
    out.add(paint["body"], moved(bowl, (0, 0, stem + tall)))
    hollow = stretched(disc(1.0, 0.02, (0, 0, 0), "x", 20), (1, 0.84 * wide, 0.84 * tall))
    out.add(shade(paint["body"], 0.75), moved(hollow, (0.03, 0, stem + tall)))
    ring = np.stack([np.full(25, 0.02), wide * np.cos(rim), stem + tall + tall * np.sin(rim)], 1)
    out.add(paint["body"], tube(ring, 0.035, 6))
    path = np.stack(
        [-0.03 * np.cos(np.pi * level[:, 0]), 0 * level[:, 0], stem * (0.5 + 0.55 * level[:, 0])], 1
    )
    out.add(paint["handle"], tube(path, np.linspace(0.11, 0.05, 9), 8, 0.6))
    out.describe(long, "short", "long")
    return out


def build_fork(rng: Draws, paint: Paint) -> Assembly:
    """An upright fork: a stem, a shoulder, three or four prongs."""
    out = Assembly()
    long, prongs = rng.random(), int(rng.integers(3, 5))
    stem = between(long, 0.9, 1.4)
    out.add(paint["handle"], tube([(0, 0, 0), (0, 0, 0.5 * stem), (0, 0, stem)], [0.11, 0.08, 0.06], 12, 0.6))
    out.add(
        paint["body"],
        turned(slab([(-0.05, -0.06), (0.05, -0.06), (0.26, 0.22), (-0.26, 0.22)], 0.09), "z", 90),
    )
    out.solids[-1] = moved(out.solids[-1], (0, 0, stem))
    for y in np.linspace(-0.21, 0.21, prongs):
        out.add(
            paint["body"],
            tube([(0, y, stem + 0.18), (0.04, y, stem + 0.45), (0, y, stem + 0.72)], [0.05, 0.045, 0.025], 9),
        )
    out.describe(long, "short", "long")
    return out


def build_knife(rng: Draws, paint: Paint) -> Assembly:
    """A kitchen knife that stands on its handle: a broad blade with a straight back."""
    out = Assembly()
    long = rng.random()
    blade, wide = between(long, 0.8, 1.3), rng.uniform(0.24, 0.32)
    outline = [
        (0, 0),
        (wide, 0.02),
        (wide, 0.55 * blade),
        (0.75 * wide, 0.82 * blade),
        (0.12 * wide, blade),
        (0, 0.96 * blade),
    ]
    out.add(paint["body"], moved(turned(slab(outline, 0.06), "z", 90), (0, -0.5 * wide, 0.6)))
    out.add(paint["handle"], rounded_box((0.15, 0.19, 0.62), (0, -0.3 * wide, 0.3), 0.05))
    for z in (0.14, 0.3, 0.46):
        out.add(STEEL, disc(0.035, 0.17, (0, -0.3 * wide, z), "x", 8))
    out.describe(long, "short", "long")
    return out


def build_pan(rng: Draws, paint: Paint) -> Assembly:
    """A frying pan: a shallow dish with a long handle towards -x."""
    out = Assembly()
    deep = rng.random()
    high, radius = between(deep, 0.16, 0.34), 0.62
    profile = [
        (0, 0),
        (0.86 * radius, 0),
        (radius, high),
        (radius - 0.06, high),
        (0.8 * radius, 0.06),
        (0, 0.06),
    ]
    out.add(paint["body"], lathe(profile, 26))
    reach = rng.uniform(0.75, 1.0)
    path = [
        (-0.95 * radius, 0, 0.8 * high),
        (-radius - 0.4 * reach, 0, high + 0.08),
        (-radius - reach, 0, high + 0.12),
    ]
    out.add(paint["handle"], tube(path, [0.06, 0.085, 0.08], 9))
    out.add(
        STEEL, tube(arc((-radius - reach - 0.07, 0, high + 0.12), (0.08, 0.08), 0, 350, "xz", 12), 0.025, 6)
    )
    out.describe(deep, "flat", "tall")
    return out


def build_jar(rng: Draws, paint: Paint) -> Assembly:
    """A jar: straight walls, a shoulder, a screw lid and a label."""
    out = Assembly()
    tall = rng.random()
    high, radius = between(tall, 0.75, 1.3), 0.5
    out.add(
        paint["body"],
        lathe([(0, 0), (0.92 * radius, 0), (radius, 0.06), (radius, high), (0.82 * radius, high + 0.12)], 20),
    )
    out.add(
        paint["lid"],
        lathe([(0.88 * radius, high + 0.08), (0.88 * radius, high + 0.27), (0.82 * radius, high + 0.3)], 20),
    )
    band = [
        (radius - 0.04, 0.25 * high),
        (radius + 0.02, 0.25 * high),
        (radius + 0.02, 0.75 * high),
        (radius - 0.04, 0.75 * high),
    ]
    out.add(paint["label"], hoop(band, 20))
    out.describe(tall, "short", "tall")
    return out


def build_goblet(rng: Draws, paint: Paint) -> Assembly:
    """A goblet: a cup on a stem and a foot, with a band below the rim."""
    out = Assembly()
    slim = rng.random()
    cup, radius, stem = rng.uniform(0.6, 0.8), between(slim, 0.46, 0.32), rng.uniform(0.35, 0.6)
    level = np.linspace(0, 1, 7)
    swell = radius * np.sin(0.5 * np.pi * (0.15 + 0.85 * level)) ** 0.7
    outside = [*zip(swell, stem + 0.08 + cup * level, strict=True)]
    inside = [(r - 0.05, z) for r, z in reversed(outside)]
    out.add(paint["body"], lathe([(0, stem + 0.06), *outside, *inside[:-1], (0, stem + 0.16)], 20))
    out.add(
        paint["body"],
        lathe([(0.34, 0), (0.34, 0.04), (0.07, 0.12), (0.055, 0.5 * stem), (0.09, stem + 0.1)], 16),
    )
    top, rim = stem + 0.08 + 0.78 * cup, radius
    out.add(
        paint["band"],
        hoop([(rim - 0.05, top), (rim + 0.02, top), (rim + 0.02, top + 0.12), (rim - 0.05, top + 0.12)], 20),
    )
    out.describe(slim, "wide", "slim")
    return out


def build_toaster(rng: Draws, paint: Paint) -> Assembly:
    """A toaster with two slices of bread, a lever and a dial at its front end."""
    out = Assembly()
    wide = rng.uniform(0.5, 0.62)
    out.add(paint["body"], rounded_box((1.1, wide, 0.72), (0, 0, 0.42), 0.14))
    for y in (-0.13, 0.13):
        out.add(DARK_GLASS, box((0.82, 0.13, 0.04), (0, y, 0.77)))
        rise = rng.uniform(0.16, 0.26)
        out.add(paint["bread"], rounded_box((0.66, 0.09, 0.4), (0, y, 0.66 + rise), 0.03))
    out.add(paint["lever"], rounded_box((0.16, 0.16, 0.09), (0.6, 0, 0.55), 0.03))
    out.add(paint["lever"], disc(0.08, 0.1, (0.57, 0, 0.25), "x", 14))
    for x in (-0.4, 0.4):
        for sy in (-1, 1):
            out.add(shade(paint["body"], 0.5), disc(0.06, 0.08, (x, sy * 0.18, 0.03), "z", 8))
    return out


def build_oven(rng: Draws, paint: Paint) -> Assembly:
    """An oven that faces +x: a window in its door, a bar, dials, four plates on top."""
    out = Assembly()
    out.add(paint["body"], rounded_box((0.86, 0.9, 1.06), (0, 0, 0.55), 0.04))
    out.add(paint["door"], rounded_box((0.06, 0.8, 0.66), (0.43, 0, 0.4), 0.03))
    out.add(DARK_GLASS, rounded_box((0.05, 0.56, 0.36), (0.46, 0, 0.38), 0.03))
    out.add(STEEL, rod((0.52, -0.32, 0.68), (0.52, 0.32, 0.68), 0.035))
    for sy in (-1, 1):
        out.add(STEEL, rod((0.42, sy * 0.3, 0.68), (0.52, sy * 0.3, 0.68), 0.025))
    for y in np.linspace(-0.3, 0.3, int(rng.integers(3, 6))):
        out.add(paint["plates"], disc(0.06, 0.09, (0.45, y, 0.9), "x", 12))
    for x in (-0.2, 0.2):
        for y in (-0.22, 0.22):
            out.add(paint["plates"], disc(rng.uniform(0.13, 0.17), 0.05, (x, y, 1.1), "z", 16))
    return out


def build_scissors(rng: Draws, paint: Paint) -> Assembly:
    """Open scissors that stand on their rings: two blades crossed at a screw."""
    out = Assembly()
    spread = rng.uniform(10, 24)
    for side in (-1, 1):
        blade = slab([(-0.07, -0.1), (0.08, -0.1), (0.1, 0.2), (0.0, 0.95), (-0.06, 0.7)], 0.05)
        ring = tube(arc((0.05, 0, -0.62), (0.19, 0.25), 0, 354, "xz", 18), 0.065, 8)
        arm = rod((0, 0, -0.05), (0.0, 0, -0.42), 0.06, 0.075)
        for colour, part in ((paint["body"], blade), (paint["handles"], arm), (paint["handles"], ring)):
            mirrored = (
                part
                if side > 0
                else part._replace(vertices=part.vertices * (-1, 1, 1), faces=part.faces[:, ::-1])
            )
            placed = moved(turned(mirrored, "y", side * spread), (0, side * 0.03, 0))
            out.add(colour, turned(placed, "z", 90))
    out.add(STEEL, disc(0.06, 0.18, (0, 0, 0), "x", 12))
    return out
