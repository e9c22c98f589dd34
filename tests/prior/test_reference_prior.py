"""The toybox prior with a reference controller: what is asked of it, when, and how strongly it answers."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from engine.core.cameras import Cameras, orbit_cameras
from engine.errors import FileFormatError, MissingError
from engine.prior.base import CleanViews, Condition, Reference
from engine.prior.capabilities import info_of
from engine.prior.reference.maps import ReferenceMaps
from engine.prior.reference.strength import Influence, StrengthCurve
from engine.prior.toybox.info import CONTROLLER, DISTANCE, FOV_DEG, read_info
from engine.prior.toybox.pipeline_files import base_digest, save_controller
from engine.prior.toybox.prior import ToyboxPrior, load_toybox
from engine.prior.toybox.reference_controller import ReferenceController, controller_for
from tests.prior.test_toybox_prior import save_tiny

FULL = Influence(StrengthCurve.between(1, 1))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("guided")
    save_tiny(path)
    plain = load_toybox(path)
    assert not plain.info.takes_references
    controller = controller_for(plain.net, depth=1)
    weights = {name: value + 0.1 * torch.randn_like(value) for name, value in controller.state_dict().items()}
    save_controller(path / CONTROLLER, config_of(controller), weights)
    return path


@pytest.fixture(scope="module")
def prior(folder: Path) -> ToyboxPrior:
    return load_toybox(folder)


def config_of(controller: ReferenceController) -> dict[str, object]:
    return {name: value for name, value in controller.config.items() if not name.startswith("_")}


def cameras(count: int, start: float = 0.0) -> Cameras:
    return orbit_cameras([start + 360.0 / count * i for i in range(count)], 15.0, DISTANCE, FOV_DEG, 64)


def random_maps(views: int, seed: int = 0) -> ReferenceMaps:
    generator = torch.Generator().manual_seed(seed)
    return ReferenceMaps(
        torch.rand(1, views, 3, 64, 64, generator=generator),
        (torch.rand(1, views, 1, 64, 64, generator=generator) > 0.5).float(),
    )


def asked(
    prior: ToyboxPrior, reference: Reference | None, given: int = 0, time: int = 600
) -> tuple[Tensor, int]:
    """The prediction for two views, and how often the controller was called for it."""
    calls: list[int] = []
    hook = (
        None
        if prior.controller is None
        else prior.controller.register_forward_hook(lambda *_: calls.append(1))
    )
    torch.manual_seed(1)
    x_t = torch.randn(2, 4, 64, 64)
    clean = CleanViews(torch.rand(given, 4, 64, 64) * 2 - 1, cameras(given, 45.0)) if given else None
    condition = Condition(prior.embed("a red mug"), cameras(2), clean, reference=reference)
    x0 = prior.predict(x_t, torch.full((2,), time), condition).x0
    if hook is not None:
        hook.remove()
    return x0, len(calls)


def test_a_prior_says_whether_it_has_a_controller(folder: Path, prior: ToyboxPrior, tmp_path: Path) -> None:
    assert prior.info.takes_references and read_info(folder).takes_references
    save_tiny(tmp_path)
    without = load_toybox(tmp_path)
    assert not without.info.takes_references
    with pytest.raises(MissingError, match="controller") as refused:
        asked(without, Reference(FULL, random_maps(2)))
    assert "shape" in refused.value.remedy
    assert info_of("toybox") is not None


@pytest.mark.parametrize("given", [0, 2])
def test_strength_zero_is_the_plain_prior_and_asks_nothing(prior: ToyboxPrior, given: int) -> None:
    plain, none = asked(prior, None, given)
    silent = Reference(Influence(StrengthCurve.between(0, 0)), random_maps(2), random_maps(given or 1))
    closed = Reference(Influence(StrengthCurve.between(1, 1), 0.0), random_maps(2), random_maps(given or 1))
    for reference in (silent, closed):
        same, calls = asked(prior, reference, given)
        assert torch.equal(plain, same) and calls == none == 0 and reference.influence.silent
    guided, calls = asked(prior, Reference(FULL, random_maps(2), random_maps(given or 1)), given)
    assert calls == 1 and not torch.allclose(plain, guided)


def test_strength_is_taken_from_the_curve_at_the_time_of_the_call(prior: ToyboxPrior) -> None:
    late = Influence(StrengthCurve.parse("0:0,0.5:0,1:1"))
    reference = Reference(late, random_maps(2))
    assert asked(prior, reference, time=700)[1] == 0 and asked(prior, reference, time=200)[1] == 1
    same = Reference(
        Influence(StrengthCurve.between(late.at(200.5 / 1000), late.at(200.5 / 1000))), random_maps(2)
    )
    torch.testing.assert_close(asked(prior, reference, time=200)[0], asked(prior, same, time=200)[0])


def test_a_reference_moves_the_answer_further_the_stronger_it_is(prior: ToyboxPrior) -> None:
    plain, _ = asked(prior, None)
    moved = [
        float(
            (asked(prior, Reference(Influence(StrengthCurve.between(s, s)), random_maps(2)))[0] - plain)
            .square()
            .mean()
        )
        for s in (0.25, 0.5, 1.0)
    ]
    assert 0 < moved[0] < moved[1] < moved[2]


def test_the_maps_are_routed_by_the_views_noise(prior: ToyboxPrior) -> None:
    maps, noisy = random_maps(2), 970
    coarse = ReferenceMaps(maps.ccm.clone(), maps.mask.clone())
    coarse.ccm[..., 1::4, :] = 0.5  # between the samples of a 16 x 16 map
    seen = [asked(prior, Reference(FULL, each), time=noisy)[0] for each in (maps, coarse)]
    literal = [
        asked(prior, Reference(FULL, each, reading="noise_level"), time=noisy)[0] for each in (maps, coarse)
    ]
    assert torch.equal(*seen) and not torch.equal(*literal)


def test_a_controller_that_was_taught_no_routing_sees_the_finest_maps(folder: Path, tmp_path: Path) -> None:
    routed = load_toybox(folder)
    plain = ReferenceController(**{**config_of(routed.controller), "routing": False})
    save_controller(tmp_path, config_of(plain), routed.controller.state_dict())
    prior, maps = load_toybox(folder, controller_folder=tmp_path), random_maps(2)
    coarse = ReferenceMaps(maps.ccm.clone(), maps.mask)
    coarse.ccm[..., 1::4, :] = 0.5  # between the samples of a 16 x 16 map
    seen = [asked(prior, Reference(FULL, each), time=970)[0] for each in (maps, coarse)]
    assert not torch.equal(*seen)
    fine, clean = (
        asked(prior, Reference(FULL, maps), time=10)[0],
        asked(routed, Reference(FULL, maps), time=10)[0],
    )
    assert torch.equal(fine, clean), "near the end of denoising both see the same"


def test_who_uses_a_controller_beside_other_weights_is_told(folder: Path, tmp_path: Path) -> None:
    controller, digest = load_toybox(folder).controller, base_digest(folder)
    notes = []
    for base in (digest, "", "f" * len(digest)):
        save_controller(tmp_path, config_of(controller), controller.state_dict(), base)
        notes.append(load_toybox(folder, controller_folder=tmp_path).info.reference_note)
    assert notes[:2] == ["", ""] and "another state" in notes[2] and "f" * len(digest) in notes[2]


def test_the_first_given_view_and_its_map_are_the_pair(prior: ToyboxPrior) -> None:
    pairs = []
    hook = prior.controller.register_forward_pre_hook(lambda net, inputs: pairs.append(inputs[1]))
    maps = random_maps(2, seed=3)
    asked(prior, Reference(FULL, random_maps(2), maps), given=2)
    asked(prior, Reference(FULL, random_maps(2)))
    hook.remove()
    assert bool(pairs[0].visible.all()) and torch.equal(pairs[0].reference, maps.channels()[:, 0])
    assert not bool(pairs[1].visible.any())


def test_a_controller_of_another_size_is_refused(folder: Path, tmp_path: Path) -> None:
    save_tiny(tmp_path)
    save_controller(tmp_path / CONTROLLER, *_wider(load_toybox(folder).controller))
    with pytest.raises(FileFormatError, match="middle"):
        load_toybox(tmp_path)


def _wider(controller: ReferenceController) -> tuple[dict[str, object], dict[str, Tensor]]:
    config = {**config_of(controller), "middle": 24}
    return config, ReferenceController(**config).state_dict()


def test_maps_beside_each_other_keep_their_order() -> None:
    first, second = random_maps(2), random_maps(1, seed=9)
    both = first.beside(second)
    assert torch.equal(both.mask[:, :2], first.mask) and torch.equal(both.ccm[:, 2:], second.ccm)
