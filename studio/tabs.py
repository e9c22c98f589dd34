"""Ways to begin: each tab asks for inputs of its own; everything else on the page (settings, stage, queue)
serves all of them.

All cards are on the page all the time, and a style sheet hides those that are not of the chosen tab, so that
what was typed or uploaded in one tab is there in the next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import gradio as gr

from engine.errors import InputError
from engine.loop.settings import Value
from studio.examples import EXAMPLES

WORDS = frozenset({"prompt", "negative_prompt"})
PICTURES = frozenset({"images", "image_crops"})


@dataclass(frozen=True)
class Tab:
    """``gives`` are the settings that it asks for, among them ``own``, without which it cannot begin; words
    suffice if empty.

    ``missing`` says what to do when there is none; ``preset`` is the key of the preset that it begins with;
    ``words`` stands in the empty prompt.
    """

    key: str
    title: str
    gives: frozenset[str] = WORDS
    own: str = ""
    missing: str = ""
    preset: str = ""
    words: str = f"Describe one object: {EXAMPLES[0].prompt}"


TEXT = Tab("text", "Text to 3D")
IMAGE = Tab(
    "image",
    "Image to 3D",
    WORDS | PICTURES,
    "images",
    "Add a picture of the object, or describe it under Text to 3D.",
    "toybox-image",
    "What it is, in words (optional)",
)
REFERENCE = Tab(
    "reference",
    "Reference-guided",
    WORDS | PICTURES | {"reference"},
    "reference",
    "Choose a 3D model to be guided by, or go on without one under Text to 3D or Image to 3D.",
    "reference-text",
)
EDIT = Tab(
    "edit",
    "Edit",
    WORDS | {"region", "region_was"},
    "region",
    "Open a run that is done, or add a file of your own.",
    "toybox-region",
)
TABS = (TEXT, IMAGE, REFERENCE, EDIT)


def gives(tabs: Sequence[Tab] = TABS) -> dict[str, frozenset[str]]:
    """The settings that each tab asks for, by its key."""
    return {tab.key: tab.gives for tab in tabs}


def tab_settings(tabs: Sequence[Tab] = TABS) -> frozenset[str]:
    """The settings that the tabs ask for together."""
    return frozenset().union(*(tab.gives for tab in tabs))


def tab_named(key: str, tabs: Sequence[Tab] = TABS) -> Tab:
    """The tab with this key; the first one, where there is none."""
    return next((tab for tab in tabs if tab.key == key), tabs[0])


def tab_of(values: Mapping[str, Value], tabs: Sequence[Tab] = TABS) -> Tab:
    """The tab in which a run with these settings would have been asked for."""
    return next((tab for tab in reversed(tabs) if tab.own and values.get(tab.own)), tabs[0])


def check_own(tab: Tab, values: Mapping[str, Value]) -> None:
    """Raises InputError if what a tab is for is not there."""
    if tab.own and not str(values.get(tab.own, "")).strip():
        raise InputError(f"{tab.title} needs something to begin with.", tab.missing)


def tab_bar(tabs: Sequence[Tab] = TABS) -> gr.HTML:
    """The bar of tabs in the current Blocks, drawn by ``assets/tabs.js``; its value is the key of the chosen
    one.
    """
    return gr.HTML(
        tabs[0].key,
        html_template='<div class="mq-tabs"></div>',
        js_on_load="maquette.mountTabs(element, props, trigger, watch)",
        apply_default_css=False,
        elem_id="mq-tabs",
        tabs=[{"key": tab.key, "title": tab.title, "words": tab.words} for tab in tabs],
    )
