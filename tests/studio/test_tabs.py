"""Ways to begin: each tab asks for its own, keeps its own settings, and a run opens in the tab that it was
asked for in.
"""

from __future__ import annotations

from typing import Any

import pytest
from studio_doubles import catalogue, drawn_panel

from engine.errors import InputError
from engine.session import Session
from studio.handlers import HEADS, Handlers
from studio.preset_bar import Memory, Presetting
from studio.tab_state import EVERYWHERE, Desks, Tabbing
from studio.tabs import IMAGE, REFERENCE, TABS, TEXT, check_own, tab_named, tab_of


class Visitor:
    """Somebody who chooses tabs and moves controls."""

    def __init__(self, session: Session) -> None:
        self.controls = drawn_panel().controls
        handlers = Handlers(session, catalogue(), self.controls)
        self.tabbing, self.desks, self.bar = (
            Tabbing(handlers, Presetting(handlers)),
            Desks(),
            Memory("toybox-splats"),
        )
        self.values: list[Any] = [
            "text",
            "a red mug",
            "",
            "toybox",
            "sds",
            *(field.value for field, _ in self.controls.pairs),
        ]

    def choose(self, tab: str) -> None:
        self.values[0] = tab
        self.desks, *answer = self.tabbing.choose(self.desks, self.bar, *self.values)
        self.bar = answer[5]
        for place, update in enumerate(answer[-len(self.values) :]):
            if not isinstance(update, dict):
                self.values[place] = update
            elif "value" in update:
                self.values[place] = update["value"]

    def __getitem__(self, name: str) -> Any:
        return self.values[self._place(name)]

    def __setitem__(self, name: str, value: Any) -> None:
        self.values[self._place(name)] = value

    def _place(self, name: str) -> int:
        return HEADS + next(
            place for place, (field, _) in enumerate(self.controls.pairs) if field.name == name
        )


@pytest.fixture
def visitor(session: Session) -> Visitor:
    return Visitor(session)


def test_a_tab_begins_with_its_own_preset_and_is_found_again_as_it_was_left(visitor: Visitor) -> None:
    visitor["refine_steps"], visitor["guidance_scale"] = 777, 9.5
    visitor.choose("image")
    assert (
        visitor.bar.applied == "toybox-image"
        and visitor["guidance_scale"] == 1.0
        and visitor["refine_steps"] != 777
    )
    visitor["refine_steps"] = 555
    visitor.choose("text")
    assert (visitor["refine_steps"], visitor["guidance_scale"], visitor.bar.applied) == (
        777,
        9.5,
        "toybox-splats",
    )
    visitor.choose("image")
    assert visitor["refine_steps"] == 555


def test_what_was_given_and_the_seed_are_the_same_in_every_tab(visitor: Visitor) -> None:
    visitor["images"], visitor["seed"], visitor["backend"] = "mug.png", 77, "torch"
    for tab in ("image", "reference", "text"):
        visitor.choose(tab)
        assert (visitor["images"], visitor["seed"], visitor["backend"]) == ("mug.png", 77, "torch")
    assert visitor.values[1] == "a red mug"


def test_choosing_a_tab_never_speaks_to_a_run(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Session, "set_knobs", lambda *_: pytest.fail("a run was told"))
    for tab in TABS:
        visitor.choose(tab.key)


def test_a_run_that_is_shown_moves_the_page_to_its_tab(visitor: Visitor) -> None:
    visitor["refine_steps"] = 777
    visitor.choose("image")
    visitor.desks = visitor.tabbing.arrive(visitor.desks, "text")
    assert visitor.desks.tab == "text" and visitor.desks.left["text"].values["refine_steps"] == 777


@pytest.mark.parametrize(
    ("values", "tab"),
    [
        ({"images": "", "reference": ""}, TEXT),
        ({"images": "a.png", "reference": ""}, IMAGE),
        ({"images": "a.png", "reference": "auto"}, REFERENCE),
        ({"images": "", "reference": "auto"}, REFERENCE),
    ],
)
def test_what_a_run_was_given_names_its_tab(values: dict[str, str], tab: object) -> None:
    assert tab_of(values) is tab


def test_a_tab_without_what_it_is_for_says_what_to_do() -> None:
    check_own(TEXT, {})
    check_own(IMAGE, {"images": "a.png"})
    for tab in (IMAGE, REFERENCE):
        with pytest.raises(InputError, match=r"needs something to begin with.*Text to 3D"):
            check_own(tab, {tab.own: "  "})


def test_an_unknown_tab_is_the_first_one() -> None:
    assert tab_named("nothing") is TEXT and {"images", "reference", "seed"} <= EVERYWHERE
