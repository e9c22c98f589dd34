"""The strategies behind one button: how a mesh gets its texture from words, or is restyled, and what each
costs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from engine.assets.meshes.mesh_shape import ReferenceShape
from engine.editing.dataset_update import update_dataset, update_of
from engine.editing.painting_by_distillation import paint_by_distillation
from engine.editing.painting_in_turn import paint_in_turn
from engine.editing.restyling import Restyle, restyle
from engine.editing.texturing import Paint, Painted, Painting, paint
from engine.prior.base import Prior

Painter = Callable[[ReferenceShape, Paint, Prior], Iterator[Painting | Painted]]

PAINTERS: Mapping[str, Painter] = {
    "together": paint,
    "in turn": paint_in_turn,
    "distilled": paint_by_distillation,
}
USUAL_STEPS: Mapping[str, int] = {"together": 30, "in turn": 20, "distilled": 60}
"""Steps where nobody says how many: of sampling, of sampling each view, of distillation."""


def painted_by(shape: ReferenceShape, how: Paint, prior: Prior) -> Iterator[Painting | Painted]:
    """`texturing.paint` by the strategy of ``how``."""
    return PAINTERS[how.strategy](shape, how, prior)


def restyled_by(
    shape: ReferenceShape, how: Paint, was: str, prior: Prior, image_guidance_scale: float | None = None
) -> Iterator[Painting | Painted]:
    """A mesh whose colours change by words: by the dataset update with a prior that edits pictures, else by
    two passes.

    ``was`` are the words for what it is, of which an editing prior needs none. Raises InputError as the two
    do.
    """
    if not prior.info.takes_source:
        return restyle(shape, Restyle(paint=how, was=was), prior)
    return update_dataset(shape, update_of(how, image_guidance_scale), prior)
