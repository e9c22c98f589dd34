"""Gaussian splatting on a CPU: numba kernels behind two differentiable functions; ``splats_torch`` defines
the result.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from engine.core.cameras import Cameras
from engine.core.views import Views, composite
from engine.render import splats_composing as composing
from engine.render import splats_culling as culling
from engine.render import splats_projection as projection
from engine.render.splats_torch import facing_normals
from engine.scene.splats import Splats


def render(
    scene: Splats, cameras: Cameras, background: Tensor | None = None, normals: bool = False, threads: int = 1
) -> Views:
    """Draw as ``splats_torch.render`` does, in float32; ``threads`` share the cameras. Callable from several
    threads at once.

    A scene on another device is drawn on the CPU, and the pictures are returned to that device. Cameras get
    no gradient.
    """
    device = scene.device
    view = _View(
        cameras.viewmats.detach().cpu().double().numpy(),
        cameras.K.detach().cpu().double().numpy(),
        cameras.width,
        cameras.height,
        threads,
    )
    means, quats, scales, opacities, rgb = (
        tensor.cpu().float().contiguous()
        for tensor in (scene.means, scene.quats, scene.scales, scene.opacities, scene.rgb)
    )
    means2d, whitening, depths = _Project.apply(means, quats, scales, view)
    if means2d.requires_grad:
        means2d.retain_grad()
    colour, depth, alpha = _Compose.apply(means2d, whitening, depths, opacities, rgb[None], view)
    normal = depth2 = None
    if normals:
        facing = facing_normals(scene, cameras).cpu().float().contiguous()
        # keeps the order and the near plane, so that the square of depth comes at no cost
        rising = depths * (1 + depths)
        normal, both, _ = _Compose.apply(means2d, whitening, rising, opacities, facing, view)
        normal, depth2 = normal.to(device), (both - depth).to(device)
    alpha = alpha.to(device)
    return Views(
        composite(colour.to(device), alpha, background), alpha, depth.to(device), normal, means2d, depth2
    )


@dataclass(frozen=True, eq=False)
class _View:
    """Cameras as the kernels take them: ``viewmats`` (B,4,4) and ``K`` (B,3,3) in float64."""

    viewmats: np.ndarray
    K: np.ndarray
    width: int
    height: int
    threads: int

    def each(self, work: Callable[[int], Any]) -> list[Any]:
        """``work(b)`` for each camera; the kernels let go of the interpreter, so threads run side by side."""
        if self.threads == 1 or len(self.K) == 1:
            return [work(b) for b in range(len(self.K))]
        with ThreadPoolExecutor(self.threads) as pool:
            return list(pool.map(work, range(len(self.K))))


class _Project(torch.autograd.Function):
    """Means (N,3), quats (N,4), scales (N,3) -> means2d (B,N,2), whitening (B,N,3), depths (B,N)."""

    @staticmethod
    def forward(
        ctx: Any, means: Tensor, quats: Tensor, scales: Tensor, view: _View
    ) -> tuple[Tensor, Tensor, Tensor]:
        inputs = [tensor.detach().numpy() for tensor in (means, quats, scales)]
        ctx.save_for_backward(means, quats, scales)
        ctx.view = view
        outputs = [np.empty((len(view.K), len(means), *tail), np.float32) for tail in ((2,), (3,), ())]

        def work(b: int) -> None:
            camera = (view.viewmats[b], view.K[b], view.width, view.height)
            projection.project(*(*inputs, *camera, *(out[b] for out in outputs)))

        view.each(work)
        means2d, whitening, depths = (torch.from_numpy(out) for out in outputs)
        return means2d, whitening, depths

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        view, given = ctx.view, [gradient.contiguous().numpy() for gradient in gradients]
        inputs = [tensor.detach().numpy() for tensor in ctx.saved_tensors]
        of_cameras = [np.zeros((len(view.K), *array.shape), np.float32) for array in inputs]

        def work(b: int) -> None:
            camera = (view.viewmats[b], view.K[b], view.width, view.height)
            projection.project_backward(
                *(*inputs, *camera, *(array[b] for array in given), *(array[b] for array in of_cameras))
            )

        view.each(work)
        return *(torch.from_numpy(array.sum(axis=0)) for array in of_cameras), None


@dataclass(frozen=True, eq=False)
class _Composed:
    """What one camera's backward pass needs: the packed splats in order, and the pixels' final state."""

    packed: np.ndarray
    boxes: np.ndarray
    ids: np.ndarray
    state: np.ndarray
    last: np.ndarray


class _Compose(torch.autograd.Function):
    """Projected splats, opacities (N,) and colours (B or 1,N,3) -> colour (B,H,W,3), depth and alpha
    (B,H,W,1).
    """

    @staticmethod
    def forward(
        ctx: Any,
        means2d: Tensor,
        whitening: Tensor,
        depths: Tensor,
        opacities: Tensor,
        colours: Tensor,
        view: _View,
    ) -> tuple[Tensor, Tensor, Tensor]:
        arrays = [tensor.detach().numpy() for tensor in (means2d, whitening, depths, opacities, colours)]
        pictures = [
            np.empty((len(view.K), view.height, view.width, channels), np.float32) for channels in (3, 1, 1)
        ]

        def work(b: int) -> _Composed:
            means2d, whitening, depths = (array[b] for array in arrays[:3])
            composed = _compose(means2d, whitening, depths, arrays[3], arrays[4][b % len(colours)], view)
            composing.unpack(composed.state, *(picture[b] for picture in pictures))
            return composed

        composed = view.each(work)
        if any(ctx.needs_input_grad):
            ctx.composed, ctx.view, ctx.shapes = composed, view, [array.shape for array in arrays]
        colour, depth, alpha = (torch.from_numpy(picture) for picture in pictures)
        return colour, depth, alpha

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        view, given = ctx.view, [gradient.contiguous().numpy() for gradient in gradients]
        n = ctx.shapes[0][1]
        of_cameras = [np.zeros((len(view.K), n, *tail), np.float32) for tail in ((2,), (3,), (), (), (3,))]

        def work(b: int) -> None:
            c = ctx.composed[b]
            state = np.empty(len(c.last) // composing.LANES * composing.BACKWARD, np.float32)
            composing.pack_gradients(c.state, given[0][b], given[1][b], given[2][b], state)
            composing.compose_backward(
                c.packed,
                c.boxes,
                c.ids,
                -(-view.height // composing.ROWS),
                state,
                c.last,
                *(array[b] for array in of_cameras),
            )

        view.each(work)
        v_means2d, v_whitening, v_depths, v_opacities, v_colours = (
            torch.from_numpy(array) for array in of_cameras
        )
        if ctx.shapes[4][0] == 1:
            v_colours = v_colours.sum(0, keepdim=True)
        return v_means2d, v_whitening, v_depths, v_opacities.sum(0), v_colours, None


def _compose(
    means2d: np.ndarray,
    whitening: np.ndarray,
    depths: np.ndarray,
    opacities: np.ndarray,
    colours: np.ndarray,
    view: _View,
) -> _Composed:
    """Cull, sort and compose one camera's splats."""
    n = len(depths)
    packed, boxes, ids = np.empty((n, 11), np.float32), np.empty((n, 4), np.int32), np.empty(n, np.int32)
    count = culling.cull(
        means2d, whitening, depths, opacities, colours, view.width, view.height, packed, boxes, ids
    )
    order = culling.nearest_first(np.ascontiguousarray(packed[:count, 10]))
    packed_out, boxes_out, ids_out = (
        np.empty_like(packed[:count]),
        np.empty_like(boxes[:count]),
        np.empty_like(ids[:count]),
    )
    culling.reorder(order, packed, boxes, ids, packed_out, boxes_out, ids_out)
    columns, rows = -(-view.width // composing.COLUMNS), -(-view.height // composing.ROWS)
    state = np.empty(columns * rows * composing.FORWARD, np.float32)
    last = np.empty(columns * rows * composing.LANES, np.int32)
    composing.compose(packed_out, boxes_out, rows, state, last)
    return _Composed(packed_out, boxes_out, ids_out, state, last)
