"""The files of a run: all there, readable by others, looking like the scene, and each able to start the run
again.
"""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
import trimesh

from engine.assets.export import read_recipe
from engine.assets.export.ply import read_splat_ply, rgb_from_sh0
from engine.errors import IncompleteError, StorageError, storage_errors
from engine.loop import results
from engine.loop.mesh import mesh_of, without_dust
from engine.loop.messages import Finished, Unattended
from engine.loop.recipe import Recipe
from engine.loop.run import run
from engine.scene import splats
from tests.loop.balls import COLOUR, RADIUS, ball_prior, quick_knobs, quick_spec


@pytest.fixture(scope="module", params=["splats", "field"])
def finished(request) -> Finished:
    *_, last = run(quick_spec(scene=request.param, splats=1500), quick_knobs(), Unattended(), ball_prior)
    return last


@pytest.fixture(scope="module")
def written(finished, tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    return folder, results.write_results(finished, "ball", folder)


def test_everything_is_there(written, finished) -> None:
    folder, _ = written
    assert {path.name for path in folder.iterdir()} == set(results.RESULT_FILES) - {"mesh_textured.glb"}
    summary = json.loads((folder / "result.json").read_text())
    assert {
        "prompt",
        "seed",
        "prior",
        "scene",
        "method",
        "device",
        "steps",
        "seconds",
        "files",
    } <= summary.keys()
    assert {"total", "draft", "refine", "to_first_view"} <= summary["seconds"].keys()
    assert summary["seconds"]["draft"] >= finished.seconds["fit"]
    assert all((folder / name).stat().st_size > 0 for name in summary["files"].values())


def test_every_file_holds_the_recipe_that_made_it(written, finished) -> None:
    _, files = written
    recipe = Recipe.from_toml(files["recipe"].read_text())
    assert recipe.settings == finished.recipe.settings
    for name in ("ply", "glb", "mp4", "png"):
        assert Recipe.from_toml(read_recipe(files[name])) == recipe, name


def test_the_mesh_is_the_ball_in_gltf_axes(written) -> None:
    _, files = written
    mesh = trimesh.load(files["glb"], force="mesh")
    radii = np.linalg.norm(mesh.vertices, axis=1)
    assert mesh.is_watertight and mesh.volume > 0
    assert np.median(radii) == pytest.approx(RADIUS, abs=0.08)


def test_the_mesh_has_the_colour_of_the_ball(finished) -> None:
    mesh = mesh_of(finished.copy)
    assert np.abs(np.median(mesh.colours, axis=0) - COLOUR).max() < 0.06


def test_the_splats_have_the_colour_of_the_ball(written) -> None:
    cloud = read_splat_ply(written[1]["ply"])
    solid = cloud.opacities > 0.3
    assert np.abs(np.median(rgb_from_sh0(cloud.sh0[solid]), axis=0) - COLOUR).max() < 0.15
    assert np.linalg.norm(cloud.means[solid], axis=1).max() < RADIUS + 0.35


def test_a_texture_when_asked_for(finished, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("engine.loop.mesh.TEXTURED_FACES", 1_000)
    files = results.write_results(finished, "ball", tmp_path, formats=("texture",))
    mesh = trimesh.load(files["texture"], force="mesh")
    texture = np.asarray(mesh.visual.material.baseColorTexture.convert("RGB")) / 255
    assert np.abs(np.median(texture.reshape(-1, 3), axis=0) - COLOUR).max() < 0.06
    assert len(mesh.faces) <= 8_000, (
        "fewer than the grid would give, even where a closed mesh needs more than was asked"
    )


def test_only_what_is_asked_for(finished, tmp_path) -> None:
    files = results.write_results(finished, "ball", tmp_path, formats=("png",))
    assert set(files) == {"recipe", "png", "result"}


def test_a_shape_without_a_solid_part_keeps_its_other_files(finished, tmp_path) -> None:
    if not isinstance(finished.copy.scene, splats.Splats):
        mist = replace(
            finished.copy.scene, raw_density=torch.full_like(finished.copy.scene.raw_density, -30.0)
        )
    else:
        mist = replace(
            finished.copy.scene, logit_opacities=torch.full_like(finished.copy.scene.logit_opacities, -30.0)
        )
    copy = replace(finished.copy, scene=mist)
    files = results.write_results(replace(finished, copy=copy), "ball", tmp_path, formats=("glb", "png"))
    assert "glb" not in files and files["png"].exists()
    assert "solid" in json.loads(files["result"].read_text())["notes"][0]


def test_a_full_disk_is_told_as_such(finished, tmp_path, monkeypatch) -> None:
    def refuse(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", refuse)
    with pytest.raises(StorageError, match="disk is full"):
        results.write_results(finished, "ball", tmp_path)


@pytest.mark.parametrize("broken", ["_png", "_mp4", "_ply"])
@pytest.mark.parametrize(
    "fault", [OSError(28, "No space left on device"), RuntimeError("odd"), MemoryError()]
)
def test_one_file_that_cannot_be_written_keeps_none_of_the_others_back(
    finished, tmp_path, monkeypatch, broken: str, fault: Exception
) -> None:
    if finished.copy.scene.kind == "field":
        pytest.skip("writing is the same for every scene")
    written: list[str] = []

    def refuse(path, *args) -> None:
        written.append(path.name)
        with storage_errors(path):
            raise fault

    monkeypatch.setattr(results, broken, refuse)
    formats = ("ply", "mp4", "png") if broken == "_mp4" else ("ply", "png")
    with pytest.raises(IncompleteError) as error:
        results.write_results(finished, "ball", tmp_path, formats)
    there = {path.name for path in tmp_path.iterdir()}
    asked = {"recipe.toml", "result.json", *(results.FILE_OF[name] for name in formats)}
    assert there == {path.name for path in error.value.written.values()} == asked - set(written)
    assert written[0] in error.value.what and error.value.remedy
    summary = json.loads((tmp_path / "result.json").read_text())
    assert set(summary["files"].values()) == there


def test_hollows_are_filled_and_dust_is_taken_away() -> None:
    axis = np.arange(40)
    distance = np.sqrt(sum((grid - 18.0) ** 2 for grid in np.meshgrid(axis, axis, axis, indexing="ij")))
    shell = ((distance < 12) & (distance > 9)).astype(np.float32)
    shell[37:39, 37:39, 37:39] = 1
    clean = without_dust(shell, 0.5)
    assert clean[18, 18, 18] == 1 and clean[38, 38, 38] == 0
    assert np.array_equal(clean[:34, :34, :34] > 0.5, (distance < 12)[:34, :34, :34])


def test_the_mesh_stands_where_and_is_as_large_as_the_recipe_says(finished, tmp_path) -> None:
    spec = replace(finished.recipe.settings.spec, mesh_origin="base", mesh_size_m=0.12, mesh_faces=3000)
    settled = replace(finished, recipe=Recipe(replace(finished.recipe.settings, spec=spec)))
    files = results.write_results(settled, "ball", tmp_path, formats=("glb",))
    mesh = trimesh.load(files["glb"], force="mesh")
    low, high = mesh.bounds
    assert max(high - low) == pytest.approx(0.12, abs=1e-6)
    assert low[1] == pytest.approx(0, abs=1e-7) and (low + high)[[0, 2]] == pytest.approx(0, abs=1e-7)
    assert 0.95 * 3000 <= len(mesh.faces) <= 3000
    assert json.loads(files["result"].read_text())["notes"] == []


def scene_of(points: np.ndarray, opacity: float = 0.95, scale: float = 0.04) -> splats.Splats:
    return splats.from_points(
        torch.from_numpy(points).float(), torch.full((len(points), 3), 0.5), scale=scale, opacity=opacity
    )


def ball_of_points(count: int, radius: float, centre: float = 0.0) -> np.ndarray:
    points = np.random.default_rng(0).normal(size=(count, 3))
    return radius * points / np.linalg.norm(points, axis=1, keepdims=True) + [centre, 0, 0]


BAD = {
    "fog": (scene_of(np.random.default_rng(1).uniform(-0.6, 0.6, (400, 3)), 0.03, 0.1), "mist"),
    "in parts": (scene_of(np.r_[ball_of_points(900, 0.2, -0.5), ball_of_points(900, 0.2, 0.5)]), "2 parts"),
    "cut off": (scene_of(ball_of_points(3000, 0.5, 0.7)), "border of its space"),
    "one-sided": (
        scene_of(np.c_[np.zeros(2000), np.random.default_rng(2).uniform(-0.6, 0.6, (2000, 2))], 0.95, 0.03),
        "",
    ),
}


@pytest.mark.parametrize(("scene", "word"), BAD.values(), ids=BAD)
def test_an_odd_shape_has_a_mesh_and_a_note(scene, word: str, finished, tmp_path) -> None:
    if finished.copy.scene.kind == "field":
        pytest.skip("the shapes here are of splats")
    copy = replace(finished.copy, scene=scene, backend="cpu")
    files = results.write_results(replace(finished, copy=copy), "ball", tmp_path, formats=("ply", "glb"))
    notes = json.loads(files["result"].read_text())["notes"]
    assert files["ply"].exists() and trimesh.load(files["glb"], force="mesh").is_watertight
    assert any(word in note for note in notes) if word else not any("mist" in note for note in notes)


def test_what_differs_from_the_viewport_is_said(finished, tmp_path, monkeypatch) -> None:
    if finished.copy.scene.kind == "field":
        pytest.skip("comparing is the same for every scene")
    whole = results.mesh_of

    def half_and_dark(copy, max_faces):
        mesh = whole(copy, max_faces)
        return replace(mesh, vertices=mesh.vertices * [1, 1, 0.5], colours=0 * mesh.colours)

    monkeypatch.setattr(results, "mesh_of", half_and_dark)
    files = results.write_results(finished, "ball", tmp_path, formats=("glb",))
    notes = " ".join(json.loads(files["result"].read_text())["notes"])
    assert "outlines of mesh.glb" in notes and "colours of mesh.glb" in notes


def test_a_file_that_cannot_be_read_again_does_not_count_as_written(finished, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(results, "write_sheet", lambda path, *_, recipe: path.write_bytes(b"no picture"))
    with pytest.raises(IncompleteError, match=r"views\.png.*read again"):
        results.write_results(finished, "ball", tmp_path, formats=("ply", "png"))
