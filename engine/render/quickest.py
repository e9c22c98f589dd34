"""Which renderer to take for a scene on a GPU whose CUDA kernels cannot be had: measured once, on this machine."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from engine.core.cameras import orbit_cameras
from engine.scene.base import Scene
from engine.scene.field import Field, blob
from engine.scene.splats import random_ball

if TYPE_CHECKING:
    from engine.render import Renderer

SPLATS, SPLAT_SCALE, VOXELS, RADIUS, SIZE = 2000, 0.045, 32, 0.55, 96


def measured(kind: type[Scene], renderers: Sequence[Renderer], device: str = "cuda") -> list[tuple[float, Renderer]]:
    """Seconds that each renderer takes for a picture of a sample on ``device`` and its gradient, the fastest first."""
    rng = torch.Generator().manual_seed(0)
    scene = blob(VOXELS, RADIUS, rng) if kind is Field else random_ball(SPLATS, RADIUS, SPLAT_SCALE, rng)
    scene = scene.to(device)
    return sorted(((seconds_of(renderer, scene), renderer) for renderer in renderers), key=lambda found: found[0])


def seconds_of(renderer: Renderer, scene: Scene) -> float:
    """The second picture's: the first one may compile."""
    _draw(renderer, scene)
    began = time.perf_counter()
    _draw(renderer, scene)
    return time.perf_counter() - began


def _draw(renderer: Renderer, scene: Scene) -> None:
    tensors = list(scene.parameters().values())
    for tensor in tensors:
        tensor.requires_grad_()
    picture = renderer.render(scene, orbit_cameras([30.0], 15.0, 3.0, 40.0, SIZE)).rgb
    gradients = torch.autograd.grad(picture.square().sum(), tensors, allow_unused=True)
    float(sum(gradient.sum() for gradient in gradients if gradient is not None))  # waits for the device
