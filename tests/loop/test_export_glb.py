"""GLB: reopened by another library it is the same mesh, turned to glTF's axes, with the same colours and
recipe.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest
import trimesh
from scipy.ndimage import map_coordinates

from engine.assets.export import bake as bake_module
from engine.assets.export import glb, read_recipe
from engine.assets.export.bake import PADDING, Baked, bake
from engine.assets.meshes.gltf import read_gltf
from engine.assets.meshes.untrusted_files import Folder
from engine.errors import FileFormatError, InputError


def ball() -> trimesh.Trimesh:
    return trimesh.creation.icosphere(subdivisions=3, radius=0.6)


def document(path: Path) -> dict:
    data = path.read_bytes()
    assert len(data) == struct.unpack("<I", data[8:12])[0], "the header must state the file's length"
    return json.loads(data[20 : 20 + struct.unpack("<I", data[12:16])[0]])


def reopened(path: Path) -> trimesh.Trimesh:
    (mesh,) = trimesh.load(path, process=False).geometry.values()
    return mesh


def test_fronts_face_plus_z_and_up_is_plus_y_without_mirroring() -> None:
    axes = glb.gltf_from_world(np.eye(3))
    assert axes.tolist() == [[0, 0, 1], [1, 0, 0], [0, 1, 0]] and np.linalg.det(axes) == 1
    points = np.random.default_rng(0).normal(size=(5, 3))
    np.testing.assert_array_equal(glb.world_from_gltf(glb.gltf_from_world(points)), points)


def test_a_coloured_mesh_reopens_the_same(tmp_path: Path) -> None:
    mesh, path = ball(), tmp_path / "mesh.glb"
    colours = (mesh.vertices / 0.6 + 1) / 2
    glb.write_glb(path, mesh.vertices, mesh.faces, colours, recipe="prompt = 'müg'\n")
    again = reopened(path)
    np.testing.assert_allclose(glb.world_from_gltf(again.vertices), mesh.vertices, atol=1e-6)
    np.testing.assert_array_equal(again.faces, mesh.faces)
    np.testing.assert_allclose(again.volume, mesh.volume, rtol=1e-5)
    np.testing.assert_allclose(glb.world_from_gltf(again.vertex_normals), mesh.vertices / 0.6, atol=0.02)
    np.testing.assert_allclose(
        again.visual.vertex_attributes["color"][:, :3] / 255,
        glb.linear_from_srgb(colours),
        atol=0.5 / 255 + 1e-9,
    )
    assert read_recipe(path) == "prompt = 'müg'\n"


def test_display_colours_become_linear_light() -> None:
    known = {0.0: 0.0, 0.04045: 0.04045 / 12.92, 0.5: 0.2140411, 1.0: 1.0}
    np.testing.assert_allclose(glb.linear_from_srgb(np.array(list(known))), list(known.values()), atol=1e-6)


def test_exact_colours_keep_every_display_shade(tmp_path: Path) -> None:
    """One triangle a shade: 8 bits of linear light would make one of the six darkest."""
    shades = np.arange(256)
    corners, faces = np.random.default_rng(0).normal(size=(768, 3)), np.arange(768).reshape(-1, 3)
    colours = (shades / 255).repeat(3)[:, None].repeat(3, 1)
    glb.write_glb(tmp_path / "a.glb", corners, faces, colours, exact=True)
    kept = read_gltf((tmp_path / "a.glb").read_bytes(), Folder(tmp_path)).face_colours
    np.testing.assert_array_equal(np.round(255 * kept), shades[:, None].repeat(3, 1))


def test_the_material_is_matt_and_the_buffers_keep_gltfs_rules(tmp_path: Path) -> None:
    mesh, path = ball(), tmp_path / "mesh.glb"
    glb.write_glb(path, mesh.vertices, mesh.faces, np.ones((len(mesh.vertices), 3)))
    contents = document(path)
    surface = contents["materials"][0]["pbrMetallicRoughness"]
    assert surface["metallicFactor"] == 0 and surface["roughnessFactor"] == 1
    assert all(view["byteOffset"] % 4 == 0 for view in contents["bufferViews"])
    position = contents["accessors"][contents["meshes"][0]["primitives"][0]["attributes"]["POSITION"]]
    np.testing.assert_allclose(
        [position["min"], position["max"]], glb.gltf_from_world(mesh.bounds), atol=1e-6
    )
    assert path.stat().st_size % 4 == 0


def test_a_textured_mesh_shows_the_same_colour_at_the_same_place(tmp_path: Path) -> None:
    mesh, path = ball(), tmp_path / "mesh.glb"
    baked = bake(mesh.vertices, mesh.faces, lambda points: points / 1.2 + 0.5, size=512)
    glb.write_textured_glb(path, baked, recipe="a = 1")
    again = reopened(path)
    colours = again.visual.to_color().vertex_colors[:, :3] / 255
    np.testing.assert_allclose(colours, glb.world_from_gltf(again.vertices) / 1.2 + 0.5, atol=0.02)
    assert again.visual.material.metallicFactor == 0 and read_recipe(path) == "a = 1"


def test_another_librarys_copy_has_the_same_colours(tmp_path: Path) -> None:
    mesh, path = ball(), tmp_path / "mesh.glb"
    glb.write_glb(path, mesh.vertices, mesh.faces, (mesh.vertices / 0.6 + 1) / 2)
    first = reopened(path)
    first.export(tmp_path / "copy.glb")
    np.testing.assert_array_equal(
        reopened(tmp_path / "copy.glb").visual.vertex_attributes["color"],
        first.visual.vertex_attributes["color"],
    )


def test_names_recipe_and_short_indices(tmp_path: Path) -> None:
    mesh, path = ball(), tmp_path / "mesh.glb"
    glb.write_glb(
        path, mesh.vertices, mesh.faces, np.ones((len(mesh.vertices), 3)), recipe="a = 1", name="a red müg"
    )
    contents = document(path)
    assert {contents[part][0]["name"] for part in ("nodes", "meshes", "scenes")} == {"a red müg"}
    assert contents["materials"][0]["name"] == "a red müg (matt)"
    assert contents["scenes"][0]["extras"]["recipe"] == contents["asset"]["extras"]["recipe"] == "a = 1"
    assert contents["accessors"][contents["meshes"][0]["primitives"][0]["indices"]]["componentType"] == 5123
    many = trimesh.creation.icosphere(subdivisions=7)
    glb.write_glb(path, many.vertices, many.faces, np.ones((len(many.vertices), 3)))
    indices = document(path)["meshes"][0]["primitives"][0]["indices"]
    assert len(many.vertices) > 65_535 and document(path)["accessors"][indices]["componentType"] == 5125
    np.testing.assert_array_equal(reopened(path).faces, many.faces)


def test_copies_of_a_point_share_its_normal_and_no_chart_is_mirrored() -> None:
    mesh = trimesh.creation.torus(0.5, 0.2)
    baked = bake(mesh.vertices, mesh.faces, lambda points: points / 2 + 0.5, size=256)
    _, point = np.unique(baked.vertices.round(9), axis=0, return_inverse=True)
    assert len(baked.vertices) > point.max() + 1, "there are borders"
    first = baked.normals[np.unique(point, return_index=True)[1]]
    np.testing.assert_allclose(baked.normals, first[point.ravel()], atol=1e-6)
    a, b, c = (baked.uv[baked.faces[:, k]] for k in range(3))
    turn = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]
    assert (turn <= 1e-12).all(), "as seen from outside, where v runs downwards"


def texture_at(baked: Baked, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points on every face at barycentric weights (F,3), and the texture's bilinear colour there."""
    points, uv = (
        np.einsum("fk,fkd->fd", weights, values[baked.faces]) for values in (baked.vertices, baked.uv)
    )
    place = (uv * len(baked.texture) - 0.5).T[::-1]
    return points, np.stack(
        [map_coordinates(baked.texture[..., k] / 255.0, place, order=1, mode="nearest") for k in range(3)], 1
    )


def test_a_baked_linear_colour_is_off_by_less_than_a_texel() -> None:
    mesh = ball()
    baked = bake(mesh.vertices, mesh.faces, lambda points: points / 1.2 + 0.5, size=256)
    rng = np.random.default_rng(0)
    for _ in range(4):
        points, colours = texture_at(baked, rng.dirichlet([0.4, 0.4, 0.4], len(baked.faces)))
        assert np.abs(colours - (points / 1.2 + 0.5)).max() < 1 / 256 + 1 / 255


def test_a_baked_constant_fills_the_padding_too() -> None:
    mesh = trimesh.creation.box((0.5, 0.6, 0.7))
    baked = bake(
        mesh.vertices, mesh.faces, lambda points: np.broadcast_to([0.2, 0.4, 1.0], points.shape), size=64
    )
    assert (baked.texture == np.array([51, 102, 255])).all()


def test_texels_round_a_chart_carry_its_colours_and_no_others() -> None:
    left = trimesh.creation.icosphere(subdivisions=2, radius=0.4).apply_translation((-0.5, 0.0, 0.0))
    right = trimesh.creation.box((0.6, 0.6, 0.6)).apply_translation((0.5, 0.0, 0.0))
    mesh = trimesh.util.concatenate([left, right])
    sides = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    baked = bake(mesh.vertices, mesh.faces, lambda points: sides[(points[:, 0] > 0).astype(int)], size=128)
    red = baked.vertices[baked.faces][:, :, 0].mean(1) < 0
    directions = (
        np.stack([np.cos(np.arange(8) * np.pi / 4), np.sin(np.arange(8) * np.pi / 4)], 1)
        * (PADDING - 1)
        / 128
    )
    for direction in directions:
        place = np.clip((baked.uv[baked.faces] + direction)[..., ::-1] * 128, 0, 127).astype(int)
        seen = baked.texture[place[..., 0], place[..., 1]]
        assert (seen[red] == [255, 0, 0]).all() and (seen[~red] == [0, 0, 255]).all()


@pytest.mark.parametrize("fault", ["empty", "index", "nan", "colours"])
def test_unusable_meshes_are_refused_before_anything_is_written(fault: str, tmp_path: Path) -> None:
    mesh = ball()
    vertices, faces, colours = np.array(mesh.vertices), np.array(mesh.faces), np.ones((len(mesh.vertices), 3))
    if fault == "empty":
        faces = faces[:0]
    elif fault == "index":
        faces[0, 0] = len(vertices)
    elif fault == "nan":
        vertices[0] = np.nan
    else:
        colours = colours[1:]
    with pytest.raises(InputError) as caught:
        glb.write_glb(tmp_path / "mesh.glb", vertices, faces, colours)
    assert caught.value.remedy and not list(tmp_path.iterdir())


CUT_OFF = struct.pack("<IIIII", 0x46546C67, 2, 99, 50, 0x4E4F534A) + b"{"


@pytest.mark.parametrize("data", [b"", b"glTF", b"not a mesh at all, but long enough", CUT_OFF])
def test_what_is_no_glb_is_said_to_be_none(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.glb").write_bytes(data)
    with pytest.raises(FileFormatError, match=r"x\.glb"):
        read_recipe(tmp_path / "x.glb")


def test_charts_that_cannot_all_have_room_are_packed_in_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked for ever wider gaps, the packer would take minutes and shrink the charts as much."""
    one = trimesh.creation.icosphere(subdivisions=0)
    many = trimesh.util.concatenate([one.copy().apply_translation((3 * i, 0, 0)) for i in range(60)])
    paddings, packed = [], bake_module._packed
    monkeypatch.setattr(
        bake_module,
        "_packed",
        lambda add, size, padding: paddings.append(padding) or packed(add, size, padding),
    )
    texels = bake_module.texels_of(np.asarray(many.vertices), np.asarray(many.faces), 64)
    assert max(paddings) <= bake_module.MOST_PADDING and len(paddings) >= 2
    assert texels.inside.any() and (texels.uv >= 0).all() and (texels.uv <= 1).all()
