"""Some colours change by words: the part that they name, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.assets.meshes import render_maps
from engine.assets.meshes.mesh_shape import ReferenceShape
from engine.assets.meshes.render_maps import DISTANCE, FOV_DEG
from engine.core.cameras import orbit_cameras
from engine.editing.colour_patches import colour_patches, decided_by_patch
from engine.editing.restyling import Restyle, restyle
from engine.editing.texturing import Paint, Painted
from engine.errors import InputError
from engine.prior.registry import load_prior
from engine.toybox.objects import draw_object

MUG = 700010


@pytest.fixture(scope="module")
def mug() -> ReferenceShape:
    mesh = draw_object(MUG).mesh
    return ReferenceShape(
        np.float32(mesh.vertices), np.int32(mesh.faces), np.float32(mesh.face_colours), "mug"
    )


def restyled(mug: ReferenceShape, prompt: str) -> Painted:
    how = Paint(prompt=prompt, steps=10, views=6, texture_size=256, guidance_scale=4.0)
    *steps, done = restyle(mug, Restyle(paint=how, was="a mug"), load_prior("toybox"))
    assert [each.step for each in steps] == list(range(1, 21)) and all(each.steps == 20 for each in steps)
    return done


@pytest.fixture(scope="module")
def same(mug: ReferenceShape) -> Painted:
    """Restyled by the words that it has already."""
    return restyled(mug, "a mug")


def colours(painted: Painted) -> np.ndarray:
    """The texture's colour (F,3) in 0..1 at the middle of each face."""
    uv = painted.baked.uv[painted.baked.faces].mean(1)
    place = (uv * len(painted.baked.texture)).astype(int).clip(0, len(painted.baked.texture) - 1)
    return painted.baked.texture[place[:, 1], place[:, 0]] / 255


def test_the_handle_takes_the_colour_and_the_body_keeps_its_own(mug: ReferenceShape, same: Painted) -> None:
    """Judged by pixels from all round: those that showed the brown handle, and those that did not."""
    cameras = orbit_cameras([45.0 * k for k in range(8)], 15.0, DISTANCE, FOV_DEG, 256)
    before = render_maps.reference_pictures(mug, cameras).numpy()
    after = restyled(mug, "a mug with a red handle").pictures / 255
    both = (before[..., 3] > 0.99) & (after[..., 3] > 0.99)
    handle = both & (before[..., 0] - before[..., 2] > 0.15)  # brown, where the body is white
    assert handle.sum() > 2000
    red = (after[..., 0] > 2 * after[..., 1]) & (after[..., 0] > 2 * after[..., 2])
    assert red[handle].mean() > 0.6
    body = [k for k in range(8) if handle[k].sum() == 0]  # the sides from which no handle is seen
    error = np.square(after[body][..., :3] - same.pictures[body][..., :3] / 255).mean()
    assert len(body) >= 2 and 10 * np.log10(1 / max(error, 1e-9)) > 30, "dB"


def test_the_same_words_change_nothing(mug: ReferenceShape, same: Painted) -> None:
    found = colours(same)
    assert np.abs(found - mug.face_colours).max() < 0.02


def test_what_makes_no_sense_is_refused() -> None:
    fine = Restyle(paint=Paint(prompt="a red mug"), was="a mug")
    for odd, word in (
        ({"was": " "}, "--was"),
        ({"strength": 0.0}, "strength"),
        ({"strength": 2.0}, "strength"),
    ):
        with pytest.raises(InputError, match=word):
            replace(fine, **odd)


def test_patches_are_connected_faces_of_one_colour() -> None:
    vertices = np.float32(
        [[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [2, 0, 0], [2, 1, 0], [5, 0, 0], [6, 0, 0], [6, 1, 0]]
    )
    faces = np.int32([[0, 1, 2], [0, 2, 3], [1, 4, 5], [1, 5, 2], [6, 7, 8]])
    red, blue = [0.8, 0.1, 0.1], [0.1, 0.1, 0.8]
    shape = ReferenceShape(vertices, faces, np.float32([red, red, blue, blue, red]))
    first, second, third, fourth, apart = colour_patches(shape)
    assert first == second and third == fourth and len({first, third, apart}) == 3
    soup = replace(
        shape, vertices=vertices[faces].reshape(-1, 3), faces=np.arange(15, dtype=np.int32).reshape(-1, 3)
    )
    assert np.array_equal(colour_patches(soup), colour_patches(shape)), "corners at one place are one"


def test_whole_patches_are_meant_and_what_spills_is_not_but_a_stripe_stays() -> None:
    patch = np.repeat([0, 1, 2], 10)
    share = np.r_[np.full(8, 1.0), 0, 0, np.full(2, 0.9), np.zeros(8), np.full(10, 0.4)]
    assert np.array_equal(decided_by_patch(share, patch), np.r_[np.ones(10), np.zeros(10), np.full(10, 0.4)])
    stripe = np.r_[np.full(3, 1.0), np.zeros(27)]
    assert np.array_equal(decided_by_patch(stripe, patch), stripe)
