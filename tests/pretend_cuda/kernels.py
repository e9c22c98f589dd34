"""gsplat and nerfacc on the pretend device: their kernels in plain torch, as strict about what they are given
as theirs.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import gsplat
import pytest
import torch
from torch import Tensor
from torch.nn.functional import normalize

from engine.core.cameras import Cameras
from engine.render import field_nerfacc, splats_gsplat, splats_torch
from tests.pretend_cuda.device import kernel
from tests.render.nerfacc_in_torch import use_stand_ins


def rasterization(
    means: Tensor,
    quats: Tensor,
    scales: Tensor,
    opacities: Tensor,
    colors: Tensor,
    viewmats: Tensor,
    Ks: Tensor,
    width: int,
    height: int,
    **_: Any,
) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
    """gsplat's function in its "RGB+D" mode, in two kernels. Where its kernels write nothing, splats have
    NaN.
    """
    given = (means, quats, scales, opacities, colors, viewmats, Ks)
    assert all(tensor.is_cuda and tensor.dtype == torch.float32 for tensor in given), (
        "gsplat takes float32 on a GPU"
    )

    def project(
        means: Tensor, quats: Tensor, scales: Tensor, opacities: Tensor, viewmats: Tensor, K: Tensor
    ) -> tuple[Tensor, ...]:
        cloud = SimpleNamespace(
            means=means, unit_quats=normalize(quats, dim=-1), scales=scales, opacities=opacities
        )
        projected = splats_torch.project(cloud, Cameras(torch.linalg.inv(viewmats), K, width, height))
        shown = torch.where(projected.visible[..., None], projected.means2d, torch.nan)
        return shown, projected.covs2d, projected.depths

    def compose(
        means2d: Tensor, covs2d: Tensor, depths: Tensor, opacities: Tensor, colors: Tensor, K: Tensor
    ) -> tuple[Tensor, ...]:
        projected = splats_torch.Projected(means2d, covs2d, depths, ~means2d[..., 0].isnan())
        sheet = Cameras(torch.eye(4).expand(len(K), 4, 4), K, width, height)
        clouds = [
            SimpleNamespace(means=depths[b, :, None], opacities=opacities, rgb=colors[b])
            for b in range(len(K))
        ]
        drawn = [splats_torch._draw(cloud, projected, sheet, b, False) for b, cloud in enumerate(clouds)]
        return torch.stack(drawn).split([colors.shape[-1] + 1, 1], dim=-1)

    means2d, covs2d, depths = kernel(project, means, quats, scales, opacities, viewmats, Ks)
    pictures, alpha = kernel(compose, means2d, covs2d, depths, opacities, colors, Ks)
    return pictures, alpha, {"means2d": means2d}


def install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both libraries as on a machine where their kernels are compiled."""
    monkeypatch.setattr(gsplat, "rasterization", rasterization)
    use_stand_ins(monkeypatch)
    for module in (splats_gsplat, field_nerfacc):
        monkeypatch.setattr(module, "compile_notice", lambda: None)
