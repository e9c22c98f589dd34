"""gsplat's ``rasterization`` is called as its signature says, and its answer is read as its documentation
says.
"""

from __future__ import annotations

import inspect
from typing import Any

import gsplat
import pytest
import torch

from engine.core.cameras import orbit_cameras
from engine.errors import DeviceError
from engine.render import splats_gsplat, splats_torch
from engine.scene.splats import random_ball

REAL = inspect.signature(gsplat.rasterization)


@pytest.mark.parametrize("normals", [False, True])
def test_call_and_answer(monkeypatch: pytest.MonkeyPatch, normals: bool) -> None:
    """A stand-in for the CUDA function checks its arguments' names and shapes and answers in gsplat's
    layout.
    """
    scene, cameras = (
        random_ball(7, 0.5, 0.1, torch.Generator().manual_seed(0)),
        orbit_cameras([0.0, 90.0], 10.0, 3.0, 40.0, 6, 4),
    )
    scene.means.requires_grad_()
    asked: dict[str, Any] = {}
    colour, features, alpha = torch.rand(2, 4, 6, 3), torch.rand(2, 4, 6, 4), torch.rand(2, 4, 6, 1)
    depth = torch.rand(2, 4, 6, 1)

    def stand_in(**arguments: Any) -> tuple[torch.Tensor, torch.Tensor, dict[str, torch.Tensor]]:
        asked.update(REAL.bind(**arguments).arguments)
        means2d = arguments["means"].expand(2, 7, 3)[..., :2] * 1.0
        tied = 0 * means2d.sum()
        pictures = torch.cat([colour, features, depth] if normals else [colour, depth], dim=-1)
        return pictures + tied, alpha, {"means2d": means2d}

    monkeypatch.setattr(gsplat, "rasterization", stand_in)
    background = torch.tensor([0.2, 0.4, 0.6])
    views = splats_gsplat.render(scene, cameras, background, normals=normals)
    assert {
        k: tuple(asked[k].shape) for k in ("means", "quats", "scales", "opacities", "viewmats", "Ks")
    } == {
        "means": (7, 3),
        "quats": (7, 4),
        "scales": (7, 3),
        "opacities": (7,),
        "viewmats": (2, 4, 4),
        "Ks": (2, 3, 3),
    }
    assert asked["colors"].shape == (2, 7, 7 if normals else 3)
    assert torch.equal(asked["scales"], scene.scales) and torch.equal(asked["opacities"], scene.opacities)
    assert (asked["width"], asked["height"], asked["render_mode"], asked["packed"]) == (6, 4, "RGB+D", False)
    assert torch.allclose(asked["viewmats"] @ cameras.c2w, torch.eye(4).expand(2, 4, 4), atol=1e-6)
    assert torch.allclose(views.rgb, colour + (1 - alpha) * background)
    assert torch.equal(views.alpha, alpha) and torch.equal(views.depth, depth)
    assert (
        torch.equal(torch.cat([views.normal, views.depth2], -1), features)
        if normals
        else views.normal is views.depth2 is None
    )
    if normals:
        depths = (
            torch.einsum("bij,nj->bni", cameras.viewmats[:, :3, :3], scene.means)[..., 2]
            + cameras.viewmats[:, 2, 3, None]
        )
        torch.testing.assert_close(asked["colors"][..., 6], depths**2)
    views.means2d.sum().backward()
    assert views.means2d.grad is not None


def test_rules_are_gsplats_defaults() -> None:
    """The definition's near plane, blur and mode are what gsplat does when it is not told."""
    defaults = {name: parameter.default for name, parameter in REAL.parameters.items()}
    assert (defaults["near_plane"], defaults["eps2d"]) == (splats_torch.NEAR, splats_torch.EPS2D)
    assert defaults["rasterize_mode"] == "classic"


def test_notice_tells_of_the_first_compilation(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setenv("TORCH_EXTENSIONS_DIR", str(tmp_path))
    monkeypatch.setattr(splats_gsplat.shutil, "which", lambda name: "/somewhere/nvcc")
    assert "compiles" in splats_gsplat.compile_notice()
    (tmp_path / "gsplat_cuda").mkdir()
    (tmp_path / "gsplat_cuda" / "gsplat_cuda.so").touch()
    assert splats_gsplat.compile_notice() is None


def test_without_kernels_and_compiler_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    monkeypatch.setenv("TORCH_EXTENSIONS_DIR", str(tmp_path))
    monkeypatch.setattr(splats_gsplat.shutil, "which", lambda name: None)
    monkeypatch.setattr(splats_gsplat.cpp_extension, "CUDA_HOME", None)
    with pytest.raises(DeviceError, match="nvcc") as caught:
        splats_gsplat.compile_notice()
    assert "Install" in caught.value.remedy
