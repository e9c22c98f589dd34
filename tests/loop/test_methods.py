"""Every method drives a whole run on a joint multi-view prior whose answer is known."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from engine.core.cameras import orbit_cameras
from engine.core.gradient import CLIPPINGS
from engine.core.views import Views
from engine.guidance import methods
from engine.loop.clipping import bounded, clipping_metrics
from engine.loop.messages import Finished, SceneCopy, Stepped, Unattended, Watch
from engine.loop.run import run
from engine.loop.settings import Settings, flatten, with_values
from engine.loop.spec import Knobs
from engine.prior.base import Condition, Prediction
from engine.render import choose
from engine.scene.canvas import Canvas
from tests.loop.balls import SIZE, ScriptedCommands, ball_picture, ball_prior, of_type, quick_spec

GENTLE = {"anchor_weight": 0.0, "t_min": 0.2, "t_max": 0.8}
SCALES = {"vsd": 2.0}  # at guidance 1 it only leaves where it is; the others already arrive
STEPS = {"splats": 25, "canvas": 40}


def knobs_for(method: str) -> Knobs:
    """The method with guidance that is gentle enough for a prior that is certain."""
    values = {"method": method, "guidance_scale": SCALES.get(method, 1.0), **GENTLE}
    settings = with_values(Settings(quick_spec(), Knobs()), values)
    if "weighting" in flatten(settings):
        settings = with_values(settings, {"weighting": "denoise"})
    return settings.knobs


def distance(copy: SceneCopy) -> float:
    """Mean absolute difference to the ball, as premultiplied RGBA, over all canvas pictures or four sides."""
    views = len(copy.scene) if isinstance(copy.scene, Canvas) else 4
    cameras = orbit_cameras([90.0 * i for i in range(views)], 10, 3.05, 40, SIZE)
    drawn = choose(copy.scene).render(copy.scene, cameras, None)
    wanted = ((ball_picture() + 1) / 2).permute(1, 2, 0)
    return float((torch.cat([drawn.rgb, drawn.alpha], dim=-1) - wanted).abs().mean())


class TimedPrior:
    """The ball prior, which remembers how many different noise levels each call saw, with a network that adds
    nothing yet.
    """

    def __init__(self) -> None:
        self.prior, self.levels = ball_prior(), set()
        self.info = replace(self.prior.info, takes_adapters=True)
        self.schedule, self.device = self.prior.schedule, self.prior.device
        self.encode, self.decode, self.embed = self.prior.encode, self.prior.decode, self.prior.embed
        self.network = nn.Sequential(nn.Linear(1, 1, bias=False)).requires_grad_(False)
        nn.init.zeros_(self.network[0].weight)

    def predict(self, x_t: Tensor, t: Tensor, condition: Condition) -> Prediction:
        self.levels.add(len(t.unique()))
        known = self.prior.predict(x_t, t, condition)
        return Prediction(known.eps + self.network(x_t[..., None])[..., 0], known.x0)


@pytest.mark.parametrize("scene", STEPS)
@pytest.mark.parametrize("method", methods())
def test_pictures_come_nearer_to_what_the_prior_knows(method: str, scene: str) -> None:
    """And the views of one object, which such a prior looks at together, always have one noise level."""
    spec, prior = quick_spec(scene=scene, start="ball", splats=200, refine_steps=STEPS[scene]), TimedPrior()
    events = list(run(spec, knobs_for(method), ScriptedCommands({1: [Watch(True)]}), lambda name: prior))
    assert isinstance(events[-1], Finished) and not events[-1].stopped
    assert distance(events[-1].copy) < 0.8 * distance(of_type(events, SceneCopy)[0])
    assert prior.levels == {1}


def refined(**changes) -> list:
    """The events of a short run from a ball of splats, with some knobs changed."""
    knobs = with_values(Settings(quick_spec(), knobs_for("sds")), changes).knobs
    return list(run(quick_spec(start="ball", splats=200, refine_steps=5), knobs, Unattended(), ball_prior))


@pytest.mark.parametrize("by", [clipping for clipping in CLIPPINGS if clipping != "off"])
def test_clipping_bounds_the_push_on_each_pixel_and_says_how_many_it_met(by: str) -> None:
    free, tight, loose = (
        refined(),
        refined(gradient_clip=by, clip_limit=0.01),
        refined(gradient_clip=by, clip_limit=1.0),
    )
    means = [events[-1].copy.scene.means for events in (free, tight, loose)]
    shares = [
        [step.metrics.get("clipped") for step in of_type(events, Stepped)] for events in (free, tight, loose)
    ]
    assert not torch.equal(means[0], means[1]) and shares[0] == [None] * 5
    assert all(0 <= few < many <= 1 for many, few in zip(*shares[1:]))


@pytest.mark.parametrize("channels", ["rgb", "rgba"])
def test_no_pixel_of_a_render_gets_more_than_the_limit(channels: str) -> None:
    """Also for priors that never look at alpha, whose gradient is then nothing."""
    rgb, alpha = (
        torch.rand(2, 4, 4, c, generator=torch.Generator().manual_seed(c)).requires_grad_() for c in (3, 1)
    )
    knobs = replace(Knobs(), gradient_clip="norm", clip_limit=0.1)
    views = bounded(Views(rgb, alpha, torch.zeros_like(alpha)), knobs)
    push = 0.2 * views.rgb.square().sum() + (views.alpha.sum() if channels == "rgba" else 0)
    push.backward()
    size = torch.cat([rgb.grad, alpha.grad], dim=-1).norm(dim=-1)
    whole = (
        0.4 * rgb.detach().norm(dim=-1)
        if channels == "rgb"
        else (0.16 * rgb.detach().square().sum(-1) + 1).sqrt()
    )
    assert torch.allclose(size, whole.clamp(max=0.1), atol=1e-6)
    assert clipping_metrics(views, knobs)["clipped"] == pytest.approx(float((whole > 0.1).float().mean()))


def test_without_clipping_the_views_are_the_rendered_ones() -> None:
    views = Views(torch.zeros(1, 2, 2, 3), torch.zeros(1, 2, 2, 1), torch.zeros(1, 2, 2, 1))
    assert bounded(views, Knobs()) is views and clipping_metrics(views, Knobs()) == {}
