"""A mesh is painted by words: its parts in their colours, its geometry untouched, and bad input told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from engine.assets.meshes.mesh_shape import ReferenceShape
from engine.editing.texturing import Paint, Painted, Painting, paint
from engine.errors import InputError
from engine.prior.registry import load_prior
from engine.toybox.objects import draw_object
from studio.cli import main

CHAIR = 700007


@pytest.fixture(scope="module")
def chair() -> ReferenceShape:
    """A chair of the toybox, in plain grey."""
    mesh = draw_object(CHAIR).mesh
    return ReferenceShape(
        np.float32(mesh.vertices),
        np.int32(mesh.faces),
        np.full((len(mesh.faces), 3), 0.6, np.float32),
        "chair",
    )


@pytest.fixture(scope="module")
def painted(chair: ReferenceShape) -> Painted:
    how = Paint(prompt="a red chair with blue legs", steps=8, views=6, texture_size=256)
    *steps, done = paint(chair, how, load_prior("toybox"))
    assert [each.step for each in steps] == list(range(1, 9)) and all(
        isinstance(each, Painting) for each in steps
    )
    return done


def colour_at(painted: Painted, chosen: np.ndarray) -> np.ndarray:
    """The median colour of the texels of these faces' corners."""
    uv = painted.baked.uv[painted.baked.faces[chosen]].reshape(-1, 2)
    place = (uv * len(painted.baked.texture)).astype(int).clip(0, len(painted.baked.texture) - 1)
    return np.median(painted.baked.texture[place[:, 1], place[:, 0]], axis=0)


def test_parts_take_the_colours_that_the_words_give_them(painted: Painted) -> None:
    heights = painted.baked.vertices[painted.baked.faces][..., 2].mean(1)
    low, high = np.quantile(painted.baked.vertices[:, 2], [0.0, 1.0])
    legs, back = heights < low + 0.25 * (high - low), heights > high - 0.3 * (high - low)
    red, _, blue = colour_at(painted, back)
    assert red > 120 and blue < 90
    red, _, blue = colour_at(painted, legs)
    assert blue > 120 and red < 90


def test_the_geometry_is_untouched(painted: Painted, chair: ReferenceShape) -> None:
    assert {tuple(row) for row in painted.baked.vertices.astype(np.float32)} == {
        tuple(row) for row in chair.vertices
    }
    assert len(painted.baked.faces) == len(chair.faces)
    assert (
        painted.pictures.shape[0] == 8
        and painted.pictures.dtype == np.uint8
        and painted.pictures[..., 3].max() == 255
    )


@pytest.mark.heavy
def test_the_same_seed_paints_the_same(chair: ReferenceShape) -> None:
    how = Paint(prompt="a green chair", steps=2, views=4, texture_size=64, case=5)
    once, again = (list(paint(chair, how, load_prior("toybox")))[-1].baked.texture for _ in range(2))
    assert np.array_equal(once, again)


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"prompt": " "}, "words"),
        ({"steps": 1}, "steps"),
        ({"views": 0}, "views"),
        ({"texture_size": 8}, "texture_size"),
    ],
)
def test_what_makes_no_sense_is_refused(values: dict, word: str) -> None:
    with pytest.raises(InputError, match=word):
        Paint(**{"prompt": "a red mug", **values})


def test_a_mesh_without_faces_is_refused(chair: ReferenceShape) -> None:
    empty = ReferenceShape(chair.vertices, np.zeros((0, 3), np.int32), np.zeros((0, 3), np.float32))
    with pytest.raises(InputError, match="no faces"):
        next(paint(empty, Paint(prompt="a red chair"), load_prior("toybox")))


def test_the_command_paints_a_file_and_never_writes_over_it(
    tmp_path: Path, chair: ReferenceShape, capsys
) -> None:
    source = tmp_path / "mine" / "chair.obj"
    source.parent.mkdir()
    trimesh.Trimesh(chair.vertices, chair.faces, process=False).export(source)
    before, out = source.read_bytes(), tmp_path / "painted"
    command = [
        "edit",
        "--from",
        str(source),
        "--up",
        "z",
        "--steps",
        "2",
        "--views",
        "4",
        "--texture-size",
        "64",
        "--quiet",
    ]
    assert main([*command, "--paint", "a crimson chair", "--out", str(out)]) == 0
    assert source.read_bytes() == before
    told = trimesh.load(out / "mesh_textured.glb", force="mesh")
    assert len(told.faces) == len(chair.faces) and told.visual.uv is not None
    assert (
        Image.open(out / "views.png").size[0] > 256
        and 'prompt = "a crimson chair"' in (out / "edit.toml").read_text()
    )
    assert main([*command, "--paint", "a red chair", "--out", str(source.parent)]) == 2, (
        "the source's own folder"
    )
    assert main([*command, "--out", str(out)]) == 2 and "--paint" in capsys.readouterr().err
    assert (
        main([*command, "--restyle", "a red chair", "--out", str(out)]) == 2
        and "--was" in capsys.readouterr().err
    )
    assert main(["edit", "--from", str(tmp_path), "--paint", "a red mug", "--out", str(out)]) == 1
