"""Settings by name: unique, complete, checked; and recipes, which are made of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.core.fields import Choice, File, Range, Switch, Text, marked_fields
from engine.errors import FileFormatError, InputError
from engine.guidance import methods
from engine.loop.recipe import Change, Recipe, changed_values
from engine.loop.settings import Settings, flatten, with_values
from engine.loop.spec import MAX_PROMPT_CHARACTERS, Knobs, RunSpec

BLANK = Settings(RunSpec(prompt="a mug"), Knobs())


def owners(settings: Settings) -> list:
    return [settings.spec, settings.knobs, settings.knobs.guidance, settings.knobs.timesteps]


@pytest.mark.parametrize("method", methods())
def test_names_are_unique_for_every_method(method: str) -> None:
    settings = with_values(BLANK, {"method": method})
    names = [knob.name for owner in owners(settings) for knob in marked_fields(owner)]
    assert len(names) == len(set(names))


def test_flatten_and_back() -> None:
    settings = with_values(
        BLANK,
        {
            "prompt": "a blue chair",
            "seed": 12,
            "guidance_scale": 3.5,
            "t_min": 0.1,
            "anchor_weight": 0.0,
            "scene": "field",
        },
    )
    assert with_values(BLANK, flatten(settings)) == settings
    assert flatten(settings)["guidance_scale"] == 3.5


def _other_value(mark, value):
    if isinstance(mark, Switch):
        return not value
    if isinstance(mark, Choice):
        return next(option for option in mark.options if option != value)
    if isinstance(mark, File):
        return f"folder/a file{mark.endings[0]}"
    if isinstance(mark, Text):
        return mark.example
    assert isinstance(mark, Range)
    other = mark.low if value != mark.low else mark.high
    return type(value)(other)


@pytest.mark.parametrize("method", methods())
def test_every_knob_can_be_set_by_name_from_text(method: str) -> None:
    settings = with_values(BLANK, {"method": method, "t_min": 0.2, "t_max": 0.8})
    for owner in owners(settings):
        for knob in marked_fields(owner):
            value = 0.3 if knob.name in ("t_min", "t_max") else _other_value(knob.mark, knob.value)
            changed = with_values(settings, {knob.name: str(value)})
            assert flatten(changed)[knob.name] == value, knob.name
            assert {k for k, v in flatten(changed).items() if flatten(settings)[k] != v} == {knob.name}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"guidance_scal": 3}, "guidance_scale"),
        ({"guidance_scale": "loud"}, "number"),
        ({"guidance_scale": "nan"}, "from 1 to 100"),
        ({"guidance_scale": float("inf")}, "from 1 to 100"),
        ({"guidance_scale": 0.5}, "from 1 to 100"),
        ({"seed": 1.5}, "whole"),
        ({"seed": -1}, "from 0"),
        ({"scene": "clouds"}, "splats, field, canvas"),
        ({"method": "magic"}, "sds"),
        ({"prompt": "   "}, "empty"),
        ({"prompt": "x" * (MAX_PROMPT_CHARACTERS + 1)}, "1,000"),
    ],
)
def test_bad_values_say_what_is_allowed(values: dict, message: str) -> None:
    with pytest.raises(InputError) as error:
        with_values(BLANK, values)
    assert message in str(error.value) and error.value.remedy


def test_recipe_round_trip_with_changes() -> None:
    recipe = Recipe(
        BLANK,
        (Change(12, 1, {"guidance_scale": 5.0}), Change(40, 2, {"method": "sds", "t_max": 0.5})),
        {"version": "0.1"},
    )
    assert Recipe.from_toml(recipe.to_toml()) == recipe


def test_prompts_with_any_characters_survive_a_recipe() -> None:
    for prompt in ('a "quoted" mug', "back\\slash", "emoji 🫖 and 漢字", "tab\tand\nnewline"):
        recipe = Recipe(Settings(replace(BLANK.spec, prompt=prompt), BLANK.knobs))
        assert Recipe.from_toml(recipe.to_toml()).settings.spec.prompt == prompt


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not toml [",
        "prompt = 'a mug'",
        "maquette_recipe = 99\nprompt = 'a mug'",
        "maquette_recipe = 1\nprompt = 3",
    ],
)
def test_what_is_no_recipe_is_refused(text: str) -> None:
    with pytest.raises((FileFormatError, InputError)) as error:
        Recipe.from_toml(text)
    assert error.value.remedy


def test_changed_values_are_only_the_changes() -> None:
    before = Knobs()
    after = replace(before, guidance=replace(before.guidance, guidance_scale=9.0), anchor_weight=1.0)
    assert changed_values(before, after) == {"guidance_scale": 9.0, "anchor_weight": 1.0}
