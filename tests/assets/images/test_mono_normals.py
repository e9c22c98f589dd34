"""Holding a shape to the estimated normals of its pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from engine.assets.images.mono_normals import facing_loss
from engine.core.normals import camera_normals
from engine.loop import input_images as given_module
from engine.loop.input_images import given_views
from engine.loop.stages import fresh_state
from engine.loop.state import Context
from engine.loop.step import distill_step
from engine.prior.vision.entries import photo_ids
from engine.toybox.benchmark.image import save_straight
from engine.toybox.objects import draw_object
from engine.toybox.pictures import render_object
from tests.assets.images.test_mono_depth import LEAST_PIXELS, bowl, cameras, seen
from tests.loop.balls import ball_prior, quick_knobs, quick_spec


def test_the_same_normals_cost_nothing_and_opposite_ones_all() -> None:
    depth, alpha = bowl()
    normals = camera_normals(depth, alpha, cameras())
    losses = [float(facing_loss(seen(depth, alpha), cameras(), sign * normals, alpha)) for sign in (1, -1)]
    assert losses == pytest.approx([0, 1], abs=1e-9)
    across = torch.zeros_like(normals)
    across[..., 0] = 1
    assert float(facing_loss(seen(depth, alpha), cameras(), across, alpha)) == pytest.approx(0.5, abs=0.02)


def test_too_few_pixels_are_no_evidence() -> None:
    depth, alpha = bowl()
    few = torch.zeros_like(alpha)
    few.view(-1)[24 * 12 + 8 : 24 * 12 + 8 + LEAST_PIXELS - 1] = 1
    normals = -camera_normals(depth, alpha, cameras())
    depth = depth.clone().requires_grad_()
    loss = facing_loss(seen(depth, alpha), cameras(), normals, few)
    loss.sum().backward()
    assert float(loss.detach()) == 0 and depth.grad.abs().max() == 0


def test_going_downhill_bends_a_disc_into_the_bump() -> None:
    depth, alpha = bowl()
    normals = camera_normals(depth, alpha, cameras())
    flat = torch.full_like(depth, 3.0).requires_grad_()
    optimiser = torch.optim.Adam([flat], lr=0.02)
    losses = []
    for _ in range(120):
        optimiser.zero_grad()
        losses.append(facing_loss(seen(flat * alpha, alpha), cameras(), normals, alpha).sum())
        losses[-1].backward()
        assert flat.grad.isfinite().all()
        optimiser.step()
    assert losses[-1] < 0.2 * losses[0]
    middle, rim = flat.detach()[0, 12, 12, 0], flat.detach()[0, 12, 4, 0]
    assert middle < rim - 0.1, "the middle is nearer, as the bump's is"


class TrueNormals:
    """Stands in for an estimator: the normals of one object, by its true depth."""

    def __init__(self, normals: np.ndarray) -> None:
        self.known, self.asked = normals, 0

    def normals(self, rgb: np.ndarray) -> np.ndarray:
        self.asked += 1
        assert rgb.shape == self.known.shape
        return self.known


def test_the_shape_is_turned_to_the_normals_of_its_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    obj = draw_object(11, "chair")
    buffers = render_object(obj, [40.0], [20.0], given_module.RELIEF_SIDE)
    depth = torch.from_numpy(buffers.depth[..., None])
    alpha, side = (depth > 0).to(depth), given_module.RELIEF_SIDE
    truth = camera_normals(depth, alpha, given_module.orbit_cameras([40.0], 20.0, 3.05, 40.0, side))
    estimator = TrueNormals(truth[0].numpy())
    monkeypatch.setattr(given_module, "load_normal_estimator", lambda model_id: estimator)
    save_straight(render_object(obj, [40.0], [20.0], 128).rgba[0], tmp_path / "chair.png")
    spec = quick_spec(
        images=f"{tmp_path / 'chair.png'}@40",
        image_crops="whole",
        image_elevation_deg=20.0,
        image_normals=photo_ids("normals")[0],
        start="ball",
    )
    context = Context.of(spec, ball_prior(), given=given_views(spec, ball_prior().info))
    given = context.given
    assert estimator.asked == 1
    assert given.normals.norm(dim=-1).allclose(torch.ones(()), atol=1e-4)
    assert torch.equal(given[torch.tensor([0])].normals, given.normals)
    apart = {}
    for weight in (0.0, 0.5):
        state = fresh_state(context)
        knobs = quick_knobs(fidelity=1.0, anchor_weight=0.0, image_normals_weight=weight)
        for _ in range(80):
            distill_step(context, state, knobs, 0.5)
        with torch.no_grad():
            views = state.renderer.render(state.scene, given.cameras, None)
        apart[weight] = float(facing_loss(views, given.cameras, given.normals, given.rgba[..., 3:]))
    assert apart[0.5] < 0.8 * apart[0.0], apart
