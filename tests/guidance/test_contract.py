"""What every guidance method promises, whoever writes it: each is found by its file and asked the same
questions.
"""

from __future__ import annotations

import dataclasses
import random
import re
import textwrap
from dataclasses import replace
from pathlib import Path

import gradio as gr
import numpy as np
import pytest
import torch
from torch import Tensor

import engine.guidance
from engine.core.fields import Range, marked_fields
from engine.core.views import Views
from engine.errors import InputError, PresetError
from engine.guidance import key_of, methods
from engine.guidance.base import Guidance, GuidanceOut
from engine.loop.messages import Finished, Unattended
from engine.loop.run import run
from engine.loop.settings import Settings
from engine.loop.spec import Knobs, RunSpec
from engine.prior.analytic import AnalyticPrior, CountingPrior, gaussian
from engine.prior.base import Condition, Prompts
from engine.session.presets import Presets, apply_preset, load_preset
from studio.catalogue import Catalogue, PriorChoice
from studio.panel import draw_panel
from tests.guidance.networks import LinearPrior
from tests.loop.balls import ball_prior, quick_spec

METHODS = methods()
every_method = pytest.mark.parametrize("method", [kind() for kind in METHODS.values()], ids=list(METHODS))


@pytest.fixture(scope="module")
def prior() -> AnalyticPrior:
    ramp = torch.linspace(-0.8, 0.8, 3 * 8 * 8).view(3, 8, 8)
    return LinearPrior({"": gaussian(0 * ramp), "a ramp": gaussian(ramp), "dark": gaussian(0 * ramp - 1)})


STEPS = 10  # what costs are averaged over
TIMES = (0, 500, 999)


def prompts_of(prior: AnalyticPrior, negative: str | None = None) -> Prompts:
    positive, empty = (Condition(prior.embed(prompt)) for prompt in ("a ramp", ""))
    return Prompts(positive, empty, None if negative is None else Condition(prior.embed(negative)))


def grey_views(batch: int = 2) -> Views:
    """Renders that want a gradient."""
    rgb, alpha = (torch.full((batch, 8, 8, channels), 0.5, requires_grad=True) for channels in (3, 1))
    return Views(rgb, alpha, torch.zeros(batch, 8, 8, 1))


def ask(
    method: Guidance, prior: AnalyticPrior, batch: int, seed: int = 0, negative: str | None = None
) -> tuple[GuidanceOut, Tensor]:
    """One call from a fresh state, and the gradient that reaches the pictures."""
    x = torch.rand(batch, 3, 8, 8, generator=torch.Generator().manual_seed(9)).requires_grad_()
    prompts = prompts_of(prior, negative)
    rng = torch.Generator().manual_seed(seed)
    state = method.init(prior, prompts, rng)
    out = method.loss(x, torch.tensor([120, 400, 650, 910])[:batch], prompts, prior, state, rng)
    (gradient,) = torch.autograd.grad(out.loss, x)
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
    knobs = {knob.name: knob for knob in marked_fields(method)}
    assert set(knobs) == {field.name for field in dataclasses.fields(method)}
    mark = knobs["guidance_scale"].mark
    assert isinstance(mark, Range) and mark.low <= method.guidance_scale <= mark.high
    assert all(knob.mark.help for knob in knobs.values())


@every_method
@pytest.mark.parametrize("below", [0.99, 0.0, -7.5, float("nan")])
def test_guidance_below_one_is_refused(method: Guidance, below: float) -> None:
    """Below 1 the prompt would be left for no prompt at all: 1 is off for everybody."""
    with pytest.raises(InputError, match="guidance_scale") as error:
        dataclasses.replace(method, guidance_scale=below)
    assert "from 1 to" in error.value.what and error.value.remedy
    dataclasses.replace(method, guidance_scale=1.0)


@every_method
def test_the_cost_is_what_is_counted(method: Guidance, prior: AnalyticPrior) -> None:
    """Over the noise levels and with or without a negative prompt, from the least to the most that the method
    states.
    """
    counted = [passes(method, prior, t, negative) for t in TIMES for negative in (None, "dark")]
    cost = method.cost
    forwards = [found[0] / STEPS for found in counted]
    assert (min(forwards), max(forwards)) == pytest.approx((cost.forwards, cost.most))
    assert {found[1:] for found in counted} == {(0, cost.learning, cost.learning, cost.decodes * STEPS)}
    assert str(cost).startswith(f"{cost.forwards:g}") and "F" in str(cost)


def passes(
    method: Guidance, prior: AnalyticPrior, t: int, negative: str | None
) -> tuple[int, int, int, int, int]:
    """Forward and backward passes of ten pushes, then of the method's own steps after the last, and pictures
    decoded.
    """
    counted, rng = CountingPrior(prior), torch.Generator().manual_seed(0)
    x, views = torch.zeros(2, 3, 8, 8, requires_grad=True), grey_views()
    prompts = prompts_of(prior, negative)
    state = method.init(counted, prompts, rng)
    for _ in range(STEPS):
        out = method.loss(x, torch.tensor([t, t]), prompts, counted, state, rng)
        (out.loss + (0 if out.picture_loss is None else out.picture_loss(views))).backward()
    pushing, decodes = (counted.forwards, counted.backwards), counted.decodes
    counted.reset()
    for _ in range(0 if out.side_loss is None else method.prior_steps):
        out.side_loss().backward()
    return *pushing, counted.forwards, counted.backwards, decodes


@every_method
def test_priors_that_it_cannot_work_with_are_refused_before_it_begins(
    method: Guidance, prior: AnalyticPrior
) -> None:
    """It says so from what is known of a prior, and ``init`` agrees; a prior with a network suits every
    method.
    """
    without = AnalyticPrior(prior.concepts)
    assert is_content(method, prior) and begins(method, prior)
    assert is_content(method, without) == begins(method, without)


def is_content(method: Guidance, prior: AnalyticPrior) -> bool:
    try:
        method.check(prior.info)
    except InputError as error:
        assert error.remedy and prior.info.id in error.what
        return False
    return True


def begins(method: Guidance, prior: AnalyticPrior) -> bool:
    try:
        method.init(prior, prompts_of(prior), torch.Generator())
    except InputError:
        return False
    return True


@every_method
@pytest.mark.parametrize("batch", [1, 4])
@pytest.mark.parametrize("negative", [None, "dark"])
def test_loss_and_gradient_are_finite(
    method: Guidance, prior: AnalyticPrior, batch: int, negative: str | None
) -> None:
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
    """A view's gradient times the batch has one distribution, alone or among four: means agree within five
    standard errors.
    """
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
    from engine.guidance.cost import Cost
    from engine.core.fields import Range, check_fields


    @dataclass(frozen=True)
    class Straight:
        title: ClassVar[str] = "Straight"
        sentence: ClassVar[str] = "Pulls every view straight to the mean."
        guidance_scale: Annotated[float, Range(1, 10, help="How hard.")] = 2.0

        def __post_init__(self) -> None:
            check_fields(self)

        @property
        def cost(self):
            return Cost(0)

        def check(self, info):
            """Works with every prior."""

        def init(self, prior, prompts, rng):
            return None

        def loss(self, x, t, prompts, prior, state, rng):
            mean = prompts.positive.text.tokens.view(1, *x.shape[1:]).to(x)
            return out_of(x, self.guidance_scale * (x.detach() - mean), mean.expand_as(x))


    METHOD = Straight
'''


@pytest.fixture
def plugged_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> type[Guidance]:
    """A method that somebody wrote into a folder of their own."""
    (tmp_path / "straight_pull.py").write_text(textwrap.dedent(PLUGGED_IN), encoding="utf-8")
    monkeypatch.setattr(engine.guidance, "__path__", [*engine.guidance.__path__, str(tmp_path)])
    return methods()["straight_pull"]


def test_a_method_is_one_new_file(plugged_in: type[Guidance]) -> None:
    assert set(methods()) == {*METHODS, "straight_pull"}
    method = plugged_in(guidance_scale=3.0)
    assert key_of(method) == "straight_pull" and [knob.name for knob in marked_fields(method)] == [
        "guidance_scale"
    ]


def test_which_the_contract_finds(
    plugged_in: type[Guidance], prior: AnalyticPrior, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(METHODS, "straight_pull", plugged_in)
    keeps_the_contract(plugged_in(), prior)


def test_the_example_for_contributors_is_a_method(
    prior: AnalyticPrior, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (Path(__file__).parents[2] / ".github" / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", text, re.S)
    (tmp_path / "pull.py").write_text(example, encoding="utf-8")
    monkeypatch.setattr(engine.guidance, "__path__", [*engine.guidance.__path__, str(tmp_path)])
    monkeypatch.setitem(METHODS, "pull", methods()["pull"])
    keeps_the_contract(methods()["pull"](), prior)


def keeps_the_contract(method: Guidance, prior: AnalyticPrior) -> None:
    for test in (
        test_is_a_frozen_dataclass_that_says_what_it_is,
        test_guidance_is_a_knob_and_every_field_has_a_mark,
    ):
        test(method)
    for test in (
        test_the_cost_is_what_is_counted,
        test_priors_that_it_cannot_work_with_are_refused_before_it_begins,
        test_same_generator_same_answer,
        test_no_global_generator_is_touched,
        test_loss_is_a_mean_over_views,
    ):
        test(method, prior)
    test_guidance_below_one_is_refused(method, 0.5)
    test_loss_and_gradient_are_finite(method, prior, 4, None)


def test_which_presets_find(plugged_in: type[Guidance], tmp_path: Path) -> None:
    path = tmp_path / "straight.toml"
    path.write_text(
        'title = "T"\nsentence = "S."\nmethod = "straight_pull"\nguidance_scale = 4.0\n', encoding="utf-8"
    )
    settings = apply_preset(load_preset(path), Settings(RunSpec("a mug"), Knobs()))
    assert settings.knobs.guidance == plugged_in(4.0)
    path.write_text(path.read_text().replace("4.0", "0.5"), encoding="utf-8")
    with pytest.raises(PresetError, match=r"straight\.toml, line 4.*from 1 to 10"):
        load_preset(path)


def test_which_the_page_offers(plugged_in: type[Guidance]) -> None:
    catalogue = Catalogue(Presets((), ()), (PriorChoice("toybox", "Toybox"),), lambda prior, prompt: ())
    with gr.Blocks():
        panel = draw_panel(catalogue)
    offered = {option["key"]: option["title"] for option in panel.method.props["options"]}
    assert offered["straight_pull"] == "Straight" and offered.keys() == methods().keys()
    assert "mq-own-straight_pull" in {group.elem_id for group in panel.groups}


def test_and_which_a_run_obeys(plugged_in: type[Guidance]) -> None:
    spec, knobs = (
        quick_spec(start="ball", splats=200, refine_steps=5),
        replace(Knobs(), guidance=plugged_in(), anchor_weight=0.0),
    )
    prior = AnalyticPrior(ball_prior().concepts, info=replace(ball_prior().info, joint_views=False))
    events = list(run(spec, knobs, Unattended(), lambda name: prior))
    assert isinstance(events[-1], Finished) and events[-1].steps == 5
    assert events[-1].recipe.settings.knobs.guidance == plugged_in()
