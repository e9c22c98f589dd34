"""The linear map between colours and latents that stands in for a VAE."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.core.views import Views
from engine.prior.analytic import AnalyticPrior, gaussian
from engine.prior.base import Condition
from engine.prior.latent.prior import LatentPrior, without_vae
from engine.prior.latent.space import CELLS, LEVELS, LatentSpace, LinearSpace
from engine.prior.latent.stable_diffusion import load_latent

MATRIX = torch.tensor([[1.0, 0.2, 0.0], [0.0, -1.0, 0.3], [0.5, 0.0, 2.0], [0.1, 0.1, 0.1]])
OFFSET = torch.tensor([0.1, -0.2, 0.3, 0.0])


class AffineVae(nn.Module):
    """Latents that are an affine map of each 2 x 2 block's mean colour in -1..1."""

    config = SimpleNamespace(scaling_factor=2.0, shift_factor=0.25, block_out_channels=(1, 1))
    dtype = torch.float32

    def __init__(self) -> None:
        super().__init__()
        self.offset = nn.Parameter(OFFSET)

    def encode(self, pictures: Tensor) -> SimpleNamespace:
        latents = (
            torch.einsum("cr,brhw->bchw", MATRIX, F.avg_pool2d(pictures, 2)) + self.offset[:, None, None]
        )
        return SimpleNamespace(latent_dist=SimpleNamespace(mode=lambda: latents))


@pytest.fixture(scope="module")
def prior(tiny_pipelines: dict[str, Path]) -> LatentPrior:
    return load_latent(tiny_pipelines["epsilon"])


def pictures(count: int, side: int) -> Tensor:
    return torch.rand(count, side, side, 3, generator=torch.Generator().manual_seed(0))


def views_of(rgb: Tensor) -> Views:
    return Views(rgb, torch.ones_like(rgb[..., :1]), torch.zeros_like(rgb[..., :1]))


@pytest.mark.parametrize("side", [8, 16, 32])
def test_of_an_affine_vae_it_is_the_vae(side: int) -> None:
    """For any picture: shrinking by area commutes with the map; enlarged ones are flat."""
    space = LatentSpace(AffineVae(), 16)
    linear, rgb = LinearSpace.of(space), pictures(2, side)
    rgb = rgb if side >= 16 else rgb[:, :1, :1].expand(-1, side, side, -1)
    torch.testing.assert_close(linear.encode(rgb, 8), space.encode(rgb, 8), rtol=1e-4, atol=1e-4)
    coarse = F.interpolate(F.avg_pool2d(rgb.permute(0, 3, 1, 2), side // 8), size=(16, 16))
    colours = coarse.permute(0, 2, 3, 1)
    torch.testing.assert_close(linear.decode(linear.encode(rgb, 8), 8).rgb, colours, rtol=1e-4, atol=1e-4)


def test_of_a_real_vae_it_is_the_least_squares_fit(prior: LatentPrior) -> None:
    """What it misses on flat colours is orthogonal to the colours and to a constant."""
    linear, side = LinearSpace.of(prior.parts.space), 2 * CELLS
    colours = torch.cartesian_prod(*[torch.tensor(LEVELS)] * 3)
    flat = colours[:, None, None].expand(-1, side, side, -1)
    exact = LatentSpace(prior.parts.networks["vae"], side).encode(flat, 27)[..., 1:-1, 1:-1].mean(dim=(2, 3))
    missed = exact - linear.encode(flat, 27).mean(dim=(2, 3))
    inputs = torch.cat([colours, torch.ones(27, 1)], dim=1)
    torch.testing.assert_close(
        inputs.T @ missed, torch.zeros(4, 4), rtol=0, atol=1e-4 * exact.abs().max().item()
    )
    assert missed.abs().max() < exact.std()


def test_the_vae_is_asked_once_for_good(tiny_pipelines: dict[str, Path]) -> None:
    prior, calls = load_latent(tiny_pipelines["epsilon"]), []
    prior.parts.networks["vae"].encoder.register_forward_hook(lambda *_: calls.append(1))
    first = without_vae(prior).encode(views_of(pictures(2, 16)))
    fitted = len(calls)
    again = without_vae(prior).encode(views_of(pictures(2, 16)))
    torch.testing.assert_close(first, again)
    assert (
        fitted > 0 and len(calls) == fitted and first.shape == prior.encode(views_of(pictures(2, 16))).shape
    )


def test_only_encode_and_decode_change(prior: LatentPrior) -> None:
    rough, x_t, t = without_vae(prior), torch.randn(2, 4, 8, 8), torch.tensor([100, 700])
    told = Condition(prior.embed("a mug"))
    torch.testing.assert_close(rough.predict(x_t, t, told).x0, prior.predict(x_t, t, told).x0)
    assert rough.info == prior.info and rough.network is prior.network
    assert rough.decode(x_t).rgb.shape == prior.decode(x_t).rgb.shape == (2, 16, 16, 3)


def test_a_push_on_a_latent_reaches_each_of_its_pixels_alike(prior: LatentPrior) -> None:
    rough, rgb = without_vae(prior), pictures(1, 16).requires_grad_()
    rough.encode(views_of(rgb))[0, 1, 2, 3].backward()
    expected = torch.zeros(1, 16, 16, 3)
    expected[0, 4:6, 6:8] = rough.parts.space.matrix[1] / 4
    torch.testing.assert_close(rgb.grad, expected)


def test_a_prior_without_a_vae_stays_as_it_is() -> None:
    prior = AnalyticPrior({"": gaussian(torch.zeros(3, 8, 8))})
    assert without_vae(prior) is prior


def test_every_kind_of_vae_has_a_map(save_flow: dict[str, Callable[..., Path]], tmp_path: Path) -> None:
    from engine.prior.flow.load import load_flow

    for kind, save in save_flow.items():
        prior = load_flow(save(tmp_path / kind))
        rgb = views_of(pictures(1, prior.info.resolution))
        assert without_vae(prior).encode(rgb).shape == prior.encode(rgb).shape
