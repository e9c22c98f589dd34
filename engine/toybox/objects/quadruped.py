"""The body plan of four-legged animals: proportions, and the parts that most of them share. All look towards
+x.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.toybox.objects.assembly import Assembly, Colour
from engine.toybox.objects.details import INK, PAPER, add_eye, contrasting
from engine.toybox.objects.primitives import ball, cone, rod, tube

Draws = np.random.Generator


@dataclass(frozen=True)
class Plan:
    """Proportions of a four-legged body: half lengths of the trunk, its height above the ground, and where
    the head is.
    """

    length: float
    girth: float
    height: float
    leg: float
    head: float
    neck: tuple[float, float]
    snout: float
    feet: Colour | None = None


def jittered(plan: Plan, rng: Draws) -> Plan:
    """The plan with a tenth more or less of each proportion."""
    a, b, c = rng.uniform(0.9, 1.1, 3)
    return Plan(
        plan.length * a,
        plan.girth * b,
        plan.height * c,
        plan.leg,
        plan.head,
        plan.neck,
        plan.snout,
        plan.feet,
    )


def body_of(out: Assembly, plan: Plan, colour: Colour, legs: Colour) -> np.ndarray:
    """Trunk, four legs, neck, head and snout; returns the middle of the head."""
    back = plan.height
    out.add(colour, ball((plan.length, plan.girth, 1.05 * plan.girth), (0, 0, back), 16, 9))
    out.add(
        colour,
        ball((0.45 * plan.length, 0.92 * plan.girth, plan.girth), (0.5 * plan.length, 0, back + 0.02), 12, 7),
    )
    foot = contrasting(legs, PAPER, INK) if plan.feet is None else plan.feet
    for sx in (-0.6, 0.6):
        for sy in (-0.55, 0.55):
            x, y = sx * plan.length, sy * plan.girth
            out.add(legs, rod((x, y, 0.05), (x, y, back), 0.85 * plan.leg, 1.25 * plan.leg))
            out.add(
                foot,
                ball((1.25 * plan.leg, 1.1 * plan.leg, 0.9 * plan.leg), (x + 0.3 * plan.leg, y, 0.06), 8, 5),
            )
    at = np.array([0.75 * plan.length + plan.neck[0], 0, back + plan.neck[1]])
    out.add(
        colour,
        rod((0.6 * plan.length, 0, back + 0.1 * plan.girth), at, 0.62 * plan.girth, 0.62 * plan.head, 10),
    )
    out.add(colour, ball((plan.head, 0.88 * plan.head, 0.9 * plan.head), at, 14, 8))
    for sy in (-1, 1):
        eye = at + (0.6 * plan.head, sy * 0.6 * plan.head, 0.32 * plan.head)
        add_eye(out, eye, 0.2 * plan.head + 0.02, (0.7, sy * 0.6, 0.0))
    return at


def add_snout(
    out: Assembly, at: np.ndarray, head: float, length: float, colour: Colour, tip: Colour = INK
) -> None:
    """A muzzle that points forward and a little down, with a nose."""
    end = at + (0.7 * head + length, 0, -0.35 * head)
    out.add(colour, rod(at + (0.3 * head, 0, -0.1 * head), end, 0.58 * head, 0.42 * head, 10))
    out.add(colour, ball(0.42 * head, end, 10, 6))
    out.add(tip, ball(0.16 * head, end + (0.36 * head, 0, 0.14 * head), 8, 5))


def add_ears(
    out: Assembly, at: np.ndarray, head: float, tall: float, spread: float, colour: Colour, width: float = 0.3
) -> None:
    """A pair of pointed or round ears on top of the head."""
    for sy in (-1, 1):
        root = at + (-0.2 * head, sy * 0.55 * head, 0.6 * head)
        out.add(colour, cone(root, root + (-0.1 * head, sy * spread * head, tall * head), width * head, 8))


def add_tail(
    out: Assembly, plan: Plan, drop: float, radius: float, colour: Colour, tuft: float = 0.0
) -> None:
    """A tail that hangs behind the trunk, or rises where ``drop`` is negative."""
    root = np.array([-0.92 * plan.length, 0, plan.height + 0.25 * plan.girth])
    end = root + (-0.28, 0, -drop)
    out.add(
        colour, tube([root, root + (-0.18, 0, -0.25 * drop), end], [1.1 * radius, radius, 0.7 * radius], 8)
    )
    if tuft:
        out.add(colour, ball((tuft, tuft, 1.6 * tuft), end, 8, 5))
