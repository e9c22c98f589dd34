"""Plain torch, on any device, for the two functions of nerfacc that have only a CUDA kernel, under their own
signatures.
"""

from __future__ import annotations

import inspect

import nerfacc
import pytest
import torch
from nerfacc import OccGridEstimator
from torch import Tensor

from engine.render import field_nerfacc

REAL_SAMPLING = inspect.signature(OccGridEstimator.sampling)


def sampling_in_torch(
    estimator: OccGridEstimator, rays_o: Tensor, rays_d: Tensor, **options: object
) -> tuple[Tensor, ...]:
    """What nerfacc's sampler does: steps of one length from ``t_min`` on whose middles lie in occupied cells
    before ``t_max``.
    """
    bound = REAL_SAMPLING.bind(estimator, rays_o, rays_d, **options)
    bound.apply_defaults()
    step, t_min, t_max = (bound.arguments[name] for name in ("render_step_size", "t_min", "t_max"))
    t_starts = (
        t_min.clamp_min(bound.arguments["near_plane"])[:, None]
        + torch.arange(int(4 / step), device=t_min.device) * step
    )
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
    ends = torch.bincount(ray_indices, minlength=n_rays).cumsum(0)
    first = torch.cat([torch.zeros_like(ends[:1]), ends[:-1]])
    place = ray_indices, torch.arange(len(ray_indices), device=ends.device) - first[ray_indices]
    rows = [
        torch.zeros(n_rays, 200, device=ends.device).index_put(place, values)
        for values in (t_starts, t_ends, sigmas)
    ]
    return tuple(part[place] for part in nerfacc.render_weight_from_density(*rows))


def use_stand_ins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain torch for the two functions of nerfacc that have only a CUDA kernel, under their own
    signatures.
    """
    real = inspect.signature(nerfacc.render_weight_from_density).parameters
    assert list(inspect.signature(flat_weights).parameters) == list(real)
    monkeypatch.setattr(OccGridEstimator, "sampling", torch.no_grad()(sampling_in_torch))
    monkeypatch.setattr(field_nerfacc, "render_weight_from_density", flat_weights)
