"""Runs from given pictures: what the prior is shown, what holds the shape, and what a recipe keeps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from engine.core.cameras import orbit_cameras
from engine.core.views import Views, composite
from engine.errors import InputError
from engine.loop import checkpoint
from engine.loop.input_images import GivenViews, balance, clean_views, given_loss, given_views
from engine.loop.messages import Finished, Pictures, Stepped, Unattended, Warned
from engine.loop.recipe import Recipe
from engine.loop.run import run
from engine.loop.settings import Settings, with_values
from engine.loop.stages import fit, fresh_state
from engine.loop.state import Anchor, Context
from engine.loop.step import distill_step
from engine.loop.terms.pictures import distance
from engine.loop.terms.rendered import RenderedStep
from engine.loop.validation import check_combination
from engine.loop.viewpoints import cameras_beside
from engine.prior.base import Condition, Prediction
from engine.session.presets import IMAGE_PRESET, apply_preset, find_preset
from tests.loop.balls import SIZE, ball_picture, ball_prior, of_type, quick_knobs, quick_spec

BLUE = (0.1, 0.2, 0.9)


class SeeingPrior:
    """The ball prior, which takes pictures: it makes every view the mean of those that it is given, and
    counts its calls.
    """

    def __init__(self) -> None:
        self.inner = ball_prior()
        self.info = replace(self.inner.info, takes_images=True)
        self.asked: list[Condition] = []

    def __getattr__(self, name: str):
        return getattr(self.inner, name)

    def predict(self, x_t: torch.Tensor, t: torch.Tensor, condition: Condition) -> Prediction:
        self.asked.append(condition)
        if condition.clean_views is None:
            return self.inner.predict(x_t, t, condition)
        x0 = condition.clean_views.x.mean(0, keepdim=True).expand_as(x_t)
        a, s = self.inner.schedule.signal_and_noise(t, x_t)
        return Prediction((x_t - a * x0) / s, x0)


@pytest.fixture(scope="module")
def blue(tmp_path_factory) -> Path:
    """A picture of a blue ball on nothing."""
    rgba = ((ball_picture(BLUE) + 1) / 2).permute(1, 2, 0).numpy()
    alpha = rgba[..., 3:]
    straight = np.where(alpha > 0, rgba[..., :3] / np.maximum(alpha, 1e-6), 0)
    path = tmp_path_factory.mktemp("pictures") / "blue.png"
    Image.fromarray((255 * np.concatenate([straight, alpha], -1) + 0.5).astype(np.uint8)).save(path)
    return path


def spec_of(blue: Path, **changes):
    return quick_spec(**{"prompt": "", "images": f"{blue}@30", "image_crops": "whole", **changes})


def colour_of(finished: Finished, azimuth_deg: float) -> np.ndarray:
    from engine.core.camera import orbit_camera
    from engine.loop.frames import render_frame

    return (
        render_frame(finished.copy, orbit_camera(azimuth_deg, 10, 3.05, 40, SIZE))[SIZE // 2, SIZE // 2] / 255
    )


def given_of(rgba: torch.Tensor, azimuths: list[float], weights: list[float]) -> GivenViews:
    return GivenViews(rgba, orbit_cameras(azimuths, 10, 3.05, 40, rgba.shape[1]), torch.tensor(weights))


@pytest.mark.parametrize("scene", ["splats", "field"])
def test_the_shape_becomes_what_the_picture_shows_from_all_sides(blue: Path, scene: str) -> None:
    prior = SeeingPrior()
    *_, finished = run(spec_of(blue, scene=scene), quick_knobs(), Unattended(), lambda _: prior)
    for azimuth in (30, 120, 210, 300):
        assert np.abs(colour_of(finished, azimuth) - BLUE).max() < 0.15
    assert all(len(condition.clean_views.cameras) == 1 for condition in prior.asked), (
        "in the draft and while refining"
    )
    assert len(prior.asked[0].cameras) == 3, "of four draft views, the given one is not drawn again"


def test_pictures_hold_where_the_prior_cannot_see_them(blue: Path) -> None:
    """A prior that takes none says red; the pictures are blue: from their sides the shape keeps to them."""
    spec = spec_of(blue, prompt="a red ball", start="ball", refine_steps=60)
    *_, finished = run(spec, quick_knobs(fidelity=0.9), Unattended(), ball_prior)
    assert np.abs(colour_of(finished, 30) - BLUE).max() < 0.3
    assert colour_of(finished, 210)[0] > colour_of(finished, 210)[2], "the back is the prior's"


def test_fidelity_is_a_balance(blue: Path) -> None:
    """At 0 the scene's gradient is the prior's alone, at 1 the pictures' alone, and at 1/2 the sum of
    both.
    """
    spec = spec_of(blue, prompt="a red ball", start="ball")
    gradients = []
    for fidelity in (0.0, 0.5, 1.0):
        prior = ball_prior()
        context = Context.of(spec, prior, given=given_views(spec, prior.info))
        state = fresh_state(context)
        state.optimiser.step = lambda: None
        distill_step(context, state, quick_knobs(fidelity=fidelity, anchor_weight=0.0), 0.5)
        gradients.append(state.scene.colours.grad.clone())
    imagination, both, pictures = gradients
    assert torch.allclose(both, imagination + pictures, rtol=1e-3, atol=1e-5)
    assert imagination.norm() > 0 and pictures.norm() > 0 and not torch.allclose(imagination, pictures)
    assert balance(0.25, object()) == (0.5, 1.0) and balance(0.75, object()) == (1.0, 0.5)
    assert balance(1.0, None) == (0.0, 1.0), "without pictures it does nothing"


@pytest.mark.parametrize(
    "behind", [None, torch.ones(3), torch.tensor([0.2, 0.5, 0.9])], ids=["black", "white", "colour"]
)
def test_equal_pictures_have_no_loss_over_any_background(behind: torch.Tensor | None) -> None:
    rgba = torch.rand(2, 8, 8, 4)
    rgba[..., :3] *= rgba[..., 3:]
    given = given_of(rgba, [0, 90], [1.0, 0.5])
    seen = Views(composite(rgba[..., :3], rgba[..., 3:], behind), rgba[..., 3:], torch.zeros(2, 8, 8, 1))
    assert given_loss(given, seen, behind) == 0
    other = replace(seen, alpha=1 - seen.alpha)
    assert given_loss(given, other, behind) > 0


def test_weights_say_how_much_a_picture_counts() -> None:
    rgba = torch.zeros(2, 8, 8, 4)
    seen = Views(torch.zeros(2, 8, 8, 3), torch.zeros(2, 8, 8, 1), torch.zeros(2, 8, 8, 1))
    seen.rgb[0] += 0.2  # a mean squared error of 0.04, and of 0.01 in the other
    seen.rgb[1] += 0.1
    assert float(given_loss(given_of(rgba, [0, 90], [3.0, 1.0]), seen, None)) == pytest.approx(
        (3 * 0.04 + 0.01) / 4
    )


def test_the_picture_is_looked_at_in_every_fit_step(blue: Path) -> None:
    """The front-view lock: an anchor that says red everywhere cannot take the blue of the given side away."""
    prior = SeeingPrior()
    spec = spec_of(blue, fit_steps=60)
    context = Context.of(spec, prior, given=given_views(spec, prior.info))
    cameras = orbit_cameras([0, 90, 180, 270], 10, 3.05, 40, SIZE)
    red = ((ball_picture() + 1) / 2).permute(1, 2, 0).expand(4, -1, -1, -1)
    losses = {}
    for name, ctx in (("locked", context), ("free", replace(context, given=None))):
        state = fresh_state(ctx)
        state.anchor = Anchor(red, cameras)
        for _ in fit(ctx, state, quick_knobs):
            pass
        with torch.no_grad():
            losses[name] = float(distance(RenderedStep(context, state, quick_knobs(), None, None)))
    assert losses["locked"] < 0.5 * losses["free"]


def test_draft_cameras_leave_out_those_that_are_given() -> None:
    info = ball_prior().info
    one = cameras_beside(orbit_cameras([30], 20, 3.05, 40, 8), info, 8, 8)
    assert len(one) == 7 and torch.allclose(one.azimuths_deg() % 360, torch.arange(75.0, 360, 45), atol=1e-3)
    two = cameras_beside(orbit_cameras([30, 205], 20, 3.05, 40, 8), info, 4, 8)
    assert torch.allclose(two.azimuths_deg() % 360, torch.tensor([120.0, 300.0]), atol=1e-3)
    every = cameras_beside(orbit_cameras([0, 90, 180, 270], 20, 3.05, 40, 8), info, 4, 8)
    assert len(every) >= 1


def test_cameras_and_pictures_go_together(blue: Path) -> None:
    spec = spec_of(blue, images=f"{blue}@30;{blue}@-90*0.5", image_elevation_deg=25)
    prior = SeeingPrior()
    given = given_views(spec, prior.info)
    assert torch.allclose(given.cameras.azimuths_deg(), torch.tensor([30.0, -90.0]), atol=1e-3)
    assert torch.allclose(given.cameras.elevations_deg(), torch.tensor([25.0, 25.0]), atol=1e-3)
    assert given.weights.tolist() == [1.0, 0.5]
    wanted = ((ball_picture(BLUE) + 1) / 2).permute(1, 2, 0)
    assert (given.rgba - wanted).abs().max() < 0.02, (
        "a whole picture of the prior's size goes through unchanged"
    )
    assert torch.allclose(
        clean_views(given, prior).x,
        prior.encode(Views(given.rgba[..., :3], given.rgba[..., 3:], given.rgba[..., :1])),
    )
    assert clean_views(given, ball_prior()) is None


def test_a_recipe_finds_its_picture_again_and_misses_another(blue: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine.png"
    mine.write_bytes(blue.read_bytes())
    spec, out = spec_of(mine, refine_steps=2, fit_steps=10), tmp_path / "out"
    *_, finished = run(spec, quick_knobs(), Unattended(), lambda _: SeeingPrior(), folder=out)
    recipe = Recipe.from_toml(finished.recipe.to_toml())
    assert recipe.settings.spec.images.startswith("given/images/mine.png@30#")
    mine.unlink()
    *_, again = run(recipe.settings.spec, quick_knobs(), Unattended(), lambda _: SeeingPrior(), folder=out)
    assert torch.equal(again.copy.scene.means, finished.copy.scene.means)
    (out / "given" / "images" / "mine.png").write_bytes(b"another")
    with pytest.raises(InputError, match="changed"):
        next(run(recipe.settings.spec, quick_knobs(), Unattended(), lambda _: SeeingPrior(), folder=out))


def test_an_interrupted_run_goes_on_without_the_original(blue: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine.png"
    mine.write_bytes(blue.read_bytes())
    out, short = tmp_path / "out", spec_of(mine, refine_steps=2, fit_steps=10)
    events = run(short, quick_knobs(), Unattended(), lambda _: SeeingPrior(), folder=out)
    next(event for event in events if isinstance(event, Stepped) and event.total_step == 8)
    events.close()
    mine.unlink()
    kept = checkpoint.load(out).recipe.settings.spec
    *_, finished = run(kept, quick_knobs(), Unattended(), lambda _: SeeingPrior(), folder=out, resume=True)
    assert finished.steps == 4 + 10 + 2


def test_an_artist_is_told_what_was_done_to_a_picture(tmp_path: Path) -> None:
    opaque = tmp_path / "ball.png"
    rgba = ((ball_picture(BLUE, 64) + 1) / 2).permute(1, 2, 0)
    Image.fromarray((255 * (rgba[..., :3] + 1 - rgba[..., 3:])).byte().numpy()).save(opaque)
    events = list(
        run(
            spec_of(opaque, image_crops="", refine_steps=0, fit_steps=10),
            quick_knobs(),
            Unattended(),
            lambda _: SeeingPrior(),
        )
    )
    assert any("flat background" in event.what for event in of_type(events, Warned))
    assert of_type(events, Pictures)


def test_what_cannot_work_with_pictures_is_refused(blue: Path) -> None:
    seeing, blind = SeeingPrior().info, ball_prior().info
    check_combination(Settings(spec_of(blue), quick_knobs()), seeing)
    with pytest.raises(InputError, match="cannot see pictures"):
        check_combination(Settings(spec_of(blue), quick_knobs()), blind)
    check_combination(Settings(spec_of(blue, prompt="a red ball"), quick_knobs()), blind)
    with pytest.raises(InputError, match="flat"):
        check_combination(Settings(spec_of(blue, scene="canvas"), quick_knobs()), seeing)


def test_presets_leave_the_pictures_alone(blue: Path) -> None:
    mine = Settings(spec_of(blue, image_elevation_deg=20), quick_knobs())
    then = apply_preset(find_preset(IMAGE_PRESET), mine)
    assert (then.spec.images, then.spec.image_elevation_deg, then.spec.prompt) == (mine.spec.images, 20, "")
    assert with_values(then, {"fidelity": "0.75"}).knobs.fidelity == 0.75
