"""How strongly a reference acts: a curve over denoising progress, times a gate that closes when the reference
does not fit.

The gate is the stand-in for priors without a trained controller, and the ceiling that an artist can put on
one that has it: lambda(u, sim) = strength(u) clamp((sim - s0) / (s1 - s0), 0, 1) with progress u = 1 - t/T.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

from engine.errors import InputError

MAX_STRENGTH = 2.0


@dataclass(frozen=True)
class StrengthCurve:
    """Strength by progress: straight lines between ``points`` (progress 0..1 rising, strength 0..2), flat
    beyond the ends.
    """

    points: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        places = [place for place, _ in self.points]
        if not self.points or places != sorted(set(places)) or not all(0 <= place <= 1 for place in places):
            raise InputError(
                f"The reference curve has its points at {places}; they must rise within 0 to 1.",
                "Write progress:strength pairs, for example 0:1,0.5:0.8,1:0.3.",
            )
        if not all(0 <= strength <= MAX_STRENGTH for _, strength in self.points):
            raise InputError(
                f"The reference curve has strengths {[s for _, s in self.points]}; allowed are 0 to "
                f"{MAX_STRENGTH:g}.",
                "1 is the strength that the prior was trained with, 0 ignores the reference.",
            )

    @staticmethod
    def between(early: float, late: float) -> StrengthCurve:
        """The two handles: ``early`` for the overall shape, ``late`` for the details."""
        return StrengthCurve(((0.0, early), (1.0, late)))

    @staticmethod
    def parse(text: str) -> StrengthCurve:
        """From ``"0:1,0.5:0.8,1:0.3"``. Raises InputError."""
        try:
            pairs = [tuple(float(number) for number in part.split(":")) for part in text.split(",")]
            points = tuple((place, strength) for place, strength in pairs)
        except ValueError as error:
            raise InputError(
                f"The reference curve {text!r} cannot be read.",
                "Write progress:strength pairs, for example 0:1,0.5:0.8,1:0.3.",
            ) from error
        return StrengthCurve(points)

    def __str__(self) -> str:
        return ",".join(f"{place:g}:{strength:g}" for place, strength in self.points)

    def at(self, progress: float) -> float:
        """The strength at ``progress`` (0: all noise, 1: clean)."""
        after = bisect_right([place for place, _ in self.points], progress)
        if after == 0 or after == len(self.points):
            return self.points[max(0, after - 1)][1]
        (start, low), (end, high) = self.points[after - 1 : after + 1]
        return low + (high - low) * (progress - start) / (end - start)


@dataclass(frozen=True)
class Influence:
    """How strongly a reference acts at any noise time: ``curve`` over denoising progress, times ``opening``
    0..1 of the gate.
    """

    curve: StrengthCurve
    opening: float = 1.0

    def at(self, time: float) -> float:
        """The strength at noise time ``time`` (1: all noise, 0: clean)."""
        return self.opening * self.curve.at(1 - time)

    @property
    def silent(self) -> bool:
        """Whether it is zero at every time."""
        return self.opening == 0 or not any(strength for _, strength in self.curve.points)


def gate(similarity: float, closed: float, open_: float) -> float:
    """0 up to similarity ``closed``, 1 from ``open_`` on, a straight line between."""
    if not closed < open_:
        raise InputError(
            f"The gate is closed up to {closed:g} and open from {open_:g}; the first must be less."
        )
    return min(1.0, max(0.0, (similarity - closed) / (open_ - closed)))
