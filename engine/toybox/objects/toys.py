"""Things to play with, to win and to look at."""

from __future__ import annotations

import numpy as np

from engine.toybox.objects.assembly import Assembly, Paint
from engine.toybox.objects.details import INK, PAPER, arc, between, shade
from engine.toybox.objects.primitives import (
    ball,
    box,
    disc,
    hoop,
    lathe,
    loft,
    moved,
    rod,
    rounded_box,
    slab,
    tube,
    turned,
)

Draws = np.random.Generator


def build_ball(rng: Draws, paint: Paint) -> Assembly:
    """A beach ball with coloured segments, or a football with patches."""
    out = Assembly()
    out.add(paint["body"], ball(0.8, (0, 0, 0), 28, 16))
    turn, wide = rng.uniform(0, 120), rng.uniform(0.26, 0.34)
    if rng.random() < 0.5:
        for k in range(3):
            path = [
                (0.78 * np.sin(a) * 1.01, 0, 0.8 * np.cos(a) * 1.01)
                for a in np.linspace(0.12, np.pi - 0.12, 11)
            ]
            gore = tube(path, wide * np.sin(np.linspace(0.2, np.pi - 0.2, 11)), 8, 0.12)
            out.add(paint["stripes"], turned(gore, "z", turn + 120 * k))
        for sz in (-1, 1):
            out.add(paint["stripes"], disc(0.14, 0.06, (0, 0, sz * 0.79), "z", 14))
    else:
        golden = (1 + np.sqrt(5)) / 2
        corners = [(0, a, b * golden) for a in (-1, 1) for b in (-1, 1)]
        for corner in corners:
            for roll in range(3):
                d = np.roll(np.array(corner), roll) / np.hypot(1, golden)
                out.add(paint["stripes"], rod(0.74 * d, 0.82 * d, 0.8 * wide, 0.74 * wide, 5))
    return out


def build_dice(rng: Draws, paint: Paint) -> Assembly:
    """A die with round pips; opposite sides add up to seven."""
    out = Assembly()
    out.add(paint["body"], rounded_box((1, 1, 1), (0, 0, 0), rng.uniform(0.06, 0.18)))
    spots = {
        1: [(0, 0)],
        2: [(-1, -1), (1, 1)],
        3: [(-1, -1), (0, 0), (1, 1)],
        4: [(-1, -1), (1, 1), (-1, 1), (1, -1)],
    }
    spots[5] = [*spots[4], (0, 0)]
    spots[6] = [*spots[4], (-1, 0), (1, 0)]
    for number, axis, sign in ((1, 0, 1), (6, 0, -1), (2, 1, 1), (5, 1, -1), (3, 2, 1), (4, 2, -1)):
        for u, v in spots[number]:
            at = np.zeros(3)
            at[axis], at[(axis + 1) % 3], at[(axis + 2) % 3] = 0.5 * sign, 0.27 * u, 0.27 * v
            out.add(paint["dots"], disc(0.1, 0.05, at, "xyz"[axis], 12))
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
    outline = np.stack(
        [np.sin(t) ** 3, (13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)) / 16], 1
    )
    fat = rng.uniform(0.5, 0.75)
    scales = np.array([0.25, 0.6, 0.85, 0.97, 1.0, 0.97, 0.85, 0.6, 0.25])
    depths = np.linspace(-0.5, 0.5, 9)
    centre = outline.mean(0)
    rings = np.empty((9, 32, 3))
    rings[:, :, ::2] = centre + (outline - centre) * scales[:, None, None]
    rings[:, :, 1] = (
        fat * np.sign(depths)[:, None] * (1 - np.sqrt(1 - np.abs(depths)[:, None] * 2 + 1e-9)) * 0.5
        + 0.4 * fat * depths[:, None]
    )
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
    for r0, z0, r1, z1, tone in (
        (0.02, -low, 0.8, 0, 0.9),
        (0.8, 0, 0.84, 0.08, 1.1),
        (0.84, 0.08, 0.5, 0.36, 1.2),
    ):
        out.add(shade(paint["body"], tone), lathe([(r0, z0), (r1, z1)], sides))
    for k in range(sides):
        angle = 2 * np.pi * k / sides
        edge = [
            (0.84 * np.cos(angle), 0.84 * np.sin(angle), 0.08),
            (0.5 * np.cos(angle), 0.5 * np.sin(angle), 0.36),
        ]
        out.add(paint["edges"], rod(edge[0], edge[1], 0.03, segments=5))
        out.add(paint["edges"], rod(edge[0], (0, 0, -low), 0.03, 0.015, segments=5))
    out.describe(tall, "flat", "tall")
    return out


def build_bell(rng: Draws, paint: Paint) -> Assembly:
    """A bell: a flared body with a band, a clapper, a loop or a handle."""
    out = Assembly()
    waist = rng.uniform(0.32, 0.42)
    profile = [(0.62, 0), (0.5, 0.16), (waist, 0.5), (0.3, 0.8), (0.12, 0.92), (0.0, 0.94)]
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
    out.add(
        paint["body"],
        lathe(
            [
                (0.12, 0.3),
                (0.1, 0.5),
                (0.34, 0.62),
                (0.46, 0.5 + high),
                (0.5, 0.55 + high),
                (0.42, 0.55 + high),
            ],
            22,
        ),
    )
    for sy in (-1, 1):
        grip = arc(
            (0, sy * 0.44, 0.35 + 0.78 * high),
            (0.2, 0.24),
            90 - sy * 90 + 80 * sy,
            90 - sy * 90 - 110 * sy,
            "yz",
            9,
        )
        out.add(paint["handles"], tube(grip, 0.05, 7))
    out.add(paint["base"], box((0.62, 0.62, 0.2), (0, 0, 0.0)))
    out.add(paint["base"], box((0.44, 0.44, 0.16), (0, 0, 0.17)))
    out.add(
        paint["handles"], turned(slab([(-0.1, -0.1), (0.1, -0.1), (0.1, 0.1), (-0.1, 0.1)], 0.1), "z", 90)
    )
    out.solids[-1] = moved(out.solids[-1], (0.42, 0, 0.4 + 0.7 * high))
    out.describe(tall, "short", "tall")
    return out


def build_drum(rng: Draws, paint: Paint) -> Assembly:
    """A drum: a shell between two rims, laced, with two sticks on top."""
    out = Assembly()
    tall = rng.random()
    high, radius = between(tall, 0.5, 0.95), 0.6
    out.add(paint["body"], lathe([(radius, 0), (radius, high)], 26))
    out.add(PAPER, disc(radius - 0.02, 0.08, (0, 0, high), "z", 24))
    for z in (0.0, high):
        ring = [
            (radius - 0.03, z - 0.06),
            (radius + 0.06, z - 0.06),
            (radius + 0.06, z + 0.06),
            (radius - 0.03, z + 0.06),
        ]
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


def build_ghost(rng: Draws, paint: Paint) -> Assembly:
    """A ghost: a floating sheet with a wavy hem, eyes, a mouth and little arms."""
    out = Assembly()
    high = rng.uniform(0.7, 0.95)
    out.add(
        paint["body"],
        lathe(
            [
                (0.46, -0.1),
                (0.42, 0.3),
                (0.44, high),
                (0.36, high + 0.26),
                (0.16, high + 0.42),
                (0.0, high + 0.45),
            ],
            24,
        ),
    )
    for k in range(8):
        angle = np.pi / 4 * k
        out.add(
            paint["body"], ball((0.17, 0.17, 0.24), (0.33 * np.cos(angle), 0.33 * np.sin(angle), -0.08), 9, 6)
        )
    for sy in (-1, 1):
        out.add(paint["eyes"], ball((0.09, 0.09, 0.14), (0.39, sy * 0.16, high + 0.06), 10, 6))
        out.add(
            paint["body"],
            tube(
                [(0, sy * 0.36, 0.62 * high), (0.12, sy * 0.62, 0.66 * high), (0.2, sy * 0.72, 0.86 * high)],
                [0.14, 0.11, 0.07],
                8,
            ),
        )
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
    out.add(
        paint["eyes"], moved(turned(slab([(-0.07, 0), (0.07, 0), (0, 0.16)], 0.1), "z", 90), (0.44, 0, -0.12))
    )
    for y in np.linspace(-0.2, 0.2, 5):
        out.add(paint["teeth"], box((0.06, 0.075, 0.11), (0.43, y, -0.29)))
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
