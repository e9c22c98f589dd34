"""The Edit tab: a run that is done, or a file of one's own, is painted, changed in a part, restyled, or drawn
by energies.

Painting and restyling make a new mesh, shown here before and after; a part and energies are runs, which the
stage shows. What it came from stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from engine.assets.meshes.file_kinds import SUFFIXES
from engine.core.fields import File
from studio.controls import Controls, unmarked
from studio.edit_sources import EXAMPLES
from studio.editing import ABOUT, PAINT, STRATEGIES, TEXTURE, WAYS, WEIGHTS, Editing
from studio.handlers import Handlers
from studio.messages import note
from studio.widgets import file_pick

WAY_CHOSEN = "(way) => { maquette.editWay(way); }"
AS_OWNER = "(token, owner, ...rest) => [token, maquette.owner(), ...rest]"
ATTACH = "(token) => { maquette.attach(token); }"
FILE = File(
    tuple(sorted({*SUFFIXES, ".splat", ".spz", ".sog", ".ksplat"})),
    help="A mesh, or splats. Without one, the run that is shown is changed.",
)
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}


@dataclass(frozen=True)
class EditCard:
    """The widgets of the card; ``sample`` is the thing of an example that was clicked, in place of a file."""

    examples: gr.HTML
    mesh: gr.HTML
    sample: gr.Textbox
    way: gr.Radio
    about: gr.HTML
    strategy: gr.Radio
    words: gr.Textbox
    was: gr.Textbox
    region: gr.HTML
    go: gr.Button
    status: gr.HTML
    view: gr.HTML
    files: gr.File
    accept: gr.Button
    undo: gr.Button

    @property
    def inputs(self) -> list[gr.components.Component]:
        """What `Editing.go` takes behind the token and the owner."""
        return [self.mesh, self.sample, self.way, self.strategy, self.words, self.was, self.region]

    @property
    def filled(self) -> list[gr.components.Component]:
        """What an example fills in."""
        return [self.mesh, self.sample, self.way, self.words, self.was, self.region, *self.chosen]

    @property
    def chosen(self) -> list[gr.components.Component]:
        """What depends on the way."""
        return [self.about, self.strategy, self.go]


def draw_edit_card(controls: Controls) -> EditCard:
    """Draw it in the current Blocks."""
    with gr.Column(elem_classes=["mq-card", "mq-in-edit"], elem_id="mq-edit"):
        examples = gr.HTML(
            "",
            html_template='<div class="mq-edit-examples mq-chips"></div>',
            js_on_load="maquette.mountEditExamples(element, props, trigger)",
            apply_default_css=False,
            elem_id="mq-edit-examples",
            examples=[{"key": each.key, "title": each.title, "sentence": each.sentence} for each in EXAMPLES],
        )
        mesh = file_pick(FILE, "", "A file of yours", "mq-edit-mesh", ["mq-knob"])
        sample = gr.Textbox(visible="hidden", elem_id="mq-edit-sample")
        way = gr.Radio(list(WAYS), value=PAINT, show_label=False, container=False, elem_id="mq-edit-way")
        about = gr.HTML(note(ABOUT[PAINT]), elem_id="mq-edit-about", apply_default_css=False)
        strategy = gr.Radio(
            list(STRATEGIES), value=TEXTURE, show_label=False, container=False, elem_id="mq-edit-strategy"
        )
        words = gr.Textbox(
            label="What it becomes",
            placeholder="a red chair with blue legs",
            lines=1,
            submit_btn=False,
            elem_id="mq-edit-words",
        )
        known = "a red chair (a run knows it itself)"
        was = gr.Textbox(label="What it is now", placeholder=known, lines=1, elem_id="mq-edit-was")
        region = gr.HTML(
            "",
            html_template='<div class="mq-region-box"></div>',
            js_on_load="maquette.mountRegion(element, props, trigger, watch)",
            apply_default_css=False,
            elem_id="mq-edit-region",
        )
        go = gr.Button("Paint it", variant="primary", elem_id="mq-edit-go")
        outcome = gr.HTML(elem_id="mq-edit-told", apply_default_css=False)
        view = gr.HTML(
            "",
            html_template='<div class="mq-edit-view"></div>',
            js_on_load="maquette.mountEditView(element, props, trigger, watch)",
            apply_default_css=False,
            elem_id="mq-edit-view",
        )
        files = gr.File(
            label="Files", file_count="multiple", visible=False, interactive=False, elem_id="mq-edit-files"
        )
        accept = gr.Button("Go on from this", visible="hidden", elem_id="mq-edit-accept")
        undo = gr.Button("Undo", visible="hidden", elem_id="mq-edit-undo")
    for name, component in (("region", region), ("region_was", was)):
        controls.place(unmarked(name), component)
    return EditCard(
        examples,
        mesh,
        sample,
        way,
        about,
        strategy,
        words,
        was,
        region,
        go,
        outcome,
        view,
        files,
        accept,
        undo,
    )


def connect_edit_card(
    card: EditCard, panel: Any, handlers: Handlers, everything: list[gr.components.Component]
) -> None:
    """One edit at a time: it shares the processor with the run that goes."""
    editing = Editing(handlers)
    shown = [panel.token, card.status, card.view, card.files]
    inputs = [panel.token, panel.owner, *card.inputs, *everything]
    here: dict[str, Any] = {"queue": False, **QUIET}
    card.way.change(None, card.way, None, js=WAY_CHOSEN, **here)
    card.way.input(editing.choose, card.way, card.chosen, **here)
    card.strategy.input(editing.choose_strategy, card.strategy, card.about, **here)
    card.mesh.input(lambda: "", None, card.sample, **here)
    weights = [panel.controls.named(name) for name in WEIGHTS]
    filled = card.examples.input(editing.fill, card.examples, [*card.filled, *weights], **here)
    for begun in (card.go.click, card.words.submit, filled.then):
        ended = begun(
            editing.go, inputs, shown, js=AS_OWNER, concurrency_limit=1, concurrency_id="edit", **QUIET
        )
        ended.then(None, panel.token, None, js=ATTACH)
    card.accept.click(
        editing.accept, card.view, [card.mesh, card.sample, card.status, card.view, card.files], **here
    )
    card.undo.click(editing.undo, None, [card.status, card.view, card.files], **here)
