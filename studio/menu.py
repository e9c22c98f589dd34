"""A menu whose options explain themselves before they are chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import gradio as gr

from engine.core.fields import marked_fields
from engine.guidance.base import Guidance
from engine.guidance.cost import Cost
from engine.loop.spec import Knobs, RunSpec
from engine.session.fetching import MEGABYTE
from engine.session.presets import Preset
from studio.catalogue import PLACEHOLDER, Catalogue
from studio.messages import size_words
from studio.tabs import Tab

CLASSIC, ONE_PASS, THOROUGH, LEARNS = (
    "Classic",
    "One look a step",
    "Slow and thorough",
    "Learn while the shape grows",
)
GROUPS = (CLASSIC, ONE_PASS, THOROUGH, LEARNS)
OPEN_WORDS, TAUGHT_WORDS = "Knows any words.", "Knows only the words that it was taught."
NO_WORDS = "Reads no words: it draws from a picture."
CLASSIC_PASSES = 3  # a method that takes more is a slow one


@dataclass(frozen=True)
class Option:
    """One line of a menu: its ``title``, one plain ``sentence``, and a short ``note`` beside the title (what
    it costs).

    Options with the same ``group`` stand under one heading. A ``refusal`` says why this one cannot be chosen
    now.
    """

    key: str
    title: str
    sentence: str = ""
    note: str = ""
    group: str = ""
    refusal: str = ""


def menu(
    options: Sequence[Option],
    value: str | None,
    name: str,
    elem_id: str,
    *,
    help: str = "",
    live: bool = False,
    about: bool = False,
) -> gr.HTML:
    """A menu in the current Blocks, drawn by ``assets/menu.js``; its value is the key of the chosen option.

    With ``about``, the sentence of the chosen option stays in sight.
    """
    return gr.HTML(
        value,
        html_template='<div class="mq-menu"></div>',
        js_on_load="maquette.mountMenu(element, props, trigger, watch)",
        apply_default_css=False,
        elem_id=elem_id,
        elem_classes=["mq-knob", "mq-knob-live" if live else "mq-knob-next"],
        options=plain(options),
        name=name,
        help=help,
        about=about,
    )


def plain(options: Sequence[Option]) -> list[dict[str, Any]]:
    """The options as the browser takes them."""
    return [asdict(option) for option in options]


def method_options(methods: Mapping[str, type[Guidance]], catalogue: Catalogue, prior: str) -> list[Option]:
    """Every method in its group, the cheapest first; refused are those that cannot work with ``prior``."""
    made = {key: kind() for key, kind in methods.items()}
    options = [
        Option(
            key,
            each.title,
            each.sentence,
            cost_words(each.cost),
            group_of(each.cost),
            catalogue.refusal(prior, each),
        )
        for key, each in made.items()
    ]
    return sorted(
        options,
        key=lambda each: (GROUPS.index(each.group), made[each.key].cost.most, each.key != "sds", each.title),
    )


def prior_options(catalogue: Catalogue) -> list[Option]:
    """Every prior as things are now; refused are those that are not on this machine and cannot be downloaded
    from the page.
    """
    options = []
    for prior in catalogue.shelf():
        offer = catalogue.offer(prior.id)
        note = f"{size_words(offer.size_mb * MEGABYTE)} to download, {offer.licence}" if offer else ""
        words = NO_WORDS if prior.no_words else OPEN_WORDS if prior.any_words else TAUGHT_WORDS
        options.append(Option(prior.id, prior.title, words, note, "", "" if offer else prior.missing))
    return options


def preset_options(catalogue: Catalogue, tab: Tab) -> list[Option]:
    """The presets that have a use in a tab: those made for it first, then the others below their prior."""
    options = []
    for preset in presets_in(catalogue, tab):
        prior = catalogue.prior(str(preset.values.get("prior", "")))
        note = "not installed" if prior.missing else ""
        group = tab.title if made_for(preset, tab) else prior.title
        options.append(Option(preset.key, preset.title, preset.sentence, note, group))
    return options


def presets_in(catalogue: Catalogue, tab: Tab) -> list[Preset]:
    """The presets that set nothing which has no effect in ``tab``: the one it begins with, others made for
    it, the rest.
    """
    useful = [preset for preset in catalogue.presets.presets if companions(preset) <= tab.gives]
    return sorted(useful, key=lambda preset: (preset.key != tab.preset, not made_for(preset, tab)))


def made_for(preset: Preset, tab: Tab) -> bool:
    """Whether a preset sets what only goes with the thing that the tab is for."""
    return bool(tab.own) and tab.own in companions(preset)


def companions(preset: Preset) -> frozenset[str]:
    """The settings without which some of a preset's own have no effect: a reference, for the strength of its
    pull.
    """
    marked = (*marked_fields(RunSpec(PLACEHOLDER)), *marked_fields(Knobs()))
    return frozenset(
        knob.mark.goes_with for knob in marked if knob.mark.goes_with and knob.name in preset.values
    )


def group_of(cost: Cost) -> str:
    """Which heading a method with this cost stands under."""
    if cost.learning:
        return LEARNS
    if cost.most <= 1:
        return ONE_PASS
    return CLASSIC if cost.most <= CLASSIC_PASSES else THOROUGH


def cost_words(cost: Cost) -> str:
    """The cost in words: how often the prior is asked in one step."""
    least, most = round(cost.forwards), round(cost.most)
    passes = (
        "1 pass a step"
        if most == 1
        else f"{most} passes a step"
        if least == most
        else f"{least} to {most} passes a step"
    )
    return passes + (f", {cost.learning} to learn" if cost.learning else "")
