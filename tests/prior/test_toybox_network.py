"""The toybox denoiser: symmetries that its attention must have, and that each condition is heard or not heard
as promised.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from engine.core.cameras import orbit_cameras
from engine.prior.toybox.info import DISTANCE, FOV_DEG
from engine.prior.toybox.network import StemFeatures, ToyboxDenoiser
from engine.prior.toybox.poses import GRID, Poses, orbit_poses, pluecker, poses_from_cameras, unknown_poses
from engine.prior.toybox.text_encoder import Words

VIEWS = 3


@pytest.fixture(scope="module")
def net() -> ToyboxDenoiser:
    """A small network whose zero-initialised weights have been moved, so that every path is open."""
    torch.manual_seed(0)
    net = ToyboxDenoiser(width=32, depth=2, heads=2, fine=8, middle=16, last=8, words=20, length=6)
    with torch.no_grad():
        for p in net.parameters():
            p.add_(0.1 * torch.randn_like(p))
    return net.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def inputs(net: ToyboxDenoiser) -> dict[str, object]:
    x = torch.randn(2, VIEWS, 4, 64, 64)
    poses = orbit_poses(
        torch.tensor([[0.0, 90.0, 200.0], [10.0, 50.0, 300.0]]),
        torch.tensor([[0.0, 10.0, 20.0], [5.0, 5.0, 5.0]]),
    )
    words = net.text(torch.tensor([[2, 5, 6, 0, 0, 0], [2, 7, 8, 9, 0, 0]]))
    return {
        "x": x,
        "t": torch.tensor([[0.5] * VIEWS, [0.8] * VIEWS]),
        "words": words,
        "poses": poses,
        "clean": torch.zeros(2, VIEWS, dtype=torch.bool),
    }


def run(net: ToyboxDenoiser, inputs: dict[str, object], **changes: object) -> Tensor:
    return net(**{**inputs, **changes})


def test_a_new_network_predicts_grey() -> None:
    fresh = ToyboxDenoiser(width=32, depth=1, heads=2)
    poses = unknown_poses(1, 2, "cpu")
    out = fresh(
        torch.randn(1, 2, 4, 64, 64),
        torch.rand(1, 2),
        fresh.text(torch.tensor([[2, 0]])),
        poses,
        torch.zeros(1, 2, dtype=torch.bool),
    )
    assert out.shape == (1, 2, 4, 64, 64) and (out == 0).all()


def test_the_order_of_views_does_not_matter(net: ToyboxDenoiser, inputs: dict[str, object]) -> None:
    order, poses = [2, 0, 1], inputs["poses"]
    turned = Poses(poses.c2w[:, order], poses.rays[:, order], poses.known)
    moved = run(net, inputs, x=inputs["x"][:, order], poses=turned, t=inputs["t"][:, order])
    torch.testing.assert_close(moved, run(net, inputs)[:, order], atol=1e-5, rtol=1e-4)


def test_objects_of_a_batch_do_not_see_each_other_but_views_do(
    net: ToyboxDenoiser, inputs: dict[str, object]
) -> None:
    before, x = run(net, inputs), inputs["x"].clone()
    x[0, 0] += 1
    after = run(net, inputs, x=x)
    torch.testing.assert_close(after[1], before[1], atol=1e-5, rtol=1e-4)
    assert (after[0, 1] - before[0, 1]).abs().max() > 1e-3


def test_training_and_inference_attend_alike(net: ToyboxDenoiser, inputs: dict[str, object]) -> None:
    plain = run(net, inputs, x=inputs["x"].clone().requires_grad_())
    assert plain.requires_grad
    torch.testing.assert_close(plain.detach(), run(net, inputs), atol=1e-5, rtol=1e-4)


def test_padding_says_nothing(net: ToyboxDenoiser, inputs: dict[str, object]) -> None:
    short = net.text(torch.tensor([[2, 5, 6, 0], [2, 7, 8, 9]]))
    torch.testing.assert_close(run(net, inputs, words=short), run(net, inputs), atol=1e-5, rtol=1e-4)
    words: Words = inputs["words"]
    noise = torch.where(words.mask[..., None], words.tokens, torch.randn_like(words.tokens))
    torch.testing.assert_close(
        run(net, inputs, words=replace(words, tokens=noise)), run(net, inputs), atol=1e-5, rtol=1e-4
    )


def test_unknown_cameras_are_not_read(net: ToyboxDenoiser, inputs: dict[str, object]) -> None:
    poses: Poses = inputs["poses"]
    hidden = replace(poses, known=torch.tensor([False, True]))
    nothing = Poses(torch.zeros_like(poses.c2w), torch.zeros_like(poses.rays), torch.tensor([False, True]))
    a, b = (
        run(net, inputs, poses=hidden),
        run(net, inputs, poses=replace(nothing, c2w=nothing.c2w + 3, rays=nothing.rays - 2)),
    )
    torch.testing.assert_close(a[0], b[0], atol=1e-6, rtol=1e-5)
    assert (a[0] - run(net, inputs)[0]).abs().max() > 1e-3 and (a[1] - b[1]).abs().max() > 1e-3


def test_words_cameras_and_given_views_are_heard(net: ToyboxDenoiser, inputs: dict[str, object]) -> None:
    before = run(net, inputs)
    words: Words = inputs["words"]
    swapped = Words(words.tokens.flip(0), words.mask.flip(0), words.pooled.flip(0))
    given = torch.tensor([[True, False, False], [False, False, False]])
    for change in ({"words": swapped}, {"clean": given}, {"t": inputs["t"] * 0.5}):
        assert (run(net, inputs, **change)[0, 1] - before[0, 1]).abs().max() > 1e-3, change


def test_a_reference_of_zeros_changes_nothing(net: ToyboxDenoiser, inputs: dict[str, object]) -> None:
    seen = net.stem(inputs["x"].flatten(0, 1))
    silent = StemFeatures(*(torch.zeros_like(part) for part in (seen.fine, seen.middle, seen.coarse)))
    torch.testing.assert_close(run(net, inputs, reference=silent), run(net, inputs))
    assert (run(net, inputs, reference=seen) - run(net, inputs)).abs().max() > 1e-3


def test_a_ray_is_the_same_from_every_point_on_it() -> None:
    origin, direction = torch.randn(5, 3), torch.nn.functional.normalize(torch.randn(5, 3), dim=1)
    torch.testing.assert_close(pluecker(origin, direction), pluecker(origin + 2.5 * direction, direction))


def test_batched_poses_equal_those_of_cameras() -> None:
    azimuths, elevations = [0.0, 33.0, 190.0, 301.0], [-10.0, 0.0, 30.0, 60.0]
    batched = orbit_poses(torch.tensor([azimuths]), torch.tensor([elevations]))
    single = poses_from_cameras(orbit_cameras(azimuths, elevations, DISTANCE, FOV_DEG, 64))
    assert batched.rays.shape == (1, 4, GRID * GRID, 6)
    torch.testing.assert_close(batched.c2w, single.c2w, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(batched.rays, single.rays, atol=1e-5, rtol=1e-5)
