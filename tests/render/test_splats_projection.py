"""The projection of splats, by hand, by symmetry, and against gsplat's own torch reference."""

from __future__ import annotations

import math

import numpy as np
import torch
from gsplat.cuda import _torch_impl

from engine.core.cameras import Cameras, orbit_cameras
from engine.render import splats_projection, splats_torch
from engine.scene.splats import Splats, random_ball, rotation_matrices


def shaped_cloud(n: int) -> Splats:
    rng = torch.Generator().manual_seed(0)
    scene = random_ball(n, 1.0, 0.1, rng)
    scene.log_scales.add_(torch.randn(n, 3, generator=rng))
    scene.quats.add_(torch.randn(n, 4, generator=rng))
    return Splats(**{k: v.double().requires_grad_() for k, v in scene.parameters().items()})


def exact(azimuths_deg: list[float], distance: float) -> Cameras:
    cameras = orbit_cameras(azimuths_deg, 20.0, distance, 60.0, 50, 30)
    return Cameras(cameras.c2w.double(), cameras.K.double(), 50, 30)


def numba_project(scene: Splats, cameras: Cameras) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """means2d (N,2), inverse covariance (N,2,2), depths (N) of the first camera."""
    n = len(scene)
    out = np.zeros((n, 2), np.float32), np.zeros((n, 3), np.float32), np.zeros(n, np.float32)
    inputs = [tensor.detach().float().numpy() for tensor in (scene.means, scene.quats, scene.scales)]
    splats_projection.project(
        *inputs,
        cameras.viewmats[0].double().numpy(),
        cameras.K[0].double().numpy(),
        cameras.width,
        cameras.height,
        *out,
    )
    whitening = np.zeros((n, 2, 2))
    whitening[:, 0, 0], whitening[:, 0, 1], whitening[:, 1, 1] = out[1].T
    return out[0], whitening.transpose(0, 2, 1) @ whitening, out[2]


def test_off_axis_splat_by_hand() -> None:
    """45 degrees about z: Sigma = [[.025,.015,0],[.015,.025,0],[0,0,.0025]]; with f = 100, z = 2: J = 50
    [[1,0,-.15],[0,1,.1]]
    """
    turn = math.pi / 8
    scene = Splats(
        torch.tensor([[0.3, -0.2, 2.0]]),
        torch.tensor([[0.2, 0.1, 0.05]]).log(),
        torch.tensor([[math.cos(turn), 0.0, 0.0, math.sin(turn)]]),
        torch.zeros(1),
        torch.zeros(1, 3),
    )
    K = torch.tensor([[[100.0, 0, 32], [0, 100.0, 32], [0, 0, 1]]])
    cameras = Cameras(torch.eye(4)[None], K, 64, 64)
    xx = 2500 * (0.025 + 0.15**2 * 0.0025) + 0.3
    xy = 2500 * (0.015 - 0.15 * 0.1 * 0.0025)
    yy = 2500 * (0.025 + 0.1**2 * 0.0025) + 0.3
    expected = torch.tensor([[xx, xy], [xy, yy]])
    projected = splats_torch.project(scene, cameras)
    assert torch.allclose(projected.means2d[0, 0], torch.tensor([47.0, 22.0]))
    assert torch.allclose(projected.covs2d[0, 0], expected, rtol=1e-5)
    means2d, inverse, depths = numba_project(scene, cameras)
    assert np.allclose(means2d[0], [47, 22]) and depths[0] == 2
    assert np.allclose(np.linalg.inv(inverse[0]), expected.numpy(), rtol=1e-5)


def test_agrees_with_gsplats_reference_forward_and_gradient() -> None:
    """gsplat's torch twin of its CUDA kernel, in float64, for splats in front of the camera; some lie outside
    the image.
    """
    scene, cameras = shaped_cloud(200), exact([30.0, 200.0], 0.9)
    ours = splats_torch.project(scene, cameras)
    covs, _ = _torch_impl._quat_scale_to_covar_preci(scene.quats, scene.scales, True, False)
    _, means2d, depths, conics, _ = _torch_impl._fully_fused_projection(
        scene.means, covs, cameras.viewmats, cameras.K, 50, 30, eps2d=splats_torch.EPS2D
    )
    ahead = ours.depths > splats_torch.NEAR
    assert 0 < int((~ahead).sum()) < ahead.numel() / 2
    assert ((ours.means2d[ahead] < 0) | (ours.means2d[ahead] > 50)).any()
    inverse = torch.linalg.inv(ours.covs2d)
    our_conics = torch.stack([inverse[..., 0, 0], inverse[..., 0, 1], inverse[..., 1, 1]], dim=-1)
    pairs = [(ours.means2d, means2d), (our_conics, conics), (ours.depths, depths)]
    for a, b in pairs:
        assert torch.allclose(a[ahead], b[ahead], rtol=1e-6, atol=1e-9)
    weights = [torch.randn(b[ahead].shape, dtype=torch.float64) for _, b in pairs]
    leaves = (scene.means, scene.quats, scene.log_scales)
    losses = [sum((pair[i][ahead] * weight).sum() for pair, weight in zip(pairs, weights)) for i in (0, 1)]
    for a, b in zip(*[torch.autograd.grad(loss, leaves) for loss in losses]):
        assert torch.allclose(a, b, rtol=1e-6, atol=1e-8 * float(b.abs().max()))


def test_numba_projection_is_the_definition() -> None:
    scene, cameras = shaped_cloud(200), exact([30.0], 1.6)
    projected = splats_torch.project(scene, cameras)
    means2d, inverse, depths = numba_project(scene, cameras)
    ahead = (projected.depths[0] > splats_torch.NEAR).numpy()
    covs = projected.covs2d[0].detach().numpy()[ahead]
    # float32 roots of matrices with condition up to 1e6
    assert np.allclose(inverse[ahead] @ covs, np.eye(2), atol=1e-3)
    assert np.allclose(means2d[ahead], projected.means2d[0].detach().numpy()[ahead], rtol=1e-4, atol=1e-3)
    assert np.allclose(depths, projected.depths[0].detach().numpy(), atol=1e-6)


def test_turning_camera_and_splats_together_changes_nothing() -> None:
    scene = shaped_cloud(50)
    turned_by = torch.nn.functional.normalize(torch.tensor([[0.5, -0.1, 0.7, 0.3]], dtype=torch.float64))
    rotation = rotation_matrices(turned_by)[0]
    turned = Splats(
        **{**scene.parameters(), "means": scene.means @ rotation.T, "quats": product(turned_by, scene.quats)}
    )
    cameras = exact([30.0], 2.0)
    motion = torch.eye(4, dtype=torch.float64)
    motion[:3, :3] = rotation
    before = splats_torch.project(scene, cameras)
    after = splats_torch.project(turned, Cameras(motion @ cameras.c2w, cameras.K, 50, 30))
    assert torch.allclose(before.covs2d, after.covs2d, rtol=1e-5) and torch.allclose(
        before.means2d, after.means2d, rtol=1e-5
    )


def test_covariances_are_symmetric_and_at_least_the_blur() -> None:
    covs = splats_torch.project(shaped_cloud(300), exact([0.0], 3.0)).covs2d[0]
    assert torch.equal(covs, covs.transpose(1, 2))
    assert torch.linalg.eigvalsh(covs).min() >= splats_torch.EPS2D * (1 - 1e-6)


def product(p: torch.Tensor, q: torch.Tensor) -> torch.Tensor:
    """Hamilton product of quaternions w,x,y,z."""
    pw, pv, qw, qv = p[..., :1], p[..., 1:].expand(len(q), 3), q[..., :1], q[..., 1:]
    return torch.cat(
        [pw * qw - (pv * qv).sum(-1, keepdim=True), pw * qv + qw * pv + torch.linalg.cross(pv, qv)], dim=-1
    )
