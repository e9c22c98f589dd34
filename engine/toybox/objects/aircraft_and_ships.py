"""Things that fly, float and dive: their front is at +x."""

from __future__ import annotations

import numpy as np

from engine.toybox.objects.assembly import Assembly, Paint
from engine.toybox.objects.details import DARK_GLASS, GLASS, INK, SIGNAL, STEEL, WOOD, between, contrasting
from engine.toybox.objects.primitives import (
    ball,
    box,
    cone,
    disc,
    lathe,
    moved,
    rod,
    rounded_box,
    slab,
    tube,
    turned,
)

Draws = np.random.Generator


def build_helicopter(rng: Draws, paint: Paint) -> Assembly:
    """A helicopter: a round cabin with a glass nose, a tail boom, two rotors, skids."""
    out = Assembly()
    out.add(paint["body"], ball((0.56, 0.34, 0.36), (0, 0, 0), 16, 9))
    out.add(contrasting(paint["body"], GLASS, DARK_GLASS), ball((0.36, 0.31, 0.3), (0.26, 0, 0.03), 14, 8))
    out.add(paint["tail"], rod((-0.4, 0, 0.08), (-1.2, 0, 0.16), 0.14, 0.06, 10))
    out.add(
        paint["tail"],
        moved(slab([(0.1, -0.06), (-0.16, 0.34), (-0.26, 0.34), (-0.14, -0.06)], 0.06), (-1.1, 0, 0.12)),
    )
    out.add(paint["rotor"], rod((0, 0, 0.3), (0, 0, 0.52), 0.06))
    turn = rng.uniform(0, 90)
    for angle in (turn, turn + 90):
        out.add(paint["rotor"], moved(turned(box((2.0, 0.11, 0.035)), "z", angle), (0, 0, 0.5)))
    for angle in (20, 110):
        out.add(paint["rotor"], moved(turned(box((0.42, 0.03, 0.07)), "y", angle), (-1.24, 0.09, 0.26)))
    for sy in (-1, 1):
        out.add(
            STEEL, tube([(0.52, sy * 0.3, -0.42), (0.4, sy * 0.3, -0.52), (-0.46, sy * 0.3, -0.52)], 0.04, 7)
        )
        for x in (-0.24, 0.26):
            out.add(STEEL, rod((x, sy * 0.2, -0.24), (x, sy * 0.3, -0.52), 0.03))
    return out


def build_submarine(rng: Draws, paint: Paint) -> Assembly:
    """A submarine: a cigar with portholes, a tower with a periscope, fins and a propeller."""
    out = Assembly()
    long = rng.random()
    half = between(long, 0.75, 1.0)
    out.add(paint["body"], ball((half, 0.34, 0.34), (0, 0, 0), 18, 10))
    out.add(paint["tower"], rounded_box((0.5, 0.26, 0.36), (0.05, 0, 0.42), 0.1))
    out.add(paint["tower"], tube([(0.1, 0, 0.55), (0.1, 0, 0.86), (0.26, 0, 0.88)], 0.045, 8))
    for x in (-0.3, 0.1, 0.45):
        for sy in (-1, 1):
            reach = 0.34 * np.sqrt(1 - (x / half) ** 2)
            out.add(
                contrasting(paint["body"], GLASS, DARK_GLASS), disc(0.1, 0.05, (x, sy * reach, 0.02), "y", 12)
            )
    for angle in (0, 90, 180, 270):
        fin = slab([(0.16, 0.0), (-0.12, 0.32), (-0.2, 0.32), (-0.16, 0.0)], 0.06)
        out.add(paint["fins"], moved(turned(moved(fin, (0, 0, 0.08)), "x", angle), (-0.82 * half, 0, 0)))
        blade = moved(turned(box((0.04, 0.1, 0.26), (0, 0, 0.14)), "x", angle + 45), (-half - 0.06, 0, 0))
        out.add(STEEL, blade)
    out.describe(long, "short", "long")
    return out


def build_spaceship(rng: Draws, paint: Paint) -> Assembly:
    """A flying saucer: a flat disc with lights round its edge and a glass dome on top."""
    out = Assembly()
    flat = rng.random()
    tall = between(flat, 0.3, 0.16)
    out.add(
        paint["body"],
        lathe([(0.0, -tall), (0.5, -0.8 * tall), (1.0, 0.0), (0.55, 0.7 * tall), (0.0, 0.8 * tall)], 28),
    )
    out.add(paint["dome"], ball((0.42, 0.42, rng.uniform(0.34, 0.46)), (0, 0, 0.5 * tall), 16, 8))
    for k in range(10):
        angle = np.deg2rad(36 * k)
        out.add(
            paint["lights"],
            ball(0.085, (0.86 * np.cos(angle), 0.86 * np.sin(angle), 0.14 * tall + 0.05), 8, 5),
        )
    for k in range(3):
        angle = np.deg2rad(120 * k + 60)
        d = np.array([np.cos(angle), np.sin(angle), 0])
        out.add(STEEL, rod(0.4 * d + (0, 0, -0.7 * tall), 0.6 * d + (0, 0, -tall - 0.26), 0.045))
        out.add(STEEL, disc(0.11, 0.05, 0.6 * d + (0, 0, -tall - 0.28), "z", 10))
    out.describe(flat, "tall", "flat")
    return out


def build_balloon(rng: Draws, paint: Paint) -> Assembly:
    """A hot-air balloon: a striped envelope over a basket on ropes."""
    out = Assembly()
    profile = [(0.0, 1.0), (0.34, 0.94), (0.62, 0.72), (0.72, 0.42), (0.62, 0.1), (0.36, -0.26), (0.2, -0.44)]
    out.add(paint["body"], lathe(profile[::-1], 24))
    for k in range(6):
        angle = np.deg2rad(60 * k)
        path = [(1.012 * r * np.cos(angle), 1.012 * r * np.sin(angle), z) for r, z in profile[1:]]
        out.add(paint["stripes"], tube(path, [0.05, 0.09, 0.1, 0.09, 0.06, 0.04], 6))
    size = rng.uniform(0.26, 0.32)
    out.add(paint["basket"], box((size, size, 0.24), (0, 0, -0.86), (1.15, 1.15)))
    for sx in (-1, 1):
        for sy in (-1, 1):
            out.add(
                WOOD, rod((sx * 0.14, sy * 0.14, -0.42), (sx * 0.5 * size, sy * 0.5 * size, -0.76), 0.016)
            )
    return out


def build_ship(rng: Draws, paint: Paint) -> Assembly:
    """A steamer: a long hull, a white or coloured cabin with portholes, funnels."""
    out = Assembly()
    long = rng.random()
    half = between(long, 0.85, 1.1)
    deck = [(-half, -0.26), (0.55 * half, -0.28), (half, 0), (0.55 * half, 0.28), (-half, 0.26)]
    hull = turned(slab([(x, y) for x, y in deck], 0.42), "x", 90)
    out.add(paint["body"], moved(hull, (0, 0, 0.2)))
    out.add(
        SIGNAL, moved(turned(slab([(0.98 * x, 0.96 * y) for x, y in deck], 0.12), "x", 90), (0, 0, -0.05))
    )
    out.add(paint["cabin"], box((1.1 * half, 0.4, 0.22), (-0.2 * half, 0, 0.52)))
    out.add(paint["cabin"], box((0.6 * half, 0.34, 0.2), (-0.1 * half, 0, 0.72)))
    for x in np.linspace(-0.65, 0.25, 5) * half:
        out.add(DARK_GLASS, disc(0.045, 0.43, (x, 0, 0.53), "y", 10))
        out.add(GLASS, disc(0.045, 0.56, (x, 0, 0.26), "y", 10))
    for x in np.linspace(-0.3, 0.1, 2 + int(rng.random() < 0.4)) * half:
        out.add(paint["funnel"], rod((x, 0, 0.78), (x - 0.04, 0, 1.16), 0.1, 0.1, 12))
        out.add(INK, rod((x - 0.04, 0, 1.12), (x - 0.045, 0, 1.2), 0.105, 0.105, 12))
    out.add(STEEL, rod((0.6 * half, 0, 0.4), (0.6 * half, 0, 0.9), 0.025))
    out.add(paint["funnel"], cone((0.6 * half, 0, 0.84), (0.42 * half, 0, 0.82), 0.06, 6))
    out.describe(long, "short", "long")
    return out
