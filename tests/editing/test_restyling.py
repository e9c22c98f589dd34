"""Some colours change by words: the part that they name, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.assets.meshes.mesh_shape import ReferenceShape
from engine.editing.restyling import Restyle, restyle
from engine.editing.texturing import Paint, Painted
from engine.errors import InputError
from engine.prior.registry import load_prior
from engine.toybox.objects import draw_object

MUG = 700010


@pytest.fixture(scope="module")
def mug() -> ReferenceShape:
    mesh = draw_object(MUG).mesh
    return ReferenceShape(np.float32(mesh.vertices), np.int32(mesh.faces), np.float32(mesh.face_colours), "mug")


def restyled(mug: ReferenceShape, prompt: str) -> Painted:
    how = Paint(prompt=prompt, steps=10, views=6, texture_size=256, guidance_scale=4.0)
    *steps, done = restyle(mug, Restyle(paint=how, was="a mug"), load_prior("toybox"))
    assert [each.step for each in steps] == list(range(1, 21)) and all(each.steps == 20 for each in steps)
    return done


def colours(painted: Painted) -> np.ndarray:
    """The texture's colour (F,3) in 0..1 at the middle of each face."""
    uv = painted.baked.uv[painted.baked.faces].mean(1)
    place = (uv * len(painted.baked.texture)).astype(int).clip(0, len(painted.baked.texture) - 1)
    return painted.baked.texture[place[:, 1], place[:, 0]] / 255


def test_the_handle_takes_the_colour_and_the_body_keeps_its_own(mug: ReferenceShape) -> None:
    middles = mug.vertices[mug.faces].mean(1)
    brown = np.abs(mug.face_colours - np.median(mug.face_colours, 0)).max(1) > 0.2  # the handle is of another colour
    assert 50 < brown.sum() < 0.9 * len(brown)
    side = np.sign(np.median(middles[brown], 0))[1] or 1.0
    body = ~brown & (side * middles[:, 1] < 0)  # the side that the handle is not on
    found = colours(restyled(mug, "a mug with a red handle"))
    was, now = (
        np.mean((rgb[:, 0] > 2 * rgb[:, 1]) & (rgb[:, 0] > 2 * rgb[:, 2])) for rgb in (mug.face_colours[brown], found[brown])
    )
    assert was == 0 and now > 0.7, "share of the handle that is red"
    error = np.square(found[body] - mug.face_colours[body]).mean()
    assert 10 * np.log10(1 / max(error, 1e-9)) > 30, "dB"


def test_the_same_words_change_nothing(mug: ReferenceShape) -> None:
    found = colours(restyled(mug, "a mug"))
    assert np.abs(found - mug.face_colours).max() < 0.02


def test_what_makes_no_sense_is_refused() -> None:
    fine = Restyle(paint=Paint(prompt="a red mug"), was="a mug")
    for odd, word in (({"was": " "}, "--was"), ({"strength": 0.0}, "strength"), ({"strength": 2.0}, "strength")):
        with pytest.raises(InputError, match=word):
            replace(fine, **odd)
