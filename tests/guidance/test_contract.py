"""What every guidance method promises, whoever writes it: each is found by its file and asked the same questions."""

from __future__ import annotations

import dataclasses
import random
import textwrap
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

import engine.guidance
from engine.guidance import key_of, methods
from engine.guidance.base import Guidance, GuidanceOut
from engine.math.knobs import Range, knobs_of
from engine.prior.analytic import AnalyticPrior, gaussian
from engine.prior.base import Condition, Prompts
from tests.guidance.networks import LinearPrior

METHODS = methods()
every_method = pytest.mark.parametrize("method", [kind() for kind in METHODS.values()], ids=list(METHODS))


@pytest.fixture(scope="module")
def prior() -> AnalyticPrior:
    ramp = torch.linspace(-0.8, 0.8, 3 * 8 * 8).view(3, 8, 8)
    return LinearPrior({"": gaussian(0 * ramp), "a ramp": gaussian(ramp), "dark": gaussian(0 * ramp - 1)})


def ask(method: Guidance, prior: AnalyticPrior, batch: int, seed: int = 0,
        negative: str | None = None) -> tuple[GuidanceOut, Tensor]:
    """One call from a fresh state, and the gradient that reaches the pictures."""
    x = torch.rand(batch, 3, 8, 8, generator=torch.Generator().manual_seed(9)).requires_grad_()
    positive, empty = (Condition(prior.embed(prompt)) for prompt in ("a ramp", ""))
    prompts = Prompts(positive, empty, None if negative is None else Condition(prior.embed(negative)))
    rng = torch.Generator().manual_seed(seed)
    state = method.init(prior, prompts, rng)
    out = method.loss(x, torch.tensor([120, 400, 650, 910])[:batch], prompts, prior, state, rng)
    gradient, = torch.autograd.grad(out.loss, x)
    return out, gradient


def test_sds_is_there() -> None:
    assert "sds" in METHODS


@every_method
def test_is_a_frozen_dataclass_that_says_what_it_is(method: Guidance) -> None:
    assert type(method).__dataclass_params__.frozen
    assert 0 < len(method.title) <= 40 and "\n" not in method.title
    assert method.sentence.endswith(".") and len(method.sentence) <= 160
    assert METHODS[key_of(method)] is type(method)


@every_method
def test_guidance_is_a_knob_and_every_field_has_a_mark(method: Guidance) -> None:
    knobs = {knob.name: knob for knob in knobs_of(method)}
    assert set(knobs) == {field.name for field in dataclasses.fields(method)}
    mark = knobs["guidance_scale"].mark
    assert isinstance(mark, Range) and mark.low >= 0 and mark.low <= method.guidance_scale <= mark.high
    assert all(knob.mark.help for knob in knobs.values())


@every_method
@pytest.mark.parametrize("batch", [1, 4])
@pytest.mark.parametrize("negative", [None, "dark"])
def test_loss_and_gradient_are_finite(method: Guidance, prior: AnalyticPrior, batch: int, negative: str | None) -> None:
    out, gradient = ask(method, prior, batch, negative=negative)
    assert out.loss.shape == () and torch.isfinite(out.loss) and torch.isfinite(gradient).all()
    assert all(part.abs().max() > 0 for part in gradient)
    assert out.denoised.shape == gradient.shape and not out.denoised.requires_grad
    assert all(isinstance(value, float) and np.isfinite(value) for value in out.metrics.values())


@every_method
def test_same_generator_same_answer(method: Guidance, prior: AnalyticPrior) -> None:
    (first, gradient), (second, again) = ask(method, prior, 4, seed=3), ask(method, prior, 4, seed=3)
    assert torch.equal(first.loss, second.loss) and torch.equal(gradient, again)


@every_method
def test_no_global_generator_is_touched(method: Guidance, prior: AnalyticPrior) -> None:
    before = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].copy()
    ask(method, prior, 4)
    assert torch.equal(before[0], torch.get_rng_state()) and before[1] == random.getstate()
    assert np.array_equal(before[2], np.random.get_state()[1])


@every_method
def test_loss_is_a_mean_over_views(method: Guidance, prior: AnalyticPrior) -> None:
    """A view's gradient times the batch has one distribution, alone or among four: means agree within five standard errors."""
    calls = 64
    alone = torch.stack([ask(method, prior, 1, seed=seed)[1][0] for seed in range(calls)])
    among = torch.stack([4 * ask(method, prior, 4, seed=seed)[1][0] for seed in range(calls, 2 * calls)])
    standard_error = ((alone.var(0) + among.var(0)) / calls).sqrt()
    assert ((alone.mean(0) - among.mean(0)).abs() <= 5 * standard_error + 1e-5).all()


PLUGGED_IN = '''
    """Pull straight towards the mean of the prompt."""
    from __future__ import annotations

    from dataclasses import dataclass
    from typing import Annotated, ClassVar

    from engine.guidance.base import out_of
    from engine.math.knobs import Range, check_knobs


    @dataclass(frozen=True)
    class Straight:
        title: ClassVar[str] = "Straight"
        sentence: ClassVar[str] = "Pulls every view straight to the mean."
        guidance_scale: Annotated[float, Range(1, 10, help="How hard.")] = 2.0

        def __post_init__(self) -> None:
            check_knobs(self)

        def init(self, prior, prompts, rng):
            return None

        def loss(self, x, t, prompts, prior, state, rng):
            mean = prompts.positive.text.tokens.view(1, *x.shape[1:]).to(x)
            return out_of(x, self.guidance_scale * (x.detach() - mean), mean.expand_as(x))


    METHOD = Straight
'''


def test_a_method_is_one_new_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prior: AnalyticPrior) -> None:
    (tmp_path / "straight_pull.py").write_text(textwrap.dedent(PLUGGED_IN), encoding="utf-8")
    monkeypatch.setattr(engine.guidance, "__path__", [*engine.guidance.__path__, str(tmp_path)])
    found = methods()
    assert set(found) == {*METHODS, "straight_pull"}
    method = found["straight_pull"](guidance_scale=3.0)
    assert key_of(method) == "straight_pull" and [knob.name for knob in knobs_of(method)] == ["guidance_scale"]
    test_loss_and_gradient_are_finite(method, prior, 4, None)
    test_same_generator_same_answer(method, prior)
