"""Meshes and words that edits cannot do without being told: a clear error or a note, and the source stays as
it is.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh

from engine.assets.export.bake import texels_of
from engine.assets.meshes.mesh_file import read_reference
from engine.assets.meshes.mesh_shape import ReferenceShape
from engine.editing import mesh_checks, restyling
from engine.editing.mesh_checks import check_mesh, check_room, count_parts, mesh_notes
from engine.editing.strategies import PAINTERS, painted_by
from engine.editing.texturing import Paint, paint, prepared
from engine.errors import InputError
from engine.prior.registry import load_prior
from studio.cli import main

QUICK = ["--steps", "2", "--views", "2", "--texture-size", "64", "--quiet"]


def shape_of(mesh: trimesh.Trimesh) -> ReferenceShape:
    grey = np.full((len(mesh.faces), 3), 0.5, np.float32)
    return ReferenceShape(np.float32(mesh.vertices), np.int32(mesh.faces), grey)


def box() -> trimesh.Trimesh:
    return trimesh.creation.box((0.8, 0.8, 0.8))


def two_boxes() -> trimesh.Trimesh:
    return trimesh.util.concatenate(
        [box().apply_translation((0, -0.6, 0)), box().apply_translation((0, 0.6, 0))]
    )


@pytest.mark.parametrize("way", [["--paint", "a red house"], ["--restyle", "a red house", "--was", "a house"],
                                 ["--region", "z=0:1", "--prompt", "a red house"]])  # fmt: skip
@pytest.mark.parametrize("name", ["points.obj", "points.ply", "flat.obj"])
def test_a_file_without_a_surface_is_refused_and_nothing_is_written(
    name: str, way: list[str], tmp_path: Path, capsys
) -> None:
    source, line = tmp_path / name, "v 0 0 0\nv 1 0 0\nv 2 0 0\n"
    if name == "points.ply":
        trimesh.PointCloud(np.eye(3)).export(source)
    else:
        source.write_text(line + ("f 1 2 3\n" if name == "flat.obj" else ""))
    before = source.read_bytes()
    assert main(["edit", "--from", str(source), *way, "--out", str(tmp_path / "out"), "--quiet"]) != 0
    told = capsys.readouterr().err
    assert "Traceback" not in told and (
        "face" in told or "area" in told or "triangle" in told or "surface" in told
    ), told
    assert source.read_bytes() == before and not list((tmp_path / "out").glob("*"))


def test_lines_are_no_surface() -> None:
    line = ReferenceShape(
        np.float32([[0, 0, 0], [1, 0, 0], [2, 0, 0]]), np.int32([[0, 1, 2]]), np.ones((1, 3), np.float32)
    )
    with pytest.raises(InputError, match="no area"):
        check_mesh(line)


@pytest.mark.parametrize("strategy", PAINTERS)
def test_no_strategy_unwraps_what_has_no_faces(strategy: str) -> None:
    empty = replace(
        shape_of(box()), faces=np.zeros((0, 3), np.int32), face_colours=np.zeros((0, 3), np.float32)
    )
    with pytest.raises(InputError, match="no faces"):
        next(painted_by(empty, Paint(prompt="a red mug", strategy=strategy), load_prior("toybox")))


def test_a_texture_too_large_for_memory_is_refused_with_one_that_fits(monkeypatch) -> None:
    monkeypatch.setattr(mesh_checks, "free_memory", lambda: 2e9)
    with pytest.raises(InputError, match="4096") as told:
        next(paint(shape_of(box()), Paint(prompt="a red house", texture_size=4096), load_prior("toybox")))
    fits = int(told.value.remedy.split("texture_size to ")[1].split()[0])
    check_room(fits, 8)
    with pytest.raises(InputError):
        check_room(fits + 65, 8)


def with_uv(mesh: trimesh.Trimesh, path: Path, overlapping: bool) -> Path:
    """An OBJ whose faces all lie on one place of its texture, or that has no texture coordinates."""
    vertices = [f"v {x} {y} {z}" for x, y, z in mesh.vertices]
    uv = ["vt 0 0", "vt 1 0", "vt 0 1"] if overlapping else []
    corners = [
        [f"{i + 1}/{k + 1}" if overlapping else str(i + 1) for k, i in enumerate(face)] for face in mesh.faces
    ]
    path.write_text("\n".join([*vertices, *uv, *("f " + " ".join(each) for each in corners)]))
    return path


def test_overlapping_and_missing_texture_coordinates_make_the_same_new_ones(tmp_path: Path) -> None:
    shapes = [read_reference(with_uv(box(), tmp_path / f"{kind}.obj", kind)) for kind in (True, False)]
    maps = [texels_of(shape.vertices.astype(np.float64), shape.faces, 64) for shape in shapes]
    assert np.array_equal(maps[0].uv, maps[1].uv) and np.array_equal(maps[0].inside, maps[1].inside)
    assert len(maps[0].points) == maps[0].inside.sum(), "each texel lies on one place of the mesh"


def test_parts_that_are_not_connected_are_counted_and_painted_as_one(tmp_path: Path, capsys) -> None:
    shape = shape_of(two_boxes())
    assert count_parts(shape.vertices, shape.faces) == 2 and "2 parts" in mesh_notes(shape)[0]
    split = shape_of(box())
    soup = split.vertices[split.faces].reshape(-1, 3)
    assert count_parts(soup, np.arange(len(soup)).reshape(-1, 3)) == 1, "corners at one place are one"
    assert mesh_notes(split) == ()
    two_boxes().export(tmp_path / "two.obj")
    command = ["edit", "--from", str(tmp_path / "two.obj"), "--paint", "a red house", *QUICK]
    assert main([*command, "--out", str(tmp_path / "out")]) == 0
    assert "2 parts that are not connected" in "".join(capsys.readouterr())


def test_unused_vertices_are_no_parts() -> None:
    vertices = np.concatenate([box().vertices, [[5.0, 5.0, 5.0]]])
    assert count_parts(vertices, box().faces) == 1


def test_words_that_change_nothing_are_told_so() -> None:
    shape, prior = shape_of(box()), load_prior("toybox")
    how = Paint(prompt="a house", steps=2, views=2, texture_size=64)
    studio = prepared(shape, how, prior)
    views = studio.prior.decode(studio.background)
    assert restyling._merged(shape, studio, views, views, how).notes == (restyling.NOTHING,)
    other = type(views)(1 - views.rgb + 0.5, views.alpha + 1, views.depth)
    (told,) = restyling._merged(shape, studio, views, other, how).notes
    assert told.endswith("of the surface has new colours.") and int(told.split("%")[0]) > 50
