"""The card of the reference tab: where a 3D reference comes from, what the chosen one looks like, and how it
stands.

``assets/reference.js`` draws it, with what ``studio.reference_routes`` tells. A source is added there, with
``maquette.referenceSource``; widgets of Gradio that belong to one source may be drawn into the card with the
class ``mq-from-KEY``, and are hidden while another source is open.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from engine.assets.meshes.file_kinds import SUFFIXES
from engine.core.fields import marked_fields
from engine.loop.reference.reference_source import AUTO
from engine.loop.spec import RunSpec
from studio.catalogue import PLACEHOLDER
from studio.controls import Controls, Field, component_of, unmarked
from studio.reference_examples import connect_examples, draw_examples
from studio.reference_overlay import POSED, draw_pose
from studio.reference_queries import FRAMING
from studio.variations import draw_variations

UP, TURN = "reference_up", "reference_turn_deg"
TITLES = {UP: "Up axis", TURN: "Turn"}
ASK = """(words, images, ...framing) => {
    const names = %s;
    maquette.reference.ask(words, images, Object.fromEntries(names.map((name, k) => [name, framing[k]])));
}"""
POSE = "(up, turn) => { maquette.reference.pose(up, turn); }"
TAKEN = "(token) => { maquette.reference.taken(token); }"


@dataclass(frozen=True)
class ReferenceCard:
    """``reference`` holds the setting of this name; ``up`` and ``turn`` say how the model stands.

    ``pose`` takes both from the ghost in the live picture, see ``studio.reference_overlay``.
    """

    reference: gr.HTML
    up: gr.components.Component
    turn: gr.components.Component
    pose: gr.HTML
    examples: gr.HTML
    variations: gr.Slider


def draw_reference_card(controls: Controls) -> ReferenceCard:
    """Draw the card in the current Blocks."""
    with gr.Column(elem_classes=["mq-card", "mq-in-reference"], elem_id="mq-reference-card"):
        examples = draw_examples()
        reference = gr.HTML(
            AUTO,
            html_template='<div class="mq-ref"></div>',
            js_on_load="maquette.mountReference(element, props, trigger, watch, upload)",
            apply_default_css=False,
            elem_id="mq-reference",
            endings=list(SUFFIXES),
        )
        fields = _standing()
        up, turn = (component_of(fields[name]) for name in (UP, TURN))
        pose = draw_pose()
        variations = draw_variations()
    for field, component in (
        (unmarked("reference", AUTO), reference),
        (fields[UP], up),
        (fields[TURN], turn),
    ):
        controls.place(field, component)
    return ReferenceCard(reference, up, turn, pose, examples, variations)


def connect_reference_card(card: ReferenceCard, panel: Any, handlers: Any) -> None:
    """Look for matches when words or pictures change, turn the preview, and say what a run took."""
    given: list[Any] = [panel.prompt, *(panel.controls.named(name) for name in ("images", *FRAMING))]
    here: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
    component: Any
    for component in given:
        component.change(None, given, None, js=ASK % json.dumps(FRAMING), **here)
    for component in (card.up, card.turn):
        component.change(None, [card.up, card.turn], None, js=POSE, **here)
    panel.token.change(None, panel.token, None, js=TAKEN, **here)
    connect_examples(card.examples, card.variations, panel, handlers)
    card.pose.input(None, card.pose, [card.up, card.turn], js=POSED, **here)


def _standing() -> dict[str, Field]:
    """How the model stands, under short names: the card says what it is about."""
    marked = {knob.name: knob for knob in marked_fields(RunSpec(PLACEHOLDER))}
    return {
        name: Field(name, replace(marked[name].mark, label=title), marked[name].value, False)
        for name, title in TITLES.items()
    }
