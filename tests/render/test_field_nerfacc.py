"""nerfacc as an oracle for our weights, and our use of it with plain torch in the place of what needs a
GPU.
"""

from __future__ import annotations

import shutil
from dataclasses import replace

import nerfacc
import pytest
import torch

from engine.core.cameras import orbit_cameras
from engine.errors import DeviceError
from engine.render import field_nerfacc, field_torch
from engine.render.field_rays import EARLY_STOP, cube_span, rays_through
from engine.scene.field import Field, blob, update_occupancy
from tests.render.nerfacc_in_torch import use_stand_ins

CAMERAS = orbit_cameras([0.0, 100.0], [10.0, 60.0], 2.6, 40.0, 12, 9)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_weights_and_sums_agree_with_nerfacc() -> None:
    density = torch.rand(50, 20, generator=rng(), dtype=torch.float64).mul(3).requires_grad_()
    edges = torch.rand(50, 21, generator=rng(1), dtype=torch.float64).sort(dim=1).values
    values = torch.rand(50, 20, 3, generator=rng(2), dtype=torch.float64)
    expected, _, _ = nerfacc.render_weight_from_density(edges[:, :-1], edges[:, 1:], density)
    found = field_torch.weights_from_optical_depth(density * edges.diff(dim=1))
    pictures = nerfacc.accumulate_along_rays(expected, values), torch.einsum("ns,nsc->nc", found, values)
    assert torch.allclose(found, expected, atol=1e-12) and torch.allclose(*pictures, atol=1e-12)
    gradients = [
        torch.autograd.grad(picture.square().sum(), density, retain_graph=True)[0] for picture in pictures
    ]
    assert torch.allclose(*gradients, atol=1e-12)


def test_pictures_and_gradients_agree_with_nerfacc_composing_our_samples() -> None:
    field = blob(16, 0.7, rng())
    for tensor in field.parameters().values():
        tensor.requires_grad_()
    rays = rays_through(field, CAMERAS)
    steps = torch.arange(int(rays.count.max()))
    t_starts = rays.near[:, None] + steps * rays.delta[:, None]
    t_ends = torch.where(steps < rays.count[:, None], t_starts + rays.delta[:, None], t_starts)
    points = (
        rays.origins[:, None] + (t_starts + rays.delta[:, None] / 2)[..., None] * rays.directions[:, None]
    )
    density, rgb = field.query(points.reshape(-1, 3))
    weights, _, _ = nerfacc.render_weight_from_density(t_starts, t_ends, density.reshape(t_starts.shape))
    expected = nerfacc.accumulate_along_rays(weights, rgb.reshape(points.shape)).reshape(2, 9, 12, 3)
    found = field_torch.render(field, CAMERAS).rgb
    assert torch.allclose(found, expected, atol=2 * EARLY_STOP)
    gradients = [
        torch.autograd.grad(picture.square().sum(), field.raw_density)[0] for picture in (found, expected)
    ]
    assert torch.allclose(*gradients, atol=20 * EARLY_STOP)


@pytest.fixture
def without_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    use_stand_ins(monkeypatch)


@pytest.mark.parametrize("known", [False, True], ids=["unknown", "occupancy"])
def test_our_use_of_nerfacc_draws_what_the_reference_draws(without_gpu: None, known: bool) -> None:
    field = blob(48, 0.7, rng())
    field = replace(field, occupancy=update_occupancy(field, None, 0)) if known else field
    for tensor in field.parameters().values():
        tensor.requires_grad_()
    jitter, background = torch.rand(2, 9, 12, generator=rng(1)), torch.tensor([0.2, 0.5, 0.9])
    draws = [
        module.render(field, CAMERAS, background, normals=True, jitter=jitter)
        for module in (field_nerfacc, field_torch)
    ]
    for name in ("rgb", "alpha", "depth", "normal"):
        found, wanted = (getattr(views, name) for views in draws)
        # steps of a voxel against parts of the chord
        assert (found - wanted).abs().max() < 0.02 * wanted.abs().max(), name
    found, wanted = (torch.autograd.grad(views.rgb.square().sum(), field.raw_density)[0] for views in draws)
    assert torch.nn.functional.cosine_similarity(found.flatten(), wanted.flatten(), dim=0) > 0.99


@pytest.mark.gpu
@pytest.mark.parametrize("known", [False, True], ids=["unknown", "occupancy"])
def test_nerfacc_on_a_gpu_draws_what_our_stand_in_draws(monkeypatch: pytest.MonkeyPatch, known: bool) -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    field = blob(48, 0.7, rng())
    field = replace(field, occupancy=update_occupancy(field, None, 0)) if known else field
    found = field_nerfacc.render(field.to("cuda"), CAMERAS, normals=True)
    use_stand_ins(monkeypatch)
    wanted = field_nerfacc.render(field, CAMERAS, normals=True)
    for name in (
        "rgb",
        "alpha",
        "depth",
        "normal",
    ):  # a sample on the border of two cells may fall on either side
        assert (getattr(found, name).cpu() - getattr(wanted, name)).abs().mean() < 1e-3, name


def test_steps_begin_where_rays_enter_the_cube(without_gpu: None) -> None:
    field = blob(48, 0.7, rng())
    rays = rays_through(field, CAMERAS)
    ray, t_starts, t_ends = field_nerfacc.samples_along(field, rays)
    near, far = cube_span(rays.origins, rays.directions)
    place = (t_starts - near[ray]) / field.voxel
    assert torch.allclose(place, place.round(), atol=1e-3) and ((t_starts + t_ends) / 2 <= far[ray]).all()


def test_a_field_that_is_empty_draws_the_background(without_gpu: None) -> None:
    field = Field(torch.full((8, 8, 8), -1e4), torch.zeros(8, 8, 8, 3))
    field = replace(field, occupancy=update_occupancy(field, None, 0))
    views = field_nerfacc.render(field, CAMERAS, torch.ones(3))
    assert torch.equal(views.rgb, torch.ones(2, 9, 12, 3))


def test_missing_kernels_without_a_compiler_are_an_error_with_a_remedy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.setenv("TORCH_EXTENSIONS_DIR", str(tmp_path))
    monkeypatch.setattr(field_nerfacc.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(DeviceError) as caught:
        field_nerfacc.compile_notice()
    assert "nvcc" in caught.value.what and caught.value.remedy
    monkeypatch.setattr(shutil, "which", lambda name: "/usr/bin/nvcc")
    assert "minutes" in field_nerfacc.compile_notice()
