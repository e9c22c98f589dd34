"""Drafts by multi-view priors that draw opaque pictures: cut out, fitted and refined."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from engine.core.views import Views, composite
from engine.loop.messages import Finished, Pictures, StageStarted, Unattended
from engine.loop.run import run
from engine.loop.stages import draft, fresh_state
from engine.loop.state import Context
from engine.prior.analytic import JointAnalyticPrior, gaussian
from engine.prior.base import Prior
from tests.loop.balls import PROMPT, SIZE, ball_picture, ball_prior_info, of_type, quick_knobs, quick_spec
from tests.loop.test_run import silhouette_iou

GREY = 0.5


def opaque_prior(name: str = "ball") -> Prior:
    """Knows the ball before a grey wall, from four sides at once and at one height."""
    rgba = (ball_picture() + 1).permute(1, 2, 0)[None] / 2
    wall = composite(rgba[..., :3], rgba[..., 3:], torch.tensor([GREY] * 3))[0].permute(2, 0, 1) * 2 - 1
    concepts = {
        PROMPT + ", 3d asset": gaussian(wall, std=0.02),
        "": gaussian(torch.zeros(3, SIZE, SIZE), std=0.3),
    }
    prior = JointAnalyticPrior(concepts, rho=0.9)
    prior.info = replace(ball_prior_info(), channels="rgb", orbit_views=4, prompt_suffix=", 3d asset")
    return prior


@pytest.fixture(scope="module")
def tiny_mvdream(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Prior]:
    from engine.prior.mvdream.prior import load_mvdream

    folder = tmp_path_factory.mktemp("mvdream") / "pipeline"
    prior = load_mvdream(importlib.import_module("tests.prior.tiny_mvdream").save_tiny_mvdream(folder))
    decode = prior.decode

    def framed(x: torch.Tensor) -> Views:
        """Untrained pictures are noise to their edges; a trained model leaves a flat background round the
        object.
        """
        views = decode(x)
        rgb = torch.full_like(views.rgb, GREY)
        rgb[:, 4:-4, 4:-4] = views.rgb[:, 4:-4, 4:-4]
        return Views(rgb, views.alpha, views.depth)

    prior.decode = framed
    return lambda name: prior


@pytest.mark.parametrize("scene", ["splats", "field"])
def test_the_ball_is_found_without_its_wall(scene: str) -> None:
    spec = quick_spec(scene=scene, draft_views=8, refine_steps=0)
    finished = list(run(spec, quick_knobs(), Unattended(), opaque_prior))[-1]
    assert isinstance(finished, Finished) and silhouette_iou(finished.copy) > 0.8


def test_the_anchor_is_four_views_with_alpha() -> None:
    context = Context.of(quick_spec(draft_views=8), opaque_prior())
    state = fresh_state(context)
    list(draft(context, state, quick_knobs))
    assert (
        state.anchor.rgba.shape == (4, SIZE, SIZE, 4) and state.anchor.cameras.elevations_deg().std() < 1e-3
    )
    truth = ((ball_picture() + 1) / 2).permute(1, 2, 0)
    assert (state.anchor.rgba - truth).abs().mean() < 0.03


def test_pictures_of_a_canvas_keep_their_wall() -> None:
    context = Context.of(quick_spec(scene="canvas", draft_views=8), opaque_prior())
    state = fresh_state(context)
    list(draft(context, state, quick_knobs))
    assert state.anchor.rgba.shape == (8, SIZE, SIZE, 4) and state.anchor.rgba[..., 3].min() == 1


def test_mvdream_drafts_fits_and_refines(tiny_mvdream: Callable[[str], Prior]) -> None:
    spec = quick_spec(
        prior="mvdream", start="draft", render_size=16, sampling_steps=2, fit_steps=10, refine_steps=2
    )
    events = list(run(spec, replace(quick_knobs(), views_per_step=4), Unattended(), tiny_mvdream))
    assert [event.stage for event in of_type(events, StageStarted)] == ["draft", "fit", "refine"]
    assert isinstance(events[-1], Finished) and events[-1].steps == 14
    assert {len(event.images) for event in of_type(events, Pictures)} == {4}
    assert all(tensor.isfinite().all() for tensor in events[-1].copy.scene.parameters().values())
