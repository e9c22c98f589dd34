"""Splat files stand upright in viewers, and come back as they were."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from engine.assets.export.ply import read_splat_ply, write_splat_ply
from engine.assets.export.splat_cloud import AXES_COMMENT, TO_FILE, to_file, to_world
from engine.loop.init_from_file import read_start_file
from engine.loop.messages import Finished, SceneCopy
from engine.loop.recipe import Recipe
from engine.loop.results import write_results
from engine.loop.settings import Settings
from engine.loop.spec import Knobs, RunSpec
from engine.scene import splats


def test_up_becomes_minus_y_and_the_front_plus_z_with_each_splats_own_axes() -> None:
    means = np.eye(3)
    half = np.sqrt(0.5)
    quats = np.array([[1.0, 0, 0, 0], [half, half, 0, 0], [half, 0, half, 0]])
    there, orientation = to_file(means, quats)
    np.testing.assert_allclose(there, [[0, 0, 1], [-1, 0, 0], [0, -1, 0]], atol=1e-12)
    back, before = to_world(there, orientation)
    np.testing.assert_allclose(back, means, atol=1e-12)
    np.testing.assert_allclose(np.abs((before * quats).sum(1)), 1, atol=1e-12)


def test_covariances_turn_with_the_cloud() -> None:
    rng = np.random.default_rng(0)
    quats = rng.normal(size=(5, 4))
    quats /= np.linalg.norm(quats, axis=1, keepdims=True)
    scales = torch.from_numpy(rng.uniform(0.1, 1, (5, 3)))

    def covariance(q: np.ndarray) -> np.ndarray:
        axes = splats.rotation_matrices(torch.from_numpy(q)) * scales[:, None]
        return (axes @ axes.mT).numpy()

    rotation = TO_FILE
    _, after = to_file(np.zeros((5, 3)), quats)
    np.testing.assert_allclose(covariance(after), rotation @ covariance(quats) @ rotation.T, atol=1e-9)


def test_a_result_lies_in_the_axes_of_viewers_and_starts_a_run_as_it_was(tmp_path: Path) -> None:
    points = torch.tensor([[0.5, 0.0, 0.0], [0.0, 0.3, 0.0], [0.0, 0.0, 0.8], [0.0, 0.0, -0.2]])
    scene = splats.from_points(points, torch.full((4, 3), 0.5), scale=0.1, opacity=0.9)
    copy = SceneCopy(0, 0, scene, "cpu", 40.0, 3.05, 0)
    finished = Finished(copy, False, {"total": 1.0}, 0, Recipe(Settings(RunSpec("a ball"), Knobs())))
    write_results(finished, "toybox", tmp_path, ("ply",))
    text = (tmp_path / "scene.ply").read_bytes()
    assert f"comment {AXES_COMMENT}".encode() in text
    rows = np.frombuffer(text[text.index(b"end_header\n") + 11 :], "<f4").reshape(4, -1)[:, :3]
    np.testing.assert_allclose(rows[0], [0, 0, 0.5], atol=1e-6)  # the front, towards +z
    np.testing.assert_allclose(rows[2], [0, -0.8, 0], atol=1e-6)  # the top, up in a file whose +y is down
    torch.testing.assert_close(
        read_start_file(tmp_path / "scene.ply").splats.means, points, atol=1e-6, rtol=0
    )


def test_a_file_without_the_comment_stays_as_it_is(tmp_path: Path) -> None:
    means = np.array([[0.1, 0.2, 0.3]])
    path = tmp_path / "old.ply"
    write_splat_ply(
        path, means, np.full((1, 3), 0.1), np.array([[1.0, 0, 0, 0]]), np.array([0.5]), np.zeros((1, 3))
    )
    np.testing.assert_allclose(read_splat_ply(path).means, means, atol=1e-6)
