"""Choosing a renderer: what auto picks, and what is said when a backend cannot run."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest
import torch

from engine.errors import DeviceError, InputError
from engine.render import choose
from engine.scene.splats import Splats, random_ball

SCENE = random_ball(3, 0.5, 0.1, torch.Generator().manual_seed(0))


def test_auto_picks_the_cpu_for_a_scene_in_memory_and_says_so() -> None:
    renderer = choose(SCENE)
    assert renderer.name == "cpu (numba)" and renderer.render is choose(SCENE, "cpu").render


def test_torch_is_there_when_asked_for() -> None:
    assert choose(SCENE, "torch").name == "torch"


def test_cuda_without_a_gpu_is_an_error_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(DeviceError, match="NVIDIA GPU") as caught:
        choose(SCENE, "cuda")
    assert "auto" in caught.value.remedy


def test_missing_package_is_an_error_that_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.delitem(sys.modules, "engine.render.splats_gsplat", raising=False)
    monkeypatch.setitem(sys.modules, "gsplat", None)
    with pytest.raises(DeviceError, match="gsplat"):
        choose(SCENE, "cuda")


def test_auto_falls_back_and_tells_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """A scene on a GPU whose package does not import is drawn on the CPU, with a notice."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.delitem(sys.modules, "engine.render.splats_gsplat", raising=False)
    monkeypatch.setitem(sys.modules, "gsplat", None)

    class OnCuda(Splats):
        def parameters(self) -> dict[str, SimpleNamespace]:
            return {name: SimpleNamespace(is_cuda=True, shape=tensor.shape) for name, tensor in super().parameters().items()}

    renderer = choose(OnCuda(**SCENE.parameters()))
    assert renderer.name == "cpu (numba)" and "gsplat" in renderer.notice


def test_unknown_backend_names_the_known_ones() -> None:
    with pytest.raises(InputError, match="torch, cpu, cuda"):
        choose(SCENE, "metal")


def test_unknown_scene_is_an_input_error() -> None:
    with pytest.raises(InputError, match="str"):
        choose("a red mug")
