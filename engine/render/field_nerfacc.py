"""The field renderer for CUDA: nerfacc finds the samples and composes them (arXiv 2305.04966), the field
answers for them.

Steps are one voxel long and start where a ray enters the cube, so that samples stand where ``field_torch``
puts them, but for its equal division of each chord. nerfacc comes without kernels for most versions of torch
and then compiles them with nvcc at first use: ask ``compile_notice`` before drawing.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path

import torch
from nerfacc import OccGridEstimator, accumulate_along_rays, render_weight_from_density
from torch import Tensor
from torch.utils import cpp_extension

from engine.core.cameras import Cameras
from engine.core.views import Views, composite
from engine.errors import DeviceError
from engine.render.field_rays import EARLY_STOP, Rays, rays_through
from engine.render.kernels import kernel_remedy
from engine.scene.field import Field


def render(
    field: Field,
    cameras: Cameras,
    background: Tensor | None = None,
    *,
    normals: bool = False,
    jitter: Tensor | None = None,
) -> Views:
    """Pictures of a float32 ``field`` on a GPU over ``background`` (None: black); arguments as in
    ``field_torch.render``.
    """
    rays = rays_through(field, cameras.to(field.device), jitter)
    ray, t_starts, t_ends = samples_along(field, rays)
    t = (t_starts + t_ends) / 2
    points = rays.origins[ray] + t[:, None] * rays.directions[ray]
    density, rgb = field.query(points)
    weights, _, _ = render_weight_from_density(
        t_starts, t_ends, density, ray_indices=ray, n_rays=len(rays.near)
    )
    features = [
        rgb,
        torch.ones_like(rgb[:, :1]),
        (t * rays.cosine[ray])[:, None],
        *([field.normals(points)] if normals else []),
    ]
    pixels = accumulate_along_rays(
        weights, torch.cat(features, dim=1), ray_indices=ray, n_rays=len(rays.near)
    )
    pixels = pixels.reshape(len(cameras), cameras.height, cameras.width, -1)
    rgb, alpha, depth, normal = pixels.split([3, 1, 1, pixels.shape[-1] - 5], dim=-1)
    return Views(composite(rgb, alpha, background), alpha, depth, normal if normals else None)


def samples_along(field: Field, rays: Rays) -> tuple[Tensor, Tensor, Tensor]:
    """Index of the ray (M,), start (M,) and end (M,) of the M intervals that can be seen, sorted along the
    rays.
    """

    def density_at(t_starts: Tensor, t_ends: Tensor, ray: Tensor) -> Tensor:
        t = (t_starts + t_ends) / 2
        return field.query(rays.origins[ray] + t[:, None] * rays.directions[ray])[0]

    # nerfacc's samples stand in the middle of their intervals
    lattice = rays.near + (rays.offset - 0.5) * field.voxel
    far = rays.near + rays.delta * rays.count
    return _estimator(field).sampling(
        rays.origins,
        rays.directions,
        sigma_fn=density_at,
        t_min=lattice,
        t_max=far,
        render_step_size=field.voxel,
        early_stop_eps=EARLY_STOP,
    )


def _estimator(field: Field) -> OccGridEstimator:
    """nerfacc's occupancy grid, filled from ours; one full cell where nothing is known."""
    occupancy = field.occupancy
    size = 1 if occupancy is None else len(occupancy.values)
    estimator = OccGridEstimator(roi_aabb=[-1, -1, -1, 1, 1, 1], resolution=size, levels=1).to(field.device)
    estimator.binaries = (
        torch.ones_like(estimator.binaries) if occupancy is None else (occupancy.distance == 0)[None]
    )
    if occupancy is not None:
        estimator.occs = occupancy.values.reshape(-1)
    return estimator


def compile_notice() -> str | None:
    """What to tell a person who waits for the first picture; None if the kernels are there.

    Raises DeviceError where they are neither there nor can be compiled.
    """
    if importlib.util.find_spec("nerfacc.csrc") is not None or _compiled_before():
        return None
    if shutil.which("nvcc") is None:
        raise DeviceError(
            "nerfacc has no CUDA kernels for this torch, and there is no nvcc on the path to compile them.",
            kernel_remedy("nerfacc", torch.__version__, torch.version.cuda),
        )
    return "nerfacc compiles its CUDA kernels at first use: a few minutes, once."


def _compiled_before() -> bool:
    root = Path(os.environ.get("TORCH_EXTENSIONS_DIR") or cpp_extension.get_default_build_root())
    return any(root.glob("**/nerfacc_cuda/nerfacc_cuda.so"))
