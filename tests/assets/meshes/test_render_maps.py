"""Maps of a read reference are those that the controller was trained with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.assets.export.glb import write_glb
from engine.assets.meshes.mesh_file import read_reference
from engine.assets.meshes.render_maps import reference_maps, thumbnail
from engine.core.cameras import orbit_cameras
from engine.prior.toybox.info import DISTANCE, FOV_DEG, RESOLUTION
from engine.toybox.objects import draw_object
from engine.toybox.references.drawing import ccm_maps

AZIMUTHS, ELEVATIONS = (0.0, 70.0, 200.0), (15.0, -10.0, 40.0)


@pytest.mark.parametrize("kind", ["mug", "airplane"])
def test_a_toybox_object_gives_the_maps_of_its_training(kind: str, tmp_path: Path) -> None:
    mesh = draw_object(700_020, kind).mesh
    write_glb(tmp_path / "a.glb", mesh.vertices, mesh.faces, np.full((len(mesh.vertices), 3), 0.5))
    shape = read_reference(tmp_path / "a.glb")
    cameras = orbit_cameras(AZIMUTHS, ELEVATIONS, DISTANCE, FOV_DEG, RESOLUTION)
    maps = reference_maps(shape, cameras)
    expected = ccm_maps(mesh, np.array(AZIMUTHS), np.array(ELEVATIONS))
    assert maps.ccm.shape == (1, 3, 3, RESOLUTION, RESOLUTION) and maps.mask.shape == (
        1,
        3,
        1,
        RESOLUTION,
        RESOLUTION,
    )
    np.testing.assert_allclose(maps.ccm[0].movedim(1, -1).numpy(), expected[..., :3], atol=2e-6)
    np.testing.assert_array_equal(maps.mask[0, :, 0].numpy(), expected[..., 3])


def test_any_cameras_will_do(tmp_path: Path) -> None:
    mesh = draw_object(700_020, "house").mesh
    write_glb(tmp_path / "a.glb", mesh.vertices, mesh.faces, np.full((len(mesh.vertices), 3), 0.5))
    shape = read_reference(tmp_path / "a.glb")
    maps = reference_maps(shape, orbit_cameras((33.0,), 20.0, 5.0, 30.0, 48, 32))
    assert maps.ccm.shape == (1, 1, 3, 32, 48) and 0.05 < float(maps.mask.mean()) < 0.6
    points = maps.ccm[0, 0].movedim(0, -1)[maps.mask[0, 0, 0] > 0] * 2 - 1
    assert float(points.norm(dim=1).max()) <= 1 + 1e-5
    picture = thumbnail(shape, 40)
    assert picture.dtype == np.uint8 and picture.shape == (40, 40, 4) and picture[..., 3].max() == 255
