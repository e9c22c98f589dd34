"""What ControlNets are shown, against a sphere whose depth and normals are known."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from engine.core.cameras import Cameras, orbit_cameras
from engine.core.views import Views
from engine.prior.control.pictures import depth_picture, normal_picture

DISTANCE, RADIUS, SIZE = 3.0, 0.8, 48


def sphere(scale: float = 1.0) -> tuple[Views, Cameras]:
    """A solid white sphere round the origin from two sides; ``scale`` grows it together with the distance."""
    cameras = orbit_cameras([0.0, 90.0], 15.0, scale * DISTANCE, 40.0, SIZE)
    origins, directions = cameras.rays()
    along = -(origins * directions).sum(dim=-1, keepdim=True)
    inside = along**2 - origins.square().sum(dim=-1, keepdim=True) + (scale * RADIUS) ** 2
    alpha = (inside > 0).float()
    cosine = torch.einsum("bi,bhwi->bhw", cameras.c2w[:, :3, 2], directions)[..., None]
    depth = alpha * (along - inside.clamp(min=0).sqrt()) * cosine
    return Views(alpha.expand(-1, -1, -1, 3), alpha, depth), cameras


def middle(pictures: Tensor) -> Tensor:
    return pictures[:, SIZE // 2, SIZE // 2]


class TestDepth:
    def test_near_is_white_far_is_darker_and_nothing_is_black(self) -> None:
        views, cameras = sphere()
        found = depth_picture(views, cameras)
        hit = views.alpha[..., 0] > 0
        assert found.shape == (2, SIZE, SIZE, 3) and torch.equal(found[..., 0], found[..., 2])
        torch.testing.assert_close(middle(found), torch.ones(2, 3), rtol=0, atol=1e-3)
        assert (found[~hit] == 0).all()
        nearest = DISTANCE - RADIUS
        torch.testing.assert_close(found[..., 0][hit], nearest / views.depth[..., 0][hit], rtol=2e-3, atol=0)

    def test_the_unit_of_length_does_not_matter(self) -> None:
        torch.testing.assert_close(depth_picture(*sphere(7.0)), depth_picture(*sphere()), rtol=0, atol=1e-4)

    def test_each_view_is_normalised_by_itself(self) -> None:
        views, cameras = sphere()
        nearer = Views(views.rgb, views.alpha, views.depth * torch.tensor([1.0, 0.5]).view(2, 1, 1, 1))
        torch.testing.assert_close(
            depth_picture(nearer, cameras), depth_picture(views, cameras), rtol=0, atol=1e-5
        )

    def test_faint_fog_before_the_shape_does_not_darken_it(self) -> None:
        views, cameras = sphere()
        alpha, depth = views.alpha.clone(), views.depth.clone()
        alpha[:, 0, 0], depth[:, 0, 0] = 0.1, 0.1 * 0.5
        found = depth_picture(Views(views.rgb, alpha, depth), cameras)
        torch.testing.assert_close(middle(found), torch.ones(2, 3), rtol=0, atol=1e-3)
        assert found.max() <= 1 and (found[:, 0, 0] <= 0.1 + 1e-6).all()

    def test_a_view_of_nothing_is_black(self) -> None:
        nothing = torch.zeros(1, 4, 4, 1)
        found = depth_picture(
            Views(nothing.expand(-1, -1, -1, 3), nothing, nothing), orbit_cameras([0.0], 0.0, 3.0, 40.0, 4)
        )
        assert (found == 0).all()


class TestNormals:
    def test_what_faces_the_camera_and_what_is_not_there_is_light_blue(self) -> None:
        views, cameras = sphere()
        found = normal_picture(views, cameras)
        blue = torch.tensor([0.5, 0.5, 1.0])
        torch.testing.assert_close(middle(found), blue.expand(2, 3), rtol=0, atol=0.05)
        assert (found[views.alpha[..., 0] == 0] == blue).all()

    @pytest.mark.parametrize(("rows", "columns", "channel", "grows"), [
        (slice(20, 28), slice(8, 20), 0, True), (slice(20, 28), slice(28, 40), 0, False),
        (slice(8, 20), slice(20, 28), 1, True), (slice(28, 40), slice(20, 28), 1, False),
    ])  # fmt: skip
    def test_red_is_left_and_green_is_up(
        self, rows: slice, columns: slice, channel: int, grows: bool
    ) -> None:
        """On a ball the left side faces left and the upper side up, from wherever one looks."""
        views, cameras = sphere()
        on_it = views.alpha[:, rows, columns, 0] > 0
        values = normal_picture(views, cameras)[:, rows, columns, channel][on_it]
        assert on_it.any() and ((values > 0.5) == grows).all()

    def test_colours_are_unit_vectors(self) -> None:
        found = 2 * normal_picture(*sphere()) - 1
        torch.testing.assert_close(found.norm(dim=-1), torch.ones(2, SIZE, SIZE))
