"""Clocks, screens and other machines of the house, which look to +x."""

from __future__ import annotations

import numpy as np

from engine.toybox.objects.assembly import Assembly, Paint
from engine.toybox.objects.details import DARK_GLASS, INK, PAPER, STEEL, arc, between, contrasting, shade
from engine.toybox.objects.primitives import ball, box, disc, hoop, moved, rod, rounded_box, tube, turned

Draws = np.random.Generator


def build_television(rng: Draws, paint: Paint) -> Assembly:
    """A television: an old one with a box, knobs and antennas, or a flat one on a foot."""
    out = Assembly()
    screen = paint["screen"]
    if rng.random() < 0.5:
        deep = rng.uniform(0.6, 0.75)
        out.add(paint["body"], rounded_box((deep, 1.1, 0.86), (0.35 - 0.5 * deep, 0, 0.5), 0.1))
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


def build_fridge(rng: Draws, paint: Paint) -> Assembly:
    """A refrigerator: two doors with handles."""
    out = Assembly()
    tall = rng.random()
    high, split = between(tall, 1.2, 1.6), rng.uniform(0.6, 0.7)
    out.add(paint["body"], rounded_box((0.6, 0.76, high), (0, 0, 0.5 * high + 0.05), 0.05))
    for low, top in ((0.08, split * high), (split * high + 0.03, high)):
        out.add(
            paint["doors"], rounded_box((0.1, 0.76, top - low), (0.33, 0, 0.5 * (low + top) + 0.03), 0.05)
        )
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
        out.add(paint["body"], box((0.8, rng.uniform(0.9, 1.1), 0.5), (0, 0, 0.25), (0.5, 0.7)))
        dial = turned(disc(0.27, 0.1, (0, 0, 0), "z", 20), "y", 38)
        out.add(paint["screen"], moved(dial, (0.3, 0, 0.3)))
        for k in range(9):
            spot = turned(
                disc(0.045, 0.12, (0.17 * np.cos(0.6 * k), 0.17 * np.sin(0.6 * k), 0), "z", 8), "y", 38
            )
            out.add(contrasting(paint["screen"], PAPER, INK), moved(spot, (0.31, 0, 0.31)))
        out.add(paint["receiver"], tube(arc((-0.05, 0, 0.42), (0.56, 0.24), 10, 170, "yz"), 0.09, 9))
        for sy in (-1, 1):
            out.add(paint["receiver"], ball((0.15, 0.17, 0.12), (-0.05, sy * 0.54, 0.46), 12, 7))
    else:
        out.add(paint["body"], rounded_box((0.12, 0.74, rng.uniform(1.36, 1.46)), (0, 0, 0), 0.05))
        out.add(paint["screen"], box((0.04, 0.66, 1.16), (0.055, 0, 0.02)))
        out.add(paint["receiver"], disc(0.06, 0.04, (0.06, 0, -0.63), "x", 14))
        out.add(paint["receiver"], box((0.04, 0.22, 0.03), (0.06, 0, 0.65)))
        out.add(paint["receiver"], rounded_box((0.05, 0.2, 0.3), (-0.07, 0.2, 0.48), 0.02))
        for z in (0.54, 0.42):
            out.add(INK, disc(0.06, 0.03, (-0.1, 0.2, z), "x", 10))
    return out
