"""Blocks as text and as solids: closed, facing outwards, where they were put, and refused where they make no
sense.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from engine.assets.meshes.blocks import MAX_BYTES, Block, blocks_in, text_of
from engine.assets.meshes.mesh_file import read_reference
from engine.assets.meshes.primitives import SIDES, mesh_of, rotation, solid, write_blocks_glb
from engine.errors import FileFormatError, InputError
from tests.assets.meshes.models import document

RING = SIDES / 2 * np.sin(2 * np.pi / SIDES)  # area of the polygon in a unit circle
VOLUMES = {"box": 1.0, "sphere": np.pi / 6, "cylinder": RING / 4, "cone": RING / 12}
CHAIR = (
    Block("box", (0, 0, 0.5), (1, 1, 0.1), colour="#aa5522"),
    Block("box", (-0.45, 0, 1), (0.1, 1, 1), (0, -8, 0)),
    *(
        Block("cylinder", (x, y, 0.22), (0.1, 0.1, 0.45), colour="#333344")
        for x in (-0.4, 0.4)
        for y in (-0.4, 0.4)
    ),
)


def volume(vertices: np.ndarray, faces: np.ndarray) -> float:
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6)


@pytest.mark.parametrize("kind", VOLUMES)
def test_solids_are_closed_and_as_large_as_told(kind: str) -> None:
    vertices, faces = solid(Block(kind, (3, -2, 1), (2, 1, 0.5), (20, 30, 40)))
    directed = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    assert {tuple(edge) for edge in directed} == {tuple(edge[::-1]) for edge in directed}
    assert len({tuple(edge) for edge in directed}) == len(directed), (
        "each edge once in each direction: closed and oriented"
    )
    assert volume(vertices - [3, -2, 1], faces) == pytest.approx(
        VOLUMES[kind], rel=0.02 if kind == "sphere" else 1e-9
    )
    unturned, _ = solid(Block(kind, size=(2, 1, 0.5), centre=(0, 0, 0)))
    np.testing.assert_allclose(np.ptp(unturned, axis=0), (2, 1, 0.5), atol=1e-12)


def test_turns_are_about_the_fixed_axes_in_turn() -> None:
    np.testing.assert_allclose(rotation((90, 0, 0)) @ [0, 1, 0], [0, 0, 1], atol=1e-12)
    np.testing.assert_allclose(rotation((90, 0, 90)) @ [0, 1, 0], [0, 0, 1], atol=1e-12)
    np.testing.assert_allclose(rotation((0, 90, 90)) @ [0, 0, 1], [0, 1, 0], atol=1e-12)


def test_a_build_survives_being_written() -> None:
    assert blocks_in(text_of(CHAIR)) == CHAIR


def test_a_build_is_a_reference_that_stands_as_it_was_built(tmp_path: Path) -> None:
    path = tmp_path / "chair.json"
    path.write_text(text_of(CHAIR))
    shape = read_reference(path)
    assert (shape.up, shape.confidence, shape.notes) == ("z", 1.0, ())
    raw = mesh_of(CHAIR)
    centred = raw.vertices - 0.5 * (raw.vertices.min(0) + raw.vertices.max(0))
    scale = np.linalg.norm(centred, axis=1).max()
    np.testing.assert_allclose(np.ptp(shape.vertices, axis=0), np.ptp(centred, axis=0) / scale, atol=1e-6)
    assert len(shape.faces) == len(raw.faces)
    back = shape.vertices[:, 2] > 0.5
    assert shape.vertices[back][:, 0].max() < 0, "the back stands behind: the front is +x"


def test_other_programs_get_the_same_shape(tmp_path: Path) -> None:
    write_blocks_glb(tmp_path / "chair.glb", CHAIR)
    (tmp_path / "chair.json").write_text(text_of(CHAIR))
    ours, theirs = read_reference(tmp_path / "chair.json"), read_reference(tmp_path / "chair.glb")
    np.testing.assert_allclose(theirs.vertices, ours.vertices, atol=1e-5)
    np.testing.assert_allclose(theirs.face_colours, ours.face_colours, atol=0.01)
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["chair.glb", "chair.json"], (
        "nothing is left beside"
    )


def test_a_gltf_is_not_taken_for_a_build(tmp_path: Path) -> None:
    told, binary = document()
    (tmp_path / "a.bin").write_bytes(binary)
    told["buffers"][0]["uri"] = "a.bin"
    (tmp_path / "a.gltf").write_text(json.dumps({**told, "extras": {"blocks": []}}))
    assert len(read_reference(tmp_path / "a.gltf").faces) == 8


def one(**more: object) -> str:
    return json.dumps({"blocks": [{"kind": "box"}, {"kind": "box", **more}]})


WRONG = {
    "not json": ("{", "JSON"),
    "deep": ("[" * 100_000, "JSON"),
    "a list": ("[1]", "no list of blocks"),
    "none": ('{"blocks": []}', "0 blocks"),
    "too many": (json.dumps({"blocks": [{"kind": "box"}] * 301}), "301 blocks"),
    "too long": (" " * (MAX_BYTES + 1), "bytes"),
    "kind": (one(kind="torus"), "Block 2.*torus"),
    "no kind": ('{"blocks": [{"centre": [0, 0, 0]}]}', "Block 1 says no kind"),
    "unknown": (one(weight=3), "Block 2 has the unknown 'weight'"),
    "flat": (one(size=[1, 1, 0]), "Block 2.*size"),
    "huge": (one(centre=[1e9, 0, 0]), "Block 2.*centre"),
    "nan": (one(centre=[0, 0, 0]).replace("[0, 0, 0]", "[NaN, 0, 0]"), "Block 2.*nan"),
    "two numbers": (one(size=[1, 2]), "size"),
    "words": (one(size=["1", "1", "1"]), "size"),
    "enormous": (one(size=[0, 0, 0]).replace("[0, 0, 0]", "[1" + "0" * 400 + ", 1, 1]"), "size"),
    "colour": (one(colour="red"), "#rrggbb"),
    "code": (one(colour="#12345678"), "#rrggbb"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_makes_no_sense_is_refused_by_its_number(name: str) -> None:
    text, reason = WRONG[name]
    with pytest.raises(FileFormatError, match=reason) as caught:
        blocks_in(text)
    assert caught.value.remedy


def test_an_empty_build_is_no_shape() -> None:
    with pytest.raises(InputError, match="no blocks"):
        mesh_of(())
