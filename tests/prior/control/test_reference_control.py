"""A ControlNet that is shown a reference in place of the shape."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from engine.prior.attachments import Attachments
from engine.prior.base import Condition, Reference
from engine.prior.control.control import load_control
from engine.prior.latent.prior import LatentPrior
from engine.prior.latent.stable_diffusion import load_latent
from engine.prior.reference.strength import Influence, StrengthCurve
from tests.prior.control.tiny_control import save_tiny_control, seen

STRENGTH = 0.7
X_T = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(0))
T = torch.tensor([100, 700])


@pytest.fixture(scope="module")
def plain(tiny_pipelines: dict[str, Path]) -> LatentPrior:
    return load_latent(tiny_pipelines["epsilon"])


@pytest.fixture(scope="module")
def dressed(plain: LatentPrior, tmp_path_factory: pytest.TempPathFactory) -> LatentPrior:
    registry = save_tiny_control(tmp_path_factory.mktemp("control"), plain.network)
    return Attachments(load_control("tiny", torch.device("cpu"), registry)).on(plain, STRENGTH, 1.0)


@torch.no_grad()
def eps(prior: LatentPrior, condition: Condition) -> Tensor:
    return prior.predict(X_T, T, condition).eps


def guided(condition: Condition, curve: str, opening: float = 1.0) -> Condition:
    """The shape is another one than the reference, which is what the condition shows."""
    other = replace(condition.views, depth=condition.views.depth.flip(2), alpha=condition.views.alpha.flip(2))
    return replace(
        condition,
        views=other,
        reference=Reference(Influence(StrengthCurve.parse(curve), opening), views=condition.views),
    )


def test_at_full_strength_it_is_shown_in_place_of_the_shape(plain: LatentPrior, dressed: LatentPrior) -> None:
    told = seen(plain.embed("a mug"))
    torch.testing.assert_close(eps(dressed, guided(told, "0:1,1:1")), eps(dressed, told))
    assert not torch.allclose(eps(dressed, replace(guided(told, "0:1"), reference=None)), eps(dressed, told))


@pytest.mark.parametrize(("curve", "opening"), [("0:0", 1.0), ("0:1", 0.0), ("0:0,0.95:0,1:1", 1.0)])
def test_without_strength_it_is_not_asked(
    plain: LatentPrior, dressed: LatentPrior, curve: str, opening: float
) -> None:
    told = guided(seen(plain.embed("a mug")), curve, opening)
    calls: list[int] = []
    hook = dressed.parts.denoiser.control.network.register_forward_hook(lambda *_: calls.append(1))
    found = eps(dressed, told)
    hook.remove()
    assert torch.equal(found, eps(plain, told)) and not calls


def test_each_view_has_the_strength_of_its_own_noise(plain: LatentPrior, dressed: LatentPrior) -> None:
    told = seen(plain.embed("a mug"))
    found = eps(dressed, guided(told, "0:0,0.5:0,0.6:1,1:1"))  # view 0 has little noise, view 1 much
    torch.testing.assert_close(found[0], eps(dressed, told)[0])
    torch.testing.assert_close(found[1], eps(plain, told)[1])
    assert not torch.allclose(found[0], eps(plain, told)[0])
