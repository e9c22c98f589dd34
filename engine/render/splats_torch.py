"""Gaussian splatting in plain torch: the definition that the fast renderers are held to. Any device, any
dtype.

A splat with mean mu and covariance Sigma = R S S^T R^T is drawn as the 2D Gaussian that a first-order
expansion of the projection makes of it (EWA splatting; arXiv 2308.04079 eq. 5), blurred by ``EPS2D`` square
pixels:

    Sigma2 = J W Sigma W^T J^T + EPS2D I,    J = d(pixel) / d(camera point)

and pixels are composed from the nearest mean to the farthest (eq. 3):

    alpha_i = min(MAX_ALPHA, o_i exp(-d^T Sigma2^-1 d / 2))
    T_i = prod_{j<i} (1 - alpha_j),    C = sum_i T_i alpha_i c_i

where an alpha below ``MIN_ALPHA`` counts as 0, and a pixel ends before the splat that would bring T to
``MIN_TRANSMITTANCE`` or less. The constants and these rules are those of gsplat 1.5 with
``rasterize_mode="classic"``.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from engine.core.cameras import Cameras
from engine.core.views import Views, composite
from engine.scene.splats import Splats, rotation_matrices

NEAR = 0.01  # splats whose mean lies closer to the camera plane are not drawn
EPS2D = 0.3  # px^2, the low-pass that keeps every splat about a pixel wide
MAX_ALPHA = 0.999
MIN_ALPHA = 1 / 255
MIN_TRANSMITTANCE = 1e-4
FRUSTUM_MARGIN = (
    0.3  # the expansion of J is taken no further outside the image than this share of its half width
)
TILE = 16  # pixels on a side; bounds the memory of one dense block, and changes no result


class Projected(NamedTuple):
    """B views of N splats, in pixels: ``means2d`` (B,N,2), ``covs2d`` (B,N,2,2) with the blur, view-space
    ``depths`` (B,N).

    ``visible`` (B,N): in front of the camera and not fainter than ``MIN_ALPHA``; the other rows hold no
    meaning.
    """

    means2d: Tensor
    covs2d: Tensor
    depths: Tensor
    visible: Tensor


def render(scene: Splats, cameras: Cameras, background: Tensor | None = None, normals: bool = False) -> Views:
    """Draw the splats over ``background`` (any shape that broadcasts to (B,H,W,3); None is black).

    ``means2d`` of the result keeps its gradient (B,N,2) through ``backward``. With ``normals`` there is
    ``Views.normal``: each splat's shortest axis, turned to the camera, weighted like its colour, and
    ``Views.depth2``.
    """
    cameras = Cameras(cameras.c2w.to(scene.means), cameras.K.to(scene.means), cameras.width, cameras.height)
    projected = project(scene, cameras)
    if projected.means2d.requires_grad:
        projected.means2d.retain_grad()
    images = torch.stack([_draw(scene, projected, cameras, b, normals) for b in range(len(cameras))])
    rgb, depth, alpha, rest = images.split([3, 1, 1, images.shape[-1] - 5], dim=-1)
    normal, depth2 = (rest[..., :3], rest[..., 3:]) if normals else (None, None)
    return Views(composite(rgb, alpha, background), alpha, depth, normal, projected.means2d, depth2)


def project(scene: Splats, cameras: Cameras) -> Projected:
    """Means, blurred covariances and depths on the image planes of B cameras."""
    rotation, centre = cameras.viewmats[:, :3, :3], cameras.viewmats[:, :3, 3]
    points = torch.einsum("bij,nj->bni", rotation, scene.means) + centre[:, None]
    depths = points[..., 2]
    ahead = depths > NEAR
    # keeps 1/z of the others out of the gradient
    points = torch.where(ahead[..., None], points, torch.ones_like(points))
    axes = rotation_matrices(scene.unit_quats) * scene.scales[:, None, :]
    projected_axes = _jacobian(points, cameras) @ torch.einsum("bij,njk->bnik", rotation, axes)
    covs2d = projected_axes @ projected_axes.transpose(-1, -2) + EPS2D * torch.eye(2).to(points)
    means2d = torch.einsum("bij,bnj->bni", cameras.K[:, :2], points / points[..., 2:])
    return Projected(means2d, covs2d, depths, ahead & (scene.opacities >= MIN_ALPHA))


def facing_normals(scene: Splats, cameras: Cameras) -> Tensor:
    """Unit normals (B,N,3) in the world: each splat's shortest axis, turned to the camera."""
    shortest = scene.log_scales.argmin(dim=1)
    axis = rotation_matrices(scene.unit_quats).gather(2, shortest[:, None, None].expand(-1, 3, 1))[..., 0]
    to_camera = cameras.positions.to(axis)[:, None] - scene.means
    return torch.where((to_camera * axis).sum(-1, keepdim=True) < 0, -axis, axis)


def _jacobian(points: Tensor, cameras: Cameras) -> Tensor:
    """d(pixel) / d(camera point) (B,N,2,3), with the direction held within the frustum and its margin."""
    fx, fy, cx, cy = (cameras.K[:, i, j, None] for i, j in ((0, 0), (1, 1), (0, 2), (1, 2)))
    z = points[..., 2]
    margin_x, margin_y = FRUSTUM_MARGIN * 0.5 * cameras.width / fx, FRUSTUM_MARGIN * 0.5 * cameras.height / fy
    x = (points[..., 0] / z).clamp(-cx / fx - margin_x, (cameras.width - cx) / fx + margin_x)
    y = (points[..., 1] / z).clamp(-cy / fy - margin_y, (cameras.height - cy) / fy + margin_y)
    zero = torch.zeros_like(z)
    return torch.stack([fx / z, zero, -fx * x / z, zero, fy / z, -fy * y / z], dim=-1).unflatten(-1, (2, 3))


def _draw(scene: Splats, projected: Projected, cameras: Cameras, b: int, normals: bool) -> Tensor:
    """One picture (H,W,5+): red, green, blue, depth, alpha, and if asked for normals and the square of
    depth.
    """
    order = projected.depths[b].argsort(stable=True)
    order = order[projected.visible[b][order]]
    features = [scene.rgb, projected.depths[b][:, None], torch.ones_like(scene.means[:, :1])]
    if normals:
        features += [facing_normals(scene, cameras)[b], projected.depths[b][:, None].square()]
    means, covs, opacities = projected.means2d[b][order], projected.covs2d[b][order], scene.opacities[order]
    cloud = _Cloud(means, torch.linalg.inv(covs), opacities, torch.cat(features, dim=1)[order])
    reach = (2 * (opacities / MIN_ALPHA).log()[:, None] * covs.diagonal(dim1=1, dim2=2)).sqrt().detach()
    low, high = means.detach() - reach, means.detach() + reach
    rows = []
    for y in range(0, cameras.height, TILE):
        row = []
        for x in range(0, cameras.width, TILE):
            corner = low.new_tensor([min(x + TILE, cameras.width), min(y + TILE, cameras.height)])
            touching = ((low < corner) & (high > low.new_tensor([x, y]))).all(dim=1)
            row.append(_draw_tile(cloud.at(touching), x, y, *corner.int().tolist()))
        rows.append(torch.cat(row, dim=1))
    return torch.cat(rows, dim=0)


class _Cloud(NamedTuple):
    """2D Gaussians of one view from near to far; ``conics`` (N,2,2) invert their covariances, ``features``
    (N,C) are composed.
    """

    means: Tensor
    conics: Tensor
    opacities: Tensor
    features: Tensor

    def at(self, index: Tensor) -> _Cloud:
        return _Cloud(*(tensor[index] for tensor in self))


def _draw_tile(cloud: _Cloud, x0: int, y0: int, x1: int, y1: int) -> Tensor:
    """Features composed over the pixels of a tile (y1-y0, x1-x0, C)."""
    dx = torch.arange(x0, x1).to(cloud.means)[None, :, None] + 0.5 - cloud.means[:, 0]
    dy = torch.arange(y0, y1).to(cloud.means)[:, None, None] + 0.5 - cloud.means[:, 1]
    distance2 = (
        cloud.conics[:, 0, 0] * dx**2 + 2 * cloud.conics[:, 0, 1] * dx * dy + cloud.conics[:, 1, 1] * dy**2
    )
    alphas = (cloud.opacities * torch.exp(-0.5 * distance2)).clamp(max=MAX_ALPHA)
    alphas = torch.where(alphas >= MIN_ALPHA, alphas, torch.zeros_like(alphas))
    alphas = torch.where((1 - alphas).cumprod(-1) > MIN_TRANSMITTANCE, alphas, torch.zeros_like(alphas))
    after = (1 - alphas).cumprod(-1)
    before = torch.cat([torch.ones_like(after[..., :1]), after[..., :-1]], dim=-1)[..., : alphas.shape[-1]]
    return (before * alphas) @ cloud.features
