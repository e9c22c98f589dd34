"""Instruct-NeRF2NeRF's dataset update on a texture: it comes to the edit's own mean, and runs with an
InstructPix2Pix.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import trimesh
from torch import Tensor

from engine.assets.meshes.mesh_shape import ReferenceShape
from engine.editing.dataset_update import DatasetUpdate, update_dataset, updates
from engine.editing.mesh_to_splats import write_mesh_as_splats
from engine.editing.restyling_splats import restyle_splats
from engine.editing.strategies import restyled_by
from engine.editing.texturing import Paint, Painted, Painting
from engine.errors import InputError
from engine.loop.export_source import open_source
from engine.prior.analytic import AnalyticPrior, gaussian
from engine.prior.base import Condition, Prediction, PriorInfo
from engine.prior.instruct.prior import load_instruct
from engine.prior.registry import load_prior
from studio.cli import main
from studio.commands import edit as edit_command
from studio.commands import edit_splats
from tests.prior.tiny_instruct import save_tiny_instruct

WORDS, STD = "make it red", 0.25
TOLD, PICTURE, NOTHING = (
    torch.tensor(mean).view(3, 1, 1) for mean in ([0.1, -0.2, -0.1], [0.0, 0.0, 0.0], [-0.1, 0.1, 0.0])
)


class Editor(AnalyticPrior):
    """Gaussian data of which every score is known: of nothing, of the picture, and of words about the
    picture.
    """

    def __init__(self) -> None:
        flat = {
            name: gaussian(mean.expand(3, 16, 16), STD)
            for name, mean in (("", NOTHING), ("I", PICTURE), (WORDS, TOLD))
        }
        info = PriorInfo("toy", "Toy", "rgb", 16, 1.0, takes_source=True)
        super().__init__(flat, info=info)

    def predict(self, x_t: Tensor, t: Tensor, condition: Condition) -> Prediction:
        """With the drift towards the picture in every branch, as `engine.prior.instruct` has it."""
        assert condition.source is not None
        silent = torch.equal(condition.text.tokens, self.embed("").tokens)
        plain, picture = (
            super(Editor, self).predict(x_t, t, replace(condition, text=self.embed(name)))
            for name in ("", "I")
        )
        told = picture if silent else super().predict(x_t, t, condition)
        drift = (condition.source.guidance_scale - 1) * (picture.eps - plain.eps)
        eps = told.eps + drift
        a, sig = self.schedule.signal_and_noise(t, x_t)
        return Prediction(eps, (x_t - sig * eps) / a)


class Plane:
    """Two views of one square of colours; nothing beside it."""

    count = 2

    def shape(self, channels: int) -> tuple[int, ...]:
        return channels, 16, 16

    def project(self, z: Tensor) -> tuple[Tensor, Tensor]:
        return z.expand(2, *z.shape), torch.ones(2, 1, 16, 16)

    def unproject(self, instances: Tensor) -> Tensor:
        return instances.mean(0)


@pytest.fixture(scope="module")
def box() -> ReferenceShape:
    mesh = trimesh.creation.box((0.8, 0.8, 0.8))
    grey = np.full((len(mesh.faces), 3), 0.5, np.float32)
    return ReferenceShape(np.float32(mesh.vertices), np.int32(mesh.faces), grey, "box")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory):
    return load_instruct(save_tiny_instruct(tmp_path_factory.mktemp("instruct") / "pipeline"))


@pytest.mark.parametrize("image_guidance", [1.0, 2.0])
def test_the_texture_comes_to_the_mean_of_the_edit(image_guidance: float) -> None:
    """mu_0 + s_I (mu_I - mu_0) + s_T (mu_T - mu_I), after six rounds, within 2 % of the range of colours."""
    paint = Paint(prompt=WORDS, guidance_scale=2.0, steps=10, seed=1)
    how = DatasetUpdate(paint=paint, image_guidance_scale=image_guidance, rounds=6)
    *_, last = updates(Plane(), torch.full((3, 16, 16), 0.95), how, Editor())
    z = last.canonical
    mean = NOTHING + image_guidance * (PICTURE - NOTHING) + 2.0 * (TOLD - PICTURE)
    torch.testing.assert_close((2 * z - 1).mean((1, 2)).float(), mean.flatten(), atol=0.04, rtol=0)
    torch.testing.assert_close(z, last.dataset.mean(0))


def test_one_view_is_replaced_at_a_time_and_what_it_came_from_stays_the_condition() -> None:
    seen: list[Tensor] = []

    class Watching(Editor):
        def predict(self, x_t: Tensor, t: Tensor, condition: Condition) -> Prediction:
            seen.append(condition.source.x)
            return super().predict(x_t, t, condition)

    first = torch.full((3, 16, 16), 0.9)
    how = DatasetUpdate(paint=Paint(prompt=WORDS, guidance_scale=2.0, steps=2), rounds=2)
    datasets = [each.dataset for each in updates(Plane(), first, how, Watching())]
    untouched = [int((each == first).flatten(1).all(1).sum()) for each in datasets]
    assert len(datasets) == 4 and untouched == [1, 0, 0, 0]
    assert all(torch.allclose(each, torch.full_like(each, 0.8), atol=1e-6) for each in seen), "2 * 0.9 - 1"


def test_a_mesh_is_restyled_by_an_instruct_pipeline(box: ReferenceShape, tiny) -> None:
    how = Paint(prompt=WORDS, views=2, steps=2, texture_size=64, guidance_scale=2.0)
    *steps, done = restyled_by(box, how, "", tiny)
    assert [each.step for each in steps] == list(range(1, 7)) and {each.steps for each in steps} == {6}
    assert (
        isinstance(steps[0], Painting)
        and isinstance(done, Painted)
        and done.baked.texture.shape == (64, 64, 3)
    )
    assert len(done.baked.faces) == len(box.faces) and np.abs(done.baked.texture.astype(int) - 128).max() > 8
    again = list(restyled_by(box, how, "", tiny))[-1]
    assert np.array_equal(done.baked.texture, again.baked.texture), "the same seed"


def test_the_command_restyles_by_an_instruction(
    box: ReferenceShape, tiny, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(edit_command, "load_prior", lambda name: tiny)
    source = tmp_path / "box.obj"
    trimesh.Trimesh(box.vertices, box.faces, process=False).export(source)
    command = ["edit", "--from", str(source), "--restyle", WORDS, "--prior", "instruct-pix2pix", "--quiet"]
    command += ["--image-guidance", "1.2", "--steps", "2", "--views", "2", "--texture-size", "64"]
    assert main([*command, "--out", str(tmp_path / "out")]) == 0
    assert 'prompt = "make it red"' in (tmp_path / "out" / "edit.toml").read_text()


@pytest.fixture(scope="module")
def splats(box: ReferenceShape, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("splats") / "scene.ply"
    write_mesh_as_splats(box, path, count=600)
    return path


def test_splats_come_to_the_mean_of_the_edit_and_keep_their_shape(splats: Path) -> None:
    scene = open_source(splats).scene
    paint = Paint(prompt=WORDS, guidance_scale=2.0, steps=6, views=4, seed=1)
    how = DatasetUpdate(paint=paint, image_guidance_scale=2.0, rounds=4)
    *steps, done = restyle_splats(scene, how, Editor())
    assert [each.step for each in steps] == list(range(1, 17)) and {each.steps for each in steps} == {16}
    for name, tensor in scene.scene.parameters().items():
        assert torch.equal(done.splats.parameters()[name], tensor) == (name != "colours"), name
    mean = NOTHING + 2 * (PICTURE - NOTHING) + 2 * (TOLD - PICTURE)
    colours = 2 * done.splats.rgb.median(dim=0).values - 1
    torch.testing.assert_close(colours.float(), mean.flatten(), atol=0.1, rtol=0)


def test_the_command_restyles_splats_by_an_instruction(
    splats: Path, tiny, tmp_path: Path, monkeypatch, capsys
) -> None:
    monkeypatch.setattr(edit_splats, "load_prior", lambda name: tiny)
    command = ["edit", "--from", str(splats), "--splats", "--restyle", WORDS, "--prior", "instruct-pix2pix"]
    command += ["--steps", "2", "--views", "2", "--quiet", "--image-guidance", "1.2"]
    assert main([*command, "--out", str(tmp_path / "out")]) == 0
    assert (tmp_path / "out" / "scene.ply").stat().st_size >= splats.stat().st_size
    assert main(["replay", str(tmp_path / "out" / "scene.ply"), "--out", str(tmp_path / "again")]) == 0
    ends = [
        (tmp_path / name / "scene.ply").read_bytes().split(b"end_header\n", 1)[1][: 600 * 17 * 4]
        for name in ("out", "again")
    ]
    assert ends[0] == ends[1], "the same again"

    monkeypatch.setattr(edit_splats, "load_prior", load_prior)
    command[command.index("instruct-pix2pix")] = "toybox"
    assert main([*command, "--out", str(tmp_path / "no")]) != 0
    assert "restyles meshes, and no splats" in capsys.readouterr().err and not (tmp_path / "no").exists()


def test_what_makes_no_sense_is_refused(box: ReferenceShape) -> None:
    fine = DatasetUpdate(paint=Paint(prompt=WORDS))
    for name, value in (("rounds", 0), ("image_guidance_scale", 0.5), ("noise", (0.9, 0.1))):
        with pytest.raises(InputError, match=name):
            replace(fine, **{name: value})
    with pytest.raises(InputError, match="edits no pictures"):
        next(update_dataset(box, fine, load_prior("toybox")))
