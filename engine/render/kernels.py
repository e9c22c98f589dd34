"""What a person must install for gsplat's and nerfacc's CUDA kernels: the compiler that builds them at first
use.

Both libraries offer wheels with kernels inside, but none for a torch that this project runs on: gsplat's
index has torch 2.0 to 2.4 for Python 3.10 (docs.gsplat.studio/whl/gsplat; issues 821 and 849 of
nerfstudio-project/gsplat ask for more), nerfacc's torch 1.11 to 2.0 (README of nerfstudio-project/nerfacc).
Torch's own CUDA wheels come without nvcc.

Which renderer to take for a scene on a GPU whose CUDA kernels cannot be had: measured once, on this machine.
"""

from __future__ import annotations

import re
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

NEWEST_WHEELS = {"gsplat": (2, 4), "nerfacc": (2, 0)}


def compiler_command(cuda: str | None) -> str:
    """The command that adds nvcc of torch's CUDA version, such as "12.8"; it needs no administrator."""
    return f"conda install -c nvidia cuda-toolkit{f'={cuda}' if cuda else ''}"


def kernel_remedy(package: str, torch_version: str, cuda: str | None) -> str:
    """What to do where ``package`` has no kernels for this torch and there is no compiler."""
    newest = NEWEST_WHEELS[package]
    version = tuple(int(part) for part in re.findall(r"\d+", torch_version)[:2])
    wheel = (
        ""
        if version <= newest
        else f" Its prebuilt wheels end at torch {newest[0]}.{newest[1]}, and this is {torch_version}."
    )
    return f"Install the CUDA compiler of torch's version: {compiler_command(cuda)}.{wheel}"


def measured(
    kind: type[Scene], renderers: Sequence[Renderer], device: str = "cuda"
) -> list[tuple[float, Renderer]]:
    """Seconds that each renderer takes for a picture of a sample on ``device`` and its gradient, the fastest
    first.
    """
    rng = torch.Generator().manual_seed(0)
    scene = blob(VOXELS, RADIUS, rng) if kind is Field else random_ball(SPLATS, RADIUS, SPLAT_SCALE, rng)
    scene = scene.to(device)
    return sorted(
        ((seconds_of(renderer, scene), renderer) for renderer in renderers), key=lambda timed: timed[0]
    )


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
