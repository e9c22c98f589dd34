"""References to train with: coordinates that are true, distortions that are possible shapes, and how often
each happens.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from engine.core.camera import intrinsics, orbit_c2w
from engine.prior.toybox.info import DISTANCE, FOV_DEG
from engine.prior.toybox.pipeline_files import base_digest, base_of, load_parts
from engine.prior.toybox.prior import load_toybox
from engine.render.mesh_numba import render_mesh
from engine.toybox import train
from engine.toybox.dataset import ensure_shard, shard_path
from engine.toybox.objects import KINDS, draw_object
from engine.toybox.objects.mesh import ToyMesh
from engine.toybox.references.drawing import (
    Amounts,
    Mix,
    ccm_maps,
    displaced,
    distorted_maps,
    draw_distortion,
    draw_kind,
    draw_reference,
    mirrored,
    shifted,
    strength_at,
)
from engine.toybox.training.checkpoints import load_checkpoint
from engine.toybox.training.controller_task import LEAVABLE, GuidingCourse, Parts
from engine.toybox.training.export import export_controller
from engine.toybox.training.loop import Plan
from engine.toybox.training.report import Pace
from tests.prior.test_toybox_prior import save_tiny

AZIMUTHS_DEG = np.array([0.0, 90.0, 180.0, 270.0])
LEVEL = np.zeros(4)


def sphere(radius: float) -> ToyMesh:
    """A ball of 2 x 40 x 80 triangles."""
    import trimesh

    ball = trimesh.creation.icosphere(4, radius)
    return ToyMesh(
        ball.vertices.astype(np.float32),
        ball.faces.astype(np.int32),
        np.full((len(ball.faces), 3), 0.5, np.float32),
    )


def test_coordinates_of_a_ball_are_those_of_its_surface() -> None:
    radius = 0.7
    maps = ccm_maps(sphere(radius), AZIMUTHS_DEG, LEVEL)
    inside = maps[..., 3] == 1
    points = 2 * maps[..., :3] - 1
    assert np.abs(np.linalg.norm(points[inside], axis=1) - radius).max() < 0.01
    centre = points[0, 31:33, 31:33].mean((0, 1))
    np.testing.assert_allclose(centre, [radius, 0, 0], atol=0.02)


def test_coordinates_and_depth_tell_of_the_same_points() -> None:
    mesh, azimuth_deg = draw_object(5).mesh, 40.0
    c2w, K = orbit_c2w(azimuth_deg, 20.0, DISTANCE), intrinsics(FOV_DEG, 64, 64)
    buffers = render_mesh(
        mesh.vertices, mesh.faces, mesh.face_colours, c2w[None], K[None], 64, 64, supersample=1
    )
    maps = ccm_maps(mesh, np.array([azimuth_deg]), np.array([20.0]))[0]
    rows, columns = np.nonzero(maps[..., 3] == 1)
    rays = np.stack(
        [(columns + 0.5 - K[0, 2]) / K[0, 0], (rows + 0.5 - K[1, 2]) / K[1, 1], np.ones(len(rows))], 1
    )
    world = (rays * buffers.depth[0, rows, columns][:, None]) @ c2w[:3, :3].T + c2w[:3, 3]
    np.testing.assert_allclose(2 * maps[rows, columns, :3] - 1, world, atol=1e-3)


def test_a_mirrored_shape_has_mirrored_coordinates_in_swapped_views() -> None:
    mesh = draw_object(3).mesh
    maps, other = ccm_maps(mesh, AZIMUTHS_DEG, LEVEL), ccm_maps(mirrored(mesh), -AZIMUTHS_DEG % 360, LEVEL)
    expected = maps[:, :, ::-1].copy()
    expected[..., 1] = np.where(expected[..., 3] > 0, 1 - expected[..., 1], expected[..., 1])
    same = np.abs(other - expected).max(-1) < 0.02
    assert same.mean() > 0.99, "all but pixels on edges"


def test_a_distortion_of_no_strength_changes_nothing() -> None:
    mesh, rng = draw_object(9).mesh, np.random.default_rng(0)
    for _ in range(20):
        distortion = draw_distortion(rng, 4, 0.0, Amounts())
        np.testing.assert_allclose(distortion.shape(mesh).vertices, mesh.vertices, atol=1e-6)
        assert not distortion.shifts_px.any() and not distortion.flip


def test_distortions_keep_shapes_in_the_unit_sphere() -> None:
    mesh, rng = draw_object(9).mesh, np.random.default_rng(0)
    for _ in range(30):
        vertices = draw_distortion(rng, 4, 1.0, Amounts()).shape(mesh).vertices
        assert vertices.shape == mesh.vertices.shape and np.linalg.norm(vertices, axis=1).max() < 1.0001


def test_distortions_happen_as_often_as_promised() -> None:
    rng, amounts, draws = np.random.default_rng(0), Amounts(), 10_000
    drawn = [draw_distortion(rng, 1, 1.0, amounts) for _ in range(draws)]
    for share, happened in (
        (amounts.flip_share, [d.flip for d in drawn]),
        (amounts.resize_share, [(d.factors != 1).any() for d in drawn]),
        (amounts.grid_share, [d.lattice.any() for d in drawn]),
        (amounts.shift_share * (1 - (1 / 12) ** 2), [d.shifts_px.any() for d in drawn]),
    ):
        assert np.mean(happened) == pytest.approx(share, abs=0.015)


def test_views_are_shifted_one_by_one() -> None:
    pictures = np.random.default_rng(0).random((3, 8, 8, 4))
    moved = shifted(pictures, np.array([[0, 0], [2, -1], [-3, 0]]))
    np.testing.assert_array_equal(moved[0], pictures[0])
    np.testing.assert_array_equal(moved[1, :7, 2:], pictures[1, 1:, :6])
    assert not moved[1, 7].any() and not moved[1, :, :2].any() and not moved[2, :, 5:].any()


def test_a_linear_lattice_moves_points_linearly() -> None:
    axis = np.linspace(-1, 1, 4)
    lattice = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1) * 0.1
    points = np.random.default_rng(0).uniform(-1, 1, (50, 3))
    np.testing.assert_allclose(displaced(points, lattice), 1.1 * points, atol=1e-12)


def test_the_curriculum_begins_with_the_object_itself() -> None:
    rng, mix = np.random.default_rng(0), Mix()
    assert {draw_kind(rng, 0.05, mix) for _ in range(200)} == {"self"} and strength_at(0.05, mix) == 0
    late = [draw_kind(rng, 0.9, mix) for _ in range(10_000)]
    assert late.count("retrieved") / 1e4 == pytest.approx(mix.retrieved, abs=0.015)
    assert late.count("random") / 1e4 == pytest.approx(mix.random, abs=0.015)
    strengths = [strength_at(p / 50, mix) for p in range(51)]
    assert strengths == sorted(strengths) and strengths[-1] == 1


def test_a_retrieved_reference_is_of_the_same_kind_and_a_random_one_is_not() -> None:
    obj, seeds = draw_object(11), (0, 50)
    same = [draw_object(seed, obj.kind).mesh.vertices.tobytes() for seed in range(*seeds)]
    for number in range(10):
        rng = np.random.default_rng(number)
        assert draw_reference(obj, "self", rng, seeds) is obj.mesh
        assert draw_reference(obj, "retrieved", rng, seeds).vertices.tobytes() in same
        assert draw_reference(obj, "random", rng, seeds).vertices.tobytes() not in same
    assert len(KINDS) > 1


def test_maps_stay_maps_when_distorted() -> None:
    maps = distorted_maps(draw_object(2).mesh, AZIMUTHS_DEG, LEVEL, np.random.default_rng(0), 1.0, Amounts())
    assert maps.shape == (4, 64, 64, 4) and maps.min() >= 0 and maps.max() <= 1 and maps[..., 3].any()


def test_a_controller_is_trained_examined_and_exported(tmp_path: Path) -> None:
    ensure_shard(shard_path(tmp_path / "cache", 0), 0, 12)
    prior = Path(__file__).resolve().parents[2] / "presets" / "priors" / "toybox"
    plan = Plan(
        tmp_path / "run", tmp_path / "cache", 2.0, processes=1, images=8, init=prior, pace=Pace(0.5, 0.5, 1e9)
    )
    train.train(plan, Parts(depth=1, examined_objects=2), resume=False)
    state = load_checkpoint(plan.out)
    assert state["step"] > 0
    fresh = GuidingCourse(Parts(depth=1), plan, 0, None)
    changed = [
        name
        for name, value in state["weights"].items()
        if not torch.equal(value, fresh.net.state_dict()[name])
    ]
    assert "to_coarse.weight" in changed and "adviser.gates.weight" in changed
    for mine, shipped in zip(fresh.base.parameters(), load_parts(prior).net.parameters(), strict=True):
        assert torch.equal(mine, shipped)
    assert train.main(["reference", "--out", str(plan.out), "--export", str(tmp_path / "out")]) == 0
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert "words, no reference" in card and "picture, retrieved" in card
    assert base_of(tmp_path / "out") == base_digest(prior) and base_digest(prior) in card


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a few objects to train on, and a tiny prior."""
    folder = tmp_path_factory.mktemp("school")
    ensure_shard(shard_path(folder / "cache", 0), 0, 4)
    save_tiny(folder / "prior")
    return folder


@pytest.mark.parametrize(
    "without", [[*LEAVABLE], ["augmentation"], ["meta", "routing"], ["routing"]], ids="-".join
)
def test_what_is_left_out_stays_out_when_it_is_loaded(
    without: list[str], school: Path, tmp_path: Path
) -> None:
    pace = Pace(1e9, 1e9, 1e9)
    plan = Plan(
        tmp_path / "run", school / "cache", 0.05, processes=1, images=8, init=school / "prior", pace=pace
    )
    parts = Parts(**{name: name not in without for name in LEAVABLE}, depth=1, examined_objects=1)
    train.train(plan, parts, resume=False)
    export_controller(plan.out, tmp_path / "out")
    loaded = load_toybox(school / "prior", controller_folder=tmp_path / "out")
    assert (loaded.controller.adviser is None) == ("meta" in without)
    assert loaded.controller.config.routing == ("routing" not in without)
    assert loaded.info.takes_references and not loaded.info.reference_note
    assert ", ".join(name for name in LEAVABLE if name in without) in (
        tmp_path / "out" / "README.md"
    ).read_text("utf-8")


def test_a_controller_needs_its_prior(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ensure_shard(shard_path(tmp_path / "cache", 0), 0, 2)
    arguments = [
        "reference",
        "--out",
        str(tmp_path / "run"),
        "--cache",
        str(tmp_path / "cache"),
        "--hours",
        "1",
        "--processes",
        "1",
    ]
    assert train.main([*arguments, "--images", "8"]) == 2
    assert "--init" in capsys.readouterr().err
