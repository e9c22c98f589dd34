"""What the menus say: every method and preset, once, in words, with its cost and why it cannot be had."""

from __future__ import annotations

from dataclasses import replace

import pytest
from studio_doubles import catalogue

from engine.guidance import methods
from engine.guidance.cost import Cost
from engine.session.presets import Preset, Presets
from studio.menu import (
    CLASSIC,
    GROUPS,
    LEARNS,
    ONE_PASS,
    THOROUGH,
    cost_words,
    group_of,
    method_options,
    preset_options,
)
from studio.tabs import IMAGE, REFERENCE, TABS, TEXT


def test_every_method_is_in_the_menu_once_with_its_sentence_and_cost() -> None:
    options = method_options(methods(), catalogue(), "toybox")
    assert sorted(option.key for option in options) == sorted(methods())
    for option in options:
        assert option.sentence == methods()[option.key].sentence and option.note == cost_words(
            methods()[option.key]().cost
        )
    places = [GROUPS.index(option.group) for option in options]
    assert places == sorted(places) and options[0].key == "sds"


def test_what_cannot_work_with_the_prior_is_refused_before_it_is_chosen() -> None:
    refused = {
        option.key: option.refusal
        for option in method_options(methods(), catalogue(), "plain")
        if option.refusal
    }
    assert set(refused) == {"vsd", "lods_lora"} and "no network" in refused["vsd"]
    assert not any(option.refusal for option in method_options(methods(), catalogue(), "toybox"))


@pytest.mark.parametrize(
    ("cost", "group", "words"),
    [
        (Cost(2), CLASSIC, "2 passes a step"),
        (Cost(1), ONE_PASS, "1 pass a step"),
        (Cost(2, up_to=3), CLASSIC, "2 to 3 passes a step"),
        (Cost(3, up_to=8), THOROUGH, "3 to 8 passes a step"),
        (Cost(22), THOROUGH, "22 passes a step"),
        (Cost(2.1, learning=1), LEARNS, "2 passes a step, 1 to learn"),
    ],
)
def test_costs_are_told_in_words(cost: Cost, group: str, words: str) -> None:
    assert (group_of(cost), cost_words(cost)) == (group, words)


def test_twenty_presets_stand_below_their_priors() -> None:
    many = tuple(
        Preset(f"p{i}", f"Preset {i}", "Why.", {"prior": ("toybox", "wide")[i % 2]}) for i in range(20)
    )
    options = preset_options(replace(catalogue(), presets=Presets(many, ())), TEXT)
    assert [option.key for option in options] == [preset.key for preset in many]
    assert {(option.group, option.note) for option in options} == {("Toybox", ""), ("Wide", "not installed")}


def test_a_tab_offers_its_own_presets_first_and_none_without_effect() -> None:
    made = {
        "plain": {"prior": "toybox"},
        "close": {"prior": "toybox", "fidelity": 0.8},
        "pulled": {"prior": "toybox", "reference_early": 0.5},
    }
    shelf = replace(
        catalogue(), presets=Presets(tuple(Preset(key, key, "Why.", each) for key, each in made.items()), ())
    )
    shown = {tab: [(option.key, option.group) for option in preset_options(shelf, tab)] for tab in TABS}
    assert shown[TEXT] == [("plain", "Toybox")]
    assert shown[IMAGE] == [("close", IMAGE.title), ("plain", "Toybox")]
    assert shown[REFERENCE] == [("pulled", REFERENCE.title), ("plain", "Toybox"), ("close", "Toybox")]
