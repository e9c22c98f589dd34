"""The geometry table: counts and angles in closed form, and the whole command once with next to no steps."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
import trimesh

from engine.toybox.benchmark import __main__ as benchmark
from engine.toybox.benchmark import blender_renders
from engine.toybox.benchmark.geometry import GeometryResult, Truth, normal_angles_deg, truth_of
from engine.toybox.benchmark.geometry_command import gather_geometry, geometry_table
from engine.toybox.benchmark.lit import LitViews, lit_views, surviving_holes
from engine.toybox.benchmark.solids import topology, true_topology, winding_number
from engine.toybox.benchmark.surfaces import sample_surface, visible_points
from engine.toybox.benchmark.tasks import geometry_tasks, text_tasks
from engine.toybox.objects import FIRST_KINDS

SHORT = ["sampling_steps=2", "fit_steps=10", "refine_steps=0", "splats=500"]


def ball(radius: float, centre: tuple[float, float, float] = (0, 0, 0)) -> trimesh.Trimesh:
    made = trimesh.creation.icosphere(subdivisions=3, radius=radius)
    return made.apply_translation(centre)


def test_a_torus_has_one_handle_and_two_balls_are_two_bodies() -> None:
    torus = trimesh.creation.torus(0.6, 0.2)
    assert topology(torus.vertices, torus.faces) == topology(*split(torus))
    assert (topology(torus.vertices, torus.faces).genus, topology(torus.vertices, torus.faces).bodies) == (
        1,
        1,
    )
    two = trimesh.util.concatenate([ball(0.2, (-0.5, 0, 0)), ball(0.2, (0.5, 0, 0))])
    assert (topology(two.vertices, two.faces).genus, topology(two.vertices, two.faces).bodies) == (0, 2)


def split(mesh: trimesh.Trimesh) -> tuple[np.ndarray, np.ndarray]:
    """The same surface with three vertices of its own for every face, as at chart borders of a texture."""
    return mesh.vertices[mesh.faces].reshape(-1, 3), np.arange(3 * len(mesh.faces)).reshape(-1, 3)


def test_edges_without_two_faces_are_counted() -> None:
    open_ball = ball(0.5)
    assert topology(open_ball.vertices, open_ball.faces).non_manifold_edges == 0
    assert topology(open_ball.vertices, open_ball.faces[1:]).non_manifold_edges == 3
    assert topology(open_ball.vertices, np.r_[open_ball.faces, open_ball.faces[:1]]).non_manifold_edges == 3


def test_pieces_that_overlap_are_one_solid() -> None:
    torus = trimesh.creation.torus(0.6, 0.2)
    joined = trimesh.util.concatenate([torus, ball(0.3, (0.6, 0, 0))])
    counted = true_topology(joined.vertices, joined.faces)
    assert (counted.genus, counted.bodies) == (1, 1)
    apart = trimesh.util.concatenate(
        [ball(0.3, (-0.5, 0, 0)), ball(0.3, (0.5, 0, 0)), ball(0.1, (0.5, 0, 0))]
    )
    counted = true_topology(apart.vertices, apart.faces)
    assert (counted.genus, counted.bodies) == (0, 2)


def test_the_winding_number_is_that_of_the_solid() -> None:
    made = ball(0.5)
    axis = np.linspace(-1, 1, 41)
    distance = np.linalg.norm(np.stack(np.meshgrid(axis, axis, axis, indexing="ij")), axis=0)
    winding = winding_number(made.vertices, made.faces, 41)
    assert (winding[distance < 0.48] == 1).all() and (winding[distance > 0.51] == 0).all()


def test_what_lies_inside_is_hidden_and_nothing_else_is() -> None:
    outer, inner = ball(0.8), ball(0.4)
    nested = trimesh.util.concatenate([outer, inner])
    seen, hidden = visible_points(nested.vertices, nested.faces)
    assert hidden == pytest.approx(inner.area / nested.area, abs=0.02)
    assert np.linalg.norm(seen.points, axis=1).min() > 0.7
    assert visible_points(outer.vertices, outer.faces)[1] < 0.002


def test_a_mug_hides_nothing_of_its_inner_wall() -> None:
    wall = trimesh.creation.annulus(0.4, 0.5, 0.8)
    assert visible_points(np.asarray(wall.vertices), np.asarray(wall.faces))[1] < 0.01


def test_normals_of_a_turned_copy_are_off_by_the_turn() -> None:
    made, turn = ball(0.7), trimesh.transformations.rotation_matrix(np.radians(20), [0, 0, 1])
    vertices, faces = np.asarray(made.vertices), np.asarray(made.faces)
    points = sample_surface(vertices, faces, 20_000, seed=1)
    truth = Truth(LitViews(*np.zeros((3, 1))), points.points, unit(points.points), 0, 1)
    seen = sample_surface(vertices, faces, 2000)
    assert np.median(normal_angles_deg(seen, faces, np.asarray(made.vertex_normals), truth)) < 3
    turned = np.asarray(made.vertex_normals) @ turn[:3, :3].T
    at_rim = np.abs(seen.points[:, 2]) < 0.1
    assert np.median(normal_angles_deg(seen, faces, turned, truth)[at_rim]) == pytest.approx(20, abs=2)


def unit(points: np.ndarray) -> np.ndarray:
    return points / np.linalg.norm(points, axis=1, keepdims=True)


def test_lamps_shine_on_what_faces_them() -> None:
    made = ball(0.7)
    views = lit_views(made.vertices, made.faces, np.asarray(made.vertex_normals)[made.faces])
    assert views.rgb.shape == (8, 160, 160, 3) and views.alpha[:, 80, 80].min() == 1
    bright = views.rgb[..., 0][views.alpha > 0.99]
    assert bright.max() > 2 * bright.min()


def test_a_hole_survives_where_one_still_sees_through() -> None:
    true = np.ones((1, 40, 40))
    true[0, :2] = true[0, -2:] = true[0, :, :2] = true[0, :, -2:] = 0
    true[0, 8:14, 8:14] = true[0, 22:28, 22:28] = 0
    true[0, 30, 30] = 0  # too small to count
    made = true.copy()
    made[0, 8:14, 8:14] = 1
    assert surviving_holes(true, true) == (2, 2)
    assert surviving_holes(made, true) == (1, 2)


def test_tasks_are_of_the_kinds_in_turn_and_not_those_of_the_text_half() -> None:
    tasks = geometry_tasks(("mug", "cat"), 5)
    assert [task.kind for task in tasks] == ["mug", "cat", "mug", "cat", "mug"]
    assert len({task.seed for task in tasks}) == 5
    assert not {task.seed for task in geometry_tasks(FIRST_KINDS, 48)} & {
        task.seed for task in text_tasks(48)
    }


def test_the_truth_of_a_task_faces_outwards_and_can_be_seen() -> None:
    truth = truth_of(geometry_tasks(("mug",), 1)[0].object)
    assert truth.genus == 1 and truth.bodies == 1
    assert np.linalg.norm(truth.normals, axis=1) == pytest.approx(1)
    assert (truth.views.alpha.max((1, 2)) == 1).all()


def test_rows_are_medians_shares_and_sums_and_variants_have_columns_of_their_own() -> None:
    task = text_tasks(1)[0]
    results = {
        name: [
            GeometryResult(task, {"fit": {"lit_psnr": psnr, "genus_right": right, "holes_kept": 2.0}})
            for psnr, right in rows
        ]
        for name, rows in {
            "": [(20.0, 1.0), (30.0, 0.0), (26.0, 1.0)],
            "surface_weight=0": [(20.0, 0.0)],
        }.items()
    }
    columns = gather_geometry(results)
    own = columns["fit to true views"]
    assert own["lit_psnr"] == 26 and own["genus_right"] == pytest.approx(2 / 3) and own["holes_kept"] == 6
    table = geometry_table(columns, 3)
    assert "| lit PSNR, dB | 26.00 | 20.00 |" in table and "fit to true views, surface_weight=0" in table


def test_the_command_measures_a_mesh_beside_the_truth(tmp_path, capsys: pytest.CaptureFixture[str]) -> None:
    changes = [part for change in SHORT for part in ("--set", change)]
    file, readme = tmp_path / "geometry.json", tmp_path / "README.md"
    readme.write_text("<!-- geometry -->\n<!-- /geometry -->\n")
    command = [
        "--geometry",
        "--kinds",
        "mug",
        "--processes",
        "1",
        *changes,
        "--json",
        str(file),
        "--readme",
        str(readme),
    ]
    assert benchmark.main(command) == 0
    table = capsys.readouterr().out
    assert (
        "| 1 objects as exported meshes | from words | fit to true views |" in table
        and table.strip() in readme.read_text()
    )
    written = json.loads(file.read_text())
    assert {each["column"] for each in written["objects"]} == {"words", "fit"}
    fit = written["geometry"]["fit to true views"]
    assert fit["missing"] == 0 and 0 < fit["normal_median_deg"] < 90
    assert (
        0 <= fit["hidden"] <= 1
        and fit["lit_psnr"] > 5
        and "lit_psnr" not in written["geometry"]["from words"]
    )


def test_another_checkout_is_judged_by_the_same_judge(tmp_path: Path) -> None:
    """Beside itself: the same meshes, made in a process of their own, get the same numbers."""
    changes = [part for change in SHORT for part in ("--set", change)]
    file, root = tmp_path / "geometry.json", Path(__file__).parents[2]
    command = ["--geometry", "--kinds", "mug", "--processes", "1", *changes, "--json", str(file)]
    assert benchmark.main([*command, "--beside-checkout", str(root)]) == 0
    columns = json.loads(file.read_text())["geometry"]
    for name in ("from words", "fit to true views"):
        own, other = columns[name], columns[f"{name}, {root.name}"]
        same = set(own) - {"cpu_seconds", "picture_depth_far"}
        assert {key: other[key] for key in same} == pytest.approx({key: own[key] for key in same}, rel=1e-4)
        assert 0 < other["cpu_seconds"] < 60


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--kinds", "unicorn"], "unicorn"),
        (["--columns", "both"], "both"),
        (["--objects", "0"], "fewer than one"),
        (["--beside", "surface_weight"], "NAME=VALUE"),
        (["--beside-checkout", "presets"], "no checkout"),
    ],
)
def test_what_cannot_be_measured_is_refused(
    options: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert benchmark.main(["--geometry", *options]) == 2
    assert words in capsys.readouterr().err


def test_blenders_renders_say_what_is_missing(tmp_path, capsys: pytest.CaptureFixture[str]) -> None:
    assert blender_renders.main([str(tmp_path)]) == 2 and "no .glb" in capsys.readouterr().err
    ball(0.5).export(tmp_path / "ball.glb")
    if importlib.util.find_spec("bpy") is None:
        assert blender_renders.main([str(tmp_path), "--out", str(tmp_path / "a.png")]) == 2
        assert "pip install bpy" in capsys.readouterr().err
