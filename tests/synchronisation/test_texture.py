"""Texels under cameras: what one camera sees is what it says, holes take the nearest value, noise keeps its
variance.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.spatial import KDTree

from engine.assets.export.bake import texels_of
from engine.core.cameras import Cameras, orbit_cameras
from engine.errors import InputError
from engine.render.mesh_numba import render_mesh
from engine.synchronisation.space import initial_noise
from engine.synchronisation.texture import TextureSpace, texture_space

SIDE = 64


def box() -> tuple[np.ndarray, np.ndarray]:
    corners = np.array([[x, y, z] for x in (-0.4, 0.4) for y in (-0.4, 0.4) for z in (-0.4, 0.4)], np.float64)
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    return corners, np.array([(a, b, c) for a, b, c, _ in quads] + [(a, c, d) for a, _, c, d in quads])


def looked_at(cameras: Cameras, texels) -> TextureSpace:
    vertices, faces = box()
    grey = np.full((len(faces), 3), 0.5, np.float32)
    c2w, K = cameras.c2w.numpy(), cameras.K.numpy()
    seen = render_mesh(
        vertices.astype(np.float32), faces.astype(np.int32), grey, c2w, K, SIDE, SIDE, supersample=1
    )
    return texture_space(texels.points, texels.normals, seen, cameras)


@pytest.fixture(scope="module")
def texels():
    return texels_of(*box(), 128)


def around(*azimuths_deg: float, elevation_deg: float = 0.0) -> Cameras:
    return orbit_cameras(list(azimuths_deg), elevation_deg, 3.05, 40.0, SIDE)


def test_normals_of_texels_point_outwards(texels) -> None:
    along = np.abs(texels.points).argmax(1)
    expected = np.sign(texels.points[np.arange(len(along)), along])
    on_face = np.abs(np.abs(texels.points).max(1) - 0.4) < 1e-6
    inner = on_face & (np.sort(np.abs(texels.points), 1)[:, 1] < 0.38)
    assert inner.sum() > 500
    assert np.allclose(texels.normals[np.arange(len(along)), along][inner], expected[inner])


def test_a_face_that_one_camera_sees_squarely_takes_what_it_shows(texels) -> None:
    space = looked_at(around(0.0), texels)
    front = (texels.points[:, 0] > 0.399) & (np.abs(texels.points[:, 1:]).max(1) < 0.3)
    ramp = torch.linspace(0, 1, SIDE).expand(1, 1, SIDE, SIDE)
    z = space.unproject(ramp)[0].numpy()
    c2w, K = around(0.0).c2w[0].numpy(), around(0.0).K[0].numpy()
    local = (texels.points - c2w[:3, 3]) @ c2w[:3, :3]
    column = (K[0] @ local.T) / local[:, 2]
    np.testing.assert_allclose(z[front], ((column - 0.5) / (SIDE - 1))[front], atol=0.02)
    seen, mask = space.project(torch.from_numpy(z)[None].float())
    inner = mask[0, 0].bool() & (torch.arange(SIDE) > 24) & (torch.arange(SIDE) < 40)
    assert float((seen[0, 0] - ramp[0, 0])[inner].abs().max()) < 0.03, (
        "projected again it is the same picture"
    )


def test_what_nobody_sees_takes_the_value_of_the_nearest_that_is_seen(texels) -> None:
    space = looked_at(around(0.0), texels)
    heard = (space.weights.sum(0) > 0).numpy()
    assert 0 < heard.sum() < len(heard) and bool(
        (space.filled[torch.from_numpy(heard)] == torch.arange(len(heard))[heard]).all()
    )
    nearest = KDTree(texels.points[heard]).query(texels.points)[0]
    far = np.linalg.norm(texels.points[space.filled.numpy()] - texels.points, axis=1)
    np.testing.assert_allclose(far[~heard], nearest[~heard], atol=1e-9)


def test_a_constant_comes_back_and_the_back_is_not_seen_from_the_front(texels) -> None:
    space = looked_at(around(0.0, 90.0, 180.0, 270.0, elevation_deg=20.0), texels)
    torch.testing.assert_close(
        space.unproject(torch.full((4, 3, SIDE, SIDE), 0.3)), torch.full((3, len(texels.points)), 0.3)
    )
    back = (texels.points[:, 0] < -0.399) & (texels.normals[:, 0] < -0.9)
    assert float(space.weights[0][torch.from_numpy(back)].max()) == 0
    one = torch.zeros(4, 1, SIDE, SIDE)
    one[0] = 1
    assert (
        float(
            space.unproject(one)[0][
                torch.from_numpy(back & (np.abs(texels.points[:, 1:]).max(1) < 0.3))
            ].max()
        )
        == 0
    )


def test_noise_of_a_surface_is_unit_noise_in_every_picture_and_the_same_in_all(texels) -> None:
    space = looked_at(around(0.0, 45.0), texels)
    z, x = initial_noise(space, 2, torch.Generator().manual_seed(0))
    assert z.shape == (2, len(texels.points)) and abs(float(x.std()) - 1) < 0.03
    inside = space.mask[0, 0].bool()
    torch.testing.assert_close(x[0][:, inside], z[:, space.nearest[0].view(SIDE, SIDE)[inside]])


def test_a_mesh_that_no_camera_sees_is_refused(texels) -> None:
    vertices, faces = box()
    grey = np.full((len(faces), 3), 0.5, np.float32)
    cameras = around(0.0)
    c2w, K, far = cameras.c2w.numpy(), cameras.K.numpy(), (vertices + 50).astype(np.float32)
    away = render_mesh(far, faces.astype(np.int32), grey, c2w, K, SIDE, SIDE)
    with pytest.raises(InputError, match="camera"):
        texture_space(texels.points + 50, texels.normals, away, cameras)
