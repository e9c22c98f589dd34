"""Wild animals and animals of tales, all looking towards +x."""

from __future__ import annotations

import numpy as np

from engine.toybox.objects.assembly import Assembly, Paint
from engine.toybox.objects.details import CREAM, INK, add_eye, between, shade
from engine.toybox.objects.primitives import ball, cone, disc, moved, rod, slab, tube, turned
from engine.toybox.objects.quadruped import Plan, add_snout, add_tail, body_of, jittered

Draws = np.random.Generator


def build_bear(rng: Draws, paint: Paint) -> Assembly:
    """A bear that sits upright: round ears, a light belly, arms and feet."""
    out = Assembly()
    chubby = rng.random()
    girth = between(chubby, 0.36, 0.48)
    out.add(paint["body"], ball((girth, 1.05 * girth, 0.5), (0, 0, 0.45), 16, 9))
    out.add(paint["belly"], ball((0.2, 0.75 * girth, 0.36), (girth - 0.13, 0, 0.42), 12, 7))
    at, head = np.array([0.05, 0, 1.16]), rng.uniform(0.32, 0.38)
    out.add(paint["body"], ball((0.92 * head, head, 0.92 * head), at, 16, 9))
    muzzle = at + (0.8 * head, 0, -0.1)
    out.add(paint["belly"], ball((0.14, 0.17, 0.13), muzzle, 10, 6))
    out.add(INK, ball((0.05, 0.07, 0.05), muzzle + (0.13, 0, 0.05), 8, 5))
    for sy in (-1, 1):
        out.add(paint["ears"], ball((0.08, 0.15, 0.15), at + (-0.03, sy * 0.8 * head, 0.8 * head), 10, 6))
        add_eye(out, at + (0.8 * head, sy * 0.36 * head, 0.24 * head), 0.065)
        out.add(
            paint["body"], rod((0.02, sy * 0.9 * girth, 0.7), (0.34, sy * (girth + 0.12), 0.42), 0.14, 0.12)
        )
        out.add(paint["body"], ball(0.13, (0.36, sy * (girth + 0.12), 0.4), 9, 5))
        out.add(
            paint["body"], rod((0.05, sy * 0.6 * girth, 0.16), (0.52, sy * 0.8 * girth, 0.14), 0.17, 0.15)
        )
        out.add(paint["belly"], disc(0.16, 0.1, (0.6, sy * 0.8 * girth, 0.16), "x", 12))
    out.describe(chubby, "slim", "chubby")
    return out


def build_elephant(rng: Draws, paint: Paint) -> Assembly:
    """An elephant: a round trunk on thick legs, large ears, tusks and a trunk."""
    out = Assembly()
    plan = jittered(Plan(0.66, 0.44, 0.76, 0.16, 0.34, (0.16, 0.2), 0.0), rng)
    at = body_of(out, plan, paint["body"], paint["body"])
    swing = rng.uniform(0.1, 0.35)
    nose = [at + (0.2, 0, 0), at + (0.42, 0, -0.2), at + (0.46, 0, -0.5), at + (0.46 + swing, 0, -0.78)]
    out.add(paint["body"], tube(nose, [0.16, 0.13, 0.1, 0.075], 9))
    for sy in (-1, 1):
        flap = turned(ball((0.07, 0.3, 0.36), (0, sy * 0.28, 0), 12, 7), "z", sy * rng.uniform(10, 35))
        out.add(paint["ears"], moved(flap, at + (-0.14, sy * 0.16, 0.02)))
        tusk = at + (0.26, sy * 0.16, -0.18)
        out.add(
            paint["tusks"],
            tube([tusk, tusk + (0.18, 0, -0.12), tusk + (0.34, 0, -0.06)], [0.055, 0.045, 0.02], 7),
        )
    add_tail(out, plan, 0.4, 0.035, paint["body"], 0.05)
    return out


def build_lion(rng: Draws, paint: Paint) -> Assembly:
    """A lion: a mane round the face, a tufted tail."""
    out = Assembly()
    plan = jittered(Plan(0.6, 0.25, 0.56, 0.095, 0.25, (0.16, 0.3), 0.1), rng)
    at = body_of(out, plan, paint["body"], paint["body"])
    add_snout(out, at, plan.head, 0.06, paint["body"])
    for angle in np.arange(0, 360, 36):
        y, z = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
        out.add(paint["mane"], ball((0.14, 0.16, 0.16), at + (-0.1, 0.28 * y, 0.28 * z), 6, 4))
        out.add(shade(paint["mane"], 0.88), ball((0.14, 0.15, 0.15), at + (-0.24, 0.22 * y, 0.22 * z), 6, 4))
    add_tail(out, plan, rng.uniform(0.0, 0.4), 0.04, paint["tail"], 0.09)
    return out


def build_giraffe(rng: Draws, paint: Paint) -> Assembly:
    """A giraffe: a very long neck, spots, two knobbed horns."""
    out = Assembly()
    tall = rng.random()
    plan = jittered(Plan(0.46, 0.22, 0.86, 0.065, 0.15, (0.24, between(tall, 0.75, 1.05)), 0.12), rng)
    at = body_of(out, plan, paint["body"], paint["body"])
    add_snout(out, at, plan.head, 0.14, paint["body"])
    for sy in (-1, 1):
        horn = at + (-0.06, sy * 0.06, 0.1)
        out.add(paint["spots"], rod(horn, horn + (0, 0, 0.16), 0.025))
        out.add(paint["spots"], ball(0.045, horn + (0, 0, 0.17), 6, 4))
    for _ in range(9):
        angle, x = rng.uniform(-10, 190), rng.uniform(-0.75, 0.6) * plan.length
        reach = 0.97 * plan.girth * np.sqrt(1 - (x / plan.length) ** 2)
        y, z = reach * np.cos(np.deg2rad(angle)), reach * np.sin(np.deg2rad(angle))
        out.add(paint["spots"], ball(rng.uniform(0.06, 0.09), (x, y, plan.height + z), 6, 4))
    for share in np.linspace(0.2, 0.85, 5):
        root = np.array([0.6 * plan.length, 0, plan.height + 0.05]) * (1 - share) + at * share
        for sy in (-1, 1):
            out.add(paint["spots"], ball(0.06, root + (rng.uniform(-0.03, 0.03), sy * 0.09, 0.02), 6, 3))
    add_tail(out, plan, 0.4, 0.03, paint["body"], 0.05)
    out.describe(tall, "short", "tall")
    return out


def build_dinosaur(rng: Draws, paint: Paint) -> Assembly:
    """A long-necked or upright dinosaur with a heavy tail and plates along its back."""
    out = Assembly()
    long = rng.random()
    reach = between(long, 0.5, 0.9)
    plan = jittered(Plan(0.56, 0.3, 0.5, 0.12, 0.17, (0.3, reach), 0.1), rng)
    at = body_of(out, plan, paint["body"], paint["body"])
    add_snout(out, at, plan.head, 0.12, paint["body"])
    root = np.array([-0.7 * plan.length, 0, plan.height])
    tail = [root, root + (-0.4, 0, -0.12), root + (-0.75, 0, -0.26), root + (-1.05, 0, -0.22)]
    out.add(paint["body"], tube(tail, [0.22, 0.14, 0.08, 0.03], 9))
    out.add(
        paint["belly"],
        ball((0.8 * plan.length, 0.8 * plan.girth, 0.5 * plan.girth), (0, 0, plan.height - 0.19), 12, 7),
    )
    for x in np.linspace(-1.1, 0.6, 8):
        top = plan.height + plan.girth * np.sqrt(max(0.0, 1 - (x / 1.15) ** 2)) - (0.1 if x < -0.8 else 0.0)
        size = 0.2 * (1 - 0.4 * abs(x))
        out.add(
            paint["spikes"],
            cone((x * plan.length, 0, top - 0.1), (x * plan.length - 0.04, 0, top + size), 0.1, 6),
        )
    out.describe(long, "short", "long")
    return out


def build_dragon(rng: Draws, paint: Paint) -> Assembly:
    """A dragon: a neck and tail in long curves, bat wings, horns and spikes."""
    out = Assembly()
    plan = jittered(Plan(0.5, 0.26, 0.5, 0.1, 0.18, (0.26, 0.5), 0.14), rng)
    at = body_of(out, plan, paint["body"], paint["body"])
    add_snout(out, at, plan.head, 0.2, paint["body"])
    root = np.array([-0.7 * plan.length, 0, plan.height])
    tail = [root, root + (-0.35, 0, -0.2), root + (-0.7, 0, -0.24), root + (-1.0, 0, 0.06)]
    out.add(paint["body"], tube(tail, [0.19, 0.13, 0.08, 0.035], 9))
    out.add(paint["spikes"], cone(root + (-0.98, 0, 0.02), root + (-1.12, 0, 0.24), 0.1, 6))
    lift = rng.uniform(18, 50)
    for sy in (-1, 1):
        horn = at + (-0.08, sy * 0.09, 0.13)
        out.add(paint["horns"], cone(horn, horn + (-0.2, sy * 0.05, 0.22), 0.05, 7))
        sail = slab([(0.22, 0.0), (0.3, 0.5), (0.05, 1.0), (-0.12, 0.62), (-0.34, 0.56), (-0.3, 0.0)], 0.06)
        wing = moved(turned(sail, "x", -sy * (90 - lift)), (0.0, sy * 0.16, plan.height + 0.16))
        out.add(paint["wings"], wing)
    for share in np.linspace(0.1, 0.9, 4):
        spot = (
            np.array([0.5 * plan.length, 0, plan.height + 0.24]) * (1 - share)
            + (at + (-0.15, 0, 0.1)) * share
        )
        out.add(paint["spikes"], cone(spot, spot + (-0.1, 0, 0.14), 0.06, 6))
    return out


def build_turtle(rng: Draws, paint: Paint) -> Assembly:
    """A turtle: a domed shell with plates over a flat body, four stubby legs."""
    out = Assembly()
    tall = rng.random()
    dome = between(tall, 0.34, 0.58)
    out.add(paint["shell"], ball((0.6, 0.52, dome), (0, 0, 0.2), 18, 9))
    out.add(shade(paint["shell"], 0.75), ball((0.66, 0.58, 0.12), (0, 0, 0.18), 18, 6))
    for x, y in ((0, 0), (0.3, 0.2), (0.3, -0.2), (-0.3, 0.2), (-0.3, -0.2)):
        z = 0.2 + dome * np.sqrt(1 - (x / 0.6) ** 2 - (y / 0.52) ** 2)
        out.add(shade(paint["shell"], 1.2), ball((0.14, 0.13, 0.06), (x, y, z - 0.02), 9, 5))
    out.add(paint["body"], ball((0.6, 0.52, 0.12), (0, 0, 0.1), 16, 6))
    out.add(paint["body"], rod((0.5, 0, 0.14), (0.8, 0, 0.3), 0.13, 0.12, 9))
    out.add(paint["body"], ball((0.19, 0.16, 0.16), (0.86, 0, 0.34), 12, 7))
    for sy in (-1, 1):
        add_eye(out, (0.95, sy * 0.11, 0.4), 0.055, (0.6, sy * 0.7, 0.0))
        for x in (-0.42, 0.42):
            out.add(paint["body"], rod((x, sy * 0.4, 0.1), (1.25 * x, sy * 0.58, -0.06), 0.13, 0.12))
            out.add(paint["body"], ball((0.17, 0.14, 0.08), (1.28 * x, sy * 0.6, -0.07), 9, 5))
    out.add(paint["body"], cone((-0.55, 0, 0.1), (-0.8, 0, 0.04), 0.08, 7))
    out.describe(tall, "flat", "tall")
    return out


def build_deer(rng: Draws, paint: Paint) -> Assembly:
    """A deer: slender legs, branched antlers, a short tail."""
    out = Assembly()
    plan = jittered(Plan(0.54, 0.22, 0.78, 0.055, 0.16, (0.2, 0.46), 0.16, INK), rng)
    at = body_of(out, plan, paint["body"], paint["body"])
    add_snout(out, at, plan.head, 0.14, paint["body"])
    tall = rng.uniform(0.3, 0.5)
    for sy in (-1, 1):
        root = at + (-0.05, sy * 0.07, 0.12)
        tip = root + (-0.08, sy * 0.28, tall)
        out.add(
            paint["horns"], tube([root, root + (-0.06, sy * 0.18, 0.4 * tall), tip], [0.04, 0.035, 0.02], 7)
        )
        for share in (0.35, 0.7):
            knot = root * (1 - share) + tip * share + (0, sy * 0.03, -0.02)
            out.add(paint["horns"], rod(knot, knot + (0.14, sy * 0.06, 0.14), 0.03, 0.015))
        out.add(paint["body"], ball((0.05, 0.14, 0.06), at + (-0.08, sy * 0.2, 0.08), 8, 5))
    out.add(CREAM, ball((0.1, 0.09, 0.12), (-1.0 * plan.length, 0, plan.height + 0.08), 8, 5))
    out.add(
        paint["belly"],
        ball((0.8 * plan.length, 0.75 * plan.girth, 0.5 * plan.girth), (0, 0, plan.height - 0.12), 12, 6),
    )
    return out
