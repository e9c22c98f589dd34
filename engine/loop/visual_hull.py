"""A first shape from silhouettes: points that every draft view agrees may be solid (the visual hull,
Laurentini 1994).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from engine.core.cameras import Cameras
from engine.loop.state import Anchor

CANDIDATES = 60_000
# the smallest alpha over all views that still counts as inside; views disagree a little, so less than 1/2
SOLID = 0.35

# per unit length: mist lets the gradient through where views disagree
HULL_DENSITY, MIST_DENSITY = 20.0, 0.02


def hull_points(anchor: Anchor, count: int, rng: torch.Generator) -> tuple[Tensor, Tensor] | None:
    """``count`` points (N,3) inside the visual hull of the anchor views, with mean colours (N,3) in 0..1.

    Points near the hull's surface come first, since only they are seen. None when the views agree on too
    little. Chance is drawn where ``rng`` lives, so that a seed means the same shape on every device; the
    points lie where the anchor does.
    """
    device = anchor.rgba.device
    candidates = 2 * torch.rand(CANDIDATES, 3, generator=rng, device=rng.device).to(device) - 1
    rgba = sample_views(anchor, candidates)
    solidity = rgba[..., 3].amin(dim=0)
    inside = torch.nonzero(solidity > SOLID)[:, 0]
    if len(inside) < count // 20 or len(inside) == 0:
        return None
    chosen = _near_surface_first(inside, solidity, count, rng)
    jitter = 0.01 * torch.randn(count, 3, generator=rng, device=rng.device).to(device)
    return candidates[chosen] + jitter, _mean_colours(rgba[:, chosen])


def hull_grid(anchor: Anchor, nodes: Tensor) -> tuple[Tensor, Tensor]:
    """Density (R,R,R) and colour (R,R,R,3) at ``nodes`` (R,R,R,3): opaque where all views may be solid, thin
    mist elsewhere.
    """
    rgba = sample_views(anchor, nodes.reshape(-1, 3))
    solidity = rgba[..., 3].amin(dim=0)
    density = MIST_DENSITY + (HULL_DENSITY - MIST_DENSITY) * (solidity / SOLID).clamp(max=1) ** 4
    return density.reshape(nodes.shape[:3]), _mean_colours(rgba).reshape(nodes.shape)


def _mean_colours(rgba: Tensor) -> Tensor:
    """Mean colour (N,3) over the views (V,N,4) that see matter there."""
    return (rgba[..., :3].sum(0) / rgba[..., 3:].sum(0).clamp(min=1e-3)).clamp(0.02, 0.98)


def sample_views(anchor: Anchor, points: Tensor) -> Tensor:
    """What each view shows at ``points`` (N,3): (V,N,4) premultiplied RGBA, bilinear, zero outside the
    picture.
    """
    uv = project(anchor.cameras, points)
    size = uv.new_tensor([anchor.cameras.width, anchor.cameras.height])
    grid = (2 * uv / size - 1)[:, None]
    return grid_sample(anchor.rgba.permute(0, 3, 1, 2), grid, align_corners=False)[:, :, 0].permute(0, 2, 1)


def project(cameras: Cameras, points: Tensor) -> Tensor:
    """Pixel positions (V,N,2) of ``points`` (N,3)."""
    local = (
        torch.einsum("vij,nj->vni", cameras.viewmats[:, :3, :3], points) + cameras.viewmats[:, None, :3, 3]
    )
    homogeneous = torch.einsum("vij,vnj->vni", cameras.K, local)
    return homogeneous[..., :2] / homogeneous[..., 2:].clamp(min=1e-6)


def _near_surface_first(inside: Tensor, solidity: Tensor, count: int, rng: torch.Generator) -> Tensor:
    """Draw ``count`` of ``inside``, those of low solidity (near the outline of some view) four times as
    often.
    """
    weights = torch.where(solidity[inside] < 0.9, 4.0, 1.0).to(rng.device)
    replace = len(inside) < count
    return inside[torch.multinomial(weights, count, replacement=replace, generator=rng).to(inside.device)]
