"""Synchronisation against closed forms: a Gaussian prior's DDIM is linear, so every case's result is
known.
"""

from __future__ import annotations

import pytest
import torch

from engine.errors import InputError
from engine.prior.analytic import AnalyticPrior, gaussian
from engine.prior.base import Condition, Prompts, TextEmbedding
from engine.synchronisation.cases import CASES
from engine.synchronisation.pixel_maps import PixelMaps
from engine.synchronisation.sampler import synchronised
from engine.synchronisation.space import initial_noise
from engine.synchronisation.windows import Windows

STD, MEANS = 0.5, (0.2, 1.4)
SIDE = 32  # pixels a side: as many samples as there are pixels
LEADING = list(range(980, -1, -20))


def prior_of(*means: float, side: int = SIDE) -> AnalyticPrior:
    def flat(mean: float) -> torch.Tensor:
        return torch.full((1, side, side), mean, dtype=torch.float64)

    return AnalyticPrior(
        {"": gaussian(flat(0.0), STD), **{f"mean {mean}": gaussian(flat(mean), STD) for mean in means}}
    )


def prompts_of(prior: AnalyticPrior, *means: float) -> Prompts:
    each = [prior.embed(f"mean {mean}") for mean in means]
    text = TextEmbedding(torch.cat([e.tokens for e in each]), None, torch.cat([e.pooled for e in each]))
    return Prompts(Condition(text), Condition(prior.embed("")))


def drawn(case: int, *, consistent: bool, space=None, means=MEANS) -> torch.Tensor:
    space = space or PixelMaps.named(["upright"] * len(means), SIDE)
    prior = prior_of(*means, side=space.side)
    noise = initial_noise(space, 1, torch.Generator().manual_seed(0), consistent=consistent)
    noise = tuple(part.double() for part in noise)
    *_, x0 = synchronised(prior, prompts_of(prior, *means), space, noise, LEADING, 1.0, case=case)
    return x0


def multiplier() -> tuple[float, float]:
    """What DDIM over these times multiplies a deviation by, and ``a`` at the first of them."""
    abar = prior_of().schedule.alphas_cumprod
    total = 1.0
    for now, then in zip(LEADING, [*LEADING[1:], None]):
        a, sig = float(abar[now]) ** 0.5, (1 - float(abar[now])) ** 0.5
        a_then, sig_then = (
            (1.0, 0.0) if then is None else (float(abar[then]) ** 0.5, (1 - float(abar[then])) ** 0.5)
        )
        total *= (a_then * a * STD**2 + sig_then * sig) / (a**2 * STD**2 + sig**2)
    return total, float(abar[LEADING[0]]) ** 0.5


@pytest.mark.parametrize("case", [1, 2, 3, 4, 5])
def test_views_that_share_their_noise_meet_at_the_mean_of_their_prompts(case: int) -> None:
    x0, (m, a) = drawn(case, consistent=True), multiplier()
    torch.testing.assert_close(x0[0], x0[1])
    noise = initial_noise(PixelMaps.named(["upright"] * 2, SIDE), 1, torch.Generator().manual_seed(0))[
        0
    ].double()
    middle = sum(MEANS) / 2
    torch.testing.assert_close(x0[0], middle + m * (noise - a * middle), rtol=1e-4, atol=1e-4)
    assert abs(float(x0.mean()) - 0.771) < 0.03 and abs(float(x0.std()) - 0.4754) < 0.02


@pytest.mark.parametrize("case", [2, 3])
def test_views_of_other_noise_still_meet_but_lose_variance(case: int) -> None:
    x0 = drawn(case, consistent=False)
    torch.testing.assert_close(x0[0], x0[1], atol=1e-6, rtol=1e-6)
    assert abs(float(x0.std()) - 0.4754 / 2**0.5) < 0.02


def test_averaged_eps_diverges_without_common_noise_and_nothing_keeps_views_apart() -> None:
    apart = drawn(1, consistent=False)
    assert float((apart[0] - apart[1]).std()) > 10 * STD, "their difference grows by 1 / a"
    alone = drawn(0, consistent=True)
    assert abs(float(alone[0].mean()) - 0.193) < 0.03 and abs(float(alone[1].mean()) - 1.349) < 0.03


def test_free_steps_at_the_end_let_instances_go_their_own_ways() -> None:
    prior, space = prior_of(*MEANS), PixelMaps.named(["upright"] * 2, SIDE)
    noise = tuple(part.double() for part in initial_noise(space, 1, torch.Generator().manual_seed(0)))
    for case in CASES:
        *_, x0 = synchronised(
            prior, prompts_of(prior, *MEANS), space, noise, LEADING, 1.0, case=case, until=0.8
        )
        assert float((x0[1] - x0[0]).mean()) > 0.01, case
    with pytest.raises(InputError, match="cases 0"):
        next(synchronised(prior, prompts_of(prior, *MEANS), space, noise, LEADING, 1.0, case=7))


@pytest.mark.parametrize("closed", [False, True])
def test_windows_of_a_constant_are_that_constant_and_cover_everything(closed: bool) -> None:
    space = Windows(16, 40, 16, 8, closed)
    assert space.count == (5 if closed else 4) and float(space.weights.min()) >= 1
    z = torch.randn(3, 16, 40)
    seen, mask = space.project(z)
    assert seen.shape == (space.count, 3, 16, 16) and bool((mask == 1).all())
    torch.testing.assert_close(space.unproject(seen), z)
    last = seen[-1]
    expected = torch.cat([z[..., 32:], z[..., :8]], dim=-1) if closed else z[..., 24:]
    torch.testing.assert_close(last, expected)


def test_the_average_is_the_least_squares_solution() -> None:
    """MultiDiffusion's z minimises the sum of the windows' squared distances."""
    space = Windows(8, 14, 8, 3)
    instances = torch.randn(space.count, 1, 8, 8, dtype=torch.float64)
    z = space.unproject(instances).requires_grad_()
    (space.project(z)[0] - instances).square().sum().backward()
    assert float(z.grad.abs().max()) < 1e-5


@pytest.mark.parametrize(("height", "width", "stride"), [(8, 40, 4), (16, 8, 4), (16, 40, 0), (16, 40, 17)])
def test_windows_that_do_not_cover_are_refused(height: int, width: int, stride: int) -> None:
    with pytest.raises(InputError):
        Windows(height, width, 16, stride)


@pytest.mark.parametrize("name", ["upright", "upside-down", "quarter-turn", "mirror", "patches", "negative"])
def test_every_view_of_a_picture_is_an_orthogonal_map(name: str) -> None:
    space, z = PixelMaps.named([name], 16), torch.randn(3, 16, 16)
    seen, _ = space.project(z)
    torch.testing.assert_close(space.unproject(seen), z)
    torch.testing.assert_close(seen.square().sum(), z.square().sum())
    assert name == "upright" or not torch.equal(seen[0], z)


def test_a_panorama_of_one_mean_has_no_seam() -> None:
    space = Windows(8, 48, 8, 4, closed=True)
    x0 = drawn(2, consistent=True, space=space, means=(0.7,) * space.count)
    z = space.unproject(x0)
    inner, border = z[..., 1:] - z[..., :-1], z[..., 0] - z[..., -1]
    assert float(border.std()) < 1.5 * float(inner.std())
    torch.testing.assert_close(space.project(z)[0], x0)
