"""Choosing a renderer: what auto picks, and what is said when a backend cannot run."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest
import torch

from engine.errors import DeviceError, InputError
from engine.render import _instead_of_cuda, choose, kernels
from engine.render.kernels import kernel_remedy
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
    """A scene on a GPU whose package does not import is drawn by the faster of the two others, with a
    notice.
    """
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.delitem(sys.modules, "engine.render.splats_gsplat", raising=False)
    monkeypatch.setitem(sys.modules, "gsplat", None)

    class OnCuda(Splats):
        def parameters(self) -> dict[str, SimpleNamespace]:
            return {
                name: SimpleNamespace(is_cuda=True, shape=tensor.shape)
                for name, tensor in super().parameters().items()
            }

    seconds = {"cpu (numba)": 0.002, "torch": 0.04}
    monkeypatch.setattr(kernels, "seconds_of", lambda renderer, scene: seconds[renderer.name])
    monkeypatch.setattr(Splats, "to", lambda scene, device: scene)
    _instead_of_cuda.cache_clear()
    renderer = choose(OnCuda(**SCENE.parameters()))
    assert renderer.name == "cpu (numba)" and "gsplat" in renderer.notice
    assert "2 ms a small picture against 40 of torch on the GPU" in renderer.notice
    seconds["torch"] = 0.001
    _instead_of_cuda.cache_clear()
    assert choose(OnCuda(**SCENE.parameters())).name == "torch"
    _instead_of_cuda.cache_clear()


def test_the_remedy_names_the_compiler_of_torchs_cuda_and_no_wheel_that_does_not_fit() -> None:
    told = kernel_remedy("gsplat", "2.8.0+cu128", "12.8")
    assert "cuda-toolkit=12.8" in told and "end at torch 2.4, and this is 2.8.0+cu128" in told
    assert "wheels" not in kernel_remedy("gsplat", "2.4.1+cu124", "12.4") and "2.0," in kernel_remedy(
        "nerfacc", "2.6.0", None
    )


def test_unknown_backend_names_the_known_ones() -> None:
    with pytest.raises(InputError, match="torch, cpu, cuda"):
        choose(SCENE, "metal")


def test_unknown_scene_is_an_input_error() -> None:
    with pytest.raises(InputError, match="str"):
        choose("a red mug")
