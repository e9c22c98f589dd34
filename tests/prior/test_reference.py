"""The reference controller and its maps: what must hold before anything is trained."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from engine.errors import FileFormatError, InputError, MissingError
from engine.prior.reference.maps import ReferenceMaps, map_resolution, routed, way_of
from engine.prior.reference.strength import StrengthCurve, gate
from engine.prior.toybox.network import ToyboxDenoiser
from engine.prior.toybox.pipeline_files import load_controller, save_controller
from engine.prior.toybox.poses import orbit_poses
from engine.prior.toybox.reference_controller import Pair, ReferenceController, controller_for, strengthened

VIEWS = 3


@pytest.fixture(scope="module")
def net() -> ToyboxDenoiser:
    torch.manual_seed(0)
    net = ToyboxDenoiser(width=32, depth=2, heads=2, fine=8, middle=16, last=8, words=20, length=6)
    with torch.no_grad():
        for p in net.parameters():
            p.add_(0.1 * torch.randn_like(p))
    return net.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def maps() -> ReferenceMaps:
    generator = torch.Generator().manual_seed(1)
    return ReferenceMaps(
        torch.rand(2, VIEWS, 3, 64, 64, generator=generator),
        (torch.rand(2, VIEWS, 1, 64, 64, generator=generator) > 0.5).float(),
    )


@pytest.fixture(scope="module")
def asked(net: ToyboxDenoiser) -> dict[str, object]:
    words = net.text(torch.tensor([[2, 5, 6, 0, 0, 0], [2, 7, 8, 9, 0, 0]]))
    poses = orbit_poses(
        torch.tensor([[0.0, 90.0, 200.0], [10.0, 50.0, 300.0]]),
        torch.tensor([[0.0, 10.0, 20.0], [5.0, 5.0, 5.0]]),
    )
    t = torch.tensor([[0.5] * VIEWS, [0.8] * VIEWS])
    return {"t": t, "words": words, "poses": poses}


def pair(seen: bool = True) -> Pair:
    generator = torch.Generator().manual_seed(2)
    pictures = torch.randn(2, 2, 4, 64, 64, generator=generator)
    return Pair(pictures[0], pictures[1], torch.full((2,), seen))


def moved(controller: ReferenceController) -> ReferenceController:
    """The controller with every weight moved, so that nothing is zero any more."""
    torch.manual_seed(3)
    with torch.no_grad():
        for p in controller.parameters():
            p.add_(0.05 * torch.randn_like(p))
    return controller


@torch.no_grad()
@pytest.mark.parametrize("meta", [True, False])
def test_a_new_controller_changes_no_bit(
    net: ToyboxDenoiser, maps: ReferenceMaps, asked: dict, meta: bool
) -> None:
    x, clean = torch.randn(2, VIEWS, 4, 64, 64), torch.zeros(2, VIEWS, dtype=torch.bool)
    features = controller_for(net, meta=meta)(maps.channels(), pair(), **asked)
    plain = net(x, asked["t"], asked["words"], asked["poses"], clean)
    assert torch.equal(net(x, asked["t"], asked["words"], asked["poses"], clean, features), plain)


def test_the_base_part_begins_as_a_copy_of_the_denoiser(net: ToyboxDenoiser) -> None:
    controller = controller_for(net)
    for name in ("stem.fine.weight", "time.0.weight", "blocks.1.qkv.weight", "position"):
        assert torch.equal(controller.get_parameter(name), net.get_parameter(name))


def test_only_the_controller_learns(net: ToyboxDenoiser, maps: ReferenceMaps, asked: dict) -> None:
    controller = moved(controller_for(net))
    x, clean = torch.randn(2, VIEWS, 4, 64, 64), torch.zeros(2, VIEWS, dtype=torch.bool)
    features = controller(maps.channels(), pair(), **asked)
    net(x, asked["t"], asked["words"], asked["poses"], clean, features).square().mean().backward()
    assert all(p.grad is None for p in net.parameters())
    silent = [name for name, p in controller.named_parameters() if p.grad is None or not p.grad.any()]
    assert silent == ["adviser.unseen"], (
        "every weight has a gradient; the sign of a missing picture was not needed"
    )


def test_without_a_picture_the_pair_is_not_read(
    net: ToyboxDenoiser, maps: ReferenceMaps, asked: dict
) -> None:
    controller = moved(controller_for(net)).eval()
    unseen = pair(seen=False)
    other = replace(unseen, concept=unseen.concept + 1, reference=unseen.reference - 1)
    first, second = controller(maps.channels(), unseen, **asked), controller(maps.channels(), other, **asked)
    seen = controller(maps.channels(), pair(), **asked)
    assert torch.equal(first.coarse, second.coarse) and not torch.allclose(first.coarse, seen.coarse)


def test_views_may_come_in_any_order(net: ToyboxDenoiser, maps: ReferenceMaps, asked: dict) -> None:
    controller, order = moved(controller_for(net)).eval(), [2, 0, 1]
    poses = asked["poses"]
    turned = {**asked, "poses": replace(poses, c2w=poses.c2w[:, order], rays=poses.rays[:, order])}
    straight = controller(maps.channels(), pair(), **asked).coarse.unflatten(0, (2, VIEWS))[:, order]
    swapped = controller(maps.channels()[:, order], pair(), **turned).coarse.unflatten(0, (2, VIEWS))
    torch.testing.assert_close(straight, swapped, atol=1e-4, rtol=1e-4)


def test_closed_gates_leave_only_the_advice(net: ToyboxDenoiser, maps: ReferenceMaps, asked: dict) -> None:
    controller = moved(controller_for(net)).eval()
    with torch.no_grad():
        controller.adviser.gates.bias.fill_(-60.0)
    features = controller(maps.channels(), pair(), **asked)
    assert features.fine.abs().max() < 1e-6 and features.middle.abs().max() < 1e-6
    flat = features.coarse.flatten(2)
    torch.testing.assert_close(flat, flat[..., :1].expand_as(flat), atol=1e-6, rtol=0)


def test_strength_scales_what_is_added(net: ToyboxDenoiser, maps: ReferenceMaps, asked: dict) -> None:
    features = moved(controller_for(net))(maps.channels(), pair(), **asked)
    assert not strengthened(features, 0.0).coarse.any()
    each = strengthened(features, torch.arange(2 * VIEWS) / 2)
    torch.testing.assert_close(each.middle[3], 1.5 * features.middle[3])


def test_a_map_is_a_picture_over_nothing(maps: ReferenceMaps) -> None:
    channels = maps.channels()
    empty = maps.mask.expand_as(maps.ccm) == 0
    assert (channels[:, :, :3][empty] == 0).all() and (channels[:, :, 3:] == 2 * maps.mask - 1).all()
    torch.testing.assert_close((channels[:, :, :3][~empty] + 1) / 2, maps.ccm[~empty])


def test_maps_get_finer_with_progress(maps: ReferenceMaps) -> None:
    sizes = [map_resolution(u / 100) for u in range(101)]
    assert sizes == sorted(sizes) and (sizes[0], sizes[5], sizes[40], sizes[100]) == (16, 32, 64, 64)
    assert way_of(1.0, "progress") == way_of(0.0, "noise_level") == 0
    times = torch.tensor([[1.0, 0.7, 0.2], [0.2, 1.0, 0.7]])
    seen = routed(maps, times)
    for row in range(2):
        for view in range(VIEWS):
            size = map_resolution(1 - float(times[row, view]))
            colours = seen.ccm[row, view].flatten(1).T.unique(dim=0)
            assert len(colours) <= size**2
    assert torch.equal(seen.ccm[0, 2], maps.ccm[0, 2]) and not torch.equal(seen.ccm[0, 0], maps.ccm[0, 0])
    literal = routed(maps, times, "noise_level")
    assert torch.equal(literal.ccm[0, 0], maps.ccm[0, 0])


def test_a_curve_is_straight_between_its_points() -> None:
    curve = StrengthCurve.parse("0.2:1,0.6:0.5,1:0")
    assert [curve.at(u) for u in (0, 0.2, 0.4, 0.6, 0.8, 1)] == pytest.approx([1, 1, 0.75, 0.5, 0.25, 0])
    assert StrengthCurve.parse(str(curve)) == curve
    assert StrengthCurve.between(0.4, 1.2).at(0.5) == pytest.approx(0.8)


@pytest.mark.parametrize("text", ["", "1", "0:1,0:2", "0.5:1,0.2:1", "0:3", "0:-1", "2:1", "0:x"])
def test_a_curve_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="curve"):
        StrengthCurve.parse(text)


def test_the_gate_opens_with_similarity() -> None:
    values = [gate(s / 20, 0.3, 0.7) for s in range(21)]
    assert (
        values == sorted(values)
        and gate(0.3, 0.3, 0.7) == 0
        and gate(0.7, 0.3, 0.7) == 1 == gate(1, 0.3, 0.7)
    )
    assert gate(0.4, 0.3, 0.7) == pytest.approx(0.25)
    with pytest.raises(InputError, match="gate"):
        gate(0.5, 0.7, 0.3)


def test_a_controller_is_stored_and_loaded(net: ToyboxDenoiser, tmp_path: Path) -> None:
    controller = moved(controller_for(net, depth=1))
    config = {name: value for name, value in controller.config.items() if not name.startswith("_")}
    save_controller(tmp_path, config, controller.state_dict())
    loaded = load_controller(tmp_path)
    for name, value in loaded.state_dict().items():
        torch.testing.assert_close(value, controller.state_dict()[name], atol=2e-3, rtol=2e-3)
    assert not any(p.requires_grad for p in loaded.parameters())


def test_what_is_wrong_with_a_folder_is_said(net: ToyboxDenoiser, tmp_path: Path) -> None:
    with pytest.raises(MissingError, match=r"config\.json"):
        load_controller(tmp_path)
    controller = controller_for(net, depth=1)
    save_controller(tmp_path, {**controller.config, "depth": 2}, controller.state_dict())
    with pytest.raises(FileFormatError, match="damaged"):
        load_controller(tmp_path)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(FileFormatError, match=r"not readable JSON") as caught:
        load_controller(tmp_path)
    assert "damaged" not in caught.value.what, "told once"
