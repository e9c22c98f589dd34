"""Gaussian splatting on CUDA by gsplat (1.5, Apache-2.0), held to the definition in
``engine.render.splats_torch``.

gsplat comes without kernels for most versions of torch and then compiles them with nvcc at first use: ask
``compile_notice`` before drawing.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path

import gsplat
import torch
from torch import Tensor
from torch.utils import cpp_extension

from engine.core.cameras import Cameras
from engine.core.views import Views, composite
from engine.errors import DeviceError
from engine.render import splats_torch
from engine.render.kernels import kernel_remedy
from engine.scene.splats import Splats


def render(scene: Splats, cameras: Cameras, background: Tensor | None = None, normals: bool = False) -> Views:
    """Draw as ``splats_torch.render`` does."""
    if len(scene) == 0:  # gsplat cannot count the tiles of nothing
        return splats_torch.render(scene, cameras, background, normals)
    cameras = cameras.to(scene.device)
    features = scene.rgb.expand(len(cameras), -1, -1)
    if normals:
        depths = (
            torch.einsum("bj,nj->bn", cameras.viewmats[:, 2, :3], scene.means)
            + cameras.viewmats[:, 2, 3, None]
        )
        features = torch.cat(
            [features, splats_torch.facing_normals(scene, cameras), depths[..., None].square()], dim=-1
        )
    pictures, alpha, info = gsplat.rasterization(
        means=scene.means, quats=scene.quats, scales=scene.scales, opacities=scene.opacities, colors=features,
        viewmats=cameras.viewmats, Ks=cameras.K, width=cameras.width, height=cameras.height,
        near_plane=splats_torch.NEAR, eps2d=splats_torch.EPS2D, rasterize_mode="classic",
        packed=False, render_mode="RGB+D",
    )  # fmt: skip
    means2d = info["means2d"]
    if means2d.requires_grad:
        means2d.retain_grad()
    colour, depth = pictures[..., :3], pictures[..., -1:]
    normal, depth2 = (pictures[..., 3:6], pictures[..., 6:7]) if normals else (None, None)
    return Views(composite(colour, alpha, background), alpha, depth, normal, means2d, depth2)


def compile_notice() -> str | None:
    """What to tell a person who waits for the first picture; None if the kernels are there.

    Raises DeviceError where they are neither there nor can be compiled.
    """
    if importlib.util.find_spec("gsplat.csrc") is not None or _compiled_before():
        return None
    home = cpp_extension.CUDA_HOME
    if shutil.which("nvcc") is None and not (home and (Path(home) / "bin" / "nvcc").exists()):
        raise DeviceError(
            "gsplat has no CUDA kernels for this torch, and there is no nvcc to compile them.",
            kernel_remedy("gsplat", torch.__version__, torch.version.cuda),
        )
    return "gsplat compiles its CUDA kernels at first use: a few minutes, once."


def _compiled_before() -> bool:
    root = Path(os.environ.get("TORCH_EXTENSIONS_DIR") or cpp_extension.get_default_build_root())
    return any(root.glob("**/gsplat_cuda/gsplat_cuda.so"))
