"""Renderers: functions ``render(scene, cameras, background=None) -> Views``.

Every kind of scene has a plain torch one to read and to test against, a fast one for CPUs and one for CUDA. ``choose`` finds
the right one, and imports it only then, because the fast ones compile their kernels.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass, replace
from typing import Literal, Protocol

import torch
from torch import Tensor

from engine.errors import DeviceError, InputError
from engine.math.cameras import Cameras
from engine.math.views import Views
from engine.scene.base import Scene
from engine.scene.canvas import Canvas
from engine.scene.field import Field
from engine.scene.splats import Splats

Backend = Literal["auto", "torch", "cpu", "cuda"]


class Render(Protocol):
    """Draws a scene from B cameras over a background that broadcasts to (B,H,W,3); None is black, so premultiplied colour."""

    def __call__(self, scene: Scene, cameras: Cameras, background: Tensor | None = None) -> Views: ...


@dataclass(frozen=True)
class Renderer:
    """A render function, the name to show for it, and what a person should know before its first picture, if anything."""

    name: str
    render: Render
    notice: str | None = None


@dataclass(frozen=True)
class Row:
    """One line of the table: the module that draws a kind of scene on a backend, its name, what to do where it cannot run.

    The module has a function ``render``, and may have ``compile_notice() -> str | None``.
    """

    scene: type
    backend: Backend
    module: str
    name: str
    remedy: str = 'Choose backend "auto".'


CUDA_REMEDY = 'Install the CUDA extras with `pip install ".[cuda]"` on a machine with an NVIDIA GPU, or choose backend "auto".'

TABLE = (
    Row(Splats, "torch", "engine.render.splats_torch", "torch"),
    Row(Splats, "cpu", "engine.render.splats_numba", "cpu (numba)"),
    Row(Splats, "cuda", "engine.render.splats_gsplat", "cuda (gsplat)", CUDA_REMEDY),
    Row(Field, "torch", "engine.render.field_torch", "torch"),
    Row(Field, "cpu", "engine.render.field_numba", "cpu (numba)"),
    Row(Field, "cuda", "engine.render.field_nerfacc", "cuda (nerfacc)", CUDA_REMEDY),
    Row(Canvas, "torch", "engine.render.canvas", "torch"),
    Row(Canvas, "cpu", "engine.render.canvas", "cpu (torch)"),
    Row(Canvas, "cuda", "engine.render.canvas", "cuda (torch)", CUDA_REMEDY),
)


def choose(scene: Scene, backend: Backend = "auto") -> Renderer:
    """The renderer for a scene. "auto" takes cuda when the scene lies there and its package runs, else cpu, else torch.

    Raises InputError for a scene or backend that the table lacks, DeviceError for a backend that this machine cannot run.
    """
    rows = {row.backend: row for row in TABLE if isinstance(scene, row.scene)}
    if not rows:
        raise InputError(f"No renderer draws a {type(scene).__name__}.", "Use one of the scenes in engine.scene.")
    if backend != "auto":
        return _load(rows, backend)
    on_cuda = any(tensor.is_cuda for tensor in scene.parameters().values())
    return _load_first(rows, ["cuda", "cpu", "torch"] if on_cuda else ["cpu", "torch"])


def _load_first(rows: dict[str, Row], wanted: list[str]) -> Renderer:
    """The first that runs here; if that is not the first wanted, its notice says why."""
    present = [backend for backend in wanted if backend in rows]
    try:
        return _load(rows, present[0])
    except DeviceError as error:
        if len(present) == 1:
            raise
        fallback = _load_first(rows, present[1:])
        return replace(fallback, notice=fallback.notice or str(error))


def _load(rows: dict[str, Row], backend: str) -> Renderer:
    if backend not in rows:
        raise InputError(f"Backend {backend!r} does not exist here; there are auto, {', '.join(rows)}.", 'Choose backend "auto".')
    row = rows[backend]
    if backend == "cuda" and not torch.cuda.is_available():
        raise DeviceError(f'Backend "cuda" needs an NVIDIA GPU, and torch {torch.__version__} sees none.', row.remedy)
    try:
        module = importlib.import_module(row.module)
    except ImportError as error:
        raise DeviceError(f"Renderer {row.name} cannot be used: {error}.", row.remedy) from error
    notice = getattr(module, "compile_notice", None)
    return Renderer(row.name, module.render, notice() if notice else None)
