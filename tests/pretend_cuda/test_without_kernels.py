"""A GPU without gsplat's and nerfacc's kernels and without a compiler, as most artists have it."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable

import pytest
import torch

from engine.render import _instead_of_cuda, choose, field_nerfacc, splats_gsplat
from engine.scene.field import blob
from engine.scene.splats import random_ball
from studio.commands.doctor import _cuda_packages
from tests.pretend_cuda.device import pretend_cuda


@pytest.mark.parametrize(
    "make",
    [lambda rng: random_ball(50, 0.5, 0.1, rng), lambda rng: blob(16, 0.5, rng)],
    ids=["splats", "field"],
)
def test_the_faster_renderer_draws_and_its_notice_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object, make: Callable
) -> None:
    monkeypatch.setenv("TORCH_EXTENSIONS_DIR", str(tmp_path))
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(splats_gsplat.cpp_extension, "CUDA_HOME", None)
    monkeypatch.setattr(torch.version, "cuda", "12.8")
    monkeypatch.setattr("studio.commands.doctor.cuda_name", lambda: "Pretend GPU")
    assert field_nerfacc.shutil is shutil
    _instead_of_cuda.cache_clear()
    with pretend_cuda():
        renderer = choose(make(torch.Generator().manual_seed(0)).to("cuda"))
        nvcc = _cuda_packages()[-1]
    _instead_of_cuda.cache_clear()
    assert renderer.name in ("torch", "cpu (numba)")
    assert "cuda-toolkit=12.8" in renderer.notice and "ms a small picture against" in renderer.notice
    assert not nvcc.good and nvcc.add == "conda install -c nvidia cuda-toolkit=12.8"
