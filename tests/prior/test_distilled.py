"""The guided student of toybox: when it answers, what it is asked, and that guidance stays exact everywhere
else.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from engine.errors import FileFormatError
from engine.guidance.sds import Sds
from engine.prior.abilities import GuidanceDistilled, with_two_passes
from engine.prior.analytic import AnalyticPrior, CountingPrior, gaussian
from engine.prior.base import CleanViews, Condition, Overlap, Prompts, Unwanted
from engine.prior.sampling import predict_guided
from engine.prior.toybox.distilled import LARGEST_GUIDANCE, load_distilled, save_distilled
from engine.prior.toybox.info import DISTILLED, WEIGHTS, read_info
from engine.prior.toybox.network import ToyboxDenoiser
from engine.prior.toybox.pipeline_files import base_digest
from engine.prior.toybox.prior import ToyboxPrior, load_toybox
from engine.toybox.training.distillation_task import student_of
from tests.prior.test_toybox_prior import SIZES, cameras, save_tiny

VIEWS = 3


def save_student(folder: Path, base: str) -> ToyboxDenoiser:
    """A student beside the tiny prior in ``folder``, with random weights."""
    torch.manual_seed(1)
    student = ToyboxDenoiser(**SIZES, guidance_embeds=True)
    weights = {name: value + 0.1 * torch.randn_like(value) for name, value in student.state_dict().items()}
    save_distilled(folder / DISTILLED, dict(student.config), weights, base)
    return load_distilled(folder / DISTILLED)


@pytest.fixture
def prior(tmp_path: Path) -> ToyboxPrior:
    save_tiny(tmp_path)
    save_student(tmp_path, base_digest(tmp_path))
    return load_toybox(tmp_path)


def prompts_of(prior: ToyboxPrior, other: str = "") -> Prompts:
    views = cameras(VIEWS)
    return Prompts(*(Condition(prior.embed(words), views) for words in ("red mug", other)))


def noisy() -> tuple[torch.Tensor, torch.Tensor]:
    return torch.randn(VIEWS, 4, 64, 64, generator=torch.Generator().manual_seed(0)), torch.full(
        (VIEWS,), 600
    )


def test_its_prior_finds_it_and_asks_it_once(prior: ToyboxPrior, tmp_path: Path) -> None:
    assert (
        prior.info.guidance_distilled
        and read_info(tmp_path).guidance_distilled
        and isinstance(prior, GuidanceDistilled)
    )
    x_t, t = noisy()
    answers = [predict_guided(prior, x_t, t, prompts_of(prior), scale) for scale in (2.0, 4.0)]
    # it is told the scale
    assert prior.distilled is not None and (answers[0].x0 - answers[1].x0).abs().max() > 1e-4
    again = prior.predict_guided(x_t, t, prompts_of(prior), 2.0)
    assert torch.equal(again.x0, answers[0].x0)
    noise, signal = prior.schedule.signal_and_noise(t, x_t)[::-1]
    torch.testing.assert_close(signal * again.x0 + noise * again.eps, x_t, atol=1e-4, rtol=1e-4)


def test_exact_guidance_is_kept_by_a_switch(prior: ToyboxPrior) -> None:
    x_t, t = noisy()
    exact = predict_guided(with_two_passes(prior), x_t, t, prompts_of(prior), 2.0).x0
    conditional, other = (
        prior.predict(x_t, t, each).x0 for each in (prompts_of(prior).positive, prompts_of(prior).empty)
    )
    torch.testing.assert_close(exact, torch.lerp(other, conditional, 2.0))
    assert (predict_guided(prior, x_t, t, prompts_of(prior), 2.0).x0 - exact).abs().max() > 1e-3
    assert prior.distilled is not None, "the prior itself keeps its student"


@pytest.mark.parametrize(
    "case", ["negative", "unwanted", "overlap", "other words", "other pictures", "high", "off"]
)
def test_what_it_was_not_taught_takes_two_passes(prior: ToyboxPrior, case: str) -> None:
    prompts, scale, x = prompts_of(prior), 2.0, torch.zeros(1, 4, 64, 64)
    blue = Condition(prior.embed("blue"), prompts.positive.cameras)
    given = replace(prompts.positive, clean_views=CleanViews(x, cameras(1)))
    prompts, scale = {
        "negative": (replace(prompts, negative=blue), scale),
        "unwanted": (replace(prompts, unwanted=(Unwanted(blue, -torch.ones(VIEWS)),)), scale),
        "overlap": (replace(prompts, overlap=Overlap(blue, 2.0)), scale),
        "other words": (prompts_of(prior, "blue"), scale),
        "other pictures": (replace(prompts, positive=given), scale),
        "high": (prompts, LARGEST_GUIDANCE + 0.5),
        "off": (prompts, 1.0),
    }[case]
    x_t, t = noisy()
    exact = predict_guided(with_two_passes(prior), x_t, t, prompts, scale)
    assert torch.equal(predict_guided(prior, x_t, t, prompts, scale).x0, exact.x0)


def test_pictures_that_both_branches_are_shown_are_no_hindrance(prior: ToyboxPrior) -> None:
    given = CleanViews(torch.zeros(1, 4, 64, 64), cameras(1))
    prompts = prompts_of(prior).map(lambda condition: replace(condition, clean_views=given))
    assert prior.answers_guided(prompts, 2.0)
    assert predict_guided(prior, *noisy(), prompts, 2.0).x0.shape == (VIEWS, 4, 64, 64)


def test_a_student_of_other_weights_is_left_alone(tmp_path: Path) -> None:
    save_tiny(tmp_path)
    save_student(tmp_path, "another digest")
    prior = load_toybox(tmp_path)
    assert prior.distilled is None and not prior.info.guidance_distilled


def test_a_damaged_folder_is_named(tmp_path: Path) -> None:
    save_student(tmp_path, "")
    (tmp_path / DISTILLED / WEIGHTS).write_bytes(bytes(range(40)))
    with pytest.raises(FileFormatError, match=r"guided student.*damaged"):
        load_distilled(tmp_path / DISTILLED)


def test_before_it_learns_it_answers_as_one_pass(prior: ToyboxPrior) -> None:
    untaught = ToyboxPrior(
        prior.net, prior.tokeniser, prior.schedule, prior.info, distilled=student_of(prior.net)
    )
    x_t, t = noisy()
    one = prior.predict(x_t, t, prompts_of(prior).positive).x0
    torch.testing.assert_close(untaught.predict_guided(x_t, t, prompts_of(prior), 5.0).x0.clamp(-1, 1), one)


@pytest.mark.parametrize("rescale", [0.0, 0.5])
def test_distillation_without_guidance_takes_one_pass(rescale: float) -> None:
    counted = CountingPrior(AnalyticPrior({"": gaussian(0.3, 0.5), "a cup": gaussian(1.1, 0.5)}))
    prompts = Prompts(*(Condition(counted.embed(words)) for words in ("a cup", "")))
    x = torch.zeros(1, 1, 1, 1, requires_grad=True)
    for scale, passes in ((1.0, 1), (2.0, 2)):
        counted.reset()
        method = Sds(guidance_scale=scale, guidance_rescale=rescale)
        method.loss(x, torch.tensor([500]), prompts, counted, None, torch.Generator().manual_seed(0))
        assert counted.forwards == passes == method.cost.forwards
