"""Correspondences of views against geometry that is known: a square that faces the cameras, and what lies
behind it.
"""

from __future__ import annotations

import torch

from engine.core.cameras import Cameras, orbit_cameras
from engine.core.correspondences import correspondences

SIDE = 64


def wall(cameras: Cameras, x: float = 0.0, half: float = 0.6) -> tuple[torch.Tensor, torch.Tensor]:
    """What cameras see of the square of this half side at ``x``, facing +x: points (V,S,S,3) and mask
    (V,S,S).
    """
    origins, directions = cameras.rays()
    points = origins + (x - origins[..., :1]) / directions[..., :1] * directions
    mask = (points[..., 1:].abs() < half).all(-1) & (((x - origins) / directions)[..., 0] > 0)
    return points * mask[..., None], mask


def around(*azimuths_deg: float) -> Cameras:
    return orbit_cameras(list(azimuths_deg), 0.0, 3.05, 40.0, SIDE)


def test_a_place_is_where_the_other_camera_sees_its_point() -> None:
    cameras = around(0.0, 20.0)
    points, mask = wall(cameras)
    known = correspondences(points, mask, cameras, 32)
    assert (
        known.others.tolist() == [[1], [0]] and known.places.shape == (2, 1, 32 * 32, 2) and known.side == 32
    )
    cell = 15 * 32 + 15
    point = points[0, 15 * 2 + 1, 15 * 2 + 1]
    local = cameras.c2w[1, :3, :3].T @ (point - cameras.positions[1])
    pixel = (cameras.K[1] @ (local / local[2]))[:2]
    torch.testing.assert_close(known.places[0, 0, cell], 2 * pixel / SIDE - 1, atol=1e-5, rtol=0)
    inside = mask[0, 1::2, 1::2].flatten()
    assert known.visible[0, 0][inside].float().mean() > 0.9 and not known.visible[0, 0][~inside].any()


def test_what_another_wall_hides_is_not_seen() -> None:
    """Camera 1 shows a wall nearer to it in place of the one that camera 0 sees."""
    cameras = around(0.0, 20.0)
    (far, mask), (near, nearer) = wall(cameras, 0.0), wall(cameras, 0.5)
    points = torch.stack([far[0], near[1]])
    known = correspondences(points, torch.stack([mask[0], nearer[1]]), cameras, 32)
    assert not known.visible[0].any()


def test_each_view_looks_at_the_nearest_cameras() -> None:
    cameras = around(*(45.0 * k for k in range(8)))
    points, mask = wall(cameras)
    known = correspondences(points, mask, cameras, 16, neighbours=2)
    assert [sorted(row) for row in known.others.tolist()] == [
        sorted(((k - 1) % 8, (k + 1) % 8)) for k in range(8)
    ]


def test_points_behind_the_back_are_not_seen() -> None:
    cameras = around(0.0, 180.0)
    points, mask = wall(cameras, 0.0)
    thin = correspondences(points, mask, cameras, 16)
    assert thin.visible[0].any(), "a wall without thickness has one surface for both"
    other = torch.stack([points[0] + torch.tensor([0.2, 0, 0]), points[1]])
    assert not correspondences(other, mask, cameras, 16).visible.any(), "one of 0.2 has two"
