"""More animals, all looking towards +x."""

from __future__ import annotations

import numpy as np

from engine.toybox.objects.assembly import Assembly, Paint
from engine.toybox.objects.details import BLUSH, CREAM, INK, add_eye, arc, between, contrasting, shade
from engine.toybox.objects.primitives import ball, cone, disc, rod, tube
from engine.toybox.objects.quadruped import Plan, add_ears, add_snout, add_tail, body_of, jittered

Draws = np.random.Generator


def build_fox(rng: Draws, paint: Paint) -> Assembly:
    """A fox: pointed ears and snout, a bushy tail with a bright tip."""
    out = Assembly()
    plan = jittered(Plan(0.5, 0.19, 0.5, 0.07, 0.21, (0.14, 0.26), 0.2), rng)
    at = body_of(out, plan, paint["body"], paint["paws"])
    add_snout(out, at, plan.head, 0.16, paint["body"])
    add_ears(out, at, plan.head, 1.2, 0.25, paint["body"], 0.4)
    root = np.array([-0.9 * plan.length, 0, plan.height + 0.05])
    rise = rng.uniform(-0.1, 0.4)
    bush = [root, root + (-0.25, 0, 0.3 * rise), root + (-0.5, 0, 0.8 * rise), root + (-0.72, 0, 1.1 * rise)]
    out.add(paint["body"], tube(bush[:3], [0.08, 0.17, 0.16], 10))
    out.add(paint["tail"], tube(bush[2:], [0.16, 0.03], 10))
    return out


def build_camel(rng: Draws, paint: Paint) -> Assembly:
    """A camel: one hump or two, long legs, a curved neck, a saddle-cloth."""
    out = Assembly()
    plan = jittered(Plan(0.56, 0.25, 0.86, 0.08, 0.17, (0.34, 0.5), 0.12), rng)
    at = body_of(out, plan, paint["body"], paint["body"])
    add_snout(out, at, plan.head, 0.12, paint["body"])
    add_ears(out, at, plan.head, 0.5, 0.3, paint["body"])
    add_tail(out, plan, 0.4, 0.03, paint["body"], 0.05)
    humps = (-0.28, 0.22) if rng.random() < 0.5 else (0.0,)
    for x in humps:
        out.add(paint["hump"], ball((0.22, 0.17, 0.4), (x, 0, plan.height + 0.3), 12, 8))
    out.add(paint["cloth"], tube(arc((-0.03, 0, plan.height), (0.28, 0.29), 0, 180, "yz", 11), 0.13, 8, 0.25))
    return out


def build_mouse(rng: Draws, paint: Paint) -> Assembly:
    """A mouse: a drop of a body, large round ears, a long thin tail, whiskers."""
    out = Assembly()
    chubby = rng.random()
    girth = between(chubby, 0.3, 0.42)
    out.add(paint["body"], ball((0.55, girth, 0.95 * girth), (-0.1, 0, girth), 16, 9))
    out.add(
        paint["body"],
        rod((0.15, 0, girth), (0.66, 0, 0.75 * girth), 0.8 * girth, 0.1, 12),
        ball(0.1, (0.66, 0, 0.75 * girth)),
    )
    out.add(BLUSH, ball(0.065, (0.76, 0, 0.78 * girth), 8, 5))
    for sy in (-1, 1):
        out.add(paint["ears"], ball((0.05, 0.2, 0.2), (0.24, sy * 0.28, 1.75 * girth), 12, 7))
        add_eye(out, (0.5, sy * 0.5 * girth, 1.15 * girth), 0.075, (0.6, sy * 0.7, 0.3))
        for x in (-0.35, 0.2):
            out.add(paint["ears"], ball((0.11, 0.07, 0.05), (x, sy * 0.75 * girth, 0.05), 8, 5))
        for lift in (-0.05, 0.05):
            out.add(INK, rod((0.66, sy * 0.06, 0.72 * girth), (0.6, sy * 0.36, 0.72 * girth + lift), 0.012))
    swing = rng.uniform(-0.3, 0.3)
    tail = [
        (-0.6, 0, 0.6 * girth),
        (-0.85, 0.5 * swing, 0.25),
        (-1.15, swing, 0.12),
        (-1.4, 0.3 * swing, 0.25),
    ]
    out.add(paint["tail"], tube(tail, [0.06, 0.05, 0.04, 0.025], 7))
    out.describe(chubby, "slim", "chubby")
    return out


def build_hedgehog(rng: Draws, paint: Paint) -> Assembly:
    """A hedgehog: a half ball of spines, a pointed face, short feet."""
    out = Assembly()
    radius = rng.uniform(0.5, 0.6)
    out.add(paint["spines"], ball((1.1 * radius, radius, radius), (0, 0, radius), 16, 9))
    for k in range(72):
        z = 1 - 1.35 * (k + 0.5) / 72
        flat, angle = np.sqrt(1 - z * z), k * np.pi * (3 - 5**0.5)
        way = np.array([flat * np.cos(angle), flat * np.sin(angle), z])
        if way[0] < 0.72:
            root = way * (1.05 * radius, 0.95 * radius, 0.95 * radius) + (0, 0, radius)
            out.add(
                paint["spines"] if k % 3 else shade(paint["spines"], 1.5),
                cone(root, root + way * 0.24 + (-0.08, 0, 0.02), 0.07, 5),
            )
    out.add(
        paint["body"], rod((0.3, 0, 0.8 * radius), (1.5 * radius, 0, 0.55 * radius), 0.6 * radius, 0.1, 12)
    )
    out.add(paint["body"], ball((1.05 * radius, 0.85 * radius, 0.35 * radius), (0.1, 0, 0.3 * radius), 14, 8))
    out.add(INK, ball(0.09, (1.56 * radius, 0, 0.58 * radius), 9, 6))
    for sy in (-1, 1):
        add_eye(out, (1.05 * radius, sy * 0.3 * radius, 1.02 * radius), 0.07, (0.8, sy * 0.5, 0.3))
        out.add(
            paint["body"], ball((0.05, 0.11, 0.11), (0.7 * radius, sy * 0.55 * radius, 1.35 * radius), 9, 5)
        )
        for x in (-0.5, 0.6):
            out.add(paint["paws"], ball((0.14, 0.1, 0.1), (x * radius, sy * 0.55 * radius, 0.04), 9, 5))
    return out


def build_monkey(rng: Draws, paint: Paint) -> Assembly:
    """A sitting monkey: a bright face, round ears, long arms and a curled tail."""
    out = Assembly()
    girth = rng.uniform(0.3, 0.38)
    out.add(paint["body"], ball((0.9 * girth, girth, 0.46), (0, 0, 0.42), 14, 9))
    out.add(paint["face"], ball((0.16, 0.7 * girth, 0.32), (0.72 * girth, 0, 0.4), 12, 7))
    at = np.array([0.05, 0, 1.1])
    out.add(paint["body"], ball((0.3, 0.33, 0.32), at, 16, 9))
    out.add(paint["face"], ball((0.14, 0.25, 0.15), at + (0.22, 0, -0.1), 12, 7))
    out.add(INK, tube(arc(at + (0.35, 0, -0.08), (0.1, 0.06), 200, 340, "yz", 7), 0.018, 5))
    for sy in (-1, 1):
        out.add(paint["face"], ball((0.12, 0.13, 0.12), at + (0.2, sy * 0.11, 0.08), 10, 6))
        add_eye(out, at + (0.28, sy * 0.1, 0.1), 0.055)
        out.add(paint["ears"], disc(0.14, 0.08, at + (0, sy * 0.38, 0.02), "x", 14))
        out.add(
            paint["body"],
            tube(
                [(0, sy * girth, 0.72), (0.12, sy * (girth + 0.26), 0.42), (0.34, sy * (girth + 0.1), 0.1)],
                0.085,
                8,
            ),
        )
        out.add(paint["face"], ball(0.1, (0.36, sy * (girth + 0.08), 0.08), 9, 5))
        out.add(
            paint["body"], tube([(0, sy * 0.24, 0.14), (0.36, sy * 0.34, 0.3), (0.5, sy * 0.3, 0.06)], 0.1, 8)
        )
        out.add(paint["face"], ball((0.16, 0.09, 0.07), (0.56, sy * 0.3, 0.05), 9, 5))
    curl = np.deg2rad(np.linspace(0, 430, 22))
    shrink = np.linspace(0.34, 0.1, 22)
    tail = np.stack([-0.62 - shrink * np.sin(curl), 0 * curl, 0.36 + shrink * (1 - np.cos(curl))], 1)
    out.add(paint["body"], tube(np.concatenate([[(-0.2, 0, 0.2)], tail]), 0.055, 7))
    return out


def build_crab(rng: Draws, paint: Paint) -> Assembly:
    """A crab: a flat shell, eyes on stalks, two claws, six legs."""
    out = Assembly()
    wide = rng.uniform(0.55, 0.7)
    out.add(paint["body"], ball((0.42, wide, 0.24), (0, 0, 0.36), 18, 9))
    for sy in (-1, 1):
        out.add(paint["body"], rod((0.3, sy * 0.16, 0.45), (0.36, sy * 0.18, 0.76), 0.04))
        add_eye(out, (0.36, sy * 0.18, 0.8), 0.085)
        out.add(
            paint["claws"],
            tube(
                [
                    (0.2, sy * 0.8 * wide, 0.36),
                    (0.42, sy * (wide + 0.2), 0.4),
                    (0.62, sy * (wide + 0.05), 0.5),
                ],
                0.075,
                8,
            ),
        )
        claw = np.array([0.74, sy * (wide - 0.02), 0.54])
        out.add(paint["claws"], ball((0.2, 0.15, 0.14), claw, 12, 7))
        for tip in (0.1, -0.14):
            out.add(
                paint["claws"],
                cone(claw + (0.08, sy * tip, 0.02), claw + (0.36, sy * (tip - 0.05), 0.06), 0.09, 8),
            )
        for x in (0.12, -0.1, -0.3):
            knee = (1.4 * x, sy * (wide + 0.24), 0.42)
            out.add(
                paint["legs"],
                tube(
                    [(x, sy * 0.75 * wide, 0.32), knee, (1.8 * x, sy * (wide + 0.4), 0.0)],
                    [0.06, 0.05, 0.02],
                    7,
                ),
            )
    spots = contrasting(paint["body"], CREAM, INK)
    for x, y in ((-0.1, 0.2), (-0.12, -0.22), (0.12, 0.02)):
        out.add(spots, ball((0.06, 0.06, 0.04), (x, y, 0.57), 8, 4))
    return out


def build_ladybug(rng: Draws, paint: Paint) -> Assembly:
    """A ladybird: two spotted wing covers, a head with feelers, six feet."""
    out = Assembly()
    high = rng.uniform(0.46, 0.6)
    out.add(paint["body"], ball((0.66, 0.58, high), (0, 0, 0.12), 20, 10))
    out.add(paint["head"], ball((0.26, 0.36, 0.28), (0.6, 0, 0.2), 14, 8))
    out.add(paint["head"], tube(arc((-0.02, 0, 0.12), (0.65, high + 0.01), 15, 165, "xz", 15), 0.03, 6))
    for x, y in ((0.25, 0.24), (-0.05, 0.34), (-0.35, 0.22), (0.02, 0.1)):
        z = 0.12 + high * np.sqrt(max(0.05, 1 - (x / 0.66) ** 2 - (y / 0.58) ** 2))
        for sy in (-1, 1):
            out.add(paint["spots"], ball(0.1, (x, sy * y, z - 0.04), 9, 6))
    for sy in (-1, 1):
        add_eye(out, (0.78, sy * 0.17, 0.3), 0.07, (0.8, sy * 0.5, 0.2))
        out.add(
            paint["head"],
            tube([(0.72, sy * 0.1, 0.42), (0.86, sy * 0.18, 0.6), (0.96, sy * 0.2, 0.62)], 0.022, 5),
        )
        for x in (-0.35, 0.0, 0.35):
            out.add(
                paint["head"],
                tube([(x, sy * 0.4, 0.1), (x, sy * 0.68, 0.12), (x, sy * 0.74, -0.04)], 0.04, 6),
            )
    return out
