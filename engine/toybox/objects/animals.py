"""Animals of the house and the farm, all looking towards +x."""

from __future__ import annotations

import numpy as np

from engine.toybox.objects.assembly import Assembly, Paint
from engine.toybox.objects.details import BLUSH, INK, add_eye, arc, between
from engine.toybox.objects.primitives import ball, box, cone, disc, moved, rod, tube, turned
from engine.toybox.objects.quadruped import Plan, add_ears, add_snout, add_tail, body_of, jittered

Draws = np.random.Generator


def build_dog(rng: Draws, paint: Paint) -> Assembly:
    """A dog: floppy or pointed ears, a collar, a raised tail."""
    out = Assembly()
    long, tall = rng.random(2)
    plan = jittered(
        Plan(between(long, 0.5, 0.72), 0.24, between(tall, 0.42, 0.66), 0.085, 0.25, (0.14, 0.36), 0.16), rng
    )
    at = body_of(out, plan, paint["body"], paint["body"])
    add_snout(out, at, plan.head, rng.uniform(0.1, 0.22), paint["body"])
    if rng.random() < 0.6:
        for sy in (-1, 1):
            out.add(paint["ears"], ball((0.1, 0.07, 0.22), at + (-0.05, sy * 0.27, 0.0), 10, 6))
    else:
        add_ears(out, at, plan.head, 1.0, 0.15, paint["ears"], 0.36)
    out.add(paint["collar"], rod(at + (-0.13, 0, -0.24), at + (-0.09, 0, -0.15), 0.215, 0.2, 12))
    add_tail(out, plan, -rng.uniform(0.15, 0.4), 0.06, paint["body"])
    out.describe(tall, "short", "tall")
    out.describe(long, "short", "long")
    return out


def build_horse(rng: Draws, paint: Paint) -> Assembly:
    """A horse: long legs, an upright neck with a mane, a long head, a hanging tail, now and then a saddle."""
    out = Assembly()
    plan = jittered(Plan(0.66, 0.27, 0.86, 0.075, 0.18, (0.22, 0.62), 0.3, INK), rng)
    at = body_of(out, plan, paint["body"], paint["body"])
    add_snout(out, at, plan.head, rng.uniform(0.22, 0.3), paint["body"])
    add_ears(out, at, plan.head, 0.9, 0.1, paint["body"], 0.3)
    for share in np.linspace(0.05, 1.0, 6):
        root = (
            np.array([0.5 * plan.length, 0, plan.height + 0.22]) * (1 - share)
            + (at + (-0.14, 0, 0.12)) * share
        )
        out.add(paint["mane"], ball((0.12, 0.06, 0.15), root, 8, 5))
    root = np.array([-0.95 * plan.length, 0, plan.height + 0.12])
    out.add(
        paint["tail"], tube([root, root + (-0.16, 0, -0.1), root + (-0.22, 0, -0.62)], [0.06, 0.1, 0.05], 8)
    )
    if "saddle" in paint:
        out.add(paint["saddle"], ball((0.26, 0.3, 0.1), (-0.02, 0, plan.height + 0.95 * plan.girth), 12, 6))
        for sy in (-1, 1):
            out.add(paint["saddle"], box((0.3, 0.05, 0.34), (-0.02, sy * plan.girth, plan.height + 0.08)))
    return out


def build_cow(rng: Draws, paint: Paint) -> Assembly:
    """A cow: a heavy trunk with patches, horns, an udder."""
    out = Assembly()
    plan = jittered(Plan(0.7, 0.33, 0.66, 0.09, 0.22, (0.24, 0.22), 0.16), rng)
    at = body_of(out, plan, paint["body"], paint["body"])
    add_snout(out, at, plan.head, 0.1, BLUSH)
    for sy in (-1, 1):
        horn = at + (-0.05, sy * 0.15, 0.16)
        out.add(paint["horns"], cone(horn, horn + (0.05, sy * 0.14, 0.22), 0.06, 8))
        out.add(paint["body"], ball((0.05, 0.15, 0.07), at + (-0.06, sy * 0.28, 0.08), 8, 5))
    for _ in range(6):
        angle, x = rng.uniform(20, 160), rng.uniform(-0.55, 0.45) * plan.length
        reach = plan.girth * np.sqrt(1 - (x / plan.length) ** 2)
        at_patch = (x, reach * np.cos(np.deg2rad(angle)), plan.height + reach * np.sin(np.deg2rad(angle)))
        out.add(paint["spots"], ball((rng.uniform(0.12, 0.2), 0.11, 0.11), at_patch, 8, 5))
    out.add(BLUSH, ball(0.13, (-0.3, 0, plan.height - plan.girth), 8, 5))
    add_tail(out, plan, 0.45, 0.04, paint["body"], 0.07)
    return out


def build_pig(rng: Draws, paint: Paint) -> Assembly:
    """A pig: a barrel on short legs, a flat snout, a curled tail."""
    out = Assembly()
    chubby = rng.random()
    plan = jittered(Plan(0.6, between(chubby, 0.33, 0.43), 0.5, 0.1, 0.27, (0.1, 0.08), 0.1), rng)
    at = body_of(out, plan, paint["body"], paint["body"])
    out.add(paint["snout"], disc(0.15, 0.2, at + (0.3, 0, -0.04), "x", 12))
    for sy in (-1, 1):
        out.add(INK, ball(0.035, at + (0.41, sy * 0.055, -0.03), 6, 4))
    add_ears(out, at, plan.head, 0.75, 0.25, paint["ears"], 0.4)
    curl = arc((-0.95 * plan.length - 0.06, 0, plan.height + 0.14), (0.1, 0.1), 300, 20, "xz", 8)
    out.add(paint["body"], tube(curl, 0.035, 6))
    out.describe(chubby, "slim", "chubby")
    return out


def build_sheep(rng: Draws, paint: Paint) -> Assembly:
    """A sheep: a fleece of many balls, a bare face and thin legs."""
    out = Assembly()
    plan = jittered(Plan(0.52, 0.33, 0.56, 0.06, 0.2, (0.24, 0.2), 0.1), rng)
    at = body_of(out, plan, paint["head"], paint["legs"])
    add_snout(out, at, plan.head, 0.06, paint["head"])
    for sy in (-1, 1):
        out.add(paint["head"], ball((0.05, 0.15, 0.07), at + (-0.05, sy * 0.24, 0.06), 8, 5))
    for x in np.linspace(-1, 0.8, 4):
        for angle in (-30, 38, 142, 210):
            size = plan.girth * np.sqrt(max(0.15, 1 - (0.9 * x) ** 2))
            y, z = size * np.cos(np.deg2rad(angle)), size * np.sin(np.deg2rad(angle))
            out.add(
                paint["body"],
                ball(0.24 * rng.uniform(0.9, 1.15), (x * plan.length, y, plan.height + z), 6, 4),
            )
    out.add(paint["body"], ball((0.15, 0.17, 0.13), at + (-0.06, 0, 0.17), 9, 5))
    return out


def build_rabbit(rng: Draws, paint: Paint) -> Assembly:
    """A crouching rabbit: long upright ears, strong hind legs, a round tail."""
    out = Assembly()
    long = rng.random()
    out.add(paint["body"], turned(ball((0.5, 0.34, 0.36), (0, 0, 0), 16, 9), "y", -14))
    at, head = np.array([0.5, 0, 0.34]), 0.25
    out.add(paint["body"], ball((head, 0.9 * head, 0.92 * head), at, 14, 8))
    out.add(BLUSH, ball(0.04, at + (head, 0, -0.02), 6, 4))
    tall = between(long, 0.34, 0.6)
    for sy in (-1, 1):
        lean = turned(ball((0.055, 0.1, tall), (0, 0, tall), 10, 7), "x", -sy * rng.uniform(6, 20))
        out.add(paint["ears"], moved(lean, at + (-0.08, sy * 0.1, 0.1)))
        add_eye(out, at + (0.15, sy * 0.17, 0.08), 0.06, (0.6, sy * 0.8, 0.0))
        out.add(paint["body"], ball((0.28, 0.15, 0.26), (-0.2, sy * 0.27, -0.14), 12, 7))
        out.add(paint["paws"], ball((0.2, 0.09, 0.07), (-0.05, sy * 0.28, -0.36), 9, 5))
        out.add(paint["paws"], rod((0.36, sy * 0.14, 0.02), (0.44, sy * 0.15, -0.36), 0.08, 0.075))
    out.add(paint["tail"], ball(0.15, (-0.53, 0, 0.0), 10, 6))
    return out
