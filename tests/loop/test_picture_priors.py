"""Runs with priors that are shown a picture, on tiny random pipelines, and what is refused before they are
loaded.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image

from engine.core.cameras import orbit_cameras
from engine.core.views import Views, composite
from engine.errors import InputError
from engine.loop.input_images import given_views
from engine.loop.messages import Finished, Pictures, StageStarted, Stepped, Unattended, Warned
from engine.loop.run import run
from engine.loop.settings import Settings
from engine.loop.spec import Knobs, RunSpec
from engine.loop.stages import fresh_state
from engine.loop.state import Context, RunState
from engine.loop.step import distill_step
from engine.loop.validation import check_before_loading, check_combination
from engine.loop.viewpoints import cameras_beside, draft_count
from engine.prior.base import Condition, Prediction, Prior, PriorInfo
from engine.prior.capabilities import info_of
from engine.session.presets import apply_preset, find_preset
from tests.loop.balls import of_type, quick_knobs, quick_spec

INFO = PriorInfo("tiny", "Tiny", "rgb", 16, 3.0)


@pytest.fixture(scope="module")
def mug(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture of a blue square on nothing."""
    path = tmp_path_factory.mktemp("pictures") / "mug.png"
    picture = Image.new("RGBA", (32, 32), (0, 0, 0, 0))
    picture.paste((30, 60, 230, 255), (8, 8, 24, 24))
    picture.save(path)
    return path


@pytest.fixture(scope="module")
def priors(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Prior]:
    from engine.prior.imagedream.prior import load_imagedream
    from engine.prior.latent.stable_diffusion import load_latent
    from engine.prior.zero123.load import load_zero123
    from engine.prior.zero123plus.prior import load_zero123plus

    root, tiny = tmp_path_factory.mktemp("priors"), importlib.import_module("tests.prior.tiny_sight")
    dream = importlib.import_module("tests.prior.tiny_imagedream").save_tiny_imagedream(root / "imagedream")
    plain = importlib.import_module("tests.prior.tiny_pipeline").save_tiny_pipeline(root / "plain")
    return {
        "zero123": load_zero123(tiny.save_tiny_zero123(root / "zero123"), info=INFO),
        "zero123plus": framed(load_zero123plus(tiny.save_tiny_zero123plus(root / "zero123plus"), info=INFO)),
        "imagedream": framed(load_imagedream(dream, info=INFO)),
        "plain": load_latent(plain, info=INFO),
    }


def framed(prior: Prior) -> Prior:
    """Untrained pictures are noise to their edges; a trained model leaves a flat background round the
    object.
    """
    decode = prior.decode

    def with_frame(x: torch.Tensor) -> Views:
        views = decode(x)
        rgb = torch.full_like(views.rgb, 0.5)
        rgb[:, 4:-4, 4:-4] = views.rgb[:, 4:-4, 4:-4]
        return Views(rgb, views.alpha, views.depth)

    prior.decode = with_frame
    return prior


@pytest.fixture
def listened(
    priors: dict[str, Prior], monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], tuple[Prior, list[Condition]]]:
    """A prior by its name, and every condition that it is asked with."""

    def listening(name: str) -> tuple[Prior, list[Condition]]:
        prior, asked = priors[name], []
        predict = prior.predict

        def noted(x_t: torch.Tensor, t: torch.Tensor, condition: Condition) -> Prediction:
            asked.append(condition)
            return predict(x_t, t, condition)

        monkeypatch.setattr(prior, "predict", noted)
        return prior, asked

    return listening


def spec_of(mug: Path, **changes: object) -> RunSpec:
    few = {
        "splats": 100,
        "render_size": 16,
        "sampling_steps": 2,
        "fit_steps": 10,
        "refine_steps": 2,
        "draft_guidance_scale": 3.0,
    }
    return quick_spec(**{"prompt": "", "images": f"{mug}@30", "image_crops": "whole", **few, **changes})


def guided_knobs(**changes: object) -> Knobs:
    knobs = quick_knobs(**changes)
    return replace(knobs, guidance=replace(knobs.guidance, guidance_scale=3.0))


@torch.no_grad()
def distance_to_picture(context: Context, state: RunState) -> float:
    """Mean squared difference of colour over white, and of alpha, from the given side."""
    given, white = context.given, torch.ones(3)
    views = state.renderer.render(state.scene, given.cameras, white)
    wanted = composite(given.rgba[..., :3], given.rgba[..., 3:], white)
    return float((views.rgb - wanted).square().mean() + (views.alpha - given.rgba[..., 3:]).square().mean())


def run_of(spec: RunSpec, prior: Prior, knobs: Knobs | None = None) -> list:
    events = list(run(spec, knobs or guided_knobs(), Unattended(), lambda name: prior))
    assert isinstance(events[-1], Finished) and not events[-1].stopped
    assert all(tensor.isfinite().all() for tensor in events[-1].copy.scene.parameters().values())
    return events


@pytest.mark.parametrize("scene", ["splats", "field"])
def test_zero123_refines_from_a_picture_alone(listened: Callable, mug: Path, scene: str) -> None:
    prior, asked = listened("zero123")
    events = run_of(spec_of(mug, start="ball", scene=scene), prior)
    steps = of_type(events, Stepped)
    assert len(steps) == 2 and all(step.metrics["gradient_norm"] > 0 for step in steps)
    seen = [condition.clean_views is not None for condition in asked]
    assert seen.count(True) == seen.count(False) == 2, "guidance pushes off from no picture"
    given = next(condition.clean_views for condition in asked if condition.clean_views is not None)
    assert float(given.cameras.azimuths_deg()[0]) == pytest.approx(30, abs=1e-3)
    white = given.x - prior.encode(
        Views(torch.ones(1, 16, 16, 3), torch.ones(1, 16, 16, 1), torch.ones(1, 16, 16, 1))
    )
    assert white.abs().max() > 0


def test_zero123_draws_each_side_from_the_nearest_of_several_pictures(listened: Callable, mug: Path) -> None:
    prior, asked = listened("zero123")
    run_of(spec_of(mug, start="ball", images=f"{mug}@0;{mug}@180*0.5"), prior)
    assert {len(condition.clean_views.x) for condition in asked if condition.clean_views is not None} == {2}


def test_zero123plus_drafts_its_six_views_and_they_are_fitted(listened: Callable, mug: Path) -> None:
    prior, asked = listened("zero123plus")
    events = run_of(spec_of(mug, refine_steps=0), prior)
    assert [event.stage for event in of_type(events, StageStarted)] == ["draft", "fit"]
    assert {len(event.images) for event in of_type(events, Pictures)} == {6}
    turned = asked[0].cameras.azimuths_deg() % 360
    assert torch.allclose(turned, torch.tensor([60.0, 120, 180, 240, 300, 0]), atol=1e-2), (
        "beside the picture, from 30 degrees"
    )
    assert torch.allclose(asked[0].cameras.elevations_deg(), torch.tensor([20.0, -10] * 3), atol=1e-2)


def test_imagedream_drafts_four_views_and_refines(listened: Callable, mug: Path) -> None:
    prior, asked = listened("imagedream")
    events = run_of(spec_of(mug), prior)
    assert [event.stage for event in of_type(events, StageStarted)] == ["draft", "fit", "refine"]
    assert {len(condition.cameras) for condition in asked} == {4}, "the picture takes no view's place"
    assert torch.allclose(
        asked[0].cameras.azimuths_deg() % 360, torch.tensor([30.0, 120, 210, 300]), atol=1e-2
    )


@pytest.mark.parametrize(("name", "told"), [("zero123", True), ("imagedream", False)])
def test_who_writes_words_to_a_prior_that_reads_none_is_told(
    priors: dict[str, Prior], mug: Path, name: str, told: bool
) -> None:
    events = run_of(spec_of(mug, prompt="a mug", start="ball", refine_steps=1), priors[name])
    assert any("reads no words" in event.what for event in of_type(events, Warned)) == told


class TestRefusals:
    @pytest.mark.parametrize(
        "name", ["zero123-xl", "stable-zero123", "zero123plus-v1.1", "zero123plus-v1.2", "imagedream"]
    )
    def test_a_prior_that_needs_a_picture_and_gets_none(self, name: str) -> None:
        """From what is known before anything is loaded."""
        with pytest.raises(InputError, match="images names none") as error:
            check_combination(Settings(quick_spec(prior=name), quick_knobs()), info_of(name))
        assert "--image" in error.value.remedy and "toybox" in error.value.remedy

    @pytest.mark.parametrize("changes", [{"refine_steps": 5}, {"start": "ball", "refine_steps": 5}])
    def test_zero123plus_cannot_judge_other_views(self, mug: Path, changes: dict) -> None:
        info = info_of("zero123plus-v1.2")
        check_combination(Settings(spec_of(mug, refine_steps=0), quick_knobs()), info)
        with pytest.raises(InputError, match="6 fixed views and cannot look from elsewhere") as error:
            check_combination(Settings(spec_of(mug, **changes), quick_knobs()), info)
        assert "refine_steps = 0" in error.value.remedy

    def test_zero123_cannot_draft(self, mug: Path) -> None:
        with pytest.raises(InputError, match="one view at a time") as error:
            check_combination(Settings(spec_of(mug), quick_knobs()), info_of("zero123-xl"))
        assert "ball" in error.value.remedy

    @pytest.mark.parametrize("preset", ["zero123-image", "imagedream-image", "zero123plus-draft"])
    def test_presets_work_with_a_picture_and_no_words(self, mug: Path, preset: str) -> None:
        settings = apply_preset(find_preset(preset), Settings(RunSpec("", images=str(mug)), Knobs()))
        check_combination(settings, info_of(settings.spec.prior))


def test_whole_sets_of_views_start_at_the_picture(priors: dict[str, Prior]) -> None:
    info, given = priors["zero123plus"].info, orbit_cameras([200.0], 10.0, 3.9, 30.0, 8)
    assert draft_count(info, 3) == 6 and len(cameras_beside(given, info, 3, 8)) == 6
    assert draft_count(priors["imagedream"].info, 8) == 4


def test_a_prior_for_words_draws_what_the_picture_does_not_show(listened: Callable, mug: Path) -> None:
    """Stable Diffusion is told the view in words and sees no picture; the picture holds its own side."""
    prior, asked = listened("plain")
    spec = spec_of(mug, prompt="a mug", start="ball", splats=300)
    context = Context.of(spec, prior, given=given_views(spec, prior.info))
    state = fresh_state(context)
    before = distance_to_picture(context, state)
    for step in range(12):
        out = distill_step(context, state, guided_knobs(fidelity=0.9, background="white"), step / 12)
        assert not out.skipped
    assert distance_to_picture(context, state) < 0.7 * before
    assert all(condition.clean_views is None for condition in asked)
    words = {tuple(condition.text.tokens.flatten(1).sum(1).tolist()) for condition in asked}
    assert len(words) > 2, "other words for other sides"


def test_a_name_in_no_list_is_left_to_loading(mug: Path) -> None:
    check_before_loading(Settings(spec_of(mug, prior="nowhere"), quick_knobs()))
    with pytest.raises(InputError, match="cannot draft"):
        check_before_loading(Settings(spec_of(mug, prior="zero123-xl"), quick_knobs()))
