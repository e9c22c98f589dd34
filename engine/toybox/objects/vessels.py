"""Things that hold something, and a light or two."""

from __future__ import annotations

import numpy as np

from engine.toybox.objects.assembly import Assembly, Paint
from engine.toybox.objects.details import EMBER, GLOW, INK, arc, between, shade
from engine.toybox.objects.primitives import (
    ball,
    box,
    disc,
    hoop,
    lathe,
    moved,
    rod,
    rounded_box,
    tube,
    turned,
)

Draws = np.random.Generator


def build_candle(rng: Draws, paint: Paint) -> Assembly:
    """A candle with a flame, on a plate with a ring to hold."""
    out = Assembly()
    tall = rng.random()
    high, radius = between(tall, 0.5, 1.2), rng.uniform(0.15, 0.2)
    out.add(paint["body"], lathe([(radius, 0.06), (radius, high), (0.8 * radius, high + 0.02)], 18))
    for angle in rng.uniform(0, 6.28, 3):
        drip = np.array([radius * np.cos(angle), radius * np.sin(angle), high - rng.uniform(0.08, 0.25)])
        out.add(shade(paint["body"], 0.93), ball((0.05, 0.05, 0.12), drip, 8, 5))
    out.add(INK, rod((0, 0, high), (0, 0, high + 0.09), 0.015))
    out.add(
        EMBER, moved(lathe([(0.0, 0.0), (0.085, 0.08), (0.05, 0.2), (0.0, 0.32)], 10), (0, 0, high + 0.06))
    )
    out.add(GLOW, ball((0.05, 0.05, 0.09), (0.05, 0, high + 0.15), 8, 5))
    out.add(paint["plate"], lathe([(0.3, 0.0), (0.42, 0.1), (0.38, 0.1), (0.26, 0.05)], 20))
    out.add(paint["plate"], tube(arc((0, 0.5, 0.08), (0.11, 0.1), 200, -160, "yz", 11), 0.03, 6))
    out.describe(tall, "short", "tall")
    return out


def build_vase(rng: Draws, paint: Paint) -> Assembly:
    """A vase with a band of another colour, sometimes with flowers."""
    out = Assembly()
    tall, belly = rng.random(), rng.uniform(0.3, 0.48)
    high = between(tall, 0.7, 1.2)
    neck = rng.uniform(0.12, 0.2)
    profile = [
        (0.2, 0),
        (belly, 0.4 * high),
        (0.8 * belly, 0.66 * high),
        (neck, 0.84 * high),
        (neck + 0.1, high),
    ]
    out.add(paint["body"], lathe([*profile, (neck + 0.05, high), (neck - 0.02, 0.86 * high)], 20))
    band = [
        (1.0 * belly, 0.36 * high),
        (1.03 * belly, 0.4 * high),
        (1.0 * belly, 0.46 * high),
        (0.9 * belly, 0.42 * high),
    ]
    out.add(paint["band"], hoop(band, 20))
    for angle in rng.uniform(0, 6.28, 3):
        d = np.array([np.cos(angle), np.sin(angle), 0])
        tip = 0.3 * d + (0, 0, high + rng.uniform(0.3, 0.5))
        out.add((0.2, 0.5, 0.2), rod((0, 0, 0.8 * high), tip, 0.025))
        out.add(paint["flowers"], ball((0.15, 0.15, 0.11), tip, 10, 6))
        out.add(GLOW, ball(0.06, tip + (0, 0, 0.09), 6, 4))
    out.describe(tall, "short", "tall")
    return out


def build_bowl(rng: Draws, paint: Paint) -> Assembly:
    """A bowl on a foot with a coloured rim, hollow inside."""
    out = Assembly()
    deep = rng.random()
    high = between(deep, 0.4, 0.75)
    outer = [(0.3, 0.0), (0.56, 0.32 * high), (0.76, 0.7 * high), (0.84, high)]
    inner = [(0.78, high), (0.69, 0.7 * high), (0.5, 0.38 * high), (0.0, 0.24 * high)]
    out.add(paint["body"], lathe([*outer, *inner], 24))
    out.add(
        paint["rim"],
        hoop([(0.76, high - 0.02), (0.87, high - 0.03), (0.87, high + 0.05), (0.76, high + 0.05)], 24),
    )
    out.add(paint["rim"], lathe([(0.34, -0.06), (0.34, 0.06)], 20))
    out.describe(deep, "flat", "deep")
    return out


def build_bucket(rng: Draws, paint: Paint) -> Assembly:
    """A bucket: tapering, hollow, two hoops, a bow handle."""
    out = Assembly()
    high = rng.uniform(0.75, 0.95)
    out.add(paint["body"], lathe([(0.38, 0), (0.54, high), (0.48, high), (0.34, 0.1), (0.0, 0.1)], 22))
    for share in (0.15, 0.92):
        radius = 0.38 + 0.16 * share
        ring = [(radius - 0.02, -0.04), (radius + 0.03, -0.04), (radius + 0.03, 0.04), (radius - 0.02, 0.04)]
        out.add(paint["rim"], moved(hoop(ring, 22), (0, 0, share * high)))
    lift = rng.uniform(-20, 60)
    bow = turned(tube(arc((0, 0, 0), (0.54, 0.62), 0, 180, "yz", 11), 0.035, 7), "y", lift)
    out.add(paint["handle"], moved(bow, (0, 0, 0.9 * high)))
    return out


def build_barrel(rng: Draws, paint: Paint) -> Assembly:
    """A barrel of staves with metal hoops."""
    out = Assembly()
    fat = rng.random()
    radius, half = between(fat, 0.42, 0.58), rng.uniform(0.55, 0.68)
    z = np.linspace(-half, half, 7)
    bulge = radius * (1 - 0.2 * (z / half) ** 2)
    for k in range(12):
        mesh = lathe(list(zip(bulge, z)), 24)
        if k == 0:
            out.add(paint["body"], mesh)
        seam = [
            (1.008 * r * np.cos(np.pi * k / 6), 1.008 * r * np.sin(np.pi * k / 6), h)
            for r, h in zip(bulge, z)
        ]
        out.add(shade(paint["body"], 0.72), tube(seam, 0.018, 5))
    for share in (-0.8, -0.35, 0.35, 0.8):
        size = radius * (1 - 0.2 * share**2)
        ring = [(size - 0.02, -0.05), (size + 0.03, -0.05), (size + 0.03, 0.05), (size - 0.02, 0.05)]
        out.add(paint["hoops"], moved(hoop(ring, 22), (0, 0, share * half)))
    out.add(shade(paint["body"], 0.85), disc(0.72 * radius, 0.04, (0, 0, half - 0.01), "z", 20))
    out.describe(fat, "slim", "chubby")
    return out


def build_chest(rng: Draws, paint: Paint) -> Assembly:
    """A treasure chest: a box with a rounded lid, metal bands and a lock at the front."""
    out = Assembly()
    wide = rng.random()
    half_y, deep, high = between(wide, 0.5, 0.72), 0.5, rng.uniform(0.4, 0.52)
    out.add(paint["body"], box((2 * deep - 0.1, 2 * half_y, high), (0, 0, 0.5 * high)))
    lid = turned(turned(lathe([(deep - 0.05, -half_y), (deep - 0.05, half_y)], 24), "x", 90), "z", 0)
    out.add(shade(paint["body"], 1.12), moved(lid, (0, 0, high)))
    for y in (-0.8, 0.0, 0.8):
        band = turned(lathe([(deep - 0.02, -0.06), (deep - 0.02, 0.06)], 24), "x", 90)
        out.add(paint["bands"], moved(band, (0, y * half_y, high)))
        out.add(paint["bands"], box((2 * deep - 0.04, 0.12, high), (0, y * half_y, 0.5 * high)))
    out.add(paint["lock"], rounded_box((0.12, 0.24, 0.26), (deep, 0, high), 0.04))
    out.add(INK, disc(0.04, 0.14, (deep + 0.01, 0, high - 0.02), "x", 8))
    out.describe(wide, "narrow", "wide")
    return out


def build_box(rng: Draws, paint: Paint) -> Assembly:
    """A gift box: a lid, crossing ribbons and a bow."""
    out = Assembly()
    tall = rng.random()
    half, high = rng.uniform(0.42, 0.55), between(tall, 0.4, 0.95)
    out.add(paint["body"], box((2 * half, 2 * half, high), (0, 0, 0.5 * high)))
    out.add(shade(paint["lid"], 1.0), box((2 * half + 0.08, 2 * half + 0.08, 0.2), (0, 0, high)))
    out.add(paint["ribbon"], box((0.18, 2 * half + 0.1, high + 0.12), (0, 0, 0.5 * high + 0.06)))
    out.add(paint["ribbon"], box((2 * half + 0.1, 0.18, high + 0.12), (0, 0, 0.5 * high + 0.06)))
    for sy in (-1, 1):
        loop = tube(arc((0, sy * 0.2, high + 0.22), (0.19, 0.13), 0, 345, "yz", 12), 0.06, 6)
        out.add(paint["ribbon"], loop)
    out.add(paint["ribbon"], ball(0.09, (0, 0, high + 0.18), 8, 5))
    out.describe(tall, "flat", "tall")
    return out


def build_basket(rng: Draws, paint: Paint) -> Assembly:
    """A wicker basket: woven rings, a hoop handle, a cloth or fruit inside."""
    out = Assembly()
    rows = 5
    for k in range(rows):
        radius = 0.42 + 0.035 * k
        ring = [
            (radius - 0.1, 0.1 * k),
            (radius, 0.1 * k),
            (radius + 0.03, 0.1 * k + 0.05),
            (radius, 0.1 * k + 0.1),
            (radius - 0.1, 0.1 * k + 0.1),
        ]
        out.add(shade(paint["body"], 1.0 if k % 2 else 0.86), hoop(ring, 18))
    out.add(shade(paint["body"], 0.8), disc(0.42, 0.06, (0, 0, 0.04), "z", 18))
    out.add(
        paint["handle"], tube(arc((0, 0, 0.45), (0.52, rng.uniform(0.55, 0.75)), 0, 180, "yz", 12), 0.045, 7)
    )
    out.add(paint["cloth"], ball((0.46, 0.46, 0.16), (0, 0, 0.46), 16, 7))
    return out


def build_plate(rng: Draws, paint: Paint) -> Assembly:
    """A plate with a coloured rim."""
    out = Assembly()
    deep = rng.uniform(0.1, 0.2)
    out.add(
        paint["body"],
        lathe(
            [(0.5, 0), (0.66, 0.4 * deep), (0.92, deep), (0.9, deep + 0.05), (0.62, 0.07), (0.0, 0.07)], 28
        ),
    )
    out.add(
        paint["rim"],
        hoop([(0.8, deep - 0.02), (1.0, deep + 0.02), (1.0, deep + 0.08), (0.8, deep + 0.05)], 28),
    )
    out.add(paint["rim"], disc(0.24, 0.04, (0, 0, 0.08), "z", 20))
    return out


def build_pot(rng: Draws, paint: Paint) -> Assembly:
    """A cooking pot: two handles, a lid with a knob."""
    out = Assembly()
    tall = rng.random()
    high, radius = between(tall, 0.4, 0.75), rng.uniform(0.5, 0.6)
    out.add(
        paint["body"], lathe([(0.85 * radius, 0), (radius, 0.1), (radius, high), (radius - 0.04, high)], 22)
    )
    out.add(
        paint["lid"],
        lathe(
            [
                (radius + 0.03, high),
                (radius + 0.03, high + 0.04),
                (0.5 * radius, high + 0.16),
                (0.0, high + 0.18),
            ],
            22,
        ),
    )
    out.add(paint["handles"], ball(0.09, (0, 0, high + 0.25), 10, 6))
    for sy in (-1, 1):
        grip = tube(
            [
                (-0.14, sy * 0.95 * radius, 0),
                (-0.1, sy * (radius + 0.16), 0),
                (0.1, sy * (radius + 0.16), 0),
                (0.14, sy * 0.95 * radius, 0),
            ],
            0.05,
            7,
        )
        out.add(paint["handles"], moved(grip, (0, 0, 0.78 * high)))
    out.describe(tall, "flat", "tall")
    return out


def build_lantern(rng: Draws, paint: Paint) -> Assembly:
    """A lantern: a glowing glass between a base and a cap, bars, a ring to hold."""
    out = Assembly()
    high = rng.uniform(0.6, 0.85)
    out.add(paint["body"], lathe([(0.46, 0), (0.46, 0.1), (0.38, 0.18)], 8))
    out.add(paint["glass"], lathe([(0.34, 0.16), (0.36, 0.16 + 0.5 * high), (0.34, 0.16 + high)], 8))
    out.add(
        paint["body"],
        lathe([(0.46, 0.14 + high), (0.44, 0.22 + high), (0.14, 0.5 + high), (0.0, 0.52 + high)], 8),
    )
    for k in range(4):
        d = 0.39 * np.array([np.cos(np.pi / 2 * k + np.pi / 4), np.sin(np.pi / 2 * k + np.pi / 4), 0])
        out.add(paint["body"], rod(d + (0, 0, 0.1), d + (0, 0, 0.2 + high), 0.045))
    out.add(paint["ring"], tube(arc((0, 0, 0.62 + high), (0.17, 0.17), 92, 445, "yz", 16), 0.045, 7))
    return out
