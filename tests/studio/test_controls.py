"""Controls come from the marks beside the fields: all of them, once, with their ranges; a new method needs no
edit here.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from types import ModuleType
from typing import Annotated, ClassVar

import gradio as gr
import pytest
from studio_doubles import drawn_panel

import studio.panel
from engine.core.fields import Choice, Control, File, Range, Switch, Text, marked_fields
from engine.guidance import methods
from engine.guidance.cost import Cost
from engine.guidance.sds import Sds
from engine.loop.settings import Settings, flatten, with_values
from engine.loop.spec import Knobs, RunSpec
from studio.controls import Controls, Field, component_of, fields_of, unmarked

DEFAULTS = Settings(RunSpec("a mug"), Knobs())


def drawn() -> Controls:
    return drawn_panel().controls


def test_every_marked_setting_has_one_control_and_the_rest_a_widget_of_their_own() -> None:
    controls = drawn()
    names = [(field.name, field.method) for field, _ in controls.pairs]
    assert len(names) == len(set(names))
    by_hand = {"prompt", "negative_prompt", "prior", "method"}
    for key in methods():
        shown = {name for name, method in names if method in (None, key)}
        assert shown == set(flatten(with_values(DEFAULTS, {"method": key}))) - by_hand


def test_live_is_what_knobs_hold_and_nothing_else() -> None:
    live = {field.name for field, _ in drawn().pairs if field.live}
    spec = {knob.name for knob in marked_fields(DEFAULTS.spec)}
    assert not live & spec and {"guidance_scale", "anchor_weight", "t_min", "weighting"} <= live


def test_controls_carry_the_marks() -> None:
    marked = [
        (field, component) for field, component in drawn().pairs if field != unmarked(field.name, field.value)
    ]
    for field, component in marked:
        mark = field.mark
        help = component.props["help"] if isinstance(component, gr.HTML) else component.info or ""
        assert (
            help == mark.help and component.value == field.value and component.label.startswith(field.title)
        )
        if isinstance(component, gr.Slider):
            assert (component.minimum, component.maximum, component.step) == (mark.low, mark.high, mark.step)
        if isinstance(mark, Choice):
            assert [value for _, value in component.choices] == list(mark.options)


@pytest.mark.parametrize(
    ("mark", "value", "kind"),
    [
        (Range(0, 1, 0.1), 0.5, gr.Slider),
        (Range(0, 100_000, 1), 5, gr.Number),
        (Choice(("a", "b")), "a", gr.Radio),
        (Choice(("a", "b", "c", "d")), "a", gr.Dropdown),
        (Switch(), True, gr.Checkbox),
        (Text(), "words", gr.Textbox),
        (File((".ply",)), "", gr.HTML),
    ],
)
def test_each_mark_has_its_kind_of_control(mark: Control, value: object, kind: type) -> None:
    assert type(component_of(Field("name", mark, value, live=True))) is kind  # type: ignore[arg-type]


def test_a_new_method_gets_its_controls_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    @dataclass(frozen=True)
    class Novel:
        title: ClassVar[str] = "Novel"
        sentence: ClassVar[str] = "Does something new."
        guidance_scale: Annotated[float, Range(1, 20, 0.1)] = 3.0
        boldness: Annotated[float, Range(0, 2, 0.1, label="Boldness")] = 0.5
        cost: ClassVar[Cost] = Cost(1)

    Novel.__module__ = "engine.guidance.novel"
    module = ModuleType(Novel.__module__)
    for name, value in {"Annotated": Annotated, "Range": Range, "ClassVar": ClassVar, "Cost": Cost}.items():
        setattr(module, name, value)  # what the annotations, kept as text, are read with
    monkeypatch.setitem(sys.modules, Novel.__module__, module)
    monkeypatch.setattr(studio.panel, "methods", lambda: {**methods(), "novel": Novel})
    controls = drawn_panel.__wrapped__().controls  # not the one that was drawn before
    assert [field.title for field, _ in controls.pairs if field.method == "novel"] == ["Boldness"]
    given = [field.value for field, _ in controls.pairs]
    assert "boldness" in controls.values(given, "novel") and "boldness" not in controls.values(given, "sds")
    assert "weighting" in controls.values(given, "sds") and "weighting" not in controls.values(given, "novel")


def test_what_the_controls_say_makes_the_settings_they_show() -> None:
    controls = drawn()
    wanted = with_values(
        DEFAULTS,
        {"splats": 900, "guidance_scale": 9.5, "t_min": 0.3, "weighting": "uniform", "scene": "field"},
    )
    updates = zip(controls.pairs, controls.updates(flatten(wanted)), strict=True)
    given = [update.get("value", field.value) for (field, _), update in updates]
    assert with_values(DEFAULTS, controls.values(given, "sds")) == wanted


def test_only_live_values_are_sent_to_a_run() -> None:
    controls = drawn()
    live = controls.values([field.value for field, _ in controls.pairs], "sds", live_only=True)
    assert "guidance_scale" in live and "splats" not in live and "seed" not in live


def test_guidance_scale_is_drawn_once_as_the_present_method_marks_it() -> None:
    fields = fields_of(DEFAULTS.spec, Knobs(guidance=Sds(guidance_scale=42)), methods())
    scales = [field for field in fields if field.name == "guidance_scale"]
    assert len(scales) == 1 and scales[0].value == 42 and scales[0].method is None


def test_a_setting_that_the_prior_has_no_use_for_is_hidden_and_not_sent() -> None:
    with gr.Blocks():
        controls = Controls(methods())
        demanding = Field("secret", Range(0, 1, 0.1, needs="takes_secrets"), 0.5, live=True)
        controls.draw([demanding, Field("plain", Switch(), False, live=True)], offers=frozenset())
    assert [component.visible for component in controls.components] == [False, True]
    assert controls.values([0.7, True], "sds") == {"plain": True}
    assert controls.values([0.7, True], "sds", offers=frozenset({"takes_secrets"})) == {
        "secret": 0.7,
        "plain": True,
    }
    assert [field.name for field, _ in controls.demanding()] == ["secret"]


def test_the_one_guidance_control_takes_each_methods_range_and_name() -> None:
    controls = drawn()
    for key, method in methods().items():
        values = flatten(with_values(DEFAULTS, {"method": key, "guidance_scale": 30}))
        updates = zip(controls.pairs, controls.updates(values), strict=True)
        update = next(update for (field, _), update in updates if field.name == "guidance_scale")
        mark = next(knob.mark for knob in marked_fields(method()) if knob.name == "guidance_scale")
        assert (update["value"], update["maximum"], update["label"]) == (30, mark.high, mark.label)


def test_a_setting_that_goes_with_another_waits_for_a_tab_that_asks_for_that() -> None:
    beside = Field("closeness", Range(0, 1, 0.1, goes_with="images"), 0.5, live=True)
    for tab in ("words", "pictures"):
        with gr.Blocks():
            controls = Controls(methods(), {"words": frozenset(), "pictures": frozenset({"images"})})
            controls.draw([beside], tab=tab)
        assert (
            controls.components[0].visible
            == bool(controls.values([0.7], "sds", tab=tab))
            == (tab == "pictures")
        )


def test_what_a_tab_does_not_ask_for_is_left_out_there_though_it_was_given_in_another() -> None:
    with gr.Blocks():
        controls = Controls(methods(), {"words": frozenset(), "pictures": frozenset({"images"})})
        controls.place(unmarked("images"), gr.Textbox())
    assert controls.values(["mug.png"], "sds", tab="words") == {}
    assert controls.values(["mug.png"], "sds", tab="pictures") == {"images": "mug.png"}
    controls.draw([unmarked("images")])
    assert len(controls.pairs) == 1, "a setting has one control"
