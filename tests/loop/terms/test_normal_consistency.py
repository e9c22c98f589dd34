"""Normal consistency in closed form: a plane, a tilted one, and splats that turn until they lie along their
surface.
"""

from __future__ import annotations

import math

import pytest
import torch

from engine.core.cameras import orbit_cameras
from engine.core.normals import depth_normals
from engine.core.views import Views
from engine.loop.terms.normal_consistency import normal_consistency
from engine.render import splats_numba, splats_torch
from engine.scene import splats

SIDE = 24


def plane(cameras, normal: torch.Tensor, offset: float = 0.0) -> torch.Tensor:
    """Depth (1,H,W) along the camera's axis of the plane n . x = offset."""
    origins, directions = cameras.rays()
    forward = cameras.c2w[:, None, None, :3, 2]
    t = (offset - (origins * normal).sum(-1)) / (directions * normal).sum(-1)
    return t * (directions * forward).sum(-1)


@pytest.mark.parametrize("tilt_deg", [0.0, 35.0, -50.0])
def test_a_planes_depth_has_its_normal(tilt_deg: float) -> None:
    cameras = orbit_cameras([0.0], 0.0, 3.05, 40.0, SIDE)
    tilt = math.radians(tilt_deg)
    normal = torch.tensor([math.cos(tilt), math.sin(tilt), 0.0])
    found = depth_normals(plane(cameras, normal), cameras)
    torch.testing.assert_close(found[0, 1:-1, 1:-1], normal.expand(SIDE - 2, SIDE - 2, 3), atol=1e-4, rtol=0)
    assert not found[0, 0].any()


def test_it_is_nothing_where_normals_agree_and_one_minus_their_cosine_elsewhere() -> None:
    cameras = orbit_cameras([0.0], 0.0, 3.05, 40.0, SIDE)
    depth = plane(cameras, torch.tensor([1.0, 0.0, 0.0]))[..., None]
    alpha = torch.ones_like(depth)
    turned = torch.tensor([math.cos(1.0), math.sin(1.0), 0.0])
    for normal, expected in ((torch.tensor([1.0, 0.0, 0.0]), 0.0), (turned, 1 - math.cos(1.0))):
        views = Views(torch.zeros(1, SIDE, SIDE, 3), alpha, depth, normal.expand(1, SIDE, SIDE, 3))
        inner = ((SIDE - 2) / SIDE) ** 2
        assert float(normal_consistency(views, cameras)) == pytest.approx(expected * inner, abs=1e-4)
    mist = Views(torch.zeros(1, SIDE, SIDE, 3), 0.5 * alpha, 0.5 * depth, turned.expand(1, SIDE, SIDE, 3))
    assert float(normal_consistency(mist, cameras)) == 0.0


@pytest.mark.parametrize("render", [splats_numba.render, splats_torch.render])
def test_splats_turn_until_they_lie_along_the_surface(render) -> None:
    torch.manual_seed(0)
    y, z = torch.meshgrid(torch.linspace(-0.7, 0.7, 15), torch.linspace(-0.7, 0.7, 15), indexing="ij")
    points = torch.stack([torch.zeros_like(y), y, z], -1).reshape(-1, 3)
    scene = splats.from_points(points, torch.full_like(points, 0.5), scale=0.08, opacity=0.95)
    with torch.no_grad():
        scene.log_scales[:, 0] -= 1.5
        scene.quats.add_(0.35 * torch.randn_like(scene.quats))
    cameras = orbit_cameras([0.0], 0.0, 3.05, 40.0, SIDE)
    quats = scene.quats.requires_grad_()
    optimiser = torch.optim.Adam([quats], lr=0.03)
    losses = []
    for _ in range(25):
        loss = normal_consistency(render(scene, cameras, None, normals=True), cameras)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.4 * losses[0]
