"""Painting in turn and by distillation: what is kept is kept, parts take their colours, and the geometry
stays.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.assets.meshes.mesh_shape import ReferenceShape
from engine.editing import painting_in_turn
from engine.editing.painting_in_turn import BETTER, GENERATE, KEEP, REFINE, next_view, trimap
from engine.editing.strategies import PAINTERS, USUAL_STEPS, painted_by
from engine.editing.texturing import STRATEGIES, Paint, Painted, Painting
from engine.errors import InputError
from engine.prior.registry import load_prior
from engine.toybox.objects import draw_object

CHAIR = 700007


@pytest.fixture(scope="module")
def chair() -> ReferenceShape:
    mesh = draw_object(CHAIR).mesh
    grey = np.full((len(mesh.faces), 3), 0.6, np.float32)
    return ReferenceShape(np.float32(mesh.vertices), np.int32(mesh.faces), grey, "chair")


def painted(chair: ReferenceShape, strategy: str, steps: int) -> tuple[list[Painting], Painted]:
    how = Paint(
        prompt="a red chair with blue legs",
        steps=steps,
        views=4,
        texture_size=128,
        strategy=strategy,
        guidance_scale=3,
    )
    *seen, done = painted_by(chair, how, load_prior("toybox"))
    return seen, done


def colour_between(done: Painted, low: float, high: float) -> np.ndarray:
    """The median colour of the faces whose middle lies between two shares of the height."""
    heights = done.baked.vertices[done.baked.faces][..., 2].mean(1)
    share = (heights - heights.min()) / (heights.max() - heights.min())
    uv = done.baked.uv[done.baked.faces[(share >= low) & (share <= high)]].reshape(-1, 2)
    place = (uv * len(done.baked.texture)).astype(int).clip(0, len(done.baked.texture) - 1)
    return np.median(done.baked.texture[place[:, 1], place[:, 0]], axis=0)


def test_what_becomes_of_a_texel_is_a_truth_table() -> None:
    seen = torch.tensor([0.0, 0.5, 0.0, 0.5, 0.5, 0.5])
    best = torch.tensor([0.0, 0.0, 0.4, 0.5 - BETTER + 0.01, 0.5 - BETTER - 0.01, 0.9])
    assert trimap(seen, best).tolist() == [KEEP, GENERATE, KEEP, KEEP, REFINE, KEEP]


def test_the_next_view_is_the_one_with_most_to_paint() -> None:
    cosines = torch.tensor([[0.9, 0.9, 0.0, 0.0], [0.0, 0.5, 0.6, 0.0], [0.0, 0.0, 0.8, 0.8]])
    best = torch.tensor([0.9, 0.9, 0.0, 0.0])
    assert next_view(cosines, best, [1, 2]) == 2
    assert next_view(cosines, torch.full((4,), 0.9), [2, 1]) == 1, "the first of those that have nothing"


def test_kept_places_are_untouched_by_a_view(chair: ReferenceShape) -> None:
    """A view whose every texel is painted already shows exactly what is there."""
    texels = painting_in_turn.work_texels(chair)
    one = painting_in_turn.prepared(
        chair, Paint(prompt="a red chair", views=4), load_prior("toybox"), None, texels
    )
    one = painting_in_turn.prepared(
        chair, Paint(prompt="a red chair"), load_prior("toybox"), one.cameras[[1]], texels
    )
    there = (
        torch.rand(one.background.shape[1], len(texels.points), generator=torch.Generator().manual_seed(3))
        - 0.5
    )
    rng = torch.Generator().manual_seed(0)
    *_, x0 = painting_in_turn._view(one, there, torch.full((len(texels.points),), KEEP), [900, 400], 2.0, rng)
    known, mask = one.space.project(there)
    assert torch.equal(mask * x0.cpu(), known)


@pytest.mark.parametrize(
    ("strategy", "steps"), [("in turn", 4), pytest.param("distilled", 12, marks=pytest.mark.heavy)]
)
def test_parts_take_their_colours_and_the_geometry_stays(
    chair: ReferenceShape, strategy: str, steps: int
) -> None:
    seen, done = painted(chair, strategy, steps)
    assert [each.step for each in seen] == list(range(1, seen[-1].steps + 1))
    red, _, blue = colour_between(done, 0.75, 1.0)
    assert red > 1.5 * blue, "the back"
    red, _, blue = colour_between(done, 0.0, 0.2)
    assert blue > 1.2 * red, "the legs"
    assert {tuple(row) for row in done.baked.vertices.astype(np.float32)} == {
        tuple(row) for row in chair.vertices
    }


def test_every_strategy_has_a_painter_and_others_are_refused() -> None:
    assert tuple(PAINTERS) == STRATEGIES == tuple(USUAL_STEPS)
    with pytest.raises(InputError, match="strategy"):
        Paint(prompt="a red chair", strategy="by hand")
