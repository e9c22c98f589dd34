"""Loss terms: what pulls at a scene in one step, beside the guidance method. The loss of a step is their
weighted sum.

One small file a term; each gives ``loss(step) -> Tensor | None``, its weight included, None where it has
nothing to say. To add one, write its file and name it in ``REFINE`` or ``FIT``: the page shows its share by
itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType

from torch import Tensor

from engine.loop.messages import LOSS_PREFIX
from engine.loop.terms import (
    anchor,
    density,
    depth_distortion,
    energy,
    normal_consistency,
    outside,
    pictures,
    reference,
    region_fill,
)
from engine.loop.terms.rendered import RenderedStep

REFINE: Mapping[str, ModuleType] = {
    "anchor": anchor,
    "pictures": pictures,
    "reference": reference,
    "outside": outside,
    "region_fill": region_fill,
    "energy": energy,
    "surface": normal_consistency,
    "distortion": depth_distortion,
    "density": density,
}
FIT: Mapping[str, ModuleType] = {
    "pictures": pictures,
    "surface": normal_consistency,
    "distortion": depth_distortion,
    "density": density,
}


@dataclass(frozen=True, eq=False)
class Losses:
    """Weighted terms by name; scalars with gradient."""

    terms: Mapping[str, Tensor]

    @staticmethod
    def of(step: RenderedStep, terms: Mapping[str, ModuleType], first: Mapping[str, Tensor]) -> Losses:
        """``first``, which the caller has computed, and those of ``terms`` that have something to say at this
        step.
        """
        losses = {name: term.loss(step) for name, term in terms.items()}
        return Losses({**first, **{name: value for name, value in losses.items() if value is not None}})

    def total(self) -> Tensor:
        """Their sum."""
        return sum(self.terms.values())  # type: ignore[return-value]

    def metrics(self) -> dict[str, float]:
        """The value of each, by its name behind ``LOSS_PREFIX``."""
        return {LOSS_PREFIX + name: float(value.detach()) for name, value in self.terms.items()}
