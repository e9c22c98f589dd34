"""A mesh is painted by a latent prior that sees it through a ControlNet: each strategy, depth and normals, on
tiny pipelines.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import trimesh

from engine.assets.meshes.mesh_shape import ReferenceShape
from engine.editing import texturing
from engine.editing.restyling import Restyle, restyle
from engine.editing.strategies import painted_by
from engine.editing.texturing import STRATEGIES, Paint, Painted
from engine.errors import InputError
from engine.prior.control.control import Control, load_control
from engine.prior.latent.stable_diffusion import load_latent
from studio.cli import main
from studio.commands import edit as edit_command
from tests.prior.control.tiny_control import save_tiny_control
from tests.prior.tiny_pipeline import save_tiny_pipeline

HOW = Paint(prompt="red box", views=3, steps=4, texture_size=64, guidance_scale=2.0, control="sd15-depth")


@pytest.fixture(scope="module")
def box() -> ReferenceShape:
    mesh = trimesh.creation.box((0.9, 0.7, 0.8))
    return ReferenceShape(
        np.float32(mesh.vertices), np.int32(mesh.faces), np.full((len(mesh.faces), 3), 0.5, np.float32), "box"
    )


@pytest.fixture(scope="module")
def prior(tmp_path_factory: pytest.TempPathFactory):
    return load_latent(save_tiny_pipeline(tmp_path_factory.mktemp("latent") / "pipeline"))


@pytest.fixture
def controls(prior, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, float, torch.Tensor]]:
    """What ControlNets were asked: the control, the mean strength of its call, and the picture that it was
    shown.
    """
    for sees in ("depth", "normal"):
        save_tiny_control(tmp_path, prior.network, sees, f"sd15-{sees}")
    monkeypatch.setattr(texturing, "load_control", lambda name, device: load_control(name, device, tmp_path))
    calls: list[tuple[Any, float, torch.Tensor]] = []
    plain = Control.residuals

    def noted(self: Control, x_t, t, asked, picture, strength):
        calls.append((self.entry.sees, float(torch.as_tensor(strength).mean()), picture))
        return plain(self, x_t, t, asked, picture, strength)

    monkeypatch.setattr(Control, "residuals", noted)
    return calls


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_each_strategy_paints_through_a_controlnet(
    box: ReferenceShape, prior, controls, strategy: str
) -> None:
    *steps, done = painted_by(box, replace(HOW, strategy=strategy), prior)
    assert [each.step for each in steps] == list(range(1, steps[-1].steps + 1)) and isinstance(done, Painted)
    assert {tuple(row) for row in done.baked.vertices.astype(np.float32)} == {
        tuple(row) for row in box.vertices
    }
    assert len(done.baked.faces) == len(box.faces) and done.baked.texture.std() > 0 and controls


def test_the_strength_runs_along_its_ramp_and_the_shape_is_what_is_seen(
    box: ReferenceShape, prior, controls
) -> None:
    how = replace(HOW, control_strengths=(0.9, 0.3), guidance_scale=1.0)
    list(painted_by(box, how, prior))
    strengths = [strength for _, strength, _ in controls]
    assert len(strengths) == 4 and strengths == sorted(strengths, reverse=True)
    assert 0.85 < strengths[0] <= 0.9 and strengths[-1] < 0.5
    progress = 1 - (750 + 0.5) / 1000  # the second of four times
    assert strengths[1] == pytest.approx(0.9 + (0.3 - 0.9) * progress, abs=2e-3)
    kind, _, picture = controls[0]
    assert kind == "depth" and picture.shape == (3, 3, 16, 16)
    corners, middle = picture[..., 0, 0], picture[..., 8, 8]
    assert float(corners.max()) < 0.1 and float(middle.min()) > 0.5, "inverse depth: nothing is black"


def test_other_strengths_and_normals_make_another_texture(box: ReferenceShape, prior, controls) -> None:
    def texture(**values: Any) -> np.ndarray:
        *_, done = painted_by(box, replace(HOW, **values), prior)
        return done.baked.texture

    strong, silent = texture(control_strengths=(2.0, 2.0)), texture(control_strengths=(0.0, 0.0))
    assert not np.array_equal(strong, silent) and {kind for kind, _, _ in controls} == {"depth"}
    controls.clear()
    normal = texture(control="sd15-normal", control_strengths=(2.0, 2.0))
    assert {kind for kind, _, _ in controls} == {"normal"} and not np.array_equal(strong, normal)


def test_a_latent_prior_restyles_by_two_passes_and_the_same_words_change_nothing(
    box: ReferenceShape, prior, controls
) -> None:
    *steps, done = restyle(box, Restyle(paint=HOW, was=HOW.prompt), prior)
    assert len(steps) == 8
    assert np.abs(done.baked.texture.astype(int) - 128).max() <= 1, "nothing differs, so all is kept"


def test_without_a_controlnet_a_latent_prior_is_refused_and_odd_strengths_too(
    box: ReferenceShape, prior
) -> None:
    with pytest.raises(InputError, match="cannot be told of a shape"):
        next(painted_by(box, replace(HOW, control="off"), prior))
    with pytest.raises(InputError, match="control_strengths"):
        replace(HOW, control_strengths=(0.9, 3.0))


def test_the_command_takes_a_ramp(
    box: ReferenceShape, prior, controls, tmp_path: Path, monkeypatch, capsys
) -> None:
    monkeypatch.setattr(edit_command, "load_prior", lambda name: prior)
    source = tmp_path / "box.obj"
    trimesh.Trimesh(box.vertices, box.faces, process=False).export(source)
    command = [
        "edit",
        "--from",
        str(source),
        "--paint",
        "red box",
        "--prior",
        "sd15",
        "--control",
        "sd15-depth",
        "--steps",
        "2",
    ]
    command += ["--views", "2", "--texture-size", "64", "--quiet", "--out", str(tmp_path / "out")]
    assert main([*command, "--control-strength", "0.8:0.2"]) == 0
    assert "control_strengths" in (tmp_path / "out" / "edit.toml").read_text()
    assert controls[0][1] == pytest.approx(0.8, abs=0.02)
    with pytest.raises(SystemExit):
        main([*command, "--control-strength", "much"])
    assert "--control-strength" in capsys.readouterr().err
