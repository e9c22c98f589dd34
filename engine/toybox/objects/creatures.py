"""Animals: bird, cat and fish, all looking towards +x."""

from __future__ import annotations

import numpy as np

from engine.toybox.objects.assembly import Assembly, Paint
from engine.toybox.objects.details import BLUSH, EMBER, INK, PAPER, add_eye, arc, between, contrasting, shade
from engine.toybox.objects.primitives import (
    ball,
    circle,
    cone,
    loft,
    moved,
    rod,
    slab,
    stretched,
    tube,
    turned,
)


def build_bird(rng: np.random.Generator, paint: Paint) -> Assembly:
    """A plump bird: leaning body, round head, beak, folded or lifted wings, fan tail, two legs."""
    out = Assembly()
    chubby, lean = rng.random(), rng.uniform(8, 32)
    length, girth = rng.uniform(0.56, 0.66), between(chubby, 0.34, 0.48)
    out.add(paint["body"], turned(ball((length, girth, girth * 1.02), (0, 0, 0), 16, 9), "y", -lean))
    head = rng.uniform(0.27, 0.34)
    hx, hz = 0.78 * length, 0.3 + 0.35 * girth + 0.004 * lean
    out.add(paint["body"], ball(head, (hx, 0, hz), 14, 8))
    long_beak = rng.uniform(0.2, 0.36)
    out.add(
        paint["beak"], cone((hx + 0.8 * head, 0, hz - 0.04), (hx + head + long_beak, 0, hz - 0.08), 0.115, 8)
    )
    for sy in (-1, 1):
        add_eye(out, (hx + 0.6 * head, sy * 0.62 * head, hz + 0.25 * head), 0.105, (0.6, sy * 0.8, 0.0))
    lift = rng.uniform(0, 24) if rng.random() < 0.6 else rng.uniform(45, 75)
    wing = turned(ball((rng.uniform(0.36, 0.46), 0.09, 0.25), (-0.1, 0, -0.14), 12, 7), "x", lift)
    for side in (
        moved(wing, (-0.02, girth, 0.16)),
        moved(stretched(wing, (1, -1, 1)), (-0.02, -girth, 0.16)),
    ):
        out.add(shade(paint["wings"], 0.9), side)
    fan = turned(slab([(0.1, -0.06), (-0.42, -0.2), (-0.48, 0), (-0.42, 0.2), (0.1, 0.06)], 0.1), "x", 90)
    out.add(
        shade(paint["wings"], 0.9),
        moved(turned(fan, "y", rng.uniform(-5, 35)), (-0.88 * length, 0, -0.004 * lean * length)),
    )
    if rng.random() < 0.35:
        out.add(paint["wings"], cone((hx, 0, hz + 0.75 * head), (hx - 0.2, 0, hz + head + 0.24), 0.13, 7))
    for sy in (-1, 1):
        out.add(EMBER, rod((0.02, 0.16 * sy, -0.2), (0.05, 0.17 * sy, -girth - 0.26), 0.055, segments=6))
        out.add(EMBER, ball((0.15, 0.09, 0.05), (0.11, 0.17 * sy, -girth - 0.26), 8, 4))
    out.describe(chubby, "slim", "chubby")
    return out


def _add_cat_head(out: Assembly, paint: Paint, at: np.ndarray, size: float, rng: np.random.Generator) -> None:
    """A broad head with pointed ears, large eyes, a muzzle and whisker cheeks."""
    body = paint["body"]
    out.add(body, ball((0.9 * size, 1.08 * size, 0.92 * size), at, 16, 9))
    tall = rng.uniform(0.85, 1.15) * size
    iris = [(0.98, 0.83, 0.25), (0.55, 0.85, 0.35), PAPER][int(rng.integers(3))]
    for sy in (-1, 1):
        root, tip = (
            at + (0.0, 0.58 * sy * size, 0.5 * size),
            at + (0.05 * size, 0.86 * sy * size, 0.62 * size + tall),
        )
        out.add(body, cone(root, tip, 0.5 * size, 8))
        inset = np.array([0.3 * size, 0, 0])
        out.add(
            BLUSH,
            cone(root + inset + (0, 0, 0.2 * size), tip - (0, 0, 0.28 * size) + 0.75 * inset, 0.24 * size, 6),
        )
        add_eye(
            out, at + (0.72 * size, 0.42 * sy * size, 0.14 * size), 0.26 * size, (0.95, 0.2 * sy, 0), iris
        )
        out.add(
            PAPER,
            ball(
                (0.2 * size, 0.25 * size, 0.2 * size),
                at + (0.86 * size, 0.19 * sy * size, -0.34 * size),
                9,
                6,
            ),
        )
    out.add(
        BLUSH if np.sum(np.abs(body - BLUSH)) > 0.3 else INK,
        ball(0.13 * size, at + (1.03 * size, 0, -0.18 * size), 8, 5),
    )


def build_cat(rng: np.random.Generator, paint: Paint) -> Assembly:
    """A cat, sitting or standing, with a curling tail and coloured paws."""
    out = Assembly()
    chubby = rng.random()
    girth, size = between(chubby, 0.26, 0.38), rng.uniform(0.34, 0.41)
    build = _add_sitting_cat if rng.random() < 0.5 else _add_standing_cat
    build(out, paint, girth, size, rng)
    out.describe(chubby, "slim", "chubby")
    return out


def _add_sitting_cat(
    out: Assembly, paint: Paint, girth: float, size: float, rng: np.random.Generator
) -> None:
    """Upright pear body, front legs, haunches, tail curling round the back."""
    tall = rng.uniform(0.5, 0.62)
    out.add(paint["body"], turned(ball((girth * 1.15, girth * 1.15, tall), (0, 0, 0), 14, 9), "y", 12))
    _add_cat_head(out, paint, np.array([0.2, 0, tall + 0.5 * size]), size, rng)
    for sy in (-1, 1):
        out.add(paint["body"], rod((0.24, 0.17 * sy, 0.1), (0.32, 0.17 * sy, -tall + 0.02), 0.1, 0.09))
        out.add(paint["body"], ball((0.3, 0.17, 0.26), (-0.02, sy * girth, -tall + 0.2), 12, 7))
        out.add(paint["paws"], ball((0.17, 0.13, 0.11), (0.38, 0.17 * sy, -tall + 0.04), 10, 6))
        out.add(paint["paws"], ball((0.17, 0.13, 0.1), (0.2, sy * (girth + 0.04), -tall + 0.03), 10, 6))
    side = 1 if rng.random() < 0.5 else -1
    turn = np.linspace(0, 1, 9)
    rise = rng.uniform(0.45, 0.8)
    path = np.stack(
        [
            -girth - 0.05 - 0.38 * np.sin(np.pi * 0.62 * turn),
            0.18 * side * turn,
            -tall + 0.14 + rise * turn**2,
        ],
        1,
    )
    out.add(paint["tail"], tube(path, np.linspace(0.105, 0.08, 9), 8), ball(0.082, path[-1], 8, 6))


def _add_standing_cat(
    out: Assembly, paint: Paint, girth: float, size: float, rng: np.random.Generator
) -> None:
    """Long body on four legs, tail up."""
    length, drop = rng.uniform(0.55, 0.68), rng.uniform(0.5, 0.62)
    out.add(paint["body"], ball((length, girth, girth * 1.02), (0, 0, 0), 16, 9))
    _add_cat_head(out, paint, np.array([length + 0.02, 0, 0.26 + 0.4 * girth]), size, rng)
    for sx in (-0.62, 0.62):
        for sy in (-1, 1):
            x, y = sx * length, sy * 0.56 * girth
            out.add(paint["body"], rod((x, y, 0), (x, y, -drop + 0.03), 0.12, 0.095))
            out.add(paint["paws"], ball((0.16, 0.12, 0.12), (x + 0.04, y, -drop + 0.03), 10, 6))
    rise = rng.uniform(0.5, 0.8)
    path = arc((-length + 0.04, 0, rise), (rng.uniform(0.2, 0.38), rise), 270, 150, "xz", 9)
    out.add(paint["tail"], tube(path, np.linspace(0.1, 0.08, 9), 8), ball(0.082, path[-1], 8, 6))


def build_fish(rng: np.random.Generator, paint: Paint) -> Assembly:
    """A fish swimming towards +x: deep oval body, forked tail, fins, big eyes, stripes and a mouth."""
    out = Assembly()
    deep = rng.random()
    tall, thick, half = between(deep, 0.34, 0.62), rng.uniform(0.24, 0.32), 0.72
    along = np.array([-1.0, -0.85, -0.6, -0.3, 0.05, 0.4, 0.7, 0.9, 1.0])
    swell = np.array([0.16, 0.24, 0.5, 0.82, 1.0, 0.97, 0.75, 0.42, 0.12])
    rings = _sections(half * along, tall * swell, thick * swell)
    out.add(paint["body"], loft(rings))
    for x in (-0.42, 0.02)[: int(rng.integers(1, 3))] if deep < 0.3 else (-0.42, 0.02):
        near = np.interp([x - 0.09, x, x + 0.09], along, swell)
        band = _sections(half * np.array([x - 0.09, x, x + 0.09]), tall * near + 0.025, thick * near + 0.025)
        out.add(paint["stripes"], loft(band))
    for sy in (-1, 1):
        side = thick * 0.78
        add_eye(out, (0.64 * half, sy * (side - 0.06), 0.2 * tall), 0.13, (0.3, 0.95 * sy, 0.0))
        fin = turned(slab([(0.1, 0.0), (-0.28, 0.16), (-0.34, -0.12)], 0.07), "z", -28 * sy)
        out.add(paint["fins"], moved(fin, (0.12, sy * (thick + 0.05), -0.22 * tall)))
    fork, reach = rng.uniform(0.3, 0.48), rng.uniform(0.34, 0.5)
    tail = [
        (-half + 0.08, 0.06),
        (-half - reach, fork),
        (-half - 0.55 * reach, 0),
        (-half - reach, -fork),
        (-half + 0.08, -0.06),
    ]
    crest = rng.uniform(0.18, 0.34)
    back = [
        (0.42, 0.72 * tall),
        (0.05, 0.9 * tall + crest),
        (-0.38, 0.74 * tall + 0.7 * crest),
        (-0.4, 0.5 * tall),
    ]
    keel = [(0.08, -0.8 * tall), (-0.3, -0.8 * tall - 0.7 * crest), (-0.36, -0.5 * tall)]
    out.add(paint["fins"], slab(tail, 0.09), slab(back, 0.09), slab(keel, 0.09))
    out.add(
        contrasting(paint["body"], BLUSH, shade(BLUSH, 0.55)),
        ball((0.06, 0.11, 0.07), (half, 0, -0.04), 8, 6),
    )
    out.describe(deep, "slim", "round")
    return out


def _sections(x: np.ndarray, tall: np.ndarray, thick: np.ndarray) -> np.ndarray:
    """Elliptic rings (R,16,3) standing across the x axis."""
    around = circle(16)
    rings = np.empty((len(x), len(around), 3))
    rings[:, :, 0] = x[:, None]
    rings[:, :, 1] = thick[:, None] * around[:, 0]
    rings[:, :, 2] = tall[:, None] * around[:, 1]
    return rings
