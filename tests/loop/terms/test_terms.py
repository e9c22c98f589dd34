"""The loss of a step is the sum of its terms, and each says how much of it is its own."""

from __future__ import annotations

from dataclasses import replace

import torch

from engine.core.cameras import Cameras
from engine.loop.stages import fresh_state
from engine.loop.state import Anchor, Context
from engine.loop.step import distill_step, fit_step
from engine.loop.terms import REFINE, Losses
from engine.loop.terms.rendered import RenderedStep
from engine.loop.viewpoints import draft_cameras
from engine.render import choose
from engine.scene import splats
from tests.loop.balls import ball_picture, ball_prior, quick_knobs, quick_spec


def test_each_term_appears_by_name_and_the_scene_is_moved_by_their_sum() -> None:
    context = Context.of(quick_spec(), ball_prior())
    state, knobs = fresh_state(context), quick_knobs(anchor_weight=2.0)
    cameras = _cameras(context)
    state.anchor = Anchor(
        ((ball_picture() + 1) / 2).permute(1, 2, 0).expand(len(cameras), -1, -1, -1), cameras
    )
    out = distill_step(context, state, knobs, 0.5)
    shown = {name for name in out.metrics if name.startswith("loss_")}
    assert (
        {"loss_distillation", "loss_anchor"} <= shown
        and "loss_pictures" not in shown
        and "loss_reference" not in shown
    )

    freed = distill_step(context, state, replace(knobs, anchor_weight=0.0), 0.5)
    assert "loss_anchor" not in freed.metrics
    assert {"loss_draft"} <= set(fit_step(context, state, knobs, settled=True).metrics)


def test_a_weight_scales_its_term_and_no_other() -> None:
    context = Context.of(quick_spec(), ball_prior())
    cameras = _cameras(context)
    values = {}
    for weight in (1.0, 3.0):
        state = fresh_state(context)
        state.scene = splats.random_ball(200, 0.5, 0.05, torch.Generator().manual_seed(0))
        state.renderer = choose(state.scene, "auto")
        state.anchor = Anchor(
            ((ball_picture() + 1) / 2).permute(1, 2, 0).expand(len(cameras), -1, -1, -1), cameras
        )
        views = state.renderer.render(state.scene, cameras, None, normals=True)
        step = RenderedStep(context, state, quick_knobs(anchor_weight=weight), views, cameras)
        values[weight] = Losses.of(step, REFINE, first={"distillation": torch.tensor(4.0)})
    once, thrice = values[1.0].metrics(), values[3.0].metrics()
    assert once.keys() == thrice.keys() == {"loss_distillation", "loss_anchor", "loss_surface"}
    torch.testing.assert_close(thrice["loss_anchor"], 3 * once["loss_anchor"], rtol=1e-5, atol=0)
    assert thrice["loss_surface"] == once["loss_surface"] and once["loss_distillation"] == 4.0
    assert abs(float(values[1.0].total()) - sum(once.values())) < 1e-4


def _cameras(context: Context) -> Cameras:
    return draft_cameras(context.prior.info, 4, context.prior.info.resolution)
