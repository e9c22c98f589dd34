"""Renderers: functions ``render(scene, cameras, background=None) -> Views``.

Every kind of scene has a plain torch one to read and to test against, a fast one for CPUs and one for CUDA.
``choose`` finds the right one, and imports it only then, because the fast ones compile their kernels.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal, Protocol

import torch
from torch import Tensor

from engine.core.cameras import Cameras
from engine.core.views import Views
from engine.errors import DeviceError, InputError
from engine.scene.base import Scene
from engine.scene.canvas import Canvas
from engine.scene.field import Field
from engine.scene.splats import Splats

Backend = Literal["auto", "torch", "cpu", "cuda"]


class Render(Protocol):
    """Draws a scene from B cameras over a background that broadcasts to (B,H,W,3); None is black, so
    premultiplied colour.
    """

    def __call__(self, scene: Scene, cameras: Cameras, background: Tensor | None = None) -> Views: ...


@dataclass(frozen=True)
class Renderer:
    """A render function, the name to show for it, and what a person should know before its first picture, if
    anything.
    """

    name: str
    render: Render
    notice: str | None = None


@dataclass(frozen=True)
class Row:
    """One line of the table: the module that draws a kind of scene on a backend, its name, what to do where
    it cannot run.

    The module has a function ``render``, and may have ``compile_notice() -> str | None``.
    """

    scene: type
    backend: Backend
    module: str
    name: str
    remedy: str = 'Choose backend "auto".'


CUDA_REMEDY = (
    'Install the CUDA extras with `pip install ".[cuda]"` on a machine with an NVIDIA GPU, or '
    'choose backend "auto".'
)

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


def choose(scene: Scene, backend: str = "auto") -> Renderer:
    """The renderer for a scene. "auto" takes cpu, or torch, and for a scene on a GPU cuda if its package
    runs.

    If it does not, torch on the GPU or numba on the CPU, whichever is faster there: that is measured, once a
    process.

    Raises InputError for a scene or backend that the table lacks, DeviceError for a backend that this machine
    cannot run.
    """
    rows = {row.backend: row for row in TABLE if isinstance(scene, row.scene)}
    if not rows:
        raise InputError(
            f"No renderer draws a {type(scene).__name__}.", "Use one of the scenes in engine.scene."
        )
    if backend != "auto":
        return _load(rows, backend)
    on_cuda = any(tensor.is_cuda for tensor in scene.parameters().values())
    if not on_cuda:
        return _load_first(rows, ["cpu", "torch"])
    try:
        return _load(rows, "cuda")
    except DeviceError as error:
        return _instead_of_cuda(next(iter(rows.values())).scene, str(error))


@cache
def _instead_of_cuda(kind: type[Scene], why: str) -> Renderer:
    """The faster of the two that need no CUDA kernels, with a notice of why and how fast they are."""
    from engine.render.kernels import measured  # imports the scenes' makers, for this alone

    rows = {row.backend: row for row in TABLE if row.scene is kind}
    (best, renderer), (other, slower) = measured(kind, [_load(rows, "torch"), _load(rows, "cpu")])
    place = {"torch": "torch on the GPU", "cpu (numba)": "numba on the CPU"}
    speed = f"{1e3 * best:.0f} ms a small picture against {1e3 * other:.0f} of {place[slower.name]}"
    return replace(renderer, notice=f"{why} Until then {place[renderer.name]} draws: {speed}.")


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
        raise InputError(
            f"Backend {backend!r} does not exist here; there are auto, {', '.join(rows)}.",
            'Choose backend "auto".',
        )
    row = rows[backend]
    if backend == "cuda" and not torch.cuda.is_available():
        raise DeviceError(
            f'Backend "cuda" needs an NVIDIA GPU, and torch {torch.__version__} sees none.', row.remedy
        )
    try:
        module = importlib.import_module(row.module)
    except ImportError as error:
        raise DeviceError(f"Renderer {row.name} cannot be used: {error}.", row.remedy) from error
    notice = getattr(module, "compile_notice", None)
    return Renderer(row.name, module.render, notice() if notice else None)
