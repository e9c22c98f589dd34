"""The strategies behind one button: how a mesh gets its texture from words, and what each costs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from engine.assets.meshes.mesh_shape import ReferenceShape
from engine.editing.painting_by_distillation import paint_by_distillation
from engine.editing.painting_in_turn import paint_in_turn
from engine.editing.texturing import Paint, Painted, Painting, paint
from engine.prior.base import Prior

Painter = Callable[[ReferenceShape, Paint, Prior], Iterator[Painting | Painted]]

PAINTERS: Mapping[str, Painter] = {"together": paint, "in turn": paint_in_turn, "distilled": paint_by_distillation}
USUAL_STEPS: Mapping[str, int] = {"together": 30, "in turn": 20, "distilled": 60}
"""Steps where nobody says how many: of sampling, of sampling each view, of distillation."""


def painted_by(shape: ReferenceShape, how: Paint, prior: Prior) -> Iterator[Painting | Painted]:
    """`texturing.paint` by the strategy of ``how``."""
    return PAINTERS[how.strategy](shape, how, prior)
