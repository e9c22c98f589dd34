"""Things of the house: furniture, appliances, vessels. Their front is at +x."""

from __future__ import annotations

import numpy as np

from engine.toybox.objects.assembly import Assembly, Paint
from engine.toybox.objects.details import (
    DARK_GLASS, EMBER, GLASS, GLOW, INK, PAPER, STEEL, WOOD, arc, between, contrasting, leg, shade,
)  # fmt: skip
from engine.toybox.objects.primitives import (
    ball, box, cone, disc, hoop, lathe, moved, rod, rounded_box, slab, tube, turned,
)  # fmt: skip

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
            out.add(paint["body"], rod((sx * 0.95 * half, sy * 0.9 * half_y, 0), (sx * 0.95 * half, sy * 0.9 * half_y, 0.3), 0.06))
    out.describe(wide, "narrow", "wide")
    return out


def build_stool(rng: Draws, paint: Paint) -> Assembly:
    """A round stool on three or four splayed legs with a ring between them."""
    out = Assembly()
    tall = rng.random()
    high, radius, count = between(tall, 0.55, 1.15), rng.uniform(0.32, 0.4), int(rng.integers(3, 5))
    out.add(paint["body"], lathe([(radius - 0.04, high), (radius, high + 0.03), (radius, high + 0.09), (radius - 0.05, high + 0.12)], 20))
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
    out.add(shade(paint["body"], 0.85), rounded_box((0.64, 2 * half_y + 0.1, 0.07), (0.01, 0, high + 0.12), 0.02))
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
            out.add(contrasting(paint["drawers"], STEEL, INK), ball(0.045, (0.33, sy * 0.12, 0.1 + 0.52 * high), 8, 5))
    out.describe(tall, "short", "tall")
    return out


def build_television(rng: Draws, paint: Paint) -> Assembly:
    """A television: an old one with a box, knobs and antennas, or a flat one on a foot."""
    out = Assembly()
    screen = paint["screen"]
    if rng.random() < 0.5:
        out.add(paint["body"], rounded_box((0.7, 1.1, 0.86), (0, 0, 0.5), 0.1))
        out.add(screen, rounded_box((0.1, 0.72, 0.62), (0.33, -0.12, 0.5), 0.05))
        for z in (0.66, 0.48):
            out.add(contrasting(paint["body"], PAPER, INK), disc(0.065, 0.08, (0.36, 0.42, z), "x", 12))
        for sy in (-1, 1):
            out.add(STEEL, rod((0, 0.05 * sy, 0.9), (0, 0.36 * sy, 1.42), 0.022))
            for x in (-0.2, 0.2):
                out.add(paint["body"], rod((x, sy * 0.4, 0.1), (x, sy * 0.44, -0.08), 0.05))
    else:
        wide = rng.uniform(1.3, 1.6)
        out.add(paint["body"], rounded_box((0.1, wide, 0.6 * wide), (0, 0, 0.3 * wide + 0.16), 0.03))
        out.add(screen, box((0.04, 0.92 * wide, 0.53 * wide), (0.05, 0, 0.3 * wide + 0.16)))
        out.add(paint["body"], rod((-0.02, 0, 0.02), (-0.02, 0, 0.24), 0.06))
        out.add(paint["body"], rounded_box((0.4, 0.6, 0.05), (0, 0, 0.02), 0.02))
        out.add(paint["body"], ball((0.05, 0.28, 0.2), (-0.08, 0, 0.3 * wide + 0.16), 14, 8))
    return out


def build_clock(rng: Draws, paint: Paint) -> Assembly:
    """An alarm clock with bells, or a plain round wall clock: a face, twelve marks and two hands."""
    out = Assembly()
    alarm = bool(rng.random() < 0.6)
    out.add(paint["body"], disc(0.6, 0.3, (0, 0, 0), "x", 24))
    out.add(paint["face"], disc(0.5, 0.06, (0.14, 0, 0), "x", 24))
    ink = contrasting(paint["face"], PAPER, INK)
    for k in range(12):
        out.add(ink, moved(turned(box((0.03, 0.04, 0.1), (0, 0, 0.42)), "x", 30 * k), (0.17, 0, 0)))
    for angle, size, thick in ((rng.uniform(0, 360), 0.24, 0.06), (rng.uniform(0, 360), 0.36, 0.045)):
        out.add(ink, moved(turned(box((0.03, thick, size), (0, 0, 0.45 * size)), "x", angle), (0.185, 0, 0)))
    if alarm:
        for sy in (-1, 1):
            out.add(paint["bells"], turned(ball((0.16, 0.2, 0.15), (0, 0, 0.72), 12, 7), "x", sy * 34))
            out.add(paint["body"], rod((0, sy * 0.36, -0.42), (0, sy * 0.48, -0.74), 0.06))
        out.add(paint["bells"], tube(arc((0, 0, 0.72), (0.14, 0.18), 0, 180, "yz"), 0.03, 6))
    else:
        ring = [(0.52, -0.1), (0.64, -0.1), (0.64, 0.1), (0.52, 0.1)]
        out.add(paint["bells"], moved(turned(hoop(ring, 24), "y", 90), (0.12, 0, 0)))
    return out


def build_piano(rng: Draws, paint: Paint) -> Assembly:
    """An upright piano: keys that face +x, a music stand, pedals."""
    out = Assembly()
    high = rng.uniform(0.95, 1.15)
    out.add(paint["body"], rounded_box((0.4, 1.3, high), (-0.14, 0, 0.5 * high), 0.03))
    out.add(shade(paint["body"], 0.85), rounded_box((0.48, 1.38, 0.06), (-0.12, 0, high), 0.02))
    out.add(paint["body"], box((0.36, 1.3, 0.1), (0.2, 0, 0.5)))
    out.add(paint["keys"], box((0.24, 1.16, 0.05), (0.25, 0, 0.57)))
    for y in np.linspace(-0.52, 0.52, 15):
        out.add(contrasting(paint["keys"], PAPER, INK), box((0.14, 0.035, 0.04), (0.21, y, 0.605)))
    for sy in (-1, 1):
        out.add(paint["body"], rod((0.34, sy * 0.6, 0), (0.34, sy * 0.6, 0.5), 0.055))
        out.add(STEEL, box((0.1, 0.06, 0.03), (0.1, sy * 0.07, 0.06)))
    out.add(shade(paint["body"], 1.25), turned(box((0.04, 0.7, 0.26), (0.12, 0, 0.78)), "y", -6))
    return out


def build_umbrella(rng: Draws, paint: Paint) -> Assembly:
    """An open umbrella: an eight-sided canopy with coloured gores, a stick with a hook."""
    out = Assembly()
    flat = rng.random()
    rise = between(flat, 0.5, 0.32)
    outer = [(0.06, rise), (0.4, 0.82 * rise), (0.72, 0.42 * rise), (0.9, 0.0)]
    shell = outer[::-1] + [(r - 0.04, z - 0.04) for r, z in outer]
    out.add(paint["body"], hoop(shell, 16))
    for k in range(8):
        angle = np.deg2rad(45 * k)
        path = [(r * np.cos(angle), r * np.sin(angle), z + 0.01) for r, z in outer]
        out.add(paint["ribs"], tube(path, 0.028, 5))
    out.add(paint["ribs"], cone((0, 0, rise - 0.03), (0, 0, rise + 0.2), 0.05, 8))
    out.add(paint["handle"], rod((0, 0, -0.75), (0, 0, rise), 0.03))
    out.add(paint["handle"], tube(arc((0.12, 0, -0.75), (0.12, 0.14), 180, 370, "xz"), 0.05, 8))
    return out


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
    out.add(EMBER, moved(lathe([(0.0, 0.0), (0.085, 0.08), (0.05, 0.2), (0.0, 0.32)], 10), (0, 0, high + 0.06)))
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
    profile = [(0.2, 0), (belly, 0.4 * high), (0.8 * belly, 0.66 * high), (neck, 0.84 * high), (neck + 0.1, high)]
    out.add(paint["body"], lathe([*profile, (neck + 0.05, high), (neck - 0.02, 0.86 * high)], 20))
    band = [(1.0 * belly, 0.36 * high), (1.03 * belly, 0.4 * high), (1.0 * belly, 0.46 * high), (0.9 * belly, 0.42 * high)]
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
    out.add(paint["rim"], hoop([(0.76, high - 0.02), (0.87, high - 0.03), (0.87, high + 0.05), (0.76, high + 0.05)], 24))
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
        seam = [(1.008 * r * np.cos(np.pi * k / 6), 1.008 * r * np.sin(np.pi * k / 6), h) for r, h in zip(bulge, z)]
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
        ring = [(radius - 0.1, 0.1 * k), (radius, 0.1 * k), (radius + 0.03, 0.1 * k + 0.05), (radius, 0.1 * k + 0.1), (radius - 0.1, 0.1 * k + 0.1)]
        out.add(shade(paint["body"], 1.0 if k % 2 else 0.86), hoop(ring, 18))
    out.add(shade(paint["body"], 0.8), disc(0.42, 0.06, (0, 0, 0.04), "z", 18))
    out.add(paint["handle"], tube(arc((0, 0, 0.45), (0.52, rng.uniform(0.55, 0.75)), 0, 180, "yz", 12), 0.045, 7))
    out.add(paint["cloth"], ball((0.46, 0.46, 0.16), (0, 0, 0.46), 16, 7))
    return out


def build_plate(rng: Draws, paint: Paint) -> Assembly:
    """A plate with a coloured rim."""
    out = Assembly()
    deep = rng.uniform(0.1, 0.2)
    out.add(paint["body"], lathe([(0.5, 0), (0.66, 0.4 * deep), (0.92, deep), (0.9, deep + 0.05), (0.62, 0.07), (0.0, 0.07)], 28))
    out.add(paint["rim"], hoop([(0.8, deep - 0.02), (1.0, deep + 0.02), (1.0, deep + 0.08), (0.8, deep + 0.05)], 28))
    out.add(paint["rim"], disc(0.24, 0.04, (0, 0, 0.08), "z", 20))
    return out


def build_pot(rng: Draws, paint: Paint) -> Assembly:
    """A cooking pot: two handles, a lid with a knob."""
    out = Assembly()
    tall = rng.random()
    high, radius = between(tall, 0.4, 0.75), rng.uniform(0.5, 0.6)
    out.add(paint["body"], lathe([(0.85 * radius, 0), (radius, 0.1), (radius, high), (radius - 0.04, high)], 22))
    out.add(paint["lid"], lathe([(radius + 0.03, high), (radius + 0.03, high + 0.04), (0.5 * radius, high + 0.16), (0.0, high + 0.18)], 22))
    out.add(paint["handles"], ball(0.09, (0, 0, high + 0.25), 10, 6))
    for sy in (-1, 1):
        grip = tube([(-0.14, sy * 0.95 * radius, 0), (-0.1, sy * (radius + 0.16), 0), (0.1, sy * (radius + 0.16), 0), (0.14, sy * 0.95 * radius, 0)], 0.05, 7)
        out.add(paint["handles"], moved(grip, (0, 0, 0.78 * high)))
    out.describe(tall, "flat", "tall")
    return out


def build_fridge(rng: Draws, paint: Paint) -> Assembly:
    """A refrigerator: two doors with handles."""
    out = Assembly()
    tall = rng.random()
    high, split = between(tall, 1.2, 1.6), rng.uniform(0.6, 0.7)
    out.add(paint["body"], rounded_box((0.6, 0.76, high), (0, 0, 0.5 * high + 0.05), 0.05))
    for low, top in ((0.08, split * high), (split * high + 0.03, high)):
        out.add(paint["doors"], rounded_box((0.1, 0.76, top - low), (0.33, 0, 0.5 * (low + top) + 0.03), 0.05))
        handle = (0.42, 0.28, 0.5 * (low + top) + (0.12 if low < 0.2 else 0.0))
        out.add(paint["handles"], rounded_box((0.07, 0.07, 0.34 * (top - low)), handle, 0.03))
    for sy in (-1, 1):
        out.add(INK, disc(0.05, 0.06, (0.2, sy * 0.28, 0.03), "z", 8))
    out.describe(tall, "short", "tall")
    return out


def build_computer(rng: Draws, paint: Paint) -> Assembly:
    """A laptop or a desktop computer with screen and keyboard."""
    out = Assembly()
    if rng.random() < 0.5:
        out.add(paint["body"], rounded_box((0.9, 1.3, 0.07), (0.1, 0, 0), 0.03))
        out.add(paint["keys"], box((0.5, 1.12, 0.03), (0.0, 0, 0.04)))
        tilt = rng.uniform(-28, -8)
        lid = turned(rounded_box((0.06, 1.3, 0.9), (0, 0, 0.45), 0.03), "y", tilt)
        pane = turned(box((0.03, 1.16, 0.76), (0.035, 0, 0.46)), "y", tilt)
        out.add(paint["body"], moved(lid, (-0.34, 0, 0.02)))
        out.add(paint["screen"], moved(pane, (-0.34, 0, 0.02)))
    else:
        out.add(paint["body"], rounded_box((0.12, 1.2, 0.8), (-0.2, 0, 0.72), 0.04))
        out.add(paint["screen"], box((0.04, 1.06, 0.66), (-0.13, 0, 0.74)))
        out.add(paint["body"], rod((-0.24, 0, 0.04), (-0.22, 0, 0.4), 0.07))
        out.add(paint["body"], rounded_box((0.4, 0.5, 0.05), (-0.2, 0, 0.03), 0.02))
        out.add(paint["body"], rounded_box((0.34, 0.9, 0.06), (0.3, -0.1, 0.03), 0.02))
        out.add(paint["keys"], box((0.26, 0.8, 0.03), (0.3, -0.1, 0.065)))
        out.add(paint["keys"], ball((0.13, 0.09, 0.06), (0.3, 0.52, 0.04), 10, 6))
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
