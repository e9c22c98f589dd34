"""Things that fly or sail: airplane, rocket and boat."""

from __future__ import annotations

import numpy as np

from engine.toybox.objects.assembly import Assembly, Paint
from engine.toybox.objects.details import (
    CREAM,
    DARK_GLASS,
    EMBER,
    GLASS,
    INK,
    PAPER,
    STEEL,
    WOOD,
    add_pane,
    between,
    contrasting,
)
from engine.toybox.objects.primitives import (
    Solid,
    ball,
    cone,
    disc,
    lathe,
    loft,
    moved,
    rod,
    rounded_box,
    slab,
    stretched,
    turned,
)


def build_airplane(rng: np.random.Generator, paint: Paint) -> Assembly:
    """A chubby airplane flying towards +x, with jets under the wings or a propeller on its nose."""
    out = Assembly()
    long, span = rng.random(2)
    half, radius = between(long, 0.8, 1.05), rng.uniform(0.2, 0.26)
    hull = [
        (0, -half),
        (0.35 * radius, -half + 0.03),
        (0.8 * radius, -0.45 * half),
        (radius, -0.1 * half),
        (radius, 0.55 * half),
        (0.8 * radius, 0.82 * half),
        (0.42 * radius, 0.97 * half),
        (0, half),
    ]
    out.add(paint["body"], turned(lathe(hull, 16), "y", 90))
    reach, sweep = between(span, 0.75, 1.1), rng.uniform(0.05, 0.4)
    level = rng.uniform(-0.12, 0.1)
    _add_wings(out, paint["wings"], 0.28, reach, sweep, rng.uniform(0.42, 0.6), level)
    tail = rng.uniform(0.34, 0.46)
    out.add(
        paint["tail"],
        moved(
            slab([(-0.34, 0), (0.08, 0), (-0.2, tail), (-0.4, tail)], 0.08), (-half + 0.3, 0, 0.4 * radius)
        ),
    )
    _add_wings(out, paint["tail"], -half + 0.34, 0.42, 0.16, 0.3, 0.25 * radius)
    _add_plane_windows(out, paint, half, radius)
    if rng.random() < 0.6:
        out.nouns.append("jet")
        for y in [-0.5 * reach, 0.5 * reach]:
            pod = turned(lathe([(0.06, -0.16), (0.1, 0.02), (0.09, 0.17)], 10), "y", 90)
            out.add(STEEL, moved(pod, (0.18 - 0.4 * sweep, y, level - 0.11)))
    else:
        out.add(
            INK,
            rounded_box((0.06, 0.11, rng.uniform(0.6, 0.75)), (half + 0.03, 0, 0), 0.03),
            cone((half - 0.05, 0, 0), (half + 0.14, 0, 0), 0.09),
        )
    out.describe(span, "narrow", "wide")
    return out


def _add_wings(
    out: Assembly, colour: np.ndarray, front: float, reach: float, sweep: float, chord: float, z: float
) -> None:
    """A pair of flat wings; leading edge at x = `front`, swept back by `sweep` at the tips."""
    tip = 0.5 * chord
    half = [(front, 0), (front - chord, 0), (front - sweep - tip, reach), (front - sweep, reach)]
    plan = turned(slab([(x, -y) for x, y in half], 0.08, 0.04), "x", 90)
    out.add(colour, moved(plan, (0, 0, z)), moved(stretched(plan, (1, -1, 1)), (0, 0, z)))


def _add_plane_windows(out: Assembly, paint: Paint, half: float, radius: float) -> None:
    """A row of round windows on both sides and a cockpit pane."""
    glass = contrasting(paint["body"], GLASS, DARK_GLASS)
    for x in np.linspace(-0.35, 0.42, 5) * half:
        out.add(glass, disc(0.055, 2 * radius + 0.01, (x, 0, 0.42 * radius), "y", 8))
    out.add(glass, ball((0.17, 0.7 * radius, 0.55 * radius), (0.72 * half, 0, 0.5 * radius), 10, 6))


def build_rocket(rng: np.random.Generator, paint: Paint) -> Assembly:
    """A toy rocket standing on its fins, with portholes at +x."""
    out = Assembly()
    slim = rng.random()
    radius, height = between(slim, 0.42, 0.26), rng.uniform(1.0, 1.3)
    foot = radius * rng.uniform(0.6, 0.9)
    out.add(
        paint["body"],
        lathe([(foot, 0), (radius, 0.35 * height), (radius, 0.6 * height), (0.84 * radius, height)], 18),
    )
    tip = rng.uniform(0.4, 0.65)
    base = 0.87 * radius
    out.add(
        paint["nose"],
        lathe(
            [
                (base, height - 0.03),
                (base, height + 0.02),
                (0.6 * base, height + 0.5 * tip),
                (0.06, height + tip),
            ],
            18,
        ),
    )
    out.add(INK, lathe([(0.75 * foot, -0.14), (0.5 * foot, 0.02)], 12))
    out.add(EMBER, cone((0, 0, -0.1), (0, 0, -rng.uniform(0.28, 0.45)), 0.55 * foot))
    reach, rise = rng.uniform(0.3, 0.46), rng.uniform(0.42, 0.6)
    fin = [(0.3 * foot, 0.05), (radius + reach, -0.22), (radius + reach, 0.02), (0.5 * radius, rise)]
    count = int(rng.integers(3, 5))
    for k in range(count):
        out.add(paint["fins"], turned(slab(fin, 0.1, 0.05), "z", 360 * (k + 0.5) / count))
    for z in [0.68 * height, 0.36 * height][: int(rng.integers(1, 3))]:
        size = 0.44 * radius
        out.add(STEEL, disc(1.3 * size, 0.16, (radius - 0.06, 0, z), "x"))
        out.add(contrasting(STEEL, GLASS, DARK_GLASS), disc(size, 0.2, (radius - 0.06, 0, z), "x"))
    out.describe(slim, "chubby", "slim")
    return out


def build_boat(rng: np.random.Generator, paint: Paint) -> Assembly:
    """A sailing boat with its bow at +x: hull with deck, mast, mainsail, jib and a pennant."""
    out = Assembly()
    long, tall = rng.random(2)
    half, beam, depth = between(long, 0.7, 0.95), rng.uniform(0.33, 0.44), rng.uniform(0.34, 0.44)
    out.add(paint["body"], _hull(half, beam, depth, 1.0, 0.0))
    out.add(CREAM, _hull(0.86 * half, 0.8 * beam, 0.2, 0.6, 0.025))
    mast = between(tall, 0.95, 1.45)
    at = 0.12 * half
    out.add(WOOD, rod((at, 0, -0.1), (at, 0, mast), 0.055, 0.045))
    main = [(at - 0.07, 0.2), (at - 0.07, mast - 0.06), (-0.92 * half, 0.2)]
    out.add(paint["sail"], slab(main, 0.07))
    if rng.random() < 0.7:
        out.add(
            paint["sail"],
            slab([(at + 0.08, 0.28), (0.95 * half, 0.2), (at + 0.08, rng.uniform(0.65, 0.85) * mast)], 0.07),
        )
    pennant = [(at, mast + 0.08), (at - 0.34, mast - 0.02), (at, mast - 0.1)]
    out.add(
        paint["flag"],
        moved(slab(pennant, 0.08), (0, 0, 0.1)),
        rod((at, 0, mast - 0.1), (at, 0, mast + 0.22), 0.05),
    )
    if rng.random() < 0.35:
        add_pane(out, (-0.35 * half, 0, 0.08), (0.3, 0.3, 0.2), contrasting(paint["body"], PAPER, WOOD))
    out.describe(tall, "short", "tall")
    return out


def _hull(half: float, beam: float, depth: float, bow: float, top: float) -> Solid:
    """Stations along x: a broad transom, full middle, narrow raised bow; the deck lies at z = `top`."""
    stations = [
        (-half, 0.72, 0.72),
        (-0.4 * half, 1.0, 0.95),
        (0.25 * half, 0.95, 1.0),
        (0.72 * half, 0.5, 0.8),
        (1.05 * half, 0.05, 0.25),
    ]
    section = np.array([(1.0, 0.0), (0.9, -0.5), (0.5, -0.95), (-0.5, -0.95), (-0.9, -0.5), (-1.0, 0.0)])
    rings = np.empty((len(stations), len(section), 3))
    for ring, (x, wide, deep) in zip(rings, stations, strict=True):
        rise = 0.14 * bow * max(x / half, -0.2) ** 2
        ring[:, 0] = x + 0.08 * bow * (section[:, 1] + 1) * (x > 0.5 * half)
        ring[:, 1] = beam * wide * section[:, 0]
        ring[:, 2] = top + rise + depth * deep * section[:, 1] + rise * section[:, 1]
    return loft(rings)
