"""The last stage, on a prior whose second stage is known: it draws the ball exactly, at twice the size."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from engine.core.camera import orbit_camera
from engine.core.views import Views
from engine.errors import InputError
from engine.loop import checkpoint, sharpening
from engine.loop.frames import render_rgba
from engine.loop.messages import Finished, StageStarted, Stepped, Unattended
from engine.loop.run import run
from engine.loop.settings import Settings
from engine.loop.sharpening import GROWTH, LONGEST, sharpening_cameras, trimmed
from engine.loop.state import Anchor
from engine.loop.validation import check_combination
from engine.prior.analytic import JointAnalyticPrior
from engine.prior.base import Prior
from engine.scene.splats import random_ball
from tests.loop.balls import SIZE, ball_picture, ball_prior, of_type, quick_knobs, quick_spec


class SharpPrior(JointAnalyticPrior):
    """Draws the ball at twice the size, whatever it is shown."""

    def sharpened(self, views: Views) -> Views:
        assert views.rgb.shape[1] == self.info.resolution
        return self.decode(ball_picture(size=2 * SIZE).expand(len(views.rgb), -1, -1, -1))


def sharp_prior(name: str = "ball") -> Prior:
    prior = ball_prior()
    prior.__class__ = SharpPrior
    prior.info = replace(prior.info, sharpens=True)
    return prior


def events_of(spec, **options):
    return list(run(spec, quick_knobs(), Unattended(), sharp_prior, **options))


def error(finished: Finished) -> float:
    """Against the true ball, at twice the size that the prior sees."""
    truth = sharp_prior().decode(ball_picture(size=2 * SIZE)[None])
    copy, rgba = finished.copy, torch.cat([truth.rgb, truth.alpha], dim=-1)
    cameras = [
        orbit_camera(azimuth, 15.0, copy.distance, copy.fov_deg, 2 * SIZE) for azimuth in (20.0, 130.0, 250.0)
    ]
    return float((torch.from_numpy(render_rgba(copy, cameras)).float() / 255 - rgba).square().mean())


@pytest.mark.parametrize("scene", ["splats", "field"])
def test_it_follows_refining_and_brings_the_scene_to_the_finer_views(scene: str) -> None:
    before, after = (events_of(quick_spec(scene=scene, sharpen_steps=steps)) for steps in (0, 40))
    assert [event.stage for event in of_type(after, StageStarted)] == ["draft", "fit", "refine", "sharpen"]
    assert error(after[-1]) < 0.8 * error(before[-1])
    assert after[-1].steps == before[-1].steps + 40 and after[-1].seconds["sharpen"] > 0


def test_splats_are_added_where_the_finer_views_differ() -> None:
    count = len(events_of(quick_spec(sharpen_steps=10))[-1].copy.scene)
    assert count == pytest.approx(400 * (1 + GROWTH), rel=0.1)


def test_it_works_without_refining_too() -> None:
    stages = [
        event.stage
        for event in of_type(events_of(quick_spec(refine_steps=0, sharpen_steps=10)), StageStarted)
    ]
    assert stages == ["draft", "fit", "sharpen"]


def test_flat_pictures_have_nothing_to_be_fitted_to() -> None:
    spec = quick_spec(scene="canvas", sharpen_steps=10)
    assert "sharpen" not in [event.stage for event in of_type(events_of(spec), StageStarted)]


def test_it_goes_on_from_a_checkpoint_exactly(tmp_path) -> None:
    spec = quick_spec(sharpen_steps=10)
    whole = events_of(spec)
    interrupted = run(spec, quick_knobs(), Unattended(), sharp_prior, folder=tmp_path)
    next(
        event
        for event in interrupted
        if isinstance(event, Stepped) and (event.stage, event.step) == ("sharpen", 4)
    )
    interrupted.close()
    resumed = events_of(spec, folder=tmp_path, resume=True)
    losses = [event.loss for event in of_type(resumed, Stepped)]
    assert len(losses) == 6 and losses == [event.loss for event in of_type(whole, Stepped)][-6:]


def test_views_are_drawn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    finer = sharpening.finer_views
    monkeypatch.setattr(sharpening, "finer_views", lambda *given: calls.append(1) or finer(*given))
    events_of(quick_spec(sharpen_steps=10))
    assert len(calls) == 1


def test_a_prior_without_a_second_stage_says_so() -> None:
    with pytest.raises(InputError, match=r"sharpen_steps is 10.*draws no finer views"):
        check_combination(Settings(quick_spec(sharpen_steps=10), quick_knobs()), ball_prior().info)


def test_what_is_shown_is_drawn_as_finely_as_it_was_fitted(tmp_path) -> None:
    """Splats are drawn no narrower than the pixels in which they were optimised."""
    live = events_of(quick_spec(sharpen_steps=10), folder=tmp_path)[-1].copy
    assert live.render_size == checkpoint.load_copy(tmp_path).render_size == 2 * SIZE
    assert events_of(quick_spec())[-1].copy.render_size == SIZE


def test_fog_and_needles_go_and_a_scene_of_fog_stays() -> None:
    cameras = sharpening_cameras(ball_prior().info, 2 * SIZE)
    truth = ball_prior().decode(ball_picture(size=2 * SIZE)[None])
    anchor = Anchor(torch.cat([truth.rgb, truth.alpha], dim=-1).expand(len(cameras), -1, -1, -1), cameras)
    scene = random_ball(200, 0.5, 0.1, torch.Generator().manual_seed(0))
    scene.means[:40] = torch.tensor([0.9, 0.0, 0.0])
    kept = trimmed(scene, anchor)
    assert len(kept) == 160 and float(kept.scales.max()) <= LONGEST * 1.001
    scene.means[:190] = torch.tensor([0.9, 0.0, 0.0])
    assert len(trimmed(scene, anchor)) == 200
