"""The mesh z-buffer against closed forms, against a brute-force ray caster, and with meshes nobody asked
for.
"""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from engine.core.camera import intrinsics, orbit_c2w
from engine.errors import InputError
from engine.render.mesh_kernels import NEAR
from engine.render.mesh_numba import MeshBuffers, Shading, render_mesh

UNLIT = Shading(ambient=1.0, diffuse=0.0)
DISTANCE = 3.0


def cameras(
    azimuths_deg: list[float], elevation_deg: float, width: int, height: int
) -> tuple[np.ndarray, np.ndarray]:
    c2w = np.stack([orbit_c2w(azimuth, elevation_deg, DISTANCE) for azimuth in azimuths_deg])
    return c2w, np.stack([intrinsics(40.0, width, height)] * len(c2w))


def draw(
    mesh: trimesh.Trimesh, colours: np.ndarray, c2w: np.ndarray, K: np.ndarray, *size: int, **options
) -> MeshBuffers:
    return render_mesh(mesh.vertices, mesh.faces, colours, c2w, K, *size, **options)


def cast_rays(
    vertices: np.ndarray, faces: np.ndarray, c2w: np.ndarray, K: np.ndarray, width: int, height: int
) -> tuple:
    """Depth (H,W) and face (H,W) of the nearest hit, and how close (H,W) any ray comes to an edge in
    barycentric units.
    """
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    rays = (
        np.stack([x, y, np.ones_like(x)], -1)
        @ np.linalg.inv(K.astype(np.float64)).T
        @ c2w[:3, :3].T.astype(np.float64)
    )
    depth, owner, margin = (
        np.full((height, width), np.inf),
        np.full((height, width), -1),
        np.full((height, width), np.inf),
    )
    for index, (a, b, c) in enumerate(vertices[faces]):
        matrix = np.stack(np.broadcast_arrays(b - a, c - a, -rays), -1)
        towards = np.broadcast_to((c2w[:3, 3] - a)[:, None], (*rays.shape[:2], 3, 1))
        u, v, z = np.moveaxis(np.linalg.solve(matrix, towards)[..., 0], -1, 0)
        weights = np.stack([u, v, 1 - u - v], -1)
        nearer = (weights >= 0).all(-1) & (z > NEAR) & (z < depth)
        depth[nearer], owner[nearer] = z[nearer], index
        margin = np.minimum(margin, np.abs(weights).min(-1))
    return depth, owner, margin


def test_triangle_soup_agrees_with_a_ray_caster() -> None:
    rng = np.random.default_rng(1)
    # one crosses the camera plane
    vertices, faces = rng.normal(0.0, 1.6, (24, 3)), np.arange(24).reshape(8, 3)
    c2w, K = cameras([35.0], 20.0, 40, 28)
    buffers = render_mesh(vertices, faces, rng.random((8, 3)), c2w, K, 40, 28, supersample=1)
    depth, owner, margin = cast_rays(vertices, faces, c2w[0], K[0], 40, 28)
    clear, hit = margin > 1e-6, owner >= 0
    behind = ((np.append(vertices, np.ones((24, 1)), 1) @ np.linalg.inv(c2w[0]).T)[:, 2] < 0).reshape(8, 3)
    assert (behind.any(1) & ~behind.all(1)).any() and 0.2 < hit.mean() < 1.0
    np.testing.assert_array_equal(buffers.rgba[0, ..., 3][clear] > 0, hit[clear])
    np.testing.assert_allclose(buffers.depth[0][clear & hit], depth[clear & hit], rtol=1e-5)
    assert (buffers.depth[0][clear & ~hit] == 0).all()


def test_sphere_has_the_depth_and_silhouette_of_a_sphere() -> None:
    mesh, radius = trimesh.creation.icosphere(subdivisions=4, radius=0.7), 0.7
    c2w, K = cameras([0.0, 77.0], 30.0, 65, 65)
    buffers = draw(mesh, np.ones((len(mesh.faces), 3)), c2w, K, 65, 65, supersample=3)
    pixels = np.pi * K[0, 0, 0] ** 2 * radius**2 / (DISTANCE**2 - radius**2)
    np.testing.assert_allclose(buffers.rgba[..., 3].sum((1, 2)), pixels, rtol=0.01)
    np.testing.assert_allclose(buffers.depth[:, 32, 32], DISTANCE - radius, atol=0.005)


def test_canonical_coordinates_and_normals_of_a_sphere_point_outwards() -> None:
    mesh = trimesh.creation.icosphere(subdivisions=4, radius=0.7)
    c2w, K = cameras([200.0], -25.0, 64, 64)
    buffers = draw(mesh, np.ones((len(mesh.faces), 3)), c2w, K, 64, 64)
    seen = buffers.rgba[..., 3] > 0
    position = buffers.ccm[seen] * 2 - 1
    np.testing.assert_allclose(np.linalg.norm(position, axis=1), 0.7, atol=0.01)
    assert (np.einsum("ni,ni->n", buffers.normal[seen], position) / 0.7 > 0.97).all()
    assert (
        (buffers.ccm[~seen] == 0).all()
        and (buffers.normal[~seen] == 0).all()
        and (buffers.rgba[~seen] == 0).all()
    )


def test_azimuth_and_up_follow_the_house_convention() -> None:
    box = trimesh.creation.box((1.0, 1.0, 1.0))
    colours = np.abs(box.face_normals) * np.where(box.face_normals.sum(1, keepdims=True) > 0, 1.0, 0.5)
    c2w, K = cameras([0.0, 90.0, 180.0, 270.0], 0.0, 33, 33)
    centre = draw(box, colours, c2w, K, 33, 33, shading=UNLIT).rgba[:, 16, 16, :3]
    np.testing.assert_allclose(centre, [[1, 0, 0], [0, 1, 0], [0.5, 0, 0], [0, 0.5, 0]], atol=1e-6)
    # up, and to the right of azimuth 0
    marker = trimesh.creation.box((0.1, 0.1, 0.1)).apply_translation((0.0, 0.5, 0.8))
    rows, columns = np.nonzero(draw(marker, np.ones((12, 3)), c2w[:1], K[:1], 33, 33).rgba[0, ..., 3])
    assert rows.mean() < 12 and columns.mean() > 20


def test_corner_colours_are_perspective_correct() -> None:
    vertices = np.array([[0.9, -1.0, -0.9], [-0.9, 1.0, -0.9], [-0.9, 0.9, 0.9], [0.9, -0.9, 1.0]])
    faces = np.array([[0, 1, 2], [0, 2, 3]])
    c2w, K = cameras([50.0], 10.0, 32, 32)
    buffers = render_mesh(
        vertices, faces, (vertices[faces] + 1) / 2, c2w, K, 32, 32, supersample=1, shading=UNLIT
    )
    seen = buffers.rgba[0, ..., 3] > 0
    assert seen.sum() > 50
    np.testing.assert_allclose(buffers.rgba[0, seen, :3], buffers.ccm[0, seen], atol=1e-5)


def test_supersampling_is_the_box_filter_of_the_larger_picture() -> None:
    mesh = trimesh.creation.torus(0.6, 0.25)
    colours = np.random.default_rng(0).random((len(mesh.faces), 3))
    c2w, K = cameras([10.0], 35.0, 24, 20)
    large = K * np.array([2.0, 2.0, 1.0])[:, None]
    smooth = draw(mesh, colours, c2w, K, 24, 20, supersample=2).rgba
    filtered = (
        draw(mesh, colours, c2w, large, 48, 40, supersample=1).rgba.reshape(1, 20, 2, 24, 2, 4).mean((2, 4))
    )
    np.testing.assert_allclose(smooth, filtered, atol=1e-6)


def test_shading_is_fixed_to_the_world_and_blind_to_winding() -> None:
    mesh = trimesh.creation.box((0.8, 0.8, 0.8))
    c2w, K = cameras([20.0, 70.0], 25.0, 33, 33)
    options = {"supersample": 1, "shading": Shading(ambient=0.6, diffuse=0.4, direction=(0.3, 0.1, 0.9))}
    buffers = draw(mesh, np.ones((12, 3)), c2w, K, 33, 33, **options)
    top = buffers.normal[..., 2] > 0.99
    tones = [np.unique(buffers.rgba[i, ..., 0][top[i]]) for i in range(2)]
    assert len(tones[0]) == len(tones[1]) == 1 and tones[0] == tones[1]
    # background and three faces that can be told apart
    assert len(np.unique(buffers.rgba[0, ..., 0].round(4))) == 4
    flipped = render_mesh(mesh.vertices, mesh.faces[:, ::-1], np.ones((12, 3)), c2w, K, 33, 33, **options)
    np.testing.assert_allclose(flipped.rgba, buffers.rgba, atol=1e-6)


@pytest.mark.parametrize(
    "offset", [(0.0, 0.0, 0.0), (40.0, 0.0, 0.0), (0.0, 30.0, 0.0)], ids=["point", "behind", "off screen"]
)
def test_what_cannot_be_seen_leaves_the_picture_empty(offset: tuple[float, float, float]) -> None:
    box = trimesh.creation.box((0.5, 0.5, 0.5)).apply_translation(offset)
    vertices = box.vertices if any(offset) else np.zeros_like(box.vertices)
    c2w, K = cameras([0.0], 0.0, 16, 16)
    buffers = render_mesh(vertices, box.faces, np.ones((12, 3)), c2w, K, 16, 16)
    assert not any(np.any(part) for part in (buffers.rgba, buffers.depth, buffers.normal, buffers.ccm))


def test_an_empty_mesh_is_an_empty_picture() -> None:
    c2w, K = cameras([0.0, 90.0], 0.0, 16, 12)
    buffers = render_mesh(np.zeros((0, 3)), np.zeros((0, 3), int), np.zeros((0, 3)), c2w, K, 16, 12)
    assert buffers.rgba.shape == (2, 12, 16, 4) and not buffers.rgba.any()


def test_a_huge_triangle_covers_every_pixel_once() -> None:
    vertices = np.array([[0.0, -1e7, -1e7], [0.0, 1e7, -1e7], [0.0, 0.0, 1e7]])
    c2w, K = cameras([0.0], 0.0, 16, 16)
    buffers = render_mesh(vertices, np.array([[0, 1, 2]]), np.ones((1, 3)), c2w, K, 16, 16)
    np.testing.assert_allclose(buffers.rgba[..., 3], 1.0)
    np.testing.assert_allclose(buffers.depth, DISTANCE, rtol=1e-5)


@pytest.mark.parametrize("fault", ["nan", "index", "colours", "cameras"])
def test_unusable_input_is_refused_with_a_remedy(fault: str) -> None:
    box = trimesh.creation.box()
    vertices, faces, colours = np.array(box.vertices), np.array(box.faces), np.ones((12, 3))
    c2w, K = cameras([0.0], 0.0, 8, 8)
    if fault == "nan":
        vertices[3, 1] = np.nan
    elif fault == "index":
        faces[0, 0] = 8
    elif fault == "colours":
        colours = colours[:5]
    else:
        K = K[0]
    with pytest.raises(InputError) as caught:
        render_mesh(vertices, faces, colours, c2w, K, 8, 8)
    assert caught.value.remedy
