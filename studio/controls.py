"""Controls drawn from the marks beside the settings' fields: a new field or a new method gets its control
here by itself.

The guidance slider's range: what a method allows, as far as it makes sense with a prior.

A scale that suits a latent prior tears a toybox shape apart within seconds, so the slider ends where that
would begin.

A section that opens and closes. What is inside is on the page from the start.

``gr.Accordion`` makes its children only when it is opened, and a widget of our own that is sent a value
before that has lost everything else it was given; here nothing is made late.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from html import escape
from typing import Any

import gradio as gr
from gradio.components import Component

from engine.core.fields import Control, Range, SettingField, Text, marked_fields
from engine.guidance import key_of
from engine.guidance.base import Guidance
from engine.loop.settings import Value
from engine.loop.spec import Knobs, RunSpec
from studio.catalogue import Catalogue
from studio.widgets import widget

ROOM = 4.0  # the slider reaches so many times the scale that the prior is at home with
FULL = 100.0  # the scale at which a prior leaves a method its whole range

SHARED = (
    "guidance_scale"  # every method has one, with a range and a name of its own; one control serves them all
)


@contextmanager
def fold(title: str, elem_id: str) -> Iterator[None]:
    """``with fold("More settings", "mq-more"):`` puts what follows into a closed section with this title."""
    with gr.Column(elem_id=elem_id, elem_classes="mq-fold"):
        gr.HTML(
            f'<button type="button" class="mq-fold-head" aria-expanded="false">{escape(title)}</button>',
            js_on_load="maquette.mountFold(element)",
            apply_default_css=False,
        )
        with gr.Column(elem_classes="mq-fold-body"):
            yield


def sensible(mark: Range, home: float, value: float) -> Range:
    """``mark`` for a prior that is at home with the scale ``home`` (0: unknown), wide enough for the present
    ``value``.
    """
    high = mark.high if home <= 0 else max(mark.high * min(1.0, ROOM * home / FULL), mark.low + mark.step)
    return replace(mark, high=min(mark.high, max(high, value)))


def with_usual(help: str, usual: float) -> str:
    """The help sentence with the usual value; ``assets/sliders.js`` finds it there and marks it on the
    slider.
    """
    return f"{help} Usual here: {usual:g}.".strip()


@dataclass(frozen=True)
class Field:
    """One setting that has a control. ``live``: a run that goes obeys it. ``method``: the guidance method it
    is of, if any.
    """

    name: str
    mark: Control
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
    shared = [knob for knob in marked_fields(knobs.guidance) if knob.name == SHARED]
    fields_ = _fields(marked_fields(spec), live=False) + _fields(
        [*shared, *marked_fields(knobs), *marked_fields(knobs.timesteps)], live=True
    )
    for key, method in methods.items():
        present = knobs.guidance if key == key_of(knobs.guidance) else method()
        fields_ += _fields(
            [knob for knob in marked_fields(present) if knob.name != SHARED], live=True, method=key
        )
    return tuple(fields_)


def _fields(knobs: Iterable[SettingField], *, live: bool, method: str | None = None) -> list[Field]:
    return [Field(knob.name, knob.mark, knob.value, live, method) for knob in knobs]


def unmarked(name: str, value: Value = "") -> Field:
    """A setting whose control is drawn by hand, such as the pictures of an object."""
    return Field(name, Text(), value, live=False)


def component_of(field: Field, *, visible: bool = True) -> Component:
    """The Gradio control of a field."""
    elem_id = f"mq-{field.method}-{field.name}" if field.method else f"mq-{field.name}"
    classes = ["mq-knob", "mq-knob-live" if field.live else "mq-knob-next"]
    return widget(field.mark, field.value, field.title, elem_id, classes, visible=visible)


class Controls:
    """The controls of a page: (field, component) pairs, in the order in which handlers receive their values.

    ``methods`` are the guidance methods that the page offers, by key; ``gives`` the settings that each tab
    asks for, by its key, and ``catalogue`` tells which guidance scales suit a prior; without it the slider
    has a method's whole range.
    """

    def __init__(
        self,
        methods: Mapping[str, type[Guidance]],
        gives: Mapping[str, frozenset[str]] = {},
        catalogue: Catalogue | None = None,
    ) -> None:
        self.methods, self.gives, self.catalogue = dict(methods), dict(gives), catalogue
        self.by_tabs: frozenset[str] = frozenset().union(*self.gives.values())
        self.pairs: list[tuple[Field, Any]] = []
        self._placed: list[Component] = []

    def draw(self, fields: Iterable[Field], offers: frozenset[str] = frozenset(), tab: str = "") -> None:
        """Put controls for ``fields`` here, but for those that have one already; those without effect now
        stay hidden.
        """
        for field in fields:
            if not self._has(field):
                self.pairs.append((field, component_of(field, visible=self.offered(field, offers, tab))))

    def place(self, field: Field, component: Component) -> None:
        """Take a component that somebody else drew, with the setting's value as its own, for the control of
        ``field``.
        """
        self.pairs.append((field, component))
        self._placed.append(component)

    def _has(self, field: Field) -> bool:
        return any((drawn.name, drawn.method) == (field.name, field.method) for drawn, _ in self.pairs)

    @property
    def components(self) -> list[Any]:
        return [component for _, component in self.pairs]

    def named(self, name: str) -> Any:  # a component: which events each has, Gradio adds when it runs
        """The control of a setting that belongs to no method in particular."""
        return next(
            component for field, component in self.pairs if field.name == name and field.method is None
        )

    def demanding(self) -> list[tuple[Field, Component]]:
        """The controls that not every prior, or not every tab, has a use for; whoever placed one hides it
        too.
        """
        drawn = [pair for pair in self.pairs if pair[1] not in self._placed]
        return [(field, component) for field, component in drawn if field.mark.needs or field.mark.goes_with]

    def values(
        self,
        given: Sequence[Value],
        method: str,
        *,
        tab: str = "",
        offers: frozenset[str] = frozenset(),
        live_only: bool = False,
    ) -> dict[str, Value]:
        """What the controls say, by setting, leaving out those of methods that are not chosen and those
        without effect.
        """
        return {
            field.name: value
            for (field, _), value in zip(self.pairs, given, strict=True)
            if field.method in (None, method)
            and self.offered(field, offers, tab)
            and (field.live or not live_only)
        }

    def offered(self, field: Field, offers: frozenset[str], tab: str) -> bool:
        """Whether a setting has an effect: on a prior whose info has the flags ``offers``, with what ``tab``
        asks for.
        """
        mark, given = field.mark, self.gives.get(tab, frozenset())
        if field.name in self.by_tabs - given:
            return False
        return (not mark.needs or mark.needs in offers) and (not mark.goes_with or mark.goes_with in given)

    def updates(self, values: Mapping[str, Value]) -> list[Any]:
        """One update for each control: the new value where ``values`` names it for the method that ``values``
        names.
        """
        method = values.get("method")
        return [
            self._update(field, values)
            if field.name in values and field.method in (None, method)
            else gr.skip()
            for field, _ in self.pairs
        ]

    def _update(self, field: Field, values: Mapping[str, Value]) -> Any:
        value, method = values[field.name], values.get("method")
        if field.name != SHARED or method not in self.methods:
            return gr.update(value=value)
        return self.scale(str(method), value, str(values.get("prior", "")))

    def scale(self, method: str, value: Value, prior: str = "") -> Any:
        """An update of the one guidance control to a method's own range, name and help, as far as they suit
        ``prior``.
        """
        mark = self.scale_mark(method, prior, float(value))
        name = mark.label or "Guidance"
        return gr.update(
            minimum=mark.low,
            maximum=mark.high,
            step=mark.step,
            value=value,
            label=name,
            info=mark.help or None,
        )

    def scale_mark(self, method: str, prior: str, value: float) -> Range:
        """How a method marks its guidance scale, as far as that suits a prior and the present ``value``."""
        knob = next(knob for knob in marked_fields(self.methods[method]()) if knob.name == SHARED)
        assert isinstance(knob.mark, Range), "a scale is a number"
        if self.catalogue is None:
            return knob.mark
        usual = self.catalogue.usual_scale(prior, method, float(knob.value))
        mark = sensible(knob.mark, self.catalogue.prior(prior).home_scale, max(value, usual))
        return replace(mark, help=with_usual(mark.help, usual))
