"""Creatures of water and air, and small ones: all look towards +x."""

from __future__ import annotations

import numpy as np

from engine.toybox.objects.assembly import Assembly, Paint
from engine.toybox.objects.details import EMBER, INK, PAPER, add_eye, arc, between, shade
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


def build_duck(rng: Draws, paint: Paint) -> Assembly:
    """A swimming duck: a boat-shaped body, an upright neck, a flat bill, folded wings."""
    out = Assembly()
    chubby = rng.random()
    girth = between(chubby, 0.3, 0.4)
    out.add(paint["body"], ball((0.6, girth, 0.34), (0, 0, 0), 16, 9))
    out.add(paint["body"], cone((-0.4, 0, 0.08), (-0.84, 0, rng.uniform(0.2, 0.4)), 0.2, 9))
    at, size = np.array([0.42, 0, rng.uniform(0.5, 0.62)]), 0.25
    out.add(paint["head"], rod((0.36, 0, 0.1), at, 0.2, 0.15, 10))
    out.add(paint["head"], ball((size, 0.92 * size, 0.92 * size), at, 14, 8))
    out.add(paint["beak"], ball((0.2, 0.13, 0.055), at + (0.3, 0, -0.04), 10, 6))
    for sy in (-1, 1):
        add_eye(out, at + (0.14, sy * 0.17, 0.09), 0.06, (0.6, sy * 0.8, 0.0))
        out.add(paint["wings"], turned(ball((0.36, 0.08, 0.2), (-0.1, sy * girth, 0.06), 12, 7), "y", 8))
    out.describe(chubby, "slim", "chubby")
    return out


def build_penguin(rng: Draws, paint: Paint) -> Assembly:
    """A standing penguin: a dark coat, a light belly, flippers, a beak and feet."""
    out = Assembly()
    tall = rng.random()
    half, girth = between(tall, 0.46, 0.64), rng.uniform(0.34, 0.42)
    out.add(paint["body"], ball((girth, girth, half), (0, 0, half), 16, 10))
    out.add(
        paint["belly"], ball((0.86 * girth, 0.78 * girth, 0.84 * half), (0.24 * girth, 0, 0.92 * half), 14, 9)
    )
    at, head = np.array([0.03, 0, 2 * half + 0.06]), 0.26
    out.add(paint["body"], ball(head, at, 14, 8))
    out.add(paint["belly"], ball((0.14, 0.19, 0.16), at + (0.15, 0, -0.02), 10, 6))
    out.add(paint["beak"], cone(at + (0.22, 0, -0.03), at + (0.46, 0, -0.07), 0.085, 8))
    for sy in (-1, 1):
        add_eye(out, at + (0.22, sy * 0.11, 0.08), 0.05)
        wing = turned(ball((0.14, 0.055, 0.36), (0, 0, -0.3), 10, 7), "x", sy * rng.uniform(10, 40))
        out.add(paint["body"], moved(wing, (0, sy * 0.95 * girth, 1.45 * half)))
        out.add(paint["beak"], ball((0.2, 0.12, 0.06), (0.16, sy * 0.17, 0.02), 9, 5))
    out.describe(tall, "short", "tall")
    return out


def build_owl(rng: Draws, paint: Paint) -> Assembly:
    """An owl: large ringed eyes in a broad head, ear tufts, folded wings."""
    out = Assembly()
    girth = rng.uniform(0.36, 0.44)
    out.add(paint["body"], ball((0.9 * girth, girth, 0.56), (0, 0, 0.56), 16, 9))
    out.add(paint["belly"], ball((0.26, 0.72 * girth, 0.4), (0.68 * girth, 0, 0.5), 12, 7))
    at = np.array([0.02, 0, 1.16])
    out.add(paint["body"], ball((0.34, 0.42, 0.32), at, 16, 9))
    for sy in (-1, 1):
        out.add(PAPER, disc(0.19, 0.1, at + (0.3, sy * 0.18, 0.03), "x", 14))
        out.add(EMBER, disc(0.12, 0.1, at + (0.33, sy * 0.18, 0.03), "x", 12))
        out.add(INK, disc(0.07, 0.1, at + (0.36, sy * 0.18, 0.03), "x", 10))
        out.add(paint["body"], cone(at + (0, sy * 0.25, 0.2), at + (-0.02, sy * 0.36, 0.5), 0.11, 8))
        out.add(paint["wings"], ball((0.24, 0.1, 0.44), (-0.05, sy * girth, 0.58), 12, 7))
        out.add(EMBER, ball((0.14, 0.1, 0.06), (0.2, sy * 0.16, 0.02), 8, 5))
    out.add(EMBER, cone(at + (0.3, 0, -0.03), at + (0.44, 0, -0.16), 0.07, 7))
    return out


def build_shark(rng: Draws, paint: Paint) -> Assembly:
    """A shark: a pointed body with a light belly, a back fin and a forked tail."""
    out = Assembly()
    long = rng.random()
    half = between(long, 0.75, 1.0)
    profile = [
        (0.0, -half),
        (0.1, -0.8 * half),
        (0.25, -0.2 * half),
        (0.27, 0.2 * half),
        (0.17, 0.75 * half),
        (0.0, half),
    ]
    out.add(paint["body"], turned(lathe(profile, 16), "y", 90))
    out.add(paint["belly"], ball((0.72 * half, 0.22, 0.2), (0.06, 0, -0.1), 14, 8))
    fin = slab([(0.2, 0.0), (-0.16, 0.36), (-0.2, 0.0)], 0.07)
    out.add(paint["fins"], moved(fin, (0.0, 0, 0.2)))
    for sy in (-1, 1):
        side = turned(slab([(0.16, 0.0), (-0.14, 0.42), (-0.18, 0.0)], 0.06), "x", -sy * 110)
        out.add(paint["fins"], moved(side, (0.2, sy * 0.2, -0.1)))
        out.add(INK, ball(0.045, (0.68 * half, sy * 0.16, 0.07), 8, 5))
        out.add(shade(paint["body"], 0.7), rod((0.36, sy * 0.245, -0.08), (0.4, sy * 0.23, 0.08), 0.015))
    tail = slab([(0.14, 0.0), (-0.22, 0.44), (-0.08, 0.0), (-0.18, -0.26)], 0.07)
    out.add(paint["fins"], moved(tail, (-0.95 * half, 0, 0.0)))
    out.describe(long, "short", "long")
    return out


def build_whale(rng: Draws, paint: Paint) -> Assembly:
    """A whale: a huge round head, a belly with another colour, flukes and flippers."""
    out = Assembly()
    fat = between(rng.random(), 0.36, 0.46)
    out.add(paint["body"], ball((0.6, fat, fat), (0.2, 0, 0), 18, 10))
    path = [(0.0, 0, 0), (-0.4, 0, 0.02), (-0.75, 0, 0.16), (-0.95, 0, 0.34)]
    out.add(paint["body"], tube(path, [0.9 * fat, 0.62 * fat, 0.3 * fat, 0.09], 12))
    out.add(paint["belly"], ball((0.54, 0.92 * fat, 0.8 * fat), (0.22, 0, -0.12), 16, 9))
    for sy in (-1, 1):
        fluke = turned(ball((0.15, 0.3, 0.045), (0, sy * 0.22, 0), 10, 6), "z", sy * 28)
        out.add(paint["fins"], moved(fluke, (-0.98, 0, 0.36)))
        flipper = turned(ball((0.13, 0.26, 0.045), (0, sy * 0.22, 0), 10, 6), "x", -sy * 35)
        out.add(paint["fins"], moved(flipper, (0.3, sy * 0.85 * fat, -0.2)))
        out.add(INK, ball(0.045, (0.62, sy * 0.72 * fat, 0.02), 8, 5))
    return out


def build_octopus(rng: Draws, paint: Paint) -> Assembly:
    """An octopus: a tall head over eight curling arms."""
    out = Assembly()
    tall = rng.random()
    out.add(paint["body"], ball((0.36, 0.36, between(tall, 0.38, 0.52)), (0, 0, 0.42), 16, 10))
    for k in range(8):
        angle, reach = np.deg2rad(45 * k + 22.5), rng.uniform(0.7, 0.9)
        d = np.array([np.cos(angle), np.sin(angle), 0])
        path = [
            0.15 * d + (0, 0, 0.2),
            0.4 * d + (0, 0, -0.02),
            reach * d + (0, 0, -0.1),
            (reach + 0.12) * d + (0, 0, 0.12),
        ]
        out.add(paint["arms"], tube(path, [0.12, 0.1, 0.07, 0.03], 7))
    for sy in (-1, 1):
        add_eye(out, (0.3, sy * 0.15, 0.42), 0.09)
    out.describe(tall, "flat", "tall")
    return out


def build_snake(rng: Draws, paint: Paint) -> Assembly:
    """A coiled snake with its head raised at the front."""
    out = Assembly()
    turns, points = rng.uniform(1.6, 2.4), 40
    angle = np.linspace(0, 2 * np.pi * turns, points) + np.pi / 2
    radius = np.linspace(0.72, 0.3, points)
    coil = np.stack([radius * np.cos(angle), radius * np.sin(angle), np.linspace(0, 0.42, points)], 1)
    neck = [coil[-1] * (0.7, 0.4, 1.25), (0.12, 0, 0.75), (0.3, 0, 1.0), (0.46, 0, 1.02)]
    path = np.concatenate([coil, neck])
    thick = np.concatenate([np.linspace(0.04, 0.15, 12), np.full(len(path) - 14, 0.15), [0.13, 0.12]])
    out.add(paint["body"], tube(path, thick, 9))
    for k in range(6, points - 2, 4):
        out.add(paint["stripes"], tube(path[k : k + 2], 0.163, 9))
    at = path[-1] + (0.08, 0, 0.0)
    out.add(paint["body"], ball((0.2, 0.16, 0.12), at, 12, 7))
    out.add((0.85, 0.15, 0.2), rod(at + (0.16, 0, -0.03), at + (0.4, 0, -0.05), 0.02, 0.012))
    for sy in (-1, 1):
        add_eye(out, at + (0.07, sy * 0.1, 0.09), 0.045, (0.6, sy * 0.6, 0.3))
    return out


def build_frog(rng: Draws, paint: Paint) -> Assembly:
    """A sitting frog: eyes on top of a wide mouth, folded hind legs."""
    out = Assembly()
    chubby = rng.random()
    girth = between(chubby, 0.38, 0.5)
    out.add(paint["body"], turned(ball((0.5, girth, 0.34), (0, 0, 0), 16, 9), "y", -20))
    out.add(paint["belly"], ball((0.34, 0.8 * girth, 0.24), (0.18, 0, -0.06), 12, 7))
    out.add(paint["body"], ball((0.32, 0.86 * girth, 0.2), (0.34, 0, 0.24), 14, 8))
    for sy in (-1, 1):
        out.add(paint["body"], ball(0.15, (0.34, sy * 0.24, 0.42), 10, 6))
        add_eye(out, (0.42, sy * 0.25, 0.45), 0.1, (0.8, sy * 0.3, 0.2))
        out.add(paint["body"], ball((0.3, 0.14, 0.22), (-0.2, sy * (girth + 0.02), -0.12), 12, 7))
        out.add(
            paint["body"], rod((-0.36, sy * (girth + 0.06), -0.3), (0.14, sy * (girth + 0.16), -0.32), 0.07)
        )
        out.add(paint["body"], ball((0.16, 0.13, 0.05), (0.2, sy * (girth + 0.16), -0.34), 9, 5))
        out.add(paint["body"], rod((0.3, sy * 0.3, -0.04), (0.42, sy * 0.36, -0.34), 0.075, 0.06))
        out.add(paint["body"], ball((0.14, 0.11, 0.05), (0.48, sy * 0.36, -0.35), 9, 5))
    out.describe(chubby, "slim", "chubby")
    return out


def build_butterfly(rng: Draws, paint: Paint) -> Assembly:
    """A butterfly: two pairs of patterned wings, raised, and a thin body."""
    out = Assembly()
    lift = rng.uniform(10, 40)
    out.add(paint["body"], ball((0.4, 0.08, 0.08), (0, 0, 0), 12, 8))
    out.add(paint["body"], ball(0.11, (0.42, 0, 0.02), 10, 6))
    upper = [(0.3, 0.0), (0.52, 0.5), (0.42, 0.84), (0.1, 0.78), (-0.06, 0.4), (-0.04, 0.0)]
    lower = [(0.0, 0.0), (-0.04, 0.44), (-0.28, 0.62), (-0.5, 0.44), (-0.34, 0.0)]
    for sy in (-1, 1):
        for outline, spot in ((upper, (0.28, 0.56)), (lower, (-0.26, 0.4))):
            wing = turned(slab(outline, 0.05), "x", -sy * (90 - lift))
            out.add(paint["wings"], moved(wing, (0, sy * 0.04, 0.02)))
            mark = turned(
                moved(stretched(ball(0.12, (0, 0, 0), 10, 6), (1, 0.35, 1)), (spot[0], 0, spot[1])),
                "x",
                -sy * (90 - lift),
            )
            out.add(paint["spots"], moved(mark, (0, sy * 0.04, 0.02)))
        out.add(paint["body"], rod((0.48, sy * 0.04, 0.06), (0.72, sy * 0.16, 0.24), 0.02))
    return out


def build_spider(rng: Draws, paint: Paint) -> Assembly:
    """A spider: a round abdomen, a small front body, eight bent legs."""
    out = Assembly()
    out.add(paint["body"], ball((0.4, 0.34, 0.32), (-0.34, 0, 0.3), 16, 9))
    out.add(paint["body"], ball((0.24, 0.2, 0.18), (0.16, 0, 0.24), 12, 7))
    height = rng.uniform(0.4, 0.6)
    for k, sweep in enumerate((-40, -14, 14, 40)):
        for sy in (-1, 1):
            d = np.array([np.sin(np.deg2rad(-sweep)), sy * np.cos(np.deg2rad(sweep)), 0])
            root = np.array([0.22 - 0.1 * k, 0, 0.24])
            path = [root, root + 0.42 * d + (0, 0, height - 0.1), root + 0.86 * d + (0, 0, -0.3)]
            out.add(paint["legs"], tube(path, [0.06, 0.055, 0.025], 6))
    for sy in (-1, 1):
        add_eye(out, (0.36, sy * 0.08, 0.32), 0.055)
    out.add(paint["spots"], ball((0.16, 0.12, 0.1), (-0.4, 0, 0.56), 9, 5))
    return out


def build_snail(rng: Draws, paint: Paint) -> Assembly:
    """A snail: a spiral shell on a creeping foot with two feelers."""
    out = Assembly()
    out.add(
        paint["body"],
        tube(
            [(-0.8, 0, 0.02), (-0.3, 0, 0.08), (0.4, 0, 0.1), (0.72, 0, 0.34)], [0.04, 0.17, 0.18, 0.15], 10
        ),
    )
    out.add(paint["body"], ball(0.17, (0.74, 0, 0.38), 10, 6))
    big = rng.uniform(0.36, 0.46)
    out.add(paint["shell"], disc(big, 0.34, (-0.1, 0, 0.16 + big), "y", 18))
    for radius, width in ((0.74, 0.42), (0.46, 0.5), (0.2, 0.56)):
        tone = 1.2 if radius in (0.74, 0.2) else 0.85
        out.add(shade(paint["shell"], tone), disc(radius * big, width, (-0.1, 0, 0.16 + big), "y", 14))
    for sy in (-1, 1):
        tip = np.array([0.92, sy * 0.13, 0.7])
        out.add(paint["body"], rod((0.78, sy * 0.06, 0.46), tip, 0.03))
        add_eye(out, tip, 0.05)
    return out


def build_bee(rng: Draws, paint: Paint) -> Assembly:
    """A bee: a striped plump body, glassy wings, feelers and a sting."""
    out = Assembly()
    chubby = rng.random()
    girth = between(chubby, 0.3, 0.4)
    out.add(paint["body"], ball((0.55, girth, girth), (0, 0, 0), 18, 10))
    for x in (-0.3, -0.04, 0.2):
        size = girth * np.sqrt(1 - (x / 0.55) ** 2) + 0.015
        out.add(paint["stripes"], disc(size, 0.12, (x, 0, 0), "x", 16))
    out.add(paint["stripes"], cone((-0.5, 0, 0), (-0.72, 0, 0), 0.08, 7))
    out.add(paint["stripes"], ball(0.24, (0.58, 0, 0.02), 12, 7))
    for sy in (-1, 1):
        add_eye(out, (0.72, sy * 0.13, 0.1), 0.075)
        out.add(INK, tube(arc((0.66, sy * 0.08, 0.2), (0.16, 0.2), 150, 40, "xz", 5), 0.02, 6))
        wing = turned(ball((0.22, 0.36, 0.035), (0, sy * 0.34, 0), 12, 6), "x", sy * rng.uniform(25, 45))
        out.add(paint["wings"], moved(wing, (0.0, sy * 0.1, girth)))
    out.describe(chubby, "slim", "chubby")
    return out
