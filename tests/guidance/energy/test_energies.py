"""Energies in closed form: each term's value, how they compose with a Gaussian prior, and mirrored
cameras.
"""

from __future__ import annotations

import pytest
import torch

from engine.core.cameras import orbit_cameras
from engine.core.noise_schedule import scaled_linear
from engine.core.views import Views
from engine.guidance.energy import depth, region_colour, silhouette, symmetry
from engine.guidance.energy.composition import bounded, composed
from engine.guidance.energy.pictures import Pictures
from engine.guidance.sds import Sds
from engine.prior.analytic import AnalyticPrior, gaussian
from engine.prior.base import Condition, Prompts
from engine.render import choose
from engine.scene.splats import Splats, from_points

MEAN, STD, TARGET = 0.4, 0.5, -0.6
ONE = orbit_cameras([0.0], 0.0, 3.0, 40.0, 2)


def flat(colour: float, alpha: float, z: float = 2.0) -> Views:
    """Pictures of 2 x 2 in one premultiplied colour."""
    like = torch.ones(1, 2, 2, 1)
    return Views((alpha * colour * like).expand(-1, -1, -1, 3).clone(), alpha * like, alpha * z * like)


def told(prior: AnalyticPrior) -> Prompts:
    return Prompts(Condition(prior.embed("x")), Condition(prior.embed("")))


def scalar_prior() -> AnalyticPrior:
    return AnalyticPrior({"x": gaussian(MEAN, STD), "": gaussian(0.0, STD)}, scaled_linear())


# ------------------------------------------------------------------------------------------------ each term


def test_the_outline_counts_opacity_alone() -> None:
    pictures = Pictures(flat(0.9, 0.5), ONE, target=flat(0.1, 0.8))
    assert float(silhouette.energy(pictures)) == pytest.approx(0.3**2)
    assert silhouette.energy(Pictures(flat(0.9, 0.5), ONE)) is None


def test_the_depth_counts_where_both_are_solid() -> None:
    views, target = flat(0.5, 0.9, 2.0), flat(0.5, 0.8, 2.3)
    target.alpha[0, 0, 0] = 0.1
    views.depth.requires_grad_()
    assert float(depth.energy(Pictures(views, ONE, target=target)).detach()) == pytest.approx(
        0.75 * 0.3**2, rel=1e-5
    )
    assert depth.energy(Pictures(flat(0.5, 0.9), ONE, target=target)) is None, (
        "decoded pictures have no depth"
    )


def test_a_colour_is_asked_of_the_region_alone_and_makes_no_matter() -> None:
    views, region = flat(0.5, 0.8), torch.zeros(1, 2, 2, 1)
    region[0, 1, 1] = 1
    views.rgb.requires_grad_(), views.alpha.requires_grad_()
    value = region_colour.energy(Pictures(views, ONE, region=region, colour=torch.tensor([0.0, 0.5, 1.0])))
    assert float(value.detach()) == pytest.approx((0.4**2 + 0 + 0.4**2) / 12)
    value.backward()
    assert torch.equal(views.rgb.grad.abs().sum(-1) > 0, region[..., 0] > 0) and views.alpha.grad is None


def two_sided(*, alike: bool) -> Splats:
    """A few soft balls, and the same on the other side of y = 0, in the same colours or others."""
    points = torch.tensor([[0.3, 0.4, 0.1], [-0.2, 0.3, -0.3], [0.1, 0.6, 0.4]])
    colours = torch.tensor([[0.9, 0.1, 0.1], [0.1, 0.8, 0.1], [0.2, 0.2, 0.9]])
    other = colours if alike else colours.flip(0)
    flipped = points * torch.tensor([1.0, -1.0, 1.0])
    return from_points(torch.cat([points, flipped]), torch.cat([colours, other]), 0.15, 0.8)


def test_mirrored_cameras_see_a_symmetrical_object_turned_over() -> None:
    cameras = orbit_cameras([25.0, 130.0], [10.0, 30.0], 3.05, 40.0, 32)
    other = symmetry.mirrored(cameras)
    assert torch.allclose(torch.linalg.det(other.c2w[:, :3, :3]), torch.ones(2), atol=1e-5), (
        "rotations, not reflections"
    )
    assert torch.allclose(other.azimuths_deg(), -cameras.azimuths_deg(), atol=1e-4)

    def value(alike: bool) -> float:
        scene = two_sided(alike=alike)
        here, there = (choose(scene, "torch").render(scene, each, None) for each in (cameras, other))
        return float(symmetry.energy(Pictures(here, cameras, mirrored=there)))

    assert value(True) < 1e-8 < 1e-4 < value(False)


def test_a_draft_holds_its_own_mirrored_views() -> None:
    ring = orbit_cameras([45.0 * k for k in range(8)], [10.0, 25.0] * 4, 3.05, 40.0, 4)
    assert symmetry.partners(ring).tolist() == [0, 7, 6, 5, 4, 3, 2, 1]
    assert symmetry.partners(orbit_cameras([10.0, 100.0], 0.0, 3.05, 40.0, 4)) is None
    assert symmetry.of_partners(flat(0.5, 0.5), orbit_cameras([10.0], 0.0, 3.05, 40.0, 2)) is None


# ------------------------------------------------------------------------------------ composed with a prior


def test_the_joint_prediction_has_the_closed_form_and_fits_its_own_x_t() -> None:
    prior, strength = scalar_prior(), 0.05
    x_t, t = torch.full((1, 1, 1, 1), 1.5, dtype=torch.float64), torch.tensor([250])
    plain = prior.predict(x_t, t, told(prior).positive)
    joint = composed(plain, x_t, t, prior.schedule, lambda x0: strength / 2 * (x0 - TARGET).square().sum())
    a, sig = prior.schedule.signal_and_noise(t, x_t)
    assert torch.allclose(joint.x0, plain.x0 - (sig / a) ** 2 * strength * (plain.x0 - TARGET))
    assert torch.allclose(a * joint.x0 + sig * joint.eps, x_t)


def test_a_silent_energy_changes_nothing_and_a_loud_one_is_bounded() -> None:
    prior = scalar_prior()
    x_t, t = torch.full((1, 1, 1, 1), 0.3, dtype=torch.float64), torch.tensor([250])
    plain = prior.predict(x_t, t, told(prior).positive)
    assert composed(plain, x_t, t, prior.schedule, lambda x0: None) is plain
    loud = composed(plain, x_t, t, prior.schedule, lambda x0: 1e9 * (x0 - TARGET).square().sum())
    assert float((loud.eps - plain.eps).abs()) == pytest.approx(float(plain.eps.abs()), rel=1e-6)
    push, eps = torch.randn(3, 2, 2, 2), torch.randn(3, 2, 2, 2)
    assert torch.allclose(
        bounded(100 * push, eps).flatten(1).norm(dim=1), eps.flatten(1).norm(dim=1), rtol=1e-5
    )
    assert torch.equal(bounded(0 * push, eps), 0 * push)


def test_distillation_and_an_energy_meet_between_both() -> None:
    """SDS pulls with sig^2 / v to the mean, the energy with k to its target: both vanish at the weighted
    mean.
    """
    prior, strength, t = scalar_prior(), 0.4, torch.tensor([400])
    x = torch.zeros(1, 1, 1, 1, dtype=torch.float64, requires_grad=True)
    a, sig = prior.schedule.signal_and_noise(t, x.detach())
    pull = float(sig**2 / (a**2 * STD**2 + sig**2))
    optimiser, rng, seen = torch.optim.SGD([x], lr=0.05), torch.Generator().manual_seed(0), []
    for step in range(600):
        optimiser.zero_grad()
        out = Sds(guidance_scale=1.0, weighting="denoise").loss(x, t, told(prior), prior, None, rng)
        (out.loss + strength / 2 * (x - TARGET).square().sum()).backward()
        optimiser.step()
        seen += [float(x.detach())] if step > 200 else []
    assert sum(seen) / len(seen) == pytest.approx(
        (pull * MEAN + strength * TARGET) / (pull + strength), abs=0.03
    )
