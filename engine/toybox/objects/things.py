"""Things to hold, wear and play with. Where they have a front, it is at +x."""

from __future__ import annotations

import numpy as np

from engine.toybox.objects.assembly import Assembly, Paint
from engine.toybox.objects.details import (
    DARK_GLASS, GLASS, GLOW, INK, PAPER, STEEL, WOOD, arc, between, contrasting, shade,
)  # fmt: skip
from engine.toybox.objects.primitives import (
    ball, box, cone, disc, hoop, lathe, loft, moved, rod, rounded_box, slab, stretched, tube, turned,
)  # fmt: skip

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
            claw = [(-0.1, sy * 0.05, high + 0.02), (-0.3, sy * 0.07, high + 0.04), (-0.48, sy * 0.1, high - 0.12)]
            out.add(paint["body"], tube(claw, [0.075, 0.06, 0.025], 7))
    else:
        out.add(paint["body"], moved(turned(box((0.2, 0.18, 0.34), (0, 0, 0), (0.3, 1)), "y", -90), (-0.3, 0, high)))
    out.describe(long, "short", "long")
    return out


def build_axe(rng: Draws, paint: Paint) -> Assembly:
    """An axe: a curved blade on a wooden handle, sometimes on both sides."""
    out = Assembly()
    long, double = rng.random(), bool(rng.random() < 0.35)
    high = between(long, 1.3, 1.8)
    out.add(paint["handle"], tube([(0.04, 0, 0), (0, 0, 0.4 * high), (0.02, 0, high + 0.08)], [0.085, 0.06, 0.065], 10))
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
    if rng.random() < 0.5:
        out.add(paint["body"], disc(0.8, 0.1, (0, 0, 0), "x", 26))
        ring = [(0.74, -0.09), (0.88, -0.09), (0.88, 0.09), (0.74, 0.09)]
        out.add(paint["rim"], turned(hoop(ring, 26), "y", 90))
        out.add(paint["emblem"], ball((0.16, 0.26, 0.26), (0.05, 0, 0), 14, 8))
        for k in range(8):
            out.add(paint["rim"], ball(0.05, (0.08, 0.56 * np.cos(k * np.pi / 4), 0.56 * np.sin(k * np.pi / 4)), 6, 4))
    else:
        outline = np.array([(-0.62, 0.7), (0, 0.78), (0.62, 0.7), (0.6, 0.05), (0.36, -0.52), (0, -0.88), (-0.36, -0.52), (-0.6, 0.05)])
        out.add(paint["rim"], turned(slab(outline * 1.1, 0.1), "z", 90))
        out.add(paint["body"], turned(slab(outline * 0.94, 0.16), "z", 90))
        out.add(paint["emblem"], rounded_box((0.22, 0.16, 1.1), (0, 0, 0.0), 0.03))
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


def build_crown(rng: Draws, paint: Paint) -> Assembly:
    """A crown: a band with points, a ball on each point, jewels round the band."""
    out = Assembly()
    tall, count = rng.random(), int(rng.integers(5, 9))
    high = between(tall, 0.4, 0.7)
    out.add(paint["body"], hoop([(0.6, 0), (0.66, 0), (0.7, 0.34), (0.64, 0.34)], 28))
    out.add(shade(paint["body"], 0.85), hoop([(0.58, -0.03), (0.7, -0.03), (0.7, 0.07), (0.58, 0.07)], 28))
    for k in range(count):
        angle = 360 / count * k
        point = slab([(-0.24, 0), (0.24, 0), (0, high)], 0.06)
        out.add(paint["body"], turned(moved(turned(point, "z", 90), (0.67, 0, 0.3)), "z", angle))
        out.add(paint["jewels"], turned(ball(0.085, (0.67, 0, 0.3 + high), 10, 6), "z", angle))
        out.add(paint["jewels"], turned(ball((0.05, 0.09, 0.09), (0.69, 0, 0.2), 10, 6), "z", angle + 180 / count))
    out.describe(tall, "short", "tall")
    return out


def build_hat(rng: Draws, paint: Paint) -> Assembly:
    """A hat: a top hat, a straw hat or a wizard's, with a band."""
    out = Assembly()
    style = int(rng.integers(3))
    brim = rng.uniform(0.75, 0.9)
    if style == 0:
        out.add(paint["body"], lathe([(0.44, 0), (0.4, 0.3), (0.46, 0.8), (0.0, 0.8)], 24))
    elif style == 1:
        out.add(paint["body"], lathe([(0.5, 0), (0.46, 0.26), (0.34, 0.42), (0.0, 0.46)], 24))
    else:
        bend = rng.uniform(0.0, 0.4)
        path = [(0, 0, 0), (0.0, 0, 0.4), (-0.2 * bend, 0, 0.8), (-bend, 0, 1.15)]
        out.add(paint["body"], tube(path, [0.48, 0.32, 0.17, 0.02], 18))
    out.add(paint["body"], lathe([(0.2, 0.0), (brim, 0.03), (brim, 0.08), (0.2, 0.1)], 26))
    out.add(paint["band"], hoop([(0.4, 0.08), (0.52, 0.08), (0.5, 0.24), (0.38, 0.24)], 24))
    out.add(paint["band"], rounded_box((0.08, 0.2, 0.14), (0.5, 0, 0.16), 0.03))
    if style != 1:
        out.adjectives.append("tall")
    return out


def build_shoe(rng: Draws, paint: Paint) -> Assembly:
    """A sneaker or a boot that points to +x: sole, upper, laces."""
    out = Assembly()
    boot = bool(rng.random() < 0.4)
    high = rng.uniform(0.75, 1.0) if boot else rng.uniform(0.3, 0.4)
    out.add(paint["sole"], stretched(lathe([(0.96, 0), (1.0, 0.06), (1.0, 0.12), (0.96, 0.16)], 24), (0.76, 0.3, 1)))
    out.add(paint["body"], ball((0.48, 0.27, 0.24), (0.24, 0, 0.2), 16, 8))
    out.add(paint["body"], tube([(-0.36, 0, 0.12), (-0.34, 0, 0.3), (-0.36, 0, high + 0.16)], [0.3, 0.28, 0.27], 16))
    out.add(paint["body"], rod((-0.25, 0, 0.3), (0.3, 0, 0.26), 0.26, 0.2, 14))
    out.add(shade(paint["body"], 0.5), disc(0.22, 0.04, (-0.36, 0, high + 0.17), "z", 16))
    for x in (-0.06, 0.08, 0.22):
        lace = [(x, -0.2, 0.36 - 0.14 * x), (x, 0, 0.54 - 0.4 * x - 0.02), (x, 0.2, 0.36 - 0.14 * x)]
        out.add(paint["laces"], tube(lace, 0.035, 6))
    out.add(paint["sole"], ball((0.16, 0.2, 0.12), (0.6, 0, 0.18), 10, 6))
    if boot:
        out.nouns.append("boot")
    return out


def build_ball(rng: Draws, paint: Paint) -> Assembly:
    """A beach ball with coloured segments, or a football with patches."""
    out = Assembly()
    out.add(paint["body"], ball(0.8, (0, 0, 0), 28, 16))
    if rng.random() < 0.5:
        for k in range(3):
            path = [(0.78 * np.sin(a) * 1.01, 0, 0.8 * np.cos(a) * 1.01) for a in np.linspace(0.12, np.pi - 0.12, 11)]
            gore = tube(path, 0.3 * np.sin(np.linspace(0.2, np.pi - 0.2, 11)), 8, 0.12)
            out.add(paint["stripes"], turned(gore, "z", 120 * k))
        for sz in (-1, 1):
            out.add(paint["stripes"], disc(0.14, 0.06, (0, 0, sz * 0.79), "z", 14))
    else:
        golden = (1 + np.sqrt(5)) / 2
        corners = [(0, a, b * golden) for a in (-1, 1) for b in (-1, 1)]
        for corner in corners:
            for roll in range(3):
                d = np.roll(np.array(corner), roll) / np.hypot(1, golden)
                out.add(paint["stripes"], rod(0.74 * d, 0.82 * d, 0.24, 0.22, 5))
    return out


def build_dice(rng: Draws, paint: Paint) -> Assembly:
    """A die with round pips; opposite sides add up to seven."""
    out = Assembly()
    out.add(paint["body"], rounded_box((1, 1, 1), (0, 0, 0), 0.12))
    spots = {1: [(0, 0)], 2: [(-1, -1), (1, 1)], 3: [(-1, -1), (0, 0), (1, 1)], 4: [(-1, -1), (1, 1), (-1, 1), (1, -1)]}
    spots[5] = [*spots[4], (0, 0)]
    spots[6] = [*spots[4], (-1, 0), (1, 0)]
    for number, axis, sign in ((1, 0, 1), (6, 0, -1), (2, 1, 1), (5, 1, -1), (3, 2, 1), (4, 2, -1)):
        for u, v in spots[number]:
            at = np.zeros(3)
            at[axis], at[(axis + 1) % 3], at[(axis + 2) % 3] = 0.5 * sign, 0.27 * u, 0.27 * v
            out.add(paint["dots"], disc(0.1, 0.05, at, "xyz"[axis], 12))
    return out


def build_ring(rng: Draws, paint: Paint) -> Assembly:
    """A finger ring with a cut stone."""
    out = Assembly()
    thick = rng.uniform(0.07, 0.12)
    out.add(paint["body"], tube(arc((0, 0, 0), (0.56, 0.56), 92, 448, "yz", 26), thick, 9))
    size = rng.uniform(0.2, 0.3)
    out.add(paint["body"], cone((0, 0, 0.62 + 0.1), (0, 0, 0.46), 0.7 * size, 10))
    stone = lathe([(0.0, -0.7 * size), (size, 0.1 * size), (0.7 * size, 0.5 * size), (0.0, 0.5 * size)], 8)
    out.add(paint["stone"], moved(stone, (0, 0, 0.6 + 0.75 * size)))
    for k in range(4):
        d = 0.9 * size * np.array([np.cos(np.pi / 2 * k + 0.7), np.sin(np.pi / 2 * k + 0.7), 0])
        out.add(paint["body"], rod(0.5 * d + (0, 0, 0.62), d + (0, 0, 0.66 + 0.8 * size), 0.035))
    return out


def build_star(rng: Draws, paint: Paint) -> Assembly:
    """A five-pointed star, thick in the middle, with a rim of another colour."""
    out = Assembly()
    inner = rng.uniform(0.38, 0.5)
    angles = np.deg2rad(90 + 36 * np.arange(10))
    reach = np.where(np.arange(10) % 2 == 0, 1.0, inner)
    outline = np.stack([reach * np.cos(angles), reach * np.sin(angles)], 1)
    out.add(paint["rim"], turned(slab(outline, 0.16), "z", 90))
    out.add(paint["body"], turned(slab(outline * 0.86, 0.3, 0.35), "z", 90))
    out.add(paint["body"], ball((0.24, 0.3, 0.3), (0, 0, 0), 12, 8))
    for sy in (-1, 1):
        if inner > 0.42:
            out.add(INK, ball((0.06, 0.05, 0.09), (0.22, sy * 0.15, 0.04), 8, 5))
    return out


def build_heart(rng: Draws, paint: Paint) -> Assembly:
    """A plump heart with a band across it."""
    out = Assembly()
    t = np.linspace(0, 2 * np.pi, 33)[:-1]
    outline = np.stack([np.sin(t) ** 3, (13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)) / 16], 1)
    fat = rng.uniform(0.5, 0.75)
    scales = np.array([0.25, 0.6, 0.85, 0.97, 1.0, 0.97, 0.85, 0.6, 0.25])
    depths = np.linspace(-0.5, 0.5, 9)
    centre = outline.mean(0)
    rings = np.empty((9, 32, 3))
    rings[:, :, ::2] = centre + (outline - centre) * scales[:, None, None]
    rings[:, :, 1] = fat * np.sign(depths)[:, None] * (1 - np.sqrt(1 - np.abs(depths)[:, None] * 2 + 1e-9)) * 0.5 + 0.4 * fat * depths[:, None]
    out.add(paint["body"], turned(loft(rings), "z", 90))
    sash = tube([(0.0, -0.9, -0.1), (0.3 * fat + 0.08, 0, 0.05), (0.0, 0.9, 0.2)], 0.07, 7)
    out.add(paint["ribbon"], sash)
    out.add(paint["ribbon"], ball((0.1, 0.17, 0.13), (0.3 * fat + 0.1, 0, 0.06), 10, 6))
    return out


def build_gem(rng: Draws, paint: Paint) -> Assembly:
    """A cut gem: a table, a crown of facets and a pointed pavilion, in a setting."""
    out = Assembly()
    sides, tall = int(rng.integers(6, 11)), rng.random()
    low = between(tall, 0.6, 1.0)
    for k, (r0, z0, r1, z1, tone) in enumerate(((0.02, -low, 0.8, 0, 0.9), (0.8, 0, 0.84, 0.08, 1.1), (0.84, 0.08, 0.5, 0.36, 1.2))):
        out.add(shade(paint["body"], tone), lathe([(r0, z0), (r1, z1)], sides))
    for k in range(sides):
        angle = 2 * np.pi * k / sides
        edge = [(0.84 * np.cos(angle), 0.84 * np.sin(angle), 0.08), (0.5 * np.cos(angle), 0.5 * np.sin(angle), 0.36)]
        out.add(paint["edges"], rod(edge[0], edge[1], 0.03, segments=5))
        out.add(paint["edges"], rod(edge[0], (0, 0, -low), 0.03, 0.015, segments=5))
    out.describe(tall, "flat", "tall")
    return out


def build_bell(rng: Draws, paint: Paint) -> Assembly:
    """A bell: a flared body with a band, a clapper, a loop or a handle."""
    out = Assembly()
    profile = [(0.62, 0), (0.5, 0.16), (0.38, 0.5), (0.3, 0.8), (0.12, 0.92), (0.0, 0.94)]
    out.add(paint["body"], lathe(profile, 24))
    ring = [(0.5, 0.12), (0.56, 0.1), (0.5, 0.22), (0.46, 0.22)]
    out.add(paint["band"], hoop(ring, 24))
    out.add(shade(paint["body"], 0.6), ball(0.14, (0, 0, -0.05), 10, 6))
    if rng.random() < 0.5:
        out.add(paint["handle"], tube(arc((0, 0, 0.94), (0.16, 0.22), 0, 180, "yz"), 0.06, 7))
    else:
        out.add(paint["handle"], tube([(0, 0, 0.9), (0, 0, 1.15), (0, 0, 1.5)], [0.07, 0.1, 0.08], 10))
        out.add(paint["handle"], ball(0.11, (0, 0, 1.52), 10, 6))
    return out


def build_trophy(rng: Draws, paint: Paint) -> Assembly:
    """A cup with two handles on a stepped base."""
    out = Assembly()
    tall = rng.random()
    high = between(tall, 0.7, 1.1)
    out.add(paint["body"], lathe([(0.12, 0.3), (0.1, 0.5), (0.34, 0.62), (0.46, 0.5 + high), (0.5, 0.55 + high), (0.42, 0.55 + high)], 22))
    for sy in (-1, 1):
        grip = arc((0, sy * 0.44, 0.35 + 0.78 * high), (0.2, 0.24), 90 - sy * 90 + 80 * sy, 90 - sy * 90 - 110 * sy, "yz", 9)
        out.add(paint["handles"], tube(grip, 0.05, 7))
    out.add(paint["base"], box((0.62, 0.62, 0.2), (0, 0, 0.0)))
    out.add(paint["base"], box((0.44, 0.44, 0.16), (0, 0, 0.17)))
    out.add(paint["handles"], turned(slab([(-0.1, -0.1), (0.1, -0.1), (0.1, 0.1), (-0.1, 0.1)], 0.1), "z", 90))
    out.solids[-1] = moved(out.solids[-1], (0.42, 0, 0.4 + 0.7 * high))
    out.describe(tall, "short", "tall")
    return out


def build_camera(rng: Draws, paint: Paint) -> Assembly:
    """A camera: a body with a lens that looks to +x, a finder, a button, a flash."""
    out = Assembly()
    out.add(paint["body"], rounded_box((0.4, 1.2, 0.7), (0, 0, 0), 0.08))
    out.add(shade(paint["body"], 1.25), rounded_box((0.42, 1.22, 0.2), (0, 0, 0.3), 0.06))
    reach = rng.uniform(0.2, 0.5)
    out.add(paint["lens"], rod((0.15, 0, -0.03), (0.2 + reach, 0, -0.03), 0.3, 0.28, 20))
    out.add(contrasting(paint["lens"], STEEL, INK), disc(0.24, 0.05, (0.2 + reach, 0, -0.03), "x", 18))
    out.add(DARK_GLASS, disc(0.17, 0.06, (0.22 + reach, 0, -0.03), "x", 16))
    out.add(paint["body"], rounded_box((0.3, 0.42, 0.2), (0, 0, 0.42), 0.06))
    out.add(paint["button"], disc(0.1, 0.1, (0, 0.42, 0.42), "z", 12))
    out.add(paint["button"], box((0.06, 0.2, 0.12), (0.2, -0.42, 0.26)))
    return out


def build_phone(rng: Draws, paint: Paint) -> Assembly:
    """A telephone with a receiver and a dial, or a flat mobile phone."""
    out = Assembly()
    if rng.random() < 0.5:
        out.add(paint["body"], box((0.8, 1.0, 0.5), (0, 0, 0.25), (0.5, 0.7)))
        dial = turned(disc(0.27, 0.1, (0, 0, 0), "z", 20), "y", 38)
        out.add(paint["screen"], moved(dial, (0.3, 0, 0.3)))
        for k in range(9):
            spot = turned(disc(0.045, 0.12, (0.17 * np.cos(0.6 * k), 0.17 * np.sin(0.6 * k), 0), "z", 8), "y", 38)
            out.add(contrasting(paint["screen"], PAPER, INK), moved(spot, (0.31, 0, 0.31)))
        out.add(paint["receiver"], tube(arc((-0.05, 0, 0.42), (0.56, 0.24), 10, 170, "yz"), 0.09, 9))
        for sy in (-1, 1):
            out.add(paint["receiver"], ball((0.15, 0.17, 0.12), (-0.05, sy * 0.54, 0.46), 12, 7))
    else:
        out.add(paint["body"], rounded_box((0.12, 0.74, 1.4), (0, 0, 0), 0.05))
        out.add(paint["screen"], box((0.04, 0.66, 1.16), (0.055, 0, 0.02)))
        out.add(paint["receiver"], disc(0.06, 0.04, (0.06, 0, -0.63), "x", 14))
        out.add(paint["receiver"], box((0.04, 0.22, 0.03), (0.06, 0, 0.65)))
        out.add(paint["receiver"], rounded_box((0.05, 0.2, 0.3), (-0.07, 0.2, 0.48), 0.02))
        for z in (0.54, 0.42):
            out.add(INK, disc(0.06, 0.03, (-0.1, 0.2, z), "x", 10))
    return out


def build_glasses(rng: Draws, paint: Paint) -> Assembly:
    """Spectacles that look to +x: two framed lenses, a bridge, temples."""
    out = Assembly()
    radius = rng.uniform(0.3, 0.38)
    for sy in (-1, 1):
        y = sy * (radius + 0.1)
        out.add(paint["body"], tube(arc((0, y, 0), (radius, 0.85 * radius), 0, 352, "yz", 20), 0.06, 7))
        out.add(paint["lenses"], stretched(disc(0.95, 0.05, (0, 0, 0), "x", 20), (1, radius, 0.85 * radius)))
        out.solids[-1] = moved(out.solids[-1], (0, y, 0))
        edge = sy * (2 * radius + 0.1)
        out.add(paint["body"], tube([(0, edge, 0.06), (-0.6, 1.02 * edge, 0.06), (-1.0, 1.0 * edge, -0.14)], 0.045, 7))
    out.add(paint["body"], tube([(0, -0.12, 0.06), (0.03, 0, 0.12), (0, 0.12, 0.06)], 0.05, 7))
    return out


def build_drum(rng: Draws, paint: Paint) -> Assembly:
    """A drum: a shell between two rims, laced, with two sticks on top."""
    out = Assembly()
    tall = rng.random()
    high, radius = between(tall, 0.5, 0.95), 0.6
    out.add(paint["body"], lathe([(radius, 0), (radius, high)], 26))
    out.add(PAPER, disc(radius - 0.02, 0.08, (0, 0, high), "z", 24))
    for z in (0.0, high):
        ring = [(radius - 0.03, z - 0.06), (radius + 0.06, z - 0.06), (radius + 0.06, z + 0.06), (radius - 0.03, z + 0.06)]
        out.add(paint["rim"], hoop(ring, 26))
    for k in range(8):
        a, b = np.pi / 4 * k, np.pi / 4 * (k + 0.5)
        low = ((radius + 0.02) * np.cos(a), (radius + 0.02) * np.sin(a), 0.05)
        top = ((radius + 0.02) * np.cos(b), (radius + 0.02) * np.sin(b), high - 0.05)
        out.add(paint["rim"], rod(low, top, 0.022, segments=5))
    for sy in (-1, 1):
        stick = rod((-0.5, sy * 0.35, high + 0.12), (0.45, sy * 0.05, high + 0.14), 0.035)
        out.add(paint["sticks"], stick)
        out.add(paint["sticks"], ball(0.075, (0.47, sy * 0.05, high + 0.14), 8, 5))
    out.describe(tall, "flat", "tall")
    return out


def build_backpack(rng: Draws, paint: Paint) -> Assembly:
    """A backpack: a rounded bag, a front pocket at +x, a flap, straps behind."""
    out = Assembly()
    tall = rng.random()
    high = between(tall, 0.9, 1.25)
    out.add(paint["body"], rounded_box((0.5, 0.84, high), (0, 0, 0.5 * high), 0.16))
    out.add(paint["body"], ball((0.27, 0.4, 0.2), (0, 0, high), 14, 7))
    out.add(paint["pocket"], rounded_box((0.24, 0.66, 0.42 * high), (0.32, 0, 0.27 * high), 0.08))
    out.add(paint["pocket"], rounded_box((0.08, 0.8, 0.3 * high), (0.26, 0, 0.84 * high), 0.03))
    out.add(STEEL, rounded_box((0.06, 0.1, 0.08), (0.45, 0, 0.4 * high), 0.02))
    for sy in (-1, 1):
        strap = [(-0.2, sy * 0.2, 0.95 * high), (-0.44, sy * 0.26, 0.7 * high), (-0.22, sy * 0.34, 0.12 * high)]
        out.add(paint["straps"], tube(strap, 0.065, 7))
    out.add(paint["straps"], tube(arc((0, 0, high + 0.16), (0.14, 0.14), 0, 180, "yz"), 0.04, 7))
    out.describe(tall, "short", "tall")
    return out


def build_ghost(rng: Draws, paint: Paint) -> Assembly:
    """A ghost: a floating sheet with a wavy hem, eyes, a mouth and little arms."""
    out = Assembly()
    high = rng.uniform(0.7, 0.95)
    out.add(paint["body"], lathe([(0.46, -0.1), (0.42, 0.3), (0.44, high), (0.36, high + 0.26), (0.16, high + 0.42), (0.0, high + 0.45)], 24))
    for k in range(8):
        angle = np.pi / 4 * k
        out.add(paint["body"], ball((0.17, 0.17, 0.24), (0.33 * np.cos(angle), 0.33 * np.sin(angle), -0.08), 9, 6))
    for sy in (-1, 1):
        out.add(paint["eyes"], ball((0.09, 0.09, 0.14), (0.39, sy * 0.16, high + 0.06), 10, 6))
        out.add(paint["body"], tube([(0, sy * 0.36, 0.62 * high), (0.12, sy * 0.62, 0.66 * high), (0.2, sy * 0.72, 0.86 * high)], [0.14, 0.11, 0.07], 8))
    out.add(paint["eyes"], ball((0.07, 0.08, 0.08), (0.42, 0, high - 0.2), 9, 6))
    return out


def build_skull(rng: Draws, paint: Paint) -> Assembly:
    """A skull: a round cranium, eye sockets, a nose hole, teeth."""
    out = Assembly()
    out.add(paint["body"], ball((0.6, 0.5, 0.52), (-0.08, 0, 0.3), 20, 11))
    out.add(paint["body"], rounded_box((0.4, 0.56, 0.42), (0.22, 0, -0.16), 0.14))
    jaw = rng.uniform(-0.42, -0.34)
    out.add(shade(paint["body"], 0.92), rounded_box((0.34, 0.5, 0.16), (0.24, 0, jaw), 0.07))
    for sy in (-1, 1):
        out.add(paint["eyes"], ball((0.12, 0.16, 0.16), (0.42, sy * 0.21, 0.14), 12, 7))
        out.add(paint["body"], ball((0.14, 0.14, 0.1), (0.3, sy * 0.36, -0.05), 9, 6))
    out.add(paint["eyes"], moved(turned(slab([(-0.07, 0), (0.07, 0), (0, 0.16)], 0.1), "z", 90), (0.44, 0, -0.12)))
    for y in np.linspace(-0.2, 0.2, 5):
        out.add(paint["teeth"], box((0.06, 0.075, 0.11), (0.43, y, -0.29)))
    return out


def build_lantern(rng: Draws, paint: Paint) -> Assembly:
    """A lantern: a glowing glass between a base and a cap, bars, a ring to hold."""
    out = Assembly()
    high = rng.uniform(0.6, 0.85)
    out.add(paint["body"], lathe([(0.46, 0), (0.46, 0.1), (0.38, 0.18)], 8))
    out.add(paint["glass"], lathe([(0.34, 0.16), (0.36, 0.16 + 0.5 * high), (0.34, 0.16 + high)], 8))
    out.add(paint["body"], lathe([(0.46, 0.14 + high), (0.44, 0.22 + high), (0.14, 0.5 + high), (0.0, 0.52 + high)], 8))
    for k in range(4):
        d = 0.39 * np.array([np.cos(np.pi / 2 * k + np.pi / 4), np.sin(np.pi / 2 * k + np.pi / 4), 0])
        out.add(paint["body"], rod(d + (0, 0, 0.1), d + (0, 0, 0.2 + high), 0.045))
    out.add(paint["ring"], tube(arc((0, 0, 0.62 + high), (0.17, 0.17), 92, 445, "yz", 16), 0.045, 7))
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


def build_flag(rng: Draws, paint: Paint) -> Assembly:
    """A flag on a pole: a waving cloth with a stripe, a ball on top."""
    out = Assembly()
    high, half = 1.7, rng.uniform(0.2, 0.26)
    out.add(paint["pole"], rod((0, 0, 0), (0, 0, high), 0.05, 0.04, 10))
    out.add(paint["pole"], ball(0.09, (0, 0, high + 0.04), 10, 6))
    out.add(paint["pole"], lathe([(0.26, -0.05), (0.22, 0.05), (0.06, 0.1)], 16))
    y = np.linspace(0.03, 0.95, 9)
    wave = 0.08 * np.sin(7 * y + rng.uniform(0, 6))
    for share, colour in ((-2 / 3, paint["body"]), (0.0, paint["stripes"]), (2 / 3, paint["body"])):
        for k in range(8):
            size = (0.05, (y[k + 1] - y[k]) * 1.25, 2 * half / 3 * 1.02)
            angle = np.rad2deg(np.arctan2(wave[k + 1] - wave[k], y[k + 1] - y[k]))
            piece = turned(box(size), "z", -angle)
            at = (0.5 * (wave[k] + wave[k + 1]), 0.5 * (y[k] + y[k + 1]), high - 0.08 - half + share * half)
            out.add(colour, moved(piece, at))
    return out


def build_magnet(rng: Draws, paint: Paint) -> Assembly:
    """A horseshoe magnet with bright tips."""
    out = Assembly()
    radius, thick = rng.uniform(0.4, 0.5), rng.uniform(0.13, 0.17)
    out.add(paint["body"], tube(arc((0, 0, 0), (radius, radius), 180, 360, "yz", 15), thick, 10))
    for sy in (-1, 1):
        out.add(paint["body"], rod((0, sy * radius, -0.01), (0, sy * radius, 0.4), thick, thick, 10))
        out.add(paint["tips"], rod((0, sy * radius, 0.38), (0, sy * radius, 0.68), 1.03 * thick, 1.03 * thick, 10))
    return out
