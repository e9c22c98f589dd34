"""Runs that set out from a finished result, with priors that only refine and with one that edits."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from engine.assets.export.ply import sh0_from_rgb, write_splat_ply
from engine.core.cameras import orbit_cameras
from engine.errors import FileFormatError, InputError
from engine.loop import checkpoint, init_from_file
from engine.loop.init_from_file import read_start_file, with_source
from engine.loop.messages import Finished, Stepped, Stop, Unattended
from engine.loop.plan import plan
from engine.loop.recipe import Recipe
from engine.loop.results import write_results
from engine.loop.run import run
from engine.loop.settings import Settings, with_values
from engine.loop.shown_scene import shown
from engine.loop.spec import Knobs
from engine.loop.stages import fresh_state
from engine.loop.state import Context
from engine.prior.base import Prior
from engine.render import choose
from engine.scene.splats import Splats, random_ball
from tests.loop.balls import SIZE, ScriptedCommands, ball_prior, of_type, quick_knobs, quick_spec

OURS = "an early result: it has a recipe, and +z up"


def write_cloud(path: Path, count: int = 200, radius: float = 0.5, centre: float = 0.0) -> Splats:
    """A ball of coloured splats on disk, and the same in memory."""
    rng = torch.Generator().manual_seed(5)
    ball = random_ball(count, radius, 0.05, rng, opacity=0.6)
    ball = replace(ball, means=ball.means + centre, colours=torch.randn(count, 3, generator=rng))
    parts = [part.numpy() for part in (ball.means, ball.scales, ball.unit_quats, ball.opacities, ball.rgb)]
    write_splat_ply(path, *parts[:4], sh0_from_rgb(parts[4]), recipe=OURS)
    return ball


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "scene.ply"
    write_cloud(path)
    return path


def from_file(file: Path, **changes):
    return quick_spec(start="file", start_file=str(file), **changes)


@pytest.fixture(scope="module")
def tiny_instruct(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Prior]:
    from engine.prior.instruct.prior import load_instruct

    folder = tmp_path_factory.mktemp("instruct") / "pipeline"
    prior = load_instruct(importlib.import_module("tests.prior.tiny_instruct").save_tiny_instruct(folder))
    return lambda name: prior


class TestFile:
    def test_splats_come_back_as_they_were_written(self, tmp_path: Path) -> None:
        written = write_cloud(tmp_path / "scene.ply")
        read = read_start_file(tmp_path / "scene.ply").splats
        for name in ("means", "scales", "opacities", "rgb", "unit_quats"):
            torch.testing.assert_close(getattr(read, name), getattr(written, name), rtol=1e-3, atol=2e-3)

    def test_a_result_refined_starts_from_what_was_exported(self, tmp_path: Path) -> None:
        finished = list(
            run(quick_spec(start="ball", refine_steps=3), quick_knobs(), Unattended(), ball_prior)
        )[-1]
        files = write_results(finished, "analytic", tmp_path, formats=("ply",))
        context = Context.of(from_file(files["ply"]), ball_prior("any"))
        scene, cameras = fresh_state(context).scene, orbit_cameras([0, 90], 10, 3.05, 40, SIZE)
        expected, found = (
            choose(splats).render(splats, cameras, None).rgb for splats in (shown(finished.copy), scene)
        )
        torch.testing.assert_close(found, expected, atol=5e-3, rtol=0)

    @pytest.mark.parametrize(("radius", "centre"), [(40.0, 0.0), (0.5, 100.0), (8.0, -30.0)])
    def test_a_cloud_elsewhere_is_brought_before_the_cameras(
        self, tmp_path: Path, radius: float, centre: float
    ) -> None:
        written = write_cloud(tmp_path / "scene.ply", radius=radius, centre=centre)
        read = read_start_file(tmp_path / "scene.ply").splats
        distance = read.means.norm(dim=1)
        assert distance.quantile(0.98) == pytest.approx(1.0, abs=0.02) and distance.max() < 1.3
        shrunk = (read.means[0] - read.means[1]).norm() / (written.means[0] - written.means[1]).norm()
        torch.testing.assert_close(read.scales, written.scales * shrunk, rtol=1e-3, atol=1e-6)

    def test_one_that_fits_stays_where_it_is_in_spite_of_a_stray_splat(self, tmp_path: Path) -> None:
        written = write_cloud(tmp_path / "scene.ply", radius=1.0)
        parts = [
            part.numpy()
            for part in (written.means, written.scales, written.unit_quats, written.opacities, written.rgb)
        ]
        parts[0][0] = 9.0
        write_splat_ply(tmp_path / "stray.ply", *parts[:4], sh0_from_rgb(parts[4]), recipe=OURS)
        np.testing.assert_allclose(
            read_start_file(tmp_path / "stray.ply").splats.means.numpy(), parts[0], atol=1e-5
        )

    @pytest.mark.parametrize(
        ("content", "error", "message"),
        [
            (None, InputError, "could not be read"),
            (b"glTF", FileFormatError, "not a PLY"),
            (
                b"ply\nformat binary_little_endian 1.0\nelement vertex 1\nproperty float x\nend_header\n0000",
                FileFormatError,
                "without splats",
            ),
            (
                b"ply\nformat binary_little_endian 1.0\nelement vertex 3000000\n"
                + b"property float x\nend_header\n",
                FileFormatError,
                "3,000,000 splats; at most 2,000,000",
            ),
        ],
    )
    def test_what_is_wrong_with_a_file_is_said_before_the_run(
        self, tmp_path: Path, content: bytes | None, error: type, message: str
    ) -> None:
        path = tmp_path / "scene.ply"
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(error, match=message) as raised:
            next(run(from_file(path), quick_knobs(), Unattended(), ball_prior))
        assert str(path) in raised.value.what and raised.value.remedy

    def test_a_file_without_splats_is_named(self, tmp_path: Path) -> None:
        write_cloud(tmp_path / "scene.ply", count=0)
        with pytest.raises(FileFormatError, match="holds no splats"):
            read_start_file(tmp_path / "scene.ply")

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"scene": "field"}, "scene is 'field'"),
            ({"scene": "canvas"}, "scene is 'canvas'"),
            ({"start_file": ""}, "names none"),
        ],
    )
    def test_what_does_not_go_together(self, file: Path, changes: dict, message: str) -> None:
        with pytest.raises(InputError, match=message):
            plan(replace(from_file(file), **changes), ball_prior("any").info)

    def test_it_is_set_by_name_and_kept_in_the_recipe(self, file: Path) -> None:
        values = {"start": "file", "start_file": str(file), "image_guidance_scale": "2.5"}
        settings = with_values(Settings(quick_spec(), Knobs()), values)
        assert (settings.spec.start, settings.spec.start_file, settings.knobs.image_guidance_scale) == (
            "file",
            str(file),
            2.5,
        )
        assert Recipe.from_toml(Recipe(settings).to_toml()).settings == settings
        with pytest.raises(InputError, match=r"start_file.*\.ply"):
            with_values(settings, {"start_file": "scene.obj"})

    def test_any_prior_refines_it(self, file: Path) -> None:
        events = list(run(from_file(file, refine_steps=5), quick_knobs(), Unattended(), ball_prior))
        assert len(events[-1].copy.scene) == 200 and len(of_type(events, Stepped)) == 5

    def test_a_run_goes_on_when_its_file_is_gone(self, file: Path, tmp_path: Path) -> None:
        spec, commands = from_file(file, refine_steps=6), ScriptedCommands({3: [Stop()]})
        first = list(run(spec, quick_knobs(), commands, ball_prior, folder=tmp_path / "run"))[-1]
        file.unlink()
        last = list(run(spec, quick_knobs(), Unattended(), ball_prior, folder=tmp_path / "run", resume=True))[
            -1
        ]
        assert isinstance(last, Finished) and first.steps < last.steps == 6


class TestEditing:
    def test_two_steps_move_the_scene_and_keep_what_it_was(
        self, file: Path, tmp_path: Path, tiny_instruct: Callable[[str], Prior]
    ) -> None:
        before, spec = read_start_file(file).splats, from_file(file, refine_steps=2, prompt="make it red")
        events = list(
            run(spec, Knobs(views_per_step=2), Unattended(), tiny_instruct, folder=tmp_path / "run")
        )
        finished = events[-1]
        assert isinstance(finished, Finished) and finished.steps == 2
        assert not torch.equal(finished.copy.scene.colours, before.colours)
        kept = checkpoint.load(tmp_path / "run").content["source"]
        assert torch.equal(kept["means"], before.means) and torch.equal(kept["colours"], before.colours)

    def test_the_pictures_are_those_of_the_scene_as_it_was(
        self, file: Path, tiny_instruct: Callable[[str], Prior]
    ) -> None:
        prior, spec = tiny_instruct("any"), from_file(file, prompt="make it red")
        context = Context.of(spec, prior)
        state = fresh_state(context)
        init_from_file.keep_source(context, state)
        cameras, behind = orbit_cameras([0, 120], 10, 3.05, 40, 16), torch.tensor([0.2, 0.6, 0.9])
        plain = choose(state.scene).render(state.scene, cameras, behind)
        state.scene.means.data += 0.5
        told = with_source(
            context.prompts(cameras), cameras, behind, context, state, Knobs(image_guidance_scale=2.5)
        )
        for condition in (told.positive, told.empty):
            torch.testing.assert_close(condition.source.x, prior.encode(plain).detach())
            assert condition.source.guidance_scale == 2.5 and not condition.source.x.requires_grad

    def test_the_live_knob_changes_the_run(self, file: Path, tiny_instruct: Callable[[str], Prior]) -> None:
        def colours(weight: float) -> torch.Tensor:
            spec, knobs = (
                from_file(file, refine_steps=2, prompt="make it red"),
                Knobs(views_per_step=2, image_guidance_scale=weight),
            )
            return list(run(spec, knobs, Unattended(), tiny_instruct))[-1].copy.scene.colours

        assert not torch.equal(colours(1.0), colours(4.0))

    def test_it_needs_something_to_edit(self, tiny_instruct: Callable[[str], Prior]) -> None:
        with pytest.raises(InputError, match=r"edits what is there.*start_file"):
            next(run(quick_spec(start="ball"), Knobs(), Unattended(), tiny_instruct))

    def test_other_priors_are_given_no_pictures(self) -> None:
        context = Context.of(quick_spec(start="ball"), ball_prior("any"))
        state = SimpleNamespace(scene=fresh_state(context).scene, source=None)
        init_from_file.keep_source(context, state)
        assert state.source is None
