"""Zoom stacks agree where they show one place and keep noise unit noise; windows with a perceptual gradient
look more alike.
"""

from __future__ import annotations

import pytest
import torch

from engine.core.noise_schedule import scaled_linear
from engine.errors import InputError
from engine.prior.analytic import AnalyticPrior, gaussian
from engine.prior.base import Condition, Prediction, Prompts, TextEmbedding
from engine.prior.sampling import sampling_times
from engine.synchronisation.coherence import Coherence, style
from engine.synchronisation.pictures import Sync
from engine.synchronisation.sampler import synchronised
from engine.synchronisation.space import initial_noise
from engine.synchronisation.windows import Windows
from engine.synchronisation.zoom_stack import ZoomStack, smaller

STACK = ZoomStack(3, 16)


def test_each_level_shows_the_next_one_in_its_middle() -> None:
    z = torch.randn(STACK.shape(4), generator=torch.Generator().manual_seed(0))
    seen, mask = STACK.project(z)
    assert mask.all() and torch.equal(seen[2], z[:, 2])
    for k in (0, 1):
        assert torch.equal(seen[k][:, 4:12, 4:12], smaller(seen[k + 1]))


def test_a_consistent_stack_is_a_fixed_point_and_a_constant_stays() -> None:
    seen, _ = STACK.project(torch.randn(STACK.shape(4), generator=torch.Generator().manual_seed(1)))
    torch.testing.assert_close(STACK.project(STACK.unproject(seen))[0], seen)
    flat = torch.full((3, 4, 16, 16), 0.7)
    torch.testing.assert_close(STACK.unproject(flat), flat.transpose(0, 1))


def test_two_levels_meet_in_the_middle_and_keep_their_detail() -> None:
    wide, deep = torch.zeros(1, 4, 16, 16), torch.ones(1, 4, 16, 16)
    deep[..., ::2, ::2] += 0.4  # detail that the wide level cannot show: its mean over four cells is 0.1
    stack = ZoomStack(2, 16)
    z = stack.unproject(torch.cat([wide, deep]))
    assert float(z[0, 0, 8, 8]) == pytest.approx(0.55) and float(z[0, 0, 0, 0]) == 0
    torch.testing.assert_close(z[:, 1, ::2, ::2] - z[:, 1, 1::2, 1::2], torch.full((4, 8, 8), 0.4))


def test_noise_stays_unit_noise_and_is_the_same_where_levels_show_one_place() -> None:
    stack = ZoomStack(3, 64)
    _, noise = initial_noise(stack, 4, torch.Generator().manual_seed(0))
    assert float(noise.var()) == pytest.approx(1, abs=0.02) and float(noise[0].var()) == pytest.approx(
        1, abs=0.03
    )
    torch.testing.assert_close(noise[0][:, 16:48, 16:48], 2 * smaller(noise[1]))


@pytest.mark.parametrize(("levels", "side"), [(1, 16), (2, 18)])
def test_pictures_that_do_not_nest_are_refused(levels: int, side: int) -> None:
    with pytest.raises(InputError, match="zoom"):
        ZoomStack(levels, side)


# ------------------------------------------------------------------------------------------------ coherence


def pictures(x: torch.Tensor) -> torch.Tensor:
    return (x + 1) / 2


def certain(x: torch.Tensor) -> Prediction:
    """A prior that takes its input for clean."""
    return Prediction(x, x)


def unlikeness(x: torch.Tensor) -> float:
    seen = style(pictures(x))
    return float((seen - seen[len(seen) // 2]).square().sum())


def test_the_step_goes_down_the_gradient_and_spares_the_middle_window() -> None:
    x = torch.stack([torch.full((3, 16, 16), shade) for shade in (-0.8, 0.1, 0.9)])
    moved = Coherence(20.0, pictures).moved(x, certain, 0)
    assert unlikeness(moved) < unlikeness(x) and torch.equal(moved[1], x[1])
    mean = (x.mean((1, 2, 3)) - x.mean((1, 2, 3))[1]) / 2
    gradient = (x - moved).mean((1, 2, 3)) / 20
    torch.testing.assert_close(gradient, 3 * 2 * mean * 0.5 / (16 * 16) / 3 * 3, rtol=0.02, atol=1e-6)
    assert torch.equal(Coherence(0.0, pictures).moved(x, certain, 0), x)
    later = Coherence(20.0, pictures).moved(x, certain, 10)
    torch.testing.assert_close(later - x, 0.95**10 * (moved - x))


def test_windows_of_two_minds_come_out_more_alike() -> None:
    """Windows that do not overlap, every other one told to be dark, the others bright."""
    shades = {"": 0.0, "dark": -0.6, "bright": 0.6}
    prior = AnalyticPrior(
        {words: gaussian(torch.full((3, 16, 16), shade), 0.4) for words, shade in shades.items()},
        scaled_linear(),
    )
    dark, bright = prior.embed("dark"), prior.embed("bright")
    texts = [(dark, bright)[k % 2] for k in range(4)]
    text = TextEmbedding(
        torch.cat([each.tokens for each in texts]), pooled=torch.cat([each.pooled for each in texts])
    )
    told, space = Prompts(Condition(text), Condition(prior.embed(""))), Windows(16, 64, 16, 16)

    def drawn(weight: float) -> float:
        noise = tuple(part.double() for part in initial_noise(space, 3, torch.Generator().manual_seed(3)))
        alike, times = Coherence(weight, pictures), sampling_times(prior.schedule, 12)
        *_, x0 = synchronised(prior, told, space, noise, times, 1.0, case=3, coherence=alike)
        return unlikeness(x0)

    assert drawn(60.0) < 0.8 * drawn(0.0)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"coherence": -1.0}, "coherence"),
        ({"coherence": 20.0, "case": 5}, "case 2 or 3"),
        ({"kind": "zoom"}, "prompts"),
    ],
)
def test_what_does_not_go_together_is_refused(values: dict, told: str) -> None:
    with pytest.raises(InputError, match=told):
        Sync(**{"kind": "wide", "prompts": ("a mug",), **values})
