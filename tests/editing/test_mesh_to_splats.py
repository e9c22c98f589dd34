"""A mesh as splats looks like the mesh, and its discs lie on it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from engine.assets.meshes.mesh_shape import ReferenceShape
from engine.core.cameras import orbit_cameras
from engine.editing.mesh_to_splats import facing, write_mesh_as_splats
from engine.errors import InputError
from engine.loop.init_from_file import read_start_file
from engine.loop.reference.guide import MeshModel
from engine.render import choose
from engine.scene.splats import rotation_matrices
from engine.toybox.objects import draw_object


def test_discs_face_as_they_are_told() -> None:
    normals = np.random.default_rng(1).normal(size=(50, 3))
    normals[0], normals[1] = (0, 0, -3), (0, 0, 2)
    axes = rotation_matrices(torch.from_numpy(facing(normals)))[:, :, 2].numpy()
    np.testing.assert_allclose(axes, normals / np.linalg.norm(normals, axis=1, keepdims=True), atol=1e-6)


def test_pictures_of_the_splats_are_those_of_the_mesh(tmp_path: Path) -> None:
    mesh = draw_object(700007).mesh
    shape = ReferenceShape(np.float32(mesh.vertices), np.int32(mesh.faces), np.float32(mesh.face_colours))
    write_mesh_as_splats(shape, tmp_path / "scene.ply")
    splats = read_start_file(tmp_path / "scene.ply").splats
    cameras = orbit_cameras([30.0, 150.0, 270.0], 15.0, 3.05, 40.0, 64)
    wanted = MeshModel(shape).pictures(cameras)
    found = choose(splats).render(splats, cameras, None)
    error = (torch.cat([found.rgb, found.alpha], dim=-1) - wanted).square().mean()
    assert float(-10 * torch.log10(error)) > 23, "dB"


def test_a_mesh_without_faces_is_refused(tmp_path: Path) -> None:
    nothing = ReferenceShape(
        np.zeros((3, 3), np.float32), np.zeros((0, 3), np.int32), np.zeros((0, 3), np.float32)
    )
    with pytest.raises(InputError, match="no faces"):
        write_mesh_as_splats(nothing, tmp_path / "scene.ply")
