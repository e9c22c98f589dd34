"""The likeness energy: its value in closed form, its gradient by finite differences, with toybox's scorer and
with a CLIP.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor

from engine.core.cameras import orbit_cameras
from engine.core.views import Views
from engine.guidance.energy import likeness
from engine.guidance.energy.pictures import Pictures
from engine.loop import judge
from engine.scoring.clip import ClipScorer
from engine.scoring.registry import find_scorer, load_scorer
from engine.toybox.objects import draw_object
from engine.toybox.pictures import render_object
from tests.scoring.tiny_clip import save_tiny_clip

MUG = draw_object(700010, "mug", {"body": "red", "handle": "blue"})
WORDS = "a red mug with a blue handle"


def pictures(rgba: Tensor, unlike) -> Pictures:
    cameras = orbit_cameras([0.0] * len(rgba), 0.0, 3.0, 40.0, rgba.shape[1])
    return Pictures(
        Views(rgba[..., :3], rgba[..., 3:], torch.zeros_like(rgba[..., 3:])), cameras, unlike=unlike
    )


@pytest.fixture(scope="module")
def seen() -> Tensor:
    """Two sides of the mug."""
    return torch.from_numpy(render_object(MUG, [30.0, 120.0], [15.0, 15.0]).rgba)


@pytest.fixture(scope="module", params=["toybox", "clip"])
def scorer(request, tmp_path_factory: pytest.TempPathFactory):
    if request.param == "toybox":
        return load_scorer("toybox")
    folder = save_tiny_clip(tmp_path_factory.mktemp("clip"))
    return ClipScorer(find_scorer("clip"), folder, torch.device("cpu"))


def test_it_is_the_mean_over_pictures_and_silent_without_a_judge() -> None:
    rgba = torch.rand(3, 4, 4, 4)
    assert likeness.energy(pictures(rgba, None)) is None
    assert likeness.energy(pictures(rgba, lambda _: None)) is None
    value = likeness.energy(pictures(rgba, lambda each: each[..., 3].amax((1, 2))))
    assert value == pytest.approx(float(rgba[..., 3].amax((1, 2)).mean()))


def test_the_gradient_is_that_of_finite_differences(scorer, seen: Tensor) -> None:
    def energy(rgba: Tensor) -> Tensor:
        value = likeness.energy(pictures(rgba, lambda each: scorer.unlikeness(each, WORDS)))
        assert value is not None
        return value

    # nowhere at the bounds
    opaque = torch.cat([0.25 + 0.5 * seen[..., :3], torch.ones_like(seen[..., 3:])], dim=-1)
    x = opaque.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(energy(x), x)
    along = gradient / gradient.norm()
    with torch.no_grad():
        slope = float(energy(opaque + 0.01 * along) - energy(opaque - 0.01 * along)) / 0.02
    assert slope == pytest.approx(float(gradient.norm()), rel=0.1) and slope > 0


def test_a_clip_is_asked_for_one_minus_the_cosine(seen: Tensor, tmp_path: Path) -> None:
    scorer = ClipScorer(find_scorer("clip"), save_tiny_clip(tmp_path), torch.device("cpu"))
    levels = (seen * 255).round().to(torch.uint8)
    expected = 1 - scorer.scores(levels.numpy(), WORDS)
    np.testing.assert_allclose(scorer.unlikeness(levels / 255, WORDS).numpy(), expected, atol=1e-5)


def test_toyboxs_scorer_knows_other_colours_and_says_nothing_of_words_that_it_does_not_know(
    seen: Tensor,
) -> None:
    scorer = load_scorer("toybox")
    right, wrong = (float(scorer.unlikeness(seen, f"a {colour} mug").mean()) for colour in ("red", "green"))
    assert right + 0.2 < wrong
    assert scorer.unlikeness(seen, "a quarrel") is None


def test_down_its_gradient_a_red_mug_becomes_greener(seen: Tensor) -> None:
    scorer, x = load_scorer("toybox"), seen.clone()
    before = float(scorer.unlikeness(x, "a green mug").mean())
    for _ in range(10):
        x = x.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(scorer.unlikeness(x, "a green mug").mean(), x)
        x = (x - 2.0 * gradient / gradient.norm()).clamp(0, 1)
    assert float(scorer.unlikeness(x.detach(), "a green mug").mean()) < before - 0.2
    assert float((x.detach() - seen)[..., 1].sum()) > float((x.detach() - seen)[..., 0].sum()), (
        "more green, less red"
    )


def test_the_judge_is_toyboxs_own_unless_a_clip_is_fetched_and_words_are_free(monkeypatch) -> None:
    loaded: list[str] = []
    monkeypatch.setattr(
        judge, "load_scorer", lambda name, device: loaded.append(name) or load_scorer("toybox")
    )
    info = SimpleNamespace(taught_words=False)
    context = SimpleNamespace(prior=SimpleNamespace(info=info, device=torch.device("cpu")), judges={})
    for here, taught in ((False, False), (True, False), (True, True)):
        monkeypatch.setattr(judge, "installed", lambda _, here=here: here)
        info.taught_words = taught
        assert judge.judge_of(context) is judge.judge_of(context), "loaded once"
    assert loaded == ["toybox", "clip"]
