"""Holding a shape to the estimated relief of its pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from engine.assets.images.mono_depth import LEAST_PIXELS, aligned, correlation, relief_loss
from engine.core.cameras import Cameras, orbit_cameras
from engine.core.views import Views
from engine.loop import input_images as given_module
from engine.loop.input_images import given_views
from engine.loop.stages import fresh_state
from engine.loop.state import Context
from engine.loop.step import distill_step
from engine.prior.vision.entries import photo_ids
from engine.toybox.benchmark.image import save_straight
from engine.toybox.objects import draw_object
from engine.toybox.pictures import render_object
from tests.loop.balls import ball_prior, quick_knobs, quick_spec

SIDE = 24


def cameras(count: int = 1) -> Cameras:
    return orbit_cameras([0.0] * count, 10, 3.05, 40, SIDE)


def bowl(height: float = 0.5) -> tuple[Tensor, Tensor]:
    """Depth and alpha (1,S,S,1) of a bump before nothing."""
    axis = (torch.arange(SIDE, dtype=torch.float64) + 0.5) / SIDE * 2 - 1
    radius = (axis[:, None] ** 2 + axis**2).sqrt()
    alpha = (radius < 0.8).double()[None, ..., None]
    return (3.05 - height * (1 - radius**2))[None, ..., None] * alpha, alpha


def seen(depth: Tensor, alpha: Tensor) -> Views:
    return Views(torch.zeros(*alpha.shape[:3], 3).to(depth), alpha, depth)


@pytest.mark.parametrize(("scale", "shift"), [(1.0, 0.0), (250.0, 3.0), (0.01, -7.0)])
def test_scale_and_shift_of_an_estimate_do_not_matter(scale: float, shift: float) -> None:
    depth, alpha = bowl()
    true = alpha / depth.clamp(min=1e-6)
    assert float(relief_loss(seen(depth, alpha), cameras(), scale * true + shift, alpha)) == pytest.approx(
        0, abs=1e-9
    )
    assert torch.allclose(aligned(scale * true + shift, true, alpha > 0) * alpha, true, atol=1e-9)


def test_an_inverted_estimate_is_as_far_as_can_be_and_a_flat_one_says_nothing_of_order() -> None:
    depth, alpha = bowl()
    true = alpha / depth.clamp(min=1e-6)
    assert float(correlation(true, -3 * true + 1, alpha > 0)) == pytest.approx(-1)
    assert float(correlation(true, torch.ones_like(true), alpha > 0)) == 0
    right, wrong = (float(relief_loss(seen(depth, alpha), cameras(), sign * true, alpha)) for sign in (1, -1))
    assert right < 1e-9 and wrong > 0.5


def test_correlation_is_pearsons_and_its_gradient_that_of_differences() -> None:
    rng = torch.Generator().manual_seed(0)
    a, b = torch.rand(2, 1, 5, 5, 1, generator=rng, dtype=torch.float64)
    mask = torch.rand(1, 5, 5, 1, generator=rng) > 0.3
    wanted = np.corrcoef(a[mask].numpy(), b[mask].numpy())[0, 1]
    assert float(correlation(a, b, mask)) == pytest.approx(wanted)
    assert torch.autograd.gradcheck(lambda part: correlation(part, b, mask), a.requires_grad_())


def test_too_few_pixels_are_no_evidence() -> None:
    depth, alpha = bowl()
    few = torch.zeros_like(alpha)
    few.view(-1)[SIDE * 12 + 8 : SIDE * 12 + 8 + LEAST_PIXELS - 1] = 1
    depth = depth.clone().requires_grad_()
    loss = relief_loss(seen(depth, alpha), cameras(), torch.rand_like(alpha), few)
    loss.sum().backward()
    assert float(loss.detach()) == 0 and depth.grad.abs().max() == 0


def test_going_downhill_bends_a_disc_into_the_bump() -> None:
    depth, alpha = bowl()
    flat = torch.full_like(depth, 3.0).requires_grad_()
    optimiser = torch.optim.Adam([flat], lr=0.02)
    for _ in range(120):
        optimiser.zero_grad()
        loss = relief_loss(seen(flat * alpha, alpha), cameras(), alpha / depth.clamp(min=1e-6), alpha)
        loss.sum().backward()
        assert flat.grad.isfinite().all()
        optimiser.step()
    assert float(correlation(flat.detach(), depth, alpha > 0)) > 0.8


class TrueRelief:
    """Stands in for an estimator: the true nearness of one object, on a scale of its own."""

    def __init__(self, depth: np.ndarray) -> None:
        self.depth, self.asked = depth, 0

    def nearness(self, rgb: np.ndarray) -> np.ndarray:
        self.asked += 1
        assert rgb.shape == (*self.depth.shape, 3)
        return np.where(self.depth > 0, 40 / np.maximum(self.depth, 1e-6) - 5, 0).astype(np.float32)


@pytest.mark.parametrize("scene", ["splats", pytest.param("field", marks=pytest.mark.heavy)])
def test_the_shape_is_bent_to_the_relief_of_its_picture(
    scene: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From one picture alone nothing says how near its parts are; with the true relief beside it, the shape
    has it.
    """
    obj = draw_object(11, "chair")
    estimator = TrueRelief(render_object(obj, [40.0], [20.0], given_module.RELIEF_SIDE).depth[0])
    monkeypatch.setattr(given_module, "load_estimator", lambda model_id: estimator)
    save_straight(render_object(obj, [40.0], [20.0], 128).rgba[0], tmp_path / "chair.png")
    told = {
        "images": f"{tmp_path / 'chair.png'}@40",
        "image_crops": "whole",
        "image_elevation_deg": 20.0,
        "scene": scene,
    }
    spec = quick_spec(**told, image_relief=photo_ids("depth")[0], start="ball")
    context = Context.of(spec, ball_prior(), given=given_views(spec, ball_prior().info))
    assert estimator.asked == 1
    found = {}
    for weight in (0.0, 0.3):
        state, knobs = fresh_state(context), quick_knobs(fidelity=1.0, anchor_weight=0.0, image_depth=weight)
        for _ in range(80):
            distill_step(context, state, knobs, 0.5)
        with torch.no_grad():
            views = state.renderer.render(state.scene, context.given.cameras, None)
        both = (views.alpha > 0.5) & (context.given.rgba[..., 3:] > 0.5)
        found[weight] = float(
            correlation(views.alpha / views.depth.clamp(min=1e-6), context.given.nearness, both)
        )
    assert found[0.3] > 0.8 and found[0.3] > found[0.0] + 0.1


def test_without_an_estimator_the_weight_does_nothing(tmp_path: Path) -> None:
    save_straight(render_object(draw_object(11, "mug"), [0.0], [10.0]).rgba[0], tmp_path / "mug.png")
    given = given_views(quick_spec(images=str(tmp_path / "mug.png")), ball_prior().info)
    views = seen(torch.full((1, 32, 32, 1), 3.0), torch.ones(1, 32, 32, 1))
    losses = {float(given_module.given_loss(given, views, None, weight)) for weight in (0.0, 1.0)}
    assert given.nearness is None and len(losses) == 1
