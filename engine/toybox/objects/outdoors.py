"""Garden and street: tree, mushroom, cactus and house."""

from __future__ import annotations

import numpy as np

from engine.toybox.objects.assembly import Assembly, Paint
from engine.toybox.objects.details import (
    CREAM,
    DARK_GLASS,
    GLASS,
    GLOW,
    PAPER,
    STEEL,
    WOOD,
    add_pane,
    between,
    contrasting,
    shade,
)
from engine.toybox.objects.primitives import (
    Solid,
    ball,
    box,
    circle,
    lathe,
    loft,
    moved,
    rod,
    slab,
    tube,
    turned,
)


def build_tree(rng: np.random.Generator, paint: Paint) -> Assembly:
    """A conifer of stacked cones, or a leafy tree of round tufts, on a trunk."""
    out = Assembly()
    slim = rng.random()
    if rng.random() < 0.55:
        _add_conifer(out, paint, between(slim, 0.7, 0.46), rng)
    else:
        _add_crown(out, paint, between(slim, 0.62, 0.44), rng)
    out.describe(slim, "wide", "slim")
    return out


def _add_conifer(out: Assembly, paint: Paint, radius: float, rng: np.random.Generator) -> None:
    """Two to four overlapping cones, narrower towards the top."""
    out.nouns.append("pine")
    tiers, trunk = int(rng.integers(2, 5)), rng.uniform(0.5, 0.72)
    thick = rng.uniform(0.13, 0.19)
    out.add(paint["trunk"], rod((0, 0, 0), (0, 0, trunk + 0.2), 1.15 * thick, thick, 10))
    base, step = trunk, rng.uniform(1.25, 1.6) / (tiers + 0.7)
    for tier in range(tiers):
        wide, rise = radius * (1 - 0.66 * tier / tiers), (1.7 if tier == tiers - 1 else 1.45) * step
        tint = shade(paint["body"], 0.94 + 0.12 * tier / tiers)
        out.add(
            tint,
            moved(lathe([(0.3 * wide, 0.07), (wide, 0), (0.97 * wide, 0.06), (0, rise)], 16), (0, 0, base)),
        )
        base += step


def _add_crown(out: Assembly, paint: Paint, radius: float, rng: np.random.Generator) -> None:
    """A bare trunk with two branches under a cloud of overlapping balls."""
    trunk, thick = rng.uniform(0.55, 0.8), rng.uniform(0.11, 0.16)
    out.add(paint["trunk"], rod((0, 0, 0), (0, 0, trunk + 0.2), 1.35 * thick, 0.8 * thick, 10))
    top = trunk + 0.75 * radius
    out.add(paint["body"], ball((radius, radius, 0.9 * radius), (0, 0, top), 14, 8))
    tufts = int(rng.integers(4, 7))
    turn = rng.uniform(0, 2 * np.pi)
    for k in range(tufts):
        angle, size = turn + 2 * np.pi * k / tufts, radius * rng.uniform(0.48, 0.68)
        at = (
            0.68 * radius * np.cos(angle),
            0.68 * radius * np.sin(angle),
            top + radius * rng.uniform(-0.25, 0.4),
        )
        out.add(shade(paint["body"], rng.uniform(0.94, 1.06)), ball(size, at, 10, 6))
    out.add(paint["body"], ball(0.62 * radius, (0, 0, top + 0.62 * radius), 10, 6))


def build_mushroom(rng: np.random.Generator, paint: Paint) -> Assembly:
    """A domed cap with raised spots on a thick stem."""
    out = Assembly()
    wide, tall = rng.random(2)
    radius, dome, stem = between(wide, 0.52, 0.85), rng.uniform(0.36, 0.62), between(tall, 0.55, 0.95)
    thick = rng.uniform(0.2, 0.3)
    out.add(
        paint["stem"],
        lathe([(1.25 * thick, 0), (1.1 * thick, 0.12), (0.85 * thick, 0.6 * stem), (thick, stem + 0.06)], 14),
    )
    angle = np.deg2rad(np.linspace(0, 90, 7))
    curve = np.stack([radius * np.cos(angle), stem + dome * np.sin(angle)], 1)
    out.add(paint["body"], lathe([(0.92 * radius, stem - 0.05), *curve], 18))
    out.add(
        CREAM, lathe([(0.3 * radius, stem - 0.1), (0.82 * radius, stem - 0.068), (0.82 * radius, stem)], 16)
    )
    turn = rng.uniform(0, 2 * np.pi)
    size = rng.uniform(0.09, 0.13)
    spots = [(90, 0.0)] + [(48, k / 4) for k in range(4)] + [(20, (k + 0.5) / 6) for k in range(6)]
    for lift, share in spots[: int(rng.integers(9, 12))]:
        up, around = np.deg2rad(lift), turn + 2 * np.pi * share
        at = (
            radius * np.cos(up) * np.cos(around),
            radius * np.cos(up) * np.sin(around),
            stem + dome * np.sin(up),
        )
        out.add(paint["spots"], ball(size * rng.uniform(0.75, 1.15), at, 8, 5))
    out.describe(wide, "narrow", "wide")
    out.describe(tall, "short", "tall")
    return out


def _ribbed(radius: float, height: float, ribs: int = 9) -> Solid:
    """A ribbed column with a rounded top, standing on z = 0."""
    around = circle(2 * ribs) * np.where(np.arange(2 * ribs) % 2, 0.84, 1.0)[:, None]
    level = np.array([(0.75, 0), (0.95, 0.2), (1.0, 0.55), (0.95, 0.82), (0.72, 0.94), (0.3, 1.0)])
    rings = np.empty((len(level), 2 * ribs, 3))
    rings[:, :, :2] = radius * level[:, None, :1] * around
    rings[:, :, 2] = height * level[:, 1:]
    return loft(rings)


def build_cactus(rng: np.random.Generator, paint: Paint) -> Assembly:
    """A ribbed cactus with raised arms in a flower pot, flowers on top."""
    out = Assembly()
    slim = rng.random()
    radius, height = between(slim, 0.36, 0.22), between(slim, 0.7, 1.15)
    pot, deep = rng.uniform(0.36, 0.46), rng.uniform(0.36, 0.5)
    out.add(
        paint["pot"],
        lathe(
            [(0.7 * pot, -deep), (0.95 * pot, -0.12), (1.12 * pot, -0.12), (1.12 * pot, 0.03), (pot, 0.03)],
            16,
        ),
    )
    out.add(WOOD, lathe([(0.9 * pot, 0), (0.9 * pot, 0.05)], 14))
    out.add(paint["body"], _ribbed(radius, height))
    arm = rng.uniform(0.1, 0.13)
    sides = [1, -1] if rng.random() < 0.65 else [1 if rng.random() < 0.5 else -1]
    for side in sides:
        z, reach, rise = (
            rng.uniform(0.3, 0.5) * height,
            radius + rng.uniform(0.2, 0.3),
            rng.uniform(0.25, 0.42),
        )
        path = [
            (0, 0.6 * side * radius, z),
            (0, 0.8 * side * reach, z),
            (0, side * reach, z + 0.1),
            (0, side * reach, z + rise),
        ]
        out.add(paint["body"], tube(path, arm, 10), ball(arm, path[-1], 10, 6))
        _add_flower(out, paint, (0, side * reach, z + rise + 0.7 * arm), 0.085)
    _add_flower(out, paint, (0, 0, height), rng.uniform(0.11, 0.15))
    out.describe(slim, "chubby", "slim")
    return out


def _add_flower(out: Assembly, paint: Paint, at: tuple[float, float, float], size: float) -> None:
    """Five petals round a yellow heart."""
    for x, y in circle(5) * size:
        out.add(
            paint["flowers"],
            ball((0.8 * size, 0.8 * size, 0.5 * size), (at[0] + x, at[1] + y, at[2] + 0.2 * size), 7, 4),
        )
    out.add(GLOW, ball(0.6 * size, (at[0], at[1], at[2] + 0.5 * size), 7, 5))


def build_house(rng: np.random.Generator, paint: Paint) -> Assembly:
    """A house with its door at +x: walls, gable or hip roof, framed windows on all sides, a chimney."""
    out = Assembly()
    wide, storeys = rng.random(), 1 + int(rng.random() < 0.35)
    half_x, half_y = rng.uniform(0.42, 0.58), between(wide, 0.44, 0.78)
    wall = rng.uniform(0.62, 0.78) if storeys == 1 else rng.uniform(1.0, 1.2)
    out.add(paint["body"], box((2 * half_x, 2 * half_y, wall), (0, 0, 0.5 * wall)))
    rise = rng.uniform(0.42, 0.68)
    _add_roof(out, paint, half_x, half_y, wall, rise, int(rng.integers(3)))
    x, y = half_x * rng.uniform(-0.6, -0.3), half_y * rng.choice([-0.5, 0.5])
    brick = (0.6, 0.3, 0.24) if np.abs(paint["roof"] - (0.6, 0.3, 0.24)).sum() > 0.35 else STEEL
    out.add(brick, box((0.18, 0.18, 0.55 * rise + 0.3), (x, y, wall + 0.55 * rise)))
    door = 0.0 if storeys == 1 and wide < 0.3 else rng.choice([0.0, -0.42, 0.42]) * half_y
    _add_door(out, paint, half_x, door)
    _add_house_windows(out, paint, half_x, half_y, wall, storeys, door)
    out.describe(wide, "narrow", "wide")
    if storeys == 1:
        out.nouns.append("cottage")
    else:
        out.adjectives.append("tall")
    return out


def _add_roof(
    out: Assembly, paint: Paint, half_x: float, half_y: float, wall: float, rise: float, style: int
) -> None:
    """Gable with its ridge along y (0) or x (1), closed by body-coloured gable walls; or a hip roof (2)."""
    over = 0.12
    if style == 2:
        size = (2 * (half_x + over), 2 * (half_y + over), rise)
        out.add(paint["roof"], box(size, (0, 0, wall + 0.5 * rise - 0.02), (0.12, 0.35)))
        return
    across, along = (half_x, half_y) if style == 0 else (half_y, half_x)
    slope = rise / across
    eave, low = across + over, wall - over * slope
    pitch = np.array([(eave, low), (eave, low + 0.11), (0, wall + rise + 0.11), (0, wall + rise)])
    roof = [slab(pitch * (side, 1), 2 * (along + over)) for side in (1, -1)]
    filling = slab([(across, wall - 0.01), (0, wall + rise - 0.01), (-across, wall - 0.01)], 2 * along)
    if style == 1:
        roof, filling = [turned(side, "z", 90) for side in roof], turned(filling, "z", 90)
    out.add(paint["roof"], *roof)
    out.add(paint["body"], filling)


def _add_door(out: Assembly, paint: Paint, half_x: float, y: float) -> None:
    """A door with a knob, a pale frame and a step."""
    out.add(paint["door"], box((0.1, 0.26, 0.46), (half_x, y, 0.23)))
    out.add(contrasting(paint["body"], PAPER, WOOD), box((0.06, 0.36, 0.51), (half_x, y, 0.255)))
    out.add(contrasting(paint["door"], GLOW, DARK_GLASS), ball(0.035, (half_x + 0.06, y + 0.07, 0.22), 7, 5))
    out.add(STEEL, box((0.2, 0.4, 0.07), (half_x + 0.08, y, 0.0)))


def _add_house_windows(
    out: Assembly, paint: Paint, half_x: float, half_y: float, wall: float, storeys: int, door: float
) -> None:
    """Framed panes beside and above the door, at the back and at both sides."""
    glass = contrasting(paint["body"], GLASS, DARK_GLASS)
    frame = contrasting(paint["body"], PAPER, WOOD)
    low = 0.42 if storeys == 1 else 0.36
    levels = [low] if storeys == 1 else [low, wall - 0.26]
    for z in levels:
        for y in (-0.55 * half_y, 0.55 * half_y):
            if z > 0.6 or abs(y - door) > 0.3:
                add_pane(out, (half_x, y, z), (0.11, 0.2, 0.24), glass, frame, 0.035)
            add_pane(out, (-half_x, y, z), (0.11, 0.2, 0.24), glass, frame, 0.035)
        for sy in (-1, 1):
            add_pane(out, (0, sy * half_y, z), (0.24, 0.11, 0.24), glass, frame, 0.035)
