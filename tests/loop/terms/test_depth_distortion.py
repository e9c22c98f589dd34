"""Depth distortion in closed form: two layers, one layer, and splats that are drawn together."""

from __future__ import annotations

import pytest
import torch

from engine.core.cameras import orbit_cameras
from engine.loop.terms.depth_distortion import depth_distortion
from engine.render import splats_numba, splats_torch
from engine.scene import splats

CAMERA = orbit_cameras([0.0], 0.0, 3.0, 40.0, 17)
RENDERERS = pytest.mark.parametrize("render", [splats_numba.render, splats_torch.render])


def layers(*places: float, opacity: float = 0.6) -> splats.Splats:
    """Splats far wider than the picture, at distances 3 - x from the camera."""
    points = torch.tensor([[x, 0.0, 0.0] for x in places])
    scene = splats.from_points(points, torch.full_like(points, 0.5), scale=1.0, opacity=opacity)
    scene.log_scales[:, 0] = -7
    scene.log_scales[:, 1:] = 4
    return scene


@RENDERERS
def test_two_layers_are_as_distorted_as_their_weights_and_distance_say(render) -> None:
    views = render(layers(0.3, -0.2), CAMERA, None, normals=True)
    near, far = 0.6, 0.4 * 0.6
    assert float(depth_distortion(views)) == pytest.approx(near * far * 0.5**2, rel=1e-3)


@RENDERERS
def test_one_layer_is_not_distorted_and_nothing_is_neither(render) -> None:
    assert abs(float(depth_distortion(render(layers(0.3), CAMERA, None, normals=True)))) < 1e-5
    assert float(depth_distortion(render(layers(0.3, opacity=1e-4), CAMERA, None, normals=True))) == 0


@RENDERERS
def test_it_draws_layers_together(render) -> None:
    scene = layers(0.3, -0.2)
    means = scene.means.requires_grad_()
    optimiser = torch.optim.Adam([means], lr=0.02)
    for _ in range(10):
        optimiser.zero_grad()
        depth_distortion(render(scene, CAMERA, None, normals=True)).backward()
        optimiser.step()
    assert float(means[0, 0].detach() - means[1, 0].detach()) < 0.2
