"""Controls drawn from the marks beside the settings' fields: a new field or a new method gets its control here by itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.components import Component

from engine.guidance import key_of
from engine.guidance.base import Guidance
from engine.loop.settings import Value
from engine.loop.spec import Knobs, RunSpec
from engine.math.knobs import Choice, Knob, Mark, Range, Switch, knobs_of

SLIDER_STOPS = 1000  # a range with more stops than this is typed, not dragged
SEGMENTS = 3  # up to this many words are shown side by side


@dataclass(frozen=True)
class Field:
    """One setting that has a control. ``live``: a run that goes obeys it. ``method``: the guidance method it is of, if any."""

    name: str
    mark: Mark
    value: Value
    live: bool
    method: str | None = None

    @property
    def title(self) -> str:
        return self.mark.label or self.name.replace("_", " ").capitalize()


def fields_of(spec: RunSpec, knobs: Knobs, methods: Mapping[str, type[Guidance]]) -> tuple[Field, ...]:
    """Every marked setting: the spec's, the live ones, and those of each method.

    ``guidance_scale``, which every method has, appears once, as the method of ``knobs`` marks it.
    """
    shared = [knob for knob in knobs_of(knobs.guidance) if knob.name == "guidance_scale"]
    found = _fields(knobs_of(spec), live=False) + _fields([*shared, *knobs_of(knobs), *knobs_of(knobs.timesteps)], live=True)
    for key, method in methods.items():
        present = knobs.guidance if key == key_of(knobs.guidance) else method()
        found += _fields([knob for knob in knobs_of(present) if knob.name != "guidance_scale"], live=True, method=key)
    return tuple(found)


def _fields(knobs: Iterable[Knob], *, live: bool, method: str | None = None) -> list[Field]:
    return [Field(knob.name, knob.mark, knob.value, live, method) for knob in knobs]


def component_of(field: Field) -> Component:
    """The Gradio control of a field: slider or number, segments or menu, checkbox."""
    mark = field.mark
    classes = ["mq-knob", "mq-knob-live" if field.live else "mq-knob-next"]
    common: dict[str, Any] = {
        "label": field.title,
        "info": mark.help or None,
        "value": field.value,
        "elem_id": f"mq-{field.name}",
        "elem_classes": classes,
    }
    if field.method:
        common["elem_id"] = f"mq-{field.method}-{field.name}"
    if isinstance(mark, Switch):
        return gr.Checkbox(**common)
    if isinstance(mark, Choice):
        menu = gr.Radio if len(mark.options) <= SEGMENTS else gr.Dropdown
        return menu(choices=[(_words(option), option) for option in mark.options], **common)
    return _number(mark, common)


def _number(mark: Range, common: dict[str, Any]) -> Component:
    if mark.unit:
        common = {**common, "label": f"{common['label']} ({mark.unit})"}
    if (mark.high - mark.low) / mark.step > SLIDER_STOPS:
        return gr.Number(step=mark.step, **common)
    return gr.Slider(minimum=mark.low, maximum=mark.high, step=mark.step, buttons=[], **common)


def _words(option: str) -> str:
    return option.replace("_", " ")


class Controls:
    """The controls of a page: (field, component) pairs, in the order in which handlers receive their values.

    ``methods`` are the guidance methods that the page offers, by key.
    """

    def __init__(self, methods: Mapping[str, type[Guidance]]) -> None:
        self.methods = dict(methods)
        self.pairs: list[tuple[Field, Component]] = []

    def draw(self, fields: Iterable[Field]) -> None:
        """Put controls for ``fields`` here."""
        for field in fields:
            self.pairs.append((field, component_of(field)))

    @property
    def components(self) -> list[Component]:
        return [component for _, component in self.pairs]

    def named(self, name: str) -> Component:
        """The control of a setting that belongs to no method in particular."""
        return next(component for field, component in self.pairs if field.name == name and field.method is None)

    def values(self, given: Sequence[Value], method: str, *, live_only: bool = False) -> dict[str, Value]:
        """What the controls say, by setting, leaving out those of methods that are not chosen."""
        return {
            field.name: value
            for (field, _), value in zip(self.pairs, given, strict=True)
            if field.method in (None, method) and (field.live or not live_only)
        }

    def updates(self, values: Mapping[str, Value]) -> list[Any]:
        """One update for each control: the new value where ``values`` names it for the method that ``values`` names."""
        method = values.get("method")
        return [
            gr.update(value=values[field.name]) if field.name in values and field.method in (None, method) else gr.skip()
            for field, _ in self.pairs
        ]


def title_of(name: str, fields: Sequence[Field]) -> str:
    """What the page calls a setting."""
    return next((field.title for field in fields if field.name == name), name.replace("_", " ").capitalize())
