"""Runs that run out of memory: networks that take a few views at a time give what greater ones give."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from engine.core.views import Views
from engine.errors import DeviceError
from engine.guidance.lods import Lods
from engine.loop import oom
from engine.loop.messages import Finished, Stepped, Unattended, Warned
from engine.loop.oom import out_of_memory
from engine.loop.run import run
from engine.loop.spec import Knobs
from engine.prior.base import Condition, Prediction, Prior
from engine.prior.chunked import chunked
from engine.prior.memory_plan import GB, Economy, Footprint
from tests.loop.balls import ball_prior, guided_knobs, of_type, quick_knobs, quick_spec

ROOMY = 10**6
SPEC = quick_spec(start="ball", refine_steps=4)


class Narrow(nn.Module):
    """Runs out of memory above ``most`` views, from call number ``begin`` on."""

    def __init__(self, most: int, error: Exception, begin: int = 0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1), requires_grad=False)
        self.most, self.error, self.begin, self.calls = most, error, begin, 0

    def check(self, views: int) -> None:
        self.calls += 1
        if views > self.most and self.calls > self.begin:
            raise self.error


@dataclass(frozen=True, eq=False)
class Parts:
    networks: dict[str, nn.Module]


class NarrowPrior:
    """The ball, one view apart from the other, behind a denoiser and a VAE that take only so many views at
    once.
    """

    def __init__(self, denoiser: Narrow, vae: Narrow) -> None:
        self.ball: Prior = ball_prior()
        self.info = replace(self.ball.info, joint_views=False)
        self.schedule, self.device, self.network = self.ball.schedule, self.ball.device, denoiser
        self.parts = Parts({"denoiser": denoiser, "vae": vae})
        self.max_views_per_call = self.max_pictures_per_call = 8
        self.embed, self.decode = self.ball.embed, self.ball.decode

    def encode(self, views: Views) -> Tensor:
        pictures = torch.cat([views.rgb, views.alpha], dim=-1).permute(0, 3, 1, 2)
        return chunked(self._encode, self.max_pictures_per_call, pictures, recompute=True)

    def _encode(self, pictures: Tensor) -> Tensor:
        self.parts.networks["vae"].check(len(pictures))
        return 2 * pictures - 1

    def predict(self, x_t: Tensor, t: Tensor, condition: Condition) -> Prediction:
        def eps(x_t: Tensor, t: Tensor) -> Tensor:
            self.network.check(len(x_t))
            mean = 0.5 * torch.tanh(condition.text.tokens.mean()).to(x_t)
            a, sig = self.schedule.signal_and_noise(t, x_t)
            return (x_t - a * mean) / sig

        found = chunked(eps, self.max_views_per_call, x_t, t)
        a, sig = self.schedule.signal_and_noise(t, x_t)
        return Prediction(found, (x_t - sig * found) / a)


def narrow(
    denoiser: int = ROOMY, vae: int = ROOMY, error: Exception | None = None, begin: int = 0
) -> NarrowPrior:
    error = error or torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
    return NarrowPrior(Narrow(denoiser, error, begin), Narrow(vae, error, begin // 2))


def events_of(prior: NarrowPrior, knobs: Knobs | None = None, **options: Any) -> list:
    return list(run(SPEC, knobs or guided_knobs(), Unattended(), lambda name: prior, **options))


def scene_of(events: list) -> Tensor:
    return torch.cat([tensor.flatten() for tensor in events[-1].copy.scene.parameters().values()]).detach()


LODS = replace(
    quick_knobs(),
    guidance=Lods(guidance_scale=20.0, prior_learning_rate=0.05, prior_steps=2),
    anchor_weight=0.0,
)


@pytest.mark.parametrize("knobs", [guided_knobs(), LODS], ids=["sds", "lods"])
@pytest.mark.parametrize("begin", [0, 5])
@pytest.mark.parametrize(
    ("denoiser", "vae", "said"),
    [
        (1, ROOMY, "one view at a time"),
        (2, ROOMY, "two views"),
        (ROOMY, 1, "the VAE in slices"),
        (1, 1, "one view at a time"),
    ],
)
def test_a_run_that_runs_out_of_memory_ends_as_one_that_does_not(
    knobs: Knobs, denoiser: int, vae: int, said: str, begin: int
) -> None:
    roomy, tight = events_of(narrow(), knobs), events_of(narrow(denoiser, vae, begin=begin), knobs)
    torch.testing.assert_close(scene_of(tight), scene_of(roomy), rtol=1e-5, atol=1e-6)
    assert (
        [e.total_step for e in of_type(tight, Stepped)]
        == [e.total_step for e in of_type(roomy, Stepped)]
        == [1, 2, 3, 4]
    )
    assert [e.loss for e in of_type(tight, Stepped)] == pytest.approx(
        [e.loss for e in of_type(roomy, Stepped)], rel=1e-4
    )
    told = [event.what for event in of_type(tight, Warned)]
    assert "everything at once" in told[0] and any(said in what for what in told[1:])
    assert said in tight[-1].memory and tight[-1].memory.startswith("This run takes about")
    assert not tight[-1].stopped and len(of_type(roomy, Warned)) == 1


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate"),
    ],
)
def test_other_ways_of_running_out_of_memory_count_too(error: Exception) -> None:
    assert out_of_memory(error)
    assert isinstance(events_of(narrow(denoiser=1, error=error))[-1], Finished)


def test_other_errors_are_not_taken_for_it() -> None:
    assert not out_of_memory(RuntimeError("shapes do not match")) and not out_of_memory(
        ValueError("out of memory")
    )
    with pytest.raises(RuntimeError, match="shapes"):
        events_of(narrow(denoiser=1, error=RuntimeError("shapes do not match")))


def test_when_nothing_is_left_to_save_the_last_good_shape_is_kept(tmp_path) -> None:
    events = events_of(narrow(denoiser=0, begin=4), folder=tmp_path)
    assert isinstance(events[-1], Finished) and events[-1].stopped and events[-1].steps == 2
    *_, last = of_type(events, Warned)
    assert (
        "nothing is left to save" in last.what
        and "last good shape is kept" in last.what
        and "Lower" in last.remedy
    )
    assert torch.isfinite(scene_of(events)).all() and (tmp_path / "checkpoint.pt").exists()


def test_a_run_that_never_made_a_step_fails_with_a_remedy() -> None:
    with pytest.raises(DeviceError, match="nothing is left") as raised:
        events_of(narrow(denoiser=0))
    assert "views a step" in raised.value.remedy


def test_a_prior_that_is_shared_begins_every_run_with_a_plan_of_its_own() -> None:
    prior = narrow(denoiser=1)
    events_of(prior)
    assert prior.max_views_per_call == 1
    prior.network.most = ROOMY
    assert "everything at once" in events_of(prior)[-1].memory and prior.max_views_per_call == ROOMY


def test_the_plan_follows_what_is_free(monkeypatch) -> None:
    """Each view takes a gigabyte through the denoiser: with room for two and a half, two go through it at a
    time.
    """
    monkeypatch.setattr(oom.economies, "footprint_of", lambda prior: Footprint(4, 4, denoise=GB))
    monkeypatch.setattr(oom.economies, "free_bytes", lambda device: int(2.5 * GB))
    prior = narrow()
    told = events_of(prior)[-1].memory
    assert prior.max_views_per_call == 2 and "2.0 GB of 2.5 GB: two views at a time" in told


def test_a_plan_that_may_not_fit_says_so(monkeypatch) -> None:
    monkeypatch.setattr(oom.economies, "free_bytes", lambda device: 0)
    assert "may not be enough" in events_of(narrow())[-1].memory


def test_precision_reaches_the_loader_only_when_it_is_asked_for() -> None:
    asked: list[dict[str, str]] = []

    def load(name: str, **options: str) -> Prior:
        asked.append(options)
        return narrow()

    for precision in ("auto", "bf16"):
        list(run(replace(SPEC, precision=precision, refine_steps=1), quick_knobs(), Unattended(), load))
    assert asked == [{}, {"precision": "bf16"}]


def test_a_small_prior_has_no_plan() -> None:
    events = list(run(quick_spec(fit_steps=10, refine_steps=2), quick_knobs(), Unattended(), ball_prior))
    assert (
        not of_type(events, Warned) and events[-1].memory == "" and Economy().words(4) == "everything at once"
    )
