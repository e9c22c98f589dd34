"""Four-legged animals, all looking towards +x: one body plan with proportions, and what each kind adds to it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.toybox.objects.assembly import Assembly, Colour, Paint
from engine.toybox.objects.details import BLUSH, CREAM, INK, PAPER, add_eye, arc, between, contrasting, shade
from engine.toybox.objects.primitives import ball, box, cone, disc, moved, rod, slab, tube, turned

Draws = np.random.Generator


@dataclass(frozen=True)
class Plan:
    """Proportions of a four-legged body: half lengths of the trunk, its height above the ground, and where the head is."""

    length: float
    girth: float
    height: float
    leg: float
    head: float
    neck: tuple[float, float]
    snout: float
    feet: Colour | None = None


def _jittered(plan: Plan, rng: Draws) -> Plan:
    a, b, c = rng.uniform(0.9, 1.1, 3)
    return Plan(
        plan.length * a, plan.girth * b, plan.height * c, plan.leg, plan.head, plan.neck, plan.snout, plan.feet
    )


def _body(out: Assembly, plan: Plan, colour: Colour, legs: Colour) -> np.ndarray:
    """Trunk, four legs, neck, head and snout; returns the middle of the head."""
    back = plan.height
    out.add(colour, ball((plan.length, plan.girth, 1.05 * plan.girth), (0, 0, back), 16, 9))
    out.add(colour, ball((0.45 * plan.length, 0.92 * plan.girth, plan.girth), (0.5 * plan.length, 0, back + 0.02), 12, 7))
    foot = contrasting(legs, PAPER, INK) if plan.feet is None else plan.feet
    for sx in (-0.6, 0.6):
        for sy in (-0.55, 0.55):
            x, y = sx * plan.length, sy * plan.girth
            out.add(legs, rod((x, y, 0.05), (x, y, back), 0.85 * plan.leg, 1.25 * plan.leg))
            out.add(foot, ball((1.25 * plan.leg, 1.1 * plan.leg, 0.9 * plan.leg), (x + 0.3 * plan.leg, y, 0.06), 8, 5))
    at = np.array([0.75 * plan.length + plan.neck[0], 0, back + plan.neck[1]])
    out.add(colour, rod((0.6 * plan.length, 0, back + 0.1 * plan.girth), at, 0.62 * plan.girth, 0.62 * plan.head, 10))
    out.add(colour, ball((plan.head, 0.88 * plan.head, 0.9 * plan.head), at, 14, 8))
    for sy in (-1, 1):
        eye = at + (0.6 * plan.head, sy * 0.6 * plan.head, 0.32 * plan.head)
        add_eye(out, eye, 0.2 * plan.head + 0.02, (0.7, sy * 0.6, 0.0))
    return at


def _snout(out: Assembly, at: np.ndarray, head: float, length: float, colour: Colour, tip: Colour = INK) -> None:
    """A muzzle that points forward and a little down, with a nose."""
    end = at + (0.7 * head + length, 0, -0.35 * head)
    out.add(colour, rod(at + (0.3 * head, 0, -0.1 * head), end, 0.58 * head, 0.42 * head, 10))
    out.add(colour, ball(0.42 * head, end, 10, 6))
    out.add(tip, ball(0.16 * head, end + (0.36 * head, 0, 0.14 * head), 8, 5))


def _ears(out: Assembly, at: np.ndarray, head: float, tall: float, spread: float, colour: Colour, width: float = 0.3) -> None:
    """A pair of pointed or round ears on top of the head."""
    for sy in (-1, 1):
        root = at + (-0.2 * head, sy * 0.55 * head, 0.6 * head)
        out.add(colour, cone(root, root + (-0.1 * head, sy * spread * head, tall * head), width * head, 8))


def _tail(out: Assembly, plan: Plan, drop: float, radius: float, colour: Colour, tuft: float = 0.0) -> None:
    """A tail that hangs behind the trunk, or rises where ``drop`` is negative."""
    root = np.array([-0.92 * plan.length, 0, plan.height + 0.25 * plan.girth])
    end = root + (-0.28, 0, -drop)
    out.add(colour, tube([root, root + (-0.18, 0, -0.25 * drop), end], [1.1 * radius, radius, 0.7 * radius], 8))
    if tuft:
        out.add(colour, ball((tuft, tuft, 1.6 * tuft), end, 8, 5))


def build_dog(rng: Draws, paint: Paint) -> Assembly:
    """A dog: floppy or pointed ears, a collar, a raised tail."""
    out = Assembly()
    long, tall = rng.random(2)
    plan = _jittered(Plan(between(long, 0.5, 0.72), 0.24, between(tall, 0.42, 0.66), 0.085, 0.25, (0.14, 0.36), 0.16), rng)
    at = _body(out, plan, paint["body"], paint["body"])
    _snout(out, at, plan.head, rng.uniform(0.1, 0.22), paint["body"])
    if rng.random() < 0.6:
        for sy in (-1, 1):
            out.add(paint["ears"], ball((0.1, 0.07, 0.22), at + (-0.05, sy * 0.27, 0.0), 10, 6))
    else:
        _ears(out, at, plan.head, 1.0, 0.15, paint["ears"], 0.36)
    out.add(paint["collar"], rod(at + (-0.13, 0, -0.24), at + (-0.09, 0, -0.15), 0.215, 0.2, 12))
    _tail(out, plan, -rng.uniform(0.15, 0.4), 0.06, paint["body"])
    out.describe(tall, "short", "tall")
    out.describe(long, "short", "long")
    return out


def build_horse(rng: Draws, paint: Paint) -> Assembly:
    """A horse: long legs, an upright neck with a mane, a long head, a hanging tail, now and then a saddle."""
    out = Assembly()
    plan = _jittered(Plan(0.66, 0.27, 0.86, 0.075, 0.18, (0.22, 0.62), 0.3, INK), rng)
    at = _body(out, plan, paint["body"], paint["body"])
    _snout(out, at, plan.head, rng.uniform(0.22, 0.3), paint["body"])
    _ears(out, at, plan.head, 0.9, 0.1, paint["body"], 0.3)
    for share in np.linspace(0.05, 1.0, 6):
        root = np.array([0.5 * plan.length, 0, plan.height + 0.22]) * (1 - share) + (at + (-0.14, 0, 0.12)) * share
        out.add(paint["mane"], ball((0.12, 0.06, 0.15), root, 8, 5))
    root = np.array([-0.95 * plan.length, 0, plan.height + 0.12])
    out.add(paint["tail"], tube([root, root + (-0.16, 0, -0.1), root + (-0.22, 0, -0.62)], [0.06, 0.1, 0.05], 8))
    if "saddle" in paint:
        out.add(paint["saddle"], ball((0.26, 0.3, 0.1), (-0.02, 0, plan.height + 0.95 * plan.girth), 12, 6))
        for sy in (-1, 1):
            out.add(paint["saddle"], box((0.3, 0.05, 0.34), (-0.02, sy * plan.girth, plan.height + 0.08)))
    return out


def build_cow(rng: Draws, paint: Paint) -> Assembly:
    """A cow: a heavy trunk with patches, horns, an udder."""
    out = Assembly()
    plan = _jittered(Plan(0.7, 0.33, 0.66, 0.09, 0.22, (0.24, 0.22), 0.16), rng)
    at = _body(out, plan, paint["body"], paint["body"])
    _snout(out, at, plan.head, 0.1, BLUSH)
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
    _tail(out, plan, 0.45, 0.04, paint["body"], 0.07)
    return out


def build_pig(rng: Draws, paint: Paint) -> Assembly:
    """A pig: a barrel on short legs, a flat snout, a curled tail."""
    out = Assembly()
    chubby = rng.random()
    plan = _jittered(Plan(0.6, between(chubby, 0.33, 0.43), 0.5, 0.1, 0.27, (0.1, 0.08), 0.1), rng)
    at = _body(out, plan, paint["body"], paint["body"])
    out.add(paint["snout"], disc(0.15, 0.2, at + (0.3, 0, -0.04), "x", 12))
    for sy in (-1, 1):
        out.add(INK, ball(0.035, at + (0.41, sy * 0.055, -0.03), 6, 4))
    _ears(out, at, plan.head, 0.75, 0.25, paint["ears"], 0.4)
    curl = arc((-0.95 * plan.length - 0.06, 0, plan.height + 0.14), (0.1, 0.1), 300, 20, "xz", 8)
    out.add(paint["body"], tube(curl, 0.035, 6))
    out.describe(chubby, "slim", "chubby")
    return out


def build_sheep(rng: Draws, paint: Paint) -> Assembly:
    """A sheep: a fleece of many balls, a bare face and thin legs."""
    out = Assembly()
    plan = _jittered(Plan(0.52, 0.33, 0.56, 0.06, 0.2, (0.24, 0.2), 0.1), rng)
    at = _body(out, plan, paint["head"], paint["legs"])
    _snout(out, at, plan.head, 0.06, paint["head"])
    for sy in (-1, 1):
        out.add(paint["head"], ball((0.05, 0.15, 0.07), at + (-0.05, sy * 0.24, 0.06), 8, 5))
    for x in np.linspace(-1, 0.8, 4):
        for angle in (-30, 38, 142, 210):
            size = plan.girth * np.sqrt(max(0.15, 1 - (0.9 * x) ** 2))
            y, z = size * np.cos(np.deg2rad(angle)), size * np.sin(np.deg2rad(angle))
            out.add(paint["body"], ball(0.24 * rng.uniform(0.9, 1.15), (x * plan.length, y, plan.height + z), 6, 4))
    out.add(paint["body"], ball((0.15, 0.17, 0.13), at + (-0.06, 0, 0.17), 9, 5))
    return out


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
        out.add(paint["body"], rod((0.02, sy * 0.9 * girth, 0.7), (0.34, sy * (girth + 0.12), 0.42), 0.14, 0.12))
        out.add(paint["body"], ball(0.13, (0.36, sy * (girth + 0.12), 0.4), 9, 5))
        out.add(paint["body"], rod((0.05, sy * 0.6 * girth, 0.16), (0.52, sy * 0.8 * girth, 0.14), 0.17, 0.15))
        out.add(paint["belly"], disc(0.16, 0.1, (0.6, sy * 0.8 * girth, 0.16), "x", 12))
    out.describe(chubby, "slim", "chubby")
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


def build_elephant(rng: Draws, paint: Paint) -> Assembly:
    """An elephant: a round trunk on thick legs, large ears, tusks and a trunk."""
    out = Assembly()
    plan = _jittered(Plan(0.66, 0.44, 0.76, 0.16, 0.34, (0.16, 0.2), 0.0), rng)
    at = _body(out, plan, paint["body"], paint["body"])
    swing = rng.uniform(0.1, 0.35)
    nose = [at + (0.2, 0, 0), at + (0.42, 0, -0.2), at + (0.46, 0, -0.5), at + (0.46 + swing, 0, -0.78)]
    out.add(paint["body"], tube(nose, [0.16, 0.13, 0.1, 0.075], 9))
    for sy in (-1, 1):
        flap = turned(ball((0.07, 0.3, 0.36), (0, sy * 0.28, 0), 12, 7), "z", sy * rng.uniform(10, 35))
        out.add(paint["ears"], moved(flap, at + (-0.14, sy * 0.16, 0.02)))
        tusk = at + (0.26, sy * 0.16, -0.18)
        out.add(paint["tusks"], tube([tusk, tusk + (0.18, 0, -0.12), tusk + (0.34, 0, -0.06)], [0.055, 0.045, 0.02], 7))
    _tail(out, plan, 0.4, 0.035, paint["body"], 0.05)
    return out


def build_lion(rng: Draws, paint: Paint) -> Assembly:
    """A lion: a mane round the face, a tufted tail."""
    out = Assembly()
    plan = _jittered(Plan(0.6, 0.25, 0.56, 0.095, 0.25, (0.16, 0.3), 0.1), rng)
    at = _body(out, plan, paint["body"], paint["body"])
    _snout(out, at, plan.head, 0.06, paint["body"])
    for angle in np.arange(0, 360, 36):
        y, z = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
        out.add(paint["mane"], ball((0.14, 0.16, 0.16), at + (-0.1, 0.28 * y, 0.28 * z), 6, 4))
        out.add(shade(paint["mane"], 0.88), ball((0.14, 0.15, 0.15), at + (-0.24, 0.22 * y, 0.22 * z), 6, 4))
    _tail(out, plan, rng.uniform(0.0, 0.4), 0.04, paint["tail"], 0.09)
    return out


def build_giraffe(rng: Draws, paint: Paint) -> Assembly:
    """A giraffe: a very long neck, spots, two knobbed horns."""
    out = Assembly()
    tall = rng.random()
    plan = _jittered(Plan(0.46, 0.22, 0.86, 0.065, 0.15, (0.24, between(tall, 0.75, 1.05)), 0.12), rng)
    at = _body(out, plan, paint["body"], paint["body"])
    _snout(out, at, plan.head, 0.14, paint["body"])
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
    _tail(out, plan, 0.4, 0.03, paint["body"], 0.05)
    out.describe(tall, "short", "tall")
    return out


def build_dinosaur(rng: Draws, paint: Paint) -> Assembly:
    """A long-necked or upright dinosaur with a heavy tail and plates along its back."""
    out = Assembly()
    long = rng.random()
    reach = between(long, 0.5, 0.9)
    plan = _jittered(Plan(0.56, 0.3, 0.5, 0.12, 0.17, (0.3, reach), 0.1), rng)
    at = _body(out, plan, paint["body"], paint["body"])
    _snout(out, at, plan.head, 0.12, paint["body"])
    root = np.array([-0.7 * plan.length, 0, plan.height])
    tail = [root, root + (-0.4, 0, -0.12), root + (-0.75, 0, -0.26), root + (-1.05, 0, -0.22)]
    out.add(paint["body"], tube(tail, [0.22, 0.14, 0.08, 0.03], 9))
    out.add(paint["belly"], ball((0.8 * plan.length, 0.8 * plan.girth, 0.5 * plan.girth), (0, 0, plan.height - 0.19), 12, 7))
    for x in np.linspace(-1.1, 0.6, 8):
        top = plan.height + plan.girth * np.sqrt(max(0.0, 1 - (x / 1.15) ** 2)) - (0.1 if x < -0.8 else 0.0)
        size = 0.2 * (1 - 0.4 * abs(x))
        out.add(paint["spikes"], cone((x * plan.length, 0, top - 0.1), (x * plan.length - 0.04, 0, top + size), 0.1, 6))
    out.describe(long, "short", "long")
    return out


def build_dragon(rng: Draws, paint: Paint) -> Assembly:
    """A dragon: a neck and tail in long curves, bat wings, horns and spikes."""
    out = Assembly()
    plan = _jittered(Plan(0.5, 0.26, 0.5, 0.1, 0.18, (0.26, 0.5), 0.14), rng)
    at = _body(out, plan, paint["body"], paint["body"])
    _snout(out, at, plan.head, 0.2, paint["body"])
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
        spot = np.array([0.5 * plan.length, 0, plan.height + 0.24]) * (1 - share) + (at + (-0.15, 0, 0.1)) * share
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
    plan = _jittered(Plan(0.54, 0.22, 0.78, 0.055, 0.16, (0.2, 0.46), 0.16, INK), rng)
    at = _body(out, plan, paint["body"], paint["body"])
    _snout(out, at, plan.head, 0.14, paint["body"])
    tall = rng.uniform(0.3, 0.5)
    for sy in (-1, 1):
        root = at + (-0.05, sy * 0.07, 0.12)
        tip = root + (-0.08, sy * 0.28, tall)
        out.add(paint["horns"], tube([root, root + (-0.06, sy * 0.18, 0.4 * tall), tip], [0.04, 0.035, 0.02], 7))
        for share in (0.35, 0.7):
            knot = root * (1 - share) + tip * share + (0, sy * 0.03, -0.02)
            out.add(paint["horns"], rod(knot, knot + (0.14, sy * 0.06, 0.14), 0.03, 0.015))
        out.add(paint["body"], ball((0.05, 0.14, 0.06), at + (-0.08, sy * 0.2, 0.08), 8, 5))
    out.add(CREAM, ball((0.1, 0.09, 0.12), (-1.0 * plan.length, 0, plan.height + 0.08), 8, 5))
    out.add(paint["belly"], ball((0.8 * plan.length, 0.75 * plan.girth, 0.5 * plan.girth), (0, 0, plan.height - 0.12), 12, 6))
    return out
