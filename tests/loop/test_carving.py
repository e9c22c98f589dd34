"""The mesh of splats, carved: where rays meet a surface, what is inside, and that handles stay while caves
go.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import trimesh

from engine.core.camera import orbit_camera
from engine.core.cameras import orbit_cameras
from engine.loop.carving import LEVEL, box_of, carved, reached, sphere_cameras, visible_from_outside
from engine.loop.frames import render_rgba
from engine.loop.mesh import mesh_of
from engine.loop.messages import SceneCopy
from engine.loop.volume import occupancy_grid
from engine.render.mesh_numba import render_mesh
from engine.render.splats_surface import surface_depths
from engine.scene import splats
from engine.scene.splats import Splats
from engine.toybox.benchmark.lit import surviving_holes


def cloud(points: np.ndarray, scale: float = 0.05, opacity: float = 0.9) -> Splats:
    return splats.from_points(
        torch.from_numpy(points).float(), torch.full((len(points), 3), 0.5), scale=scale, opacity=opacity
    )


def on_sphere(count: int, radius: float) -> np.ndarray:
    z = 1 - 2 * (np.arange(count) + 0.5) / count
    turn = np.arange(count) * math.pi * (3 - 5**0.5)
    flat = np.sqrt(1 - z**2)
    return radius * np.stack([flat * np.cos(turn), flat * np.sin(turn), z], 1)


def on_torus(count: int, big: float, small: float) -> np.ndarray:
    rng = np.random.default_rng(0)
    u, v = rng.uniform(0, 2 * np.pi, (2, count))
    return np.stack(
        [(big + small * np.cos(v)) * np.cos(u), (big + small * np.cos(v)) * np.sin(u), small * np.sin(v)], 1
    )


def copy_of(scene: Splats) -> SceneCopy:
    return SceneCopy(0, 0, scene, "cpu", 40.0, 3.05, 0)


def test_the_depth_of_one_splat_is_where_its_own_density_lets_half_of_the_light_through() -> None:
    scale, opacity = 0.2, 0.9
    cameras = orbit_cameras([0.0], 0.0, 3.05, 40.0, 33)
    depth, alpha = surface_depths(cloud(np.zeros((1, 3)), scale, opacity), cameras)
    before = scale * math.sqrt(2 * math.log(opacity / 0.5))  # 1 - o exp(-b^2 / 2 s^2) = 1/2
    assert alpha[0, 16, 16] == pytest.approx(opacity, abs=1e-3)
    assert depth[0, 16, 16] == pytest.approx(3.05 - before, abs=5e-3)
    assert depth[0, 0, 0] == 0 and alpha[0, 0, 0] == 0


def test_depths_lie_on_the_surface_and_not_at_the_centres_of_the_splats() -> None:
    scene = cloud(on_sphere(3000, 0.6))
    cameras = sphere_cameras(4, 48, 40.0, 3.05)
    depth, alpha = surface_depths(scene, cameras)
    middle = depth[:, 23:25, 23:25].mean((1, 2))
    assert (
        (alpha[:, 23:25, 23:25] > 0.9).all() and (middle < 3.05 - 0.6).all() and (middle > 3.05 - 0.75).all()
    )


def test_what_only_narrow_openings_lead_to_is_inside() -> None:
    solid = np.zeros((40, 40, 40), bool)
    solid[10:30, 10:30, 10:30] = True
    solid[14:26, 14:26, 14:26] = False
    closed = reached(solid)
    assert not closed[20, 20, 20] and closed[2, 2, 2]
    solid[19:21, 19:21, 26:30] = False  # two voxels wide
    assert not reached(solid)[20, 20, 20]
    solid[14:26, 14:26, 26:30] = False
    assert reached(solid)[20, 20, 20]


def test_voxels_beside_and_before_the_object_are_seen_as_free() -> None:
    cameras = sphere_cameras(16, 48, 40.0, 3.05)
    pictures, unclear = surface_depths(cloud(on_sphere(3000, 0.5)), cameras), np.ones((41, 41, 41), bool)
    unclear[0] = False
    low, free = visible_from_outside(*pictures, cameras, 41, unclear, np.zeros(3))
    assert low[20, 20, 20] > 0.9 and free[20, 20, 20] == 0
    assert low[2, 2, 2] == 0 and low[20, 20, 38] < 0.05
    assert (low[0] == 1).all() and (free[0] == 0).all(), "what is clear already is not looked at"
    part = visible_from_outside(*pictures, cameras, 41, unclear[5:, 10:30, 3:40], np.array([5, 10, 3]))
    np.testing.assert_allclose(part[0], low[5:, 10:30, 3:40], atol=1e-5)


def test_the_box_is_round_what_is_there_and_ends_at_the_grid() -> None:
    mask = np.zeros((20, 20, 20), bool)
    assert box_of(mask, 2) == (slice(0, 20),) * 3
    mask[1, 8:10, 15] = mask[4, 9, 19] = True
    assert box_of(mask, 2) == (slice(0, 7), slice(6, 12), slice(13, 20))


@pytest.mark.parametrize("half", [0.25, 0.5, 0.8])
def test_at_the_depth_of_a_surface_as_much_light_is_left_as_was_asked_for(half: float) -> None:
    """The definition, summed over all splats at the depth that was found."""
    rng = np.random.default_rng(5)
    points = rng.normal(0, 0.3, (400, 3))
    scene, cameras = cloud(points, 0.07, 0.6), orbit_cameras([30.0], 10.0, 3.05, 40.0, 24)
    depth, _ = surface_depths(scene, cameras, half)
    origins, rays = (part[0].double().numpy() for part in cameras.rays())
    forward, there = cameras.c2w[0, :3, 2].double().numpy(), depth[0] > 0
    rays = rays / (rays @ forward)[..., None]
    away = points - origins[there][:, None]  # (pixels, splats, 3)
    A = (rays[there] ** 2).sum(-1)[:, None] / 0.07**2
    peak = (away * rays[there][:, None]).sum(-1) / 0.07**2 / A
    a = 0.6 * np.exp(-0.5 * ((away**2).sum(-1) / 0.07**2 - A * peak**2))
    left = np.prod(1 - a * np.exp(-0.5 * A * np.maximum(peak - depth[0][there][:, None], 0) ** 2), axis=1)
    assert there.sum() > 150 and np.abs(left - half).mean() < 0.01 and np.abs(left - half).max() < 0.05


def test_a_shell_with_dirt_inside_becomes_one_solid_ball() -> None:
    rng = np.random.default_rng(1)
    scene = cloud(np.concatenate([on_sphere(4000, 0.6), rng.normal(0, 0.15, (300, 3))]), 0.04)
    occupancy = occupancy_grid(scene, 64)
    solid = carved(scene, occupancy, 0.35, 40.0, 3.05)
    inside = np.linalg.norm(np.stack(np.meshgrid(*[np.linspace(-1, 1, 64)] * 3, indexing="ij")), axis=0) < 0.5
    assert (solid[inside] > LEVEL).all() and (occupancy[inside] < 0.35).any()
    mesh = mesh_of(copy_of(scene), 4000)
    made = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)
    assert made.is_watertight and made.body_count == 1 and made.euler_number == 2
    assert 0.6 < np.linalg.norm(mesh.vertices, axis=1).mean() < 0.6 + 3 * 0.04


def test_a_handle_stays_open() -> None:
    mesh = mesh_of(copy_of(cloud(on_torus(4000, 0.55, 0.16), 0.04)), 6000)
    made = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)
    assert made.is_watertight and made.euler_number == 0 and made.body_count == 1


def test_a_mist_still_has_a_mesh() -> None:
    thin = cloud(on_sphere(300, 0.5), 0.08, 0.05)
    assert len(mesh_of(copy_of(thin), 2000).faces) > 0


@pytest.mark.parametrize("faces", [12_000, 5_000, 1_500])
def test_handles_and_thin_rods_survive_whatever_the_number_of_faces(faces: int) -> None:
    """One still sees through the ring from the front, and the rod is as long as it was."""
    rod = np.random.default_rng(3).normal(0, 0.012, (900, 3)) + np.linspace([0, -0.86, 0], [0, -0.5, 0], 900)
    ring = on_torus(4000, 0.4, 0.11)[:, [2, 0, 1]]
    mesh = mesh_of(copy_of(cloud(np.concatenate([ring, rod]), 0.035)), faces)
    made = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)
    assert made.is_watertight and made.euler_number == 0 and made.body_count == 1
    assert 0.95 * faces <= len(mesh.faces) <= faces and not mesh.notes
    assert mesh.vertices[:, 1].min() < -0.88
    (front,) = outline_from_front(mesh)
    assert front[32, 32] == 0 and front[32, 32 + 11] == 1, (
        "one sees through the ring, and not through its tube"
    )


@pytest.mark.parametrize("sigma", [0.009, 0.013, 0.02])
def test_a_rod_thinner_than_two_voxels_stays_as_long_as_pictures_show_it(sigma: float) -> None:
    rng = np.random.default_rng(3)
    rod = np.linspace([0, -0.9, 0], [0, 0.9, 0], 900) + rng.normal(0, 0.3 * sigma, (900, 3))
    scene = cloud(np.concatenate([on_sphere(3000, 0.3), rod]), 0.035)
    scene.log_scales[3000:] = math.log(sigma)
    mesh = mesh_of(copy_of(scene), 12_000)
    made = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)
    assert made.is_watertight and made.body_count == 1 and made.euler_number == 2
    assert mesh.vertices[:, 1].min() < -0.88 and mesh.vertices[:, 1].max() > 0.88
    (front,) = outline_from_front(mesh)
    (shown,) = render_rgba(copy_of(scene), [orbit_camera(0.0, 0.0, 3.05, 40.0, 64)])[..., 3] / 255
    assert front[:, 7:19].max(0).min() > 0.3, "no gap along it"
    assert 0.25 < front[:, 7:19].sum() / shown[:, 7:19].sum() <= 1


@pytest.mark.parametrize("hole", [0.12, 0.2])
def test_holes_of_silhouettes_do_not_close(hole: float) -> None:
    """A ring of so wide an opening: one sees through the mesh where one sees through the splats."""
    scene = cloud(on_torus(5000, hole + 0.12, 0.09)[:, [2, 0, 1]], 0.025)
    mesh = mesh_of(copy_of(scene), 8000)
    made = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)
    assert made.is_watertight and made.euler_number == 0 and made.body_count == 1
    shown = render_rgba(copy_of(scene), [orbit_camera(0.0, 0.0, 3.05, 40.0, 64)])[..., 3] / 255
    drawn = outline_from_front(mesh)
    assert surviving_holes(drawn, shown) == (1, 1)
    both, either = ((drawn > 0.5) & (shown > 0.5)).sum(), ((drawn > 0.5) | (shown > 0.5)).sum()
    assert both / either > 0.8


def outline_from_front(mesh) -> np.ndarray:
    """The mesh's outline (1,64,64) from the front."""
    camera = orbit_cameras([0.0], 0.0, 3.05, 40.0, 64)
    colours = np.ones((len(mesh.faces), 3))
    return render_mesh(mesh.vertices, mesh.faces, colours, camera.c2w.numpy(), camera.K.numpy(), 64, 64).rgba[
        ..., 3
    ]
