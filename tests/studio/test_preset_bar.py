"""Presets on the page: what one would change is told first; Apply sets it, and Undo puts back what was
there.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from studio_doubles import catalogue, drawn_panel
from studio_serving import until

from engine.guidance import methods
from engine.loop.settings import Settings, flatten, with_values
from engine.loop.spec import Knobs, RunSpec
from engine.session import Session
from engine.session.presets import Preset, apply_preset
from studio.catalogue import Catalogue
from studio.changes import Change, changes_of, table
from studio.controls import Controls
from studio.handlers import Handlers
from studio.preset_bar import Memory, Presetting, Replaced

BAR = 6  # outputs of the bar itself
FIRST = Memory("toybox-splats")


class Bar:
    """The preset handlers over a session of doubles, and controls that obey their updates."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.controls: Controls = drawn_panel().controls
        self.handlers = Handlers(session, catalogue(), self.controls)
        self.presetting = Presetting(self.handlers)
        self.values: list[Any] = [
            "reference",
            "a red mug",
            "fog",
            "toybox",
            "sds",
            *(field.value for field, _ in self.controls.pairs),
        ]

    def set(self, **changes: Any) -> None:
        for place, (field, _) in enumerate(self.controls.pairs, 5):
            self.values[place] = changes.get(field.name, self.values[place])

    def obey(self, answer: list[Any]) -> Memory:
        """What the page does with an answer of apply or undo; returns the memory."""
        for place, update in enumerate(answer[-len(self.values) :]):
            if not isinstance(update, dict):
                self.values[place] = update
            elif "value" in update:
                self.values[place] = update["value"]
        return answer[5]

    def settings(self) -> Settings:
        return self.handlers.settings(self.values)


@pytest.fixture
def bar(session: Session) -> Bar:
    return Bar(session)


def preset(**values: Any) -> Preset:
    return Preset("special", "Special", "For a test.", values)


def offer(monkeypatch: pytest.MonkeyPatch, special: Preset) -> None:
    monkeypatch.setattr(Catalogue, "preset", lambda self, key: special if key == "special" else None)


def test_choosing_a_preset_changes_nothing_and_tells_what_it_would(bar: Bar) -> None:
    bar.set(refine_steps=2000)
    before = bar.settings()
    menu, note, apply, dismiss, undo, memory = bar.presetting.preview(FIRST, "toybox-quick", *bar.values)
    assert "Refine steps" in note and "<td>2000</td><td>→</td><td>0</td>" in note and "Only the draft" in note
    assert apply["visible"] and dismiss["visible"] and not undo["visible"]
    assert bar.settings() == before and "value" not in menu and "value" not in memory


@pytest.mark.parametrize("key", [each.key for each in catalogue().presets.presets])
def test_apply_does_what_the_preset_says_and_undo_brings_everything_back(bar: Bar, key: str) -> None:
    bar.set(refine_steps=2000, guidance_scale=31.5, t_min=0.33, scene="field", seed=77)
    before = bar.settings()
    memory = bar.obey(bar.presetting.apply(FIRST, "", key, *bar.values))
    assert bar.settings() == apply_preset(catalogue().preset(key), before) and memory.applied == key
    assert bar.values[1:3] == ["a red mug", "fog"] and bar.settings().spec.seed == 77, (
        "words and seed are the artist's"
    )
    memory = bar.obey(bar.presetting.undo(memory, ""))
    assert bar.settings() == before and memory == FIRST


def test_undo_brings_back_another_method_with_its_own_settings(
    bar: Bar, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(monkeypatch, preset(method="lods", prior_learning_rate=0.02, guidance_scale=400))
    bar.set(weighting="uniform", guidance_rescale=0.4, guidance_scale=12)
    before = bar.settings()
    answer = bar.presetting.apply(FIRST, "", "special", *bar.values)
    visible = dict(
        zip(methods(), (group["visible"] for group in answer[BAR + 1 :][: len(methods())]), strict=True)
    )
    assert [key for key, shown in visible.items() if shown] == ["lods"]
    memory = bar.obey(answer)
    assert bar.settings().knobs.guidance.prior_learning_rate == 0.02
    bar.obey(bar.presetting.undo(memory, ""))
    assert bar.settings() == before


def test_what_is_changed_after_a_preset_survives_its_undo(bar: Bar) -> None:
    memory = bar.obey(bar.presetting.apply(FIRST, "", "toybox-quick", *bar.values))
    bar.set(splats=1234)
    bar.obey(bar.presetting.undo(memory, ""))
    assert bar.settings().spec.splats == 1234


def test_apply_and_undo_reach_a_run_that_goes(bar: Bar, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, preset(method="csd", anchor_weight=2.0, refine_steps=10))
    before = with_values(bar.settings(), {"refine_steps": 2000})
    token = bar.session.submit(before, "ada")
    memory = bar.obey(bar.presetting.apply(FIRST, token, "special", *bar.values))
    assert flatten(replace(before, knobs=bar.session.knobs(token)))["method"] == "csd"
    assert bar.session.knobs(token).anchor_weight == 2.0
    until(lambda: bar.session.view(token).revision_applied == 1)
    bar.obey(bar.presetting.undo(memory, token))
    assert bar.session.knobs(token) == before.knobs


def test_leaving_it_shows_the_preset_that_holds(bar: Bar) -> None:
    menu, note, apply, dismiss, undo, memory = bar.presetting.rest(FIRST)
    assert (menu, note, memory) == ("toybox-splats", "", FIRST)
    assert not any(button["visible"] for button in (apply, dismiss, undo))
    changed = Memory("toybox-quick", Replaced("toybox-splats", {}))
    assert bar.presetting.rest(changed)[4]["visible"], "the last one can still be undone"
    assert not bar.presetting.forget(changed)[4]["visible"], "another run is shown"


def test_a_preset_whose_prior_is_missing_says_how_to_get_it(
    bar: Bar, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(monkeypatch, preset(prior="wide"))
    _, note, apply, *_ = bar.presetting.preview(FIRST, "special", *bar.values)
    assert "Wide is not installed. Fetch it." in note and not apply["visible"]


def test_bad_values_in_the_controls_are_told_and_nothing_is_set(bar: Bar) -> None:
    bar.set(refine_steps=None)
    for answer in (
        bar.presetting.preview(FIRST, "toybox-quick", *bar.values),
        bar.presetting.apply(FIRST, "", "toybox-quick", *bar.values),
    ):
        assert "refine_steps" in answer[1] and not answer[2]["visible"]


def test_a_preset_that_is_gone_and_an_undo_of_nothing_change_nothing(bar: Bar) -> None:
    before = bar.settings()
    for answer in (bar.presetting.apply(FIRST, "", "nobody", *bar.values), bar.presetting.undo(FIRST, "")):
        assert bar.obey(answer) == FIRST and bar.settings() == before
    assert bar.presetting.preview(FIRST, "nobody", *bar.values)[0] == FIRST.applied


def test_changes_are_in_words_and_the_live_ones_apart(bar: Bar) -> None:
    settings = Settings(RunSpec("a mug"), Knobs())
    special = preset(
        method="lods", prior_learning_rate=0.01, scene="field", prior="wide", perp_neg=True, refine_steps=500
    )
    found = {each.title: each for each in changes_of(special, settings, bar.controls, catalogue())}
    assert found["Method"] == Change("Method", "SDS", "LODS", live=True) and found["Prior"].new == "Wide"
    assert found["Scene"] == Change("Scene", "splats", "field", live=False)
    assert found["Perp-Neg"] == Change("Perp-Neg", "off", "on", live=True)
    assert found["Prior learning rate"] == Change("Prior learning rate", "", "0.01", live=True)
    assert "Prior steps" not in found and "Guidance rescale" not in found, (
        "what a method brings by itself is not news"
    )
    html = table("Why.", list(found.values()))
    assert (
        html.index("mq-changes-live")
        < html.index("Perp-Neg")
        < html.index("mq-changes-next")
        < html.index("Scene")
    )
    assert "already" in table("Why.", [])
