"""What a method costs: passes through the denoiser for one step of the scene."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Cost:
    """Passes a step, on average over ten; written "2F" for two forward passes, "1F1B" for one there and back.

    The push takes ``forwards`` passes, or up to ``up_to`` where the noise level or a negative prompt decides;
    the method's own steps take ``learning`` passes there and back, and pictures are decoded ``decodes``
    times. Perp-Neg adds two forward passes to each guided prediction.
    """

    forwards: float
    up_to: float | None = None
    learning: int = 0
    decodes: int = 0

    @property
    def most(self) -> float:
        """Forward passes of the push at most."""
        return self.forwards if self.up_to is None else max(self.forwards, self.up_to)

    def __str__(self) -> str:
        pushing = f"{self.forwards:g}F" if self.most == self.forwards else f"{self.forwards:g}-{self.most:g}F"
        learning = f"{self.learning}F{self.learning}B" if self.learning else ""
        decodes = f"{self.decodes} decode" if self.decodes else ""
        return " + ".join(part for part in (pushing, learning, decodes) if part)


COMPARE_STEPS = 10
"""A read-out that takes a pass of its own is asked once in so many steps."""


def guided_passes(guidance_scale: float) -> int:
    """Forward passes of one prediction by ``predict_guided``: two, or one where guidance is off."""
    return 1 if guidance_scale == 1 else 2
