"""Settings that cannot work together are refused: before a run, in a preset, and live, where the run goes on
unharmed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from engine.core.fields import Choice, Control, File, Range, Switch, marked_fields
from engine.errors import InputError, PresetError
from engine.guidance import methods
from engine.loop.messages import Finished, KnobsApplied, SetKnobs, Stepped, Unattended, Warned
from engine.loop.run import run
from engine.loop.settings import Settings, Value, flatten, with_values
from engine.loop.spec import Knobs, RunSpec
from engine.loop.validation import check_combination, refusal
from engine.prior.analytic import AnalyticPrior, CountingPrior
from engine.prior.base import PriorInfo, TextEmbedding
from engine.prior.capabilities import info_of
from engine.prior.view_prompts import WORDS
from engine.session.presets import FOLDER, apply_preset, load_preset, load_presets
from tests.loop.balls import (
    PROMPT,
    ScriptedCommands,
    ball_picture,
    ball_prior,
    ball_prior_info,
    guided_knobs,
    of_type,
    quick_spec,
)

WORDED = PriorInfo("worded", "Worded", "rgb", 64, 7.5, wants_view_words=True)
JOINT = PriorInfo("joint", "Joint", "rgba", 64, 2.5, takes_cameras=True, joint_views=True)
NO_LORA = replace(JOINT, id="bare", takes_adapters=False)


def settings_of(**values: object) -> Settings:
    return with_values(Settings(RunSpec("a mug", start="ball"), Knobs()), values)


@pytest.mark.parametrize(
    ("values", "info", "named"),
    [
        ({"method": "vsd"}, NO_LORA, "adapter"),
        ({"method": "lods_lora"}, NO_LORA, "adapter"),
        ({"method": "lods", "null_per_side": True}, JOINT, "null_per_side"),
        ({"perp_neg": True}, JOINT, "perp_neg"),
        ({"method": "lods", "perp_neg": True}, NO_LORA, "perp_neg"),
        ({"start": "draft"}, WORDED, "draft"),
        ({"refine_steps": 0}, JOINT, "nothing to do"),
    ],
)
def test_what_cannot_work_is_refused_with_a_remedy(values: dict, info: PriorInfo, named: str) -> None:
    with pytest.raises(InputError, match=named) as error:
        check_combination(settings_of(**values), info)
    assert error.value.remedy
    assert refusal(settings_of(**values), info).what == error.value.what


@pytest.mark.parametrize(
    ("values", "info"),
    [
        ({"method": "vsd"}, JOINT),
        ({"method": "vsd", "scene": "canvas"}, WORDED),
        ({"method": "lods_lora"}, WORDED),
        ({"method": "lods", "null_per_side": True}, WORDED),
        ({"method": "lods"}, NO_LORA),
        ({"perp_neg": True, "method": "csd"}, WORDED),
        ({"start": "draft"}, JOINT),
        ({"start": "draft", "refine_steps": 0}, NO_LORA),
        ({"method": "hifa", "gradient_clip": "norm"}, WORDED),
    ],
)
def test_what_works_is_let_through(values: dict, info: PriorInfo) -> None:
    check_combination(settings_of(**values), info)
    assert refusal(settings_of(**values), info) is None


def test_every_setting_that_needs_something_of_a_prior_is_refused_by_one_without_it() -> None:
    """And let through by one that has it."""
    needy = {
        knob.name: (knob.mark.needs, knob.mark)
        for owner in (RunSpec("a mug"), Knobs(), *(kind() for kind in methods().values()))
        for knob in marked_fields(owner)
        if knob.mark.needs
    }
    assert {"perp_neg"} <= set(needy)
    for name, (needs, mark) in needy.items():
        given = settings_of(**{name: changed(mark, flatten(settings_of())[name])})
        assert name in refusal(given, WORDED if needs != "wants_view_words" else JOINT).what
        let_through = refusal(given, replace(WORDED, **{needs: True}))
        assert let_through is None or name not in let_through.what, (
            "an editing prior asks for a scene to edit"
        )


def changed(mark: Control, value: Value) -> Value:
    if isinstance(mark, Switch):
        return not value
    if isinstance(mark, Choice):
        return next(option for option in mark.options if option != value)
    if isinstance(mark, Range):
        return mark.low if value != mark.low else mark.high
    return f"other{mark.endings[0]}" if isinstance(mark, File) else "other"


def ball_knobs(**values: object) -> Knobs:
    return with_values(settings_of(), {"guidance_scale": 1.0, "anchor_weight": 0.0, **values}).knobs


BALL = quick_spec(start="ball", splats=200, refine_steps=8)


@pytest.mark.parametrize(
    "values", [{"method": "vsd"}, {"perp_neg": True}, {"method": "lods", "null_per_side": True}]
)
def test_a_run_that_could_not_work_does_not_begin(values: dict) -> None:
    counted = CountingPrior(ball_prior())
    with pytest.raises(InputError) as error:
        next(run(BALL, ball_knobs(**values), Unattended(), lambda name: counted))
    assert error.value.remedy and counted.forwards == 0


@pytest.mark.parametrize("values", [{"method": "vsd", "guidance_scale": 2.0}, {"perp_neg": True}])
def test_a_live_change_that_could_not_work_leaves_the_run_as_it_was(values: dict) -> None:
    """It is told, its revision is answered with the knobs that stay, and the result is to the bit that of a
    run without it.
    """
    commands = ScriptedCommands({4: [SetKnobs(1, ball_knobs(**values))]})
    events, untouched = (list(run(BALL, ball_knobs(), box, ball_prior)) for box in (commands, Unattended()))
    (warned,) = of_type(events, Warned)
    (applied,) = of_type(events, KnobsApplied)
    assert "The change was not made" in warned.what and warned.remedy
    assert (applied.revision, applied.knobs) == (1, ball_knobs())
    assert isinstance(events[-1], Finished) and not events[-1].stopped and events[-1].recipe.changes == ()
    assert of_type(events, Stepped)[-1].revision == 1
    assert torch.equal(events[-1].copy.scene.means, untouched[-1].copy.scene.means)


def test_a_preset_that_could_not_work_is_not_offered(tmp_path: Path) -> None:
    for name, line in (
        ("camera", "perp_neg = true"),
        ("sides", 'method = "lods"\nnull_per_side = true'),
        ("fine", "seed = 1"),
    ):
        (tmp_path / f"{name}.toml").write_text(
            f'title = "T"\nsentence = "S."\nprior = "toybox"\n{line}\n', encoding="utf-8"
        )
    found = load_presets(tmp_path)
    assert [preset.key for preset in found.presets] == ["fine"]
    assert sorted(problem.what.split(":")[0] for problem in found.problems) == [
        "camera.toml, line 4",
        "sides.toml, line 5",
    ]
    assert all(problem.remedy for problem in found.problems)
    with pytest.raises(PresetError, match="perp_neg is True"):
        load_preset(tmp_path / "camera.toml")


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.toml")), ids=lambda path: path.stem)
def test_every_preset_that_is_shipped_suits_its_prior(path: Path) -> None:
    settings = apply_preset(load_preset(path), Settings(RunSpec("a mug"), Knobs()))
    info = info_of(settings.spec.prior)
    if info.needs_images:
        assert "images names none" in refusal(settings, info).what
        settings = with_values(settings, {"images": "mug.png"})
    assert info is not None and refusal(settings, info) is None
    assert set(load_preset(path).values) <= set(flatten(settings))


def test_what_is_known_before_loading_is_what_loading_says(toybox_info: PriorInfo) -> None:
    known = info_of("toybox")
    assert known == replace(toybox_info, vocabulary=None) and info_of("no such prior") is None
    assert (
        info_of("stable-diffusion-1.5").wants_view_words and not info_of("stable-diffusion-1.5").joint_views
    )


@pytest.fixture(scope="module")
def toybox_info() -> PriorInfo:
    from engine.prior.registry import load_prior

    return load_prior("toybox", "cpu").info


def without_null(
    embed: Callable[[str], TextEmbedding], spoil: Callable[[TextEmbedding], TextEmbedding]
) -> AnalyticPrior:
    prior = ball_prior()
    prior.embed = lambda prompt: embed(prompt) if prompt else spoil(embed(prompt))
    return prior


def test_a_prior_that_cannot_read_the_empty_prompt_is_refused_with_a_remedy() -> None:
    mute = AnalyticPrior({PROMPT: ball_prior().concepts[PROMPT]}, info=ball_prior_info())
    whole = ball_prior().embed
    broken = without_null(whole, lambda text: replace(text, tokens=text.tokens * float("nan")))
    empty = without_null(whole, lambda text: replace(text, tokens=text.tokens[:, :0]))
    for prior, named in ((mute, "no null prompt"), (broken, "not finite"), (empty, "no tokens")):
        with pytest.raises(InputError, match=named) as error:
            next(run(BALL, ball_knobs(method="lods"), Unattended(), lambda name, prior=prior: prior))
        assert error.value.remedy and "'ball'" in error.value.what


def worded_prior() -> AnalyticPrior:
    """The ball, told the view in words; its sides are of other colours, so that Perp-Neg has something to
    push away from.
    """
    colours = ((0.9, 0.2, 0.1), (0.2, 0.9, 0.1), (0.2, 0.1, 0.9), (0.9, 0.2, 0.1))
    words = {f"{PROMPT}, {word}": ball_prior().concepts[PROMPT] for word in WORDS}
    for word, colour in zip(WORDS, colours, strict=True):
        concept = words[f"{PROMPT}, {word}"]
        words[f"{PROMPT}, {word}"] = replace(concept, means=ball_picture(colour)[None].to(concept.means))
    info = replace(ball_prior_info(), joint_views=False, wants_view_words=True)
    return AnalyticPrior({**words, "": ball_prior().concepts[""]}, info=info)


def test_perp_neg_is_a_live_switch_of_whole_runs() -> None:
    """Two passes a step more from the step on at which it is switched on, and another shape."""
    counted = CountingPrior(worded_prior())
    box = ScriptedCommands({5: [SetKnobs(1, guided_knobs(perp_neg=True))]})
    events = list(run(BALL, guided_knobs(), box, lambda name: counted))
    assert not of_type(events, Warned) and isinstance(events[-1], Finished)
    assert counted.forwards == 2 * 8 + 2 * 4
    plain = list(run(BALL, guided_knobs(), Unattended(), lambda name: worded_prior()))
    assert not torch.equal(plain[-1].copy.scene.colours, events[-1].copy.scene.colours)
