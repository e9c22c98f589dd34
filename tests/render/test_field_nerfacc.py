"""nerfacc as an oracle for our weights, and our use of it with plain torch in the place of what needs a GPU."""

from __future__ import annotations

import inspect
import shutil
from dataclasses import replace

import nerfacc
import pytest
import torch
from nerfacc import OccGridEstimator
from torch import Tensor

from engine.errors import DeviceError
from engine.math.cameras import orbit_cameras
from engine.render import field_nerfacc, field_torch
from engine.render.field_rays import EARLY_STOP, cube_span, rays_through
from engine.scene.field import Field, blob, update_occupancy

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
    gradients = [torch.autograd.grad(picture.square().sum(), density, retain_graph=True)[0] for picture in pictures]
    assert torch.allclose(*gradients, atol=1e-12)


def test_pictures_and_gradients_agree_with_nerfacc_composing_our_samples() -> None:
    field = blob(16, 0.7, rng())
    for tensor in field.parameters().values():
        tensor.requires_grad_()
    rays = rays_through(field, CAMERAS)
    steps = torch.arange(int(rays.count.max()))
    t_starts = rays.near[:, None] + steps * rays.delta[:, None]
    t_ends = torch.where(steps < rays.count[:, None], t_starts + rays.delta[:, None], t_starts)
    points = rays.origins[:, None] + (t_starts + rays.delta[:, None] / 2)[..., None] * rays.directions[:, None]
    density, rgb = field.query(points.reshape(-1, 3))
    weights, _, _ = nerfacc.render_weight_from_density(t_starts, t_ends, density.reshape(t_starts.shape))
    expected = nerfacc.accumulate_along_rays(weights, rgb.reshape(points.shape)).reshape(2, 9, 12, 3)
    found = field_torch.render(field, CAMERAS).rgb
    assert torch.allclose(found, expected, atol=2 * EARLY_STOP)
    gradients = [torch.autograd.grad(picture.square().sum(), field.raw_density)[0] for picture in (found, expected)]
    assert torch.allclose(*gradients, atol=20 * EARLY_STOP)


REAL_SAMPLING = inspect.signature(OccGridEstimator.sampling)


def sampling_in_torch(estimator: OccGridEstimator, rays_o: Tensor, rays_d: Tensor, **options: object) -> tuple[Tensor, ...]:
    """What nerfacc's sampler does: steps of one length from ``t_min`` on whose middles lie in occupied cells before ``t_max``."""
    bound = REAL_SAMPLING.bind(estimator, rays_o, rays_d, **options)
    bound.apply_defaults()
    step, t_min, t_max = (bound.arguments[name] for name in ("render_step_size", "t_min", "t_max"))
    t_starts = t_min.clamp_min(bound.arguments["near_plane"])[:, None] + torch.arange(int(4 / step)) * step
    t = t_starts + step / 2
    cells = ((rays_o[:, None] + t[..., None] * rays_d[:, None] + 1) / 2 * estimator.resolution).long()
    inside = ((cells >= 0) & (cells < estimator.resolution)).all(dim=-1) & (t < t_max[:, None])
    i, j, k = cells.clamp(min=0).minimum(estimator.resolution - 1).unbind(-1)
    chosen = inside & estimator.binaries[0, i, j, k]
    ray = chosen.nonzero()[:, 0]
    starts = t_starts[chosen]
    density = bound.arguments["sigma_fn"](starts, starts + step, ray)
    absorbed = torch.zeros_like(t).masked_scatter(chosen, density * step).cumsum(dim=1)
    passed = torch.nn.functional.pad(absorbed[:, :-1], (1, 0))[chosen]
    visible = torch.exp(-passed) >= bound.arguments["early_stop_eps"]
    return ray[visible], starts[visible], starts[visible] + step


def flat_weights(
    t_starts: Tensor,
    t_ends: Tensor,
    sigmas: Tensor,
    packed_info: Tensor | None = None,
    ray_indices: Tensor | None = None,
    n_rays: int | None = None,
    prefix_trans: Tensor | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """nerfacc's flattened form, by way of its batched one."""
    first = torch.bincount(ray_indices, minlength=n_rays).cumsum(0).roll(1).index_fill(0, torch.tensor([0]), 0)
    place = ray_indices, torch.arange(len(ray_indices)) - first[ray_indices]
    rows = [torch.zeros(n_rays, 200).index_put(place, values) for values in (t_starts, t_ends, sigmas)]
    return tuple(part[place] for part in nerfacc.render_weight_from_density(*rows))


@pytest.fixture
def without_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    use_stand_ins(monkeypatch)


def use_stand_ins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain torch for the two functions of nerfacc that have only a CUDA kernel, under their own signatures."""
    real = inspect.signature(nerfacc.render_weight_from_density).parameters
    assert list(inspect.signature(flat_weights).parameters) == list(real)
    monkeypatch.setattr(OccGridEstimator, "sampling", torch.no_grad()(sampling_in_torch))
    monkeypatch.setattr(field_nerfacc, "render_weight_from_density", flat_weights)


@pytest.mark.parametrize("known", [False, True], ids=["unknown", "occupancy"])
def test_our_use_of_nerfacc_draws_what_the_reference_draws(without_gpu: None, known: bool) -> None:
    field = blob(48, 0.7, rng())
    field = replace(field, occupancy=update_occupancy(field, None, 0)) if known else field
    for tensor in field.parameters().values():
        tensor.requires_grad_()
    jitter, background = torch.rand(2, 9, 12, generator=rng(1)), torch.tensor([0.2, 0.5, 0.9])
    draws = [module.render(field, CAMERAS, background, normals=True, jitter=jitter) for module in (field_nerfacc, field_torch)]
    for name in ("rgb", "alpha", "depth", "normal"):
        found, wanted = (getattr(views, name) for views in draws)
        assert (found - wanted).abs().max() < 0.02 * wanted.abs().max(), name  # steps of a voxel against parts of the chord
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
    for name in ("rgb", "alpha", "depth", "normal"):  # a sample on the border of two cells may fall on either side
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


def test_missing_kernels_without_a_compiler_are_an_error_with_a_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setenv("TORCH_EXTENSIONS_DIR", str(tmp_path))
    monkeypatch.setattr(field_nerfacc.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(DeviceError) as caught:
        field_nerfacc.compile_notice()
    assert "nvcc" in caught.value.what and caught.value.remedy
    monkeypatch.setattr(shutil, "which", lambda name: "/usr/bin/nvcc")
    assert "minutes" in field_nerfacc.compile_notice()
