"""The edit card: a result, or a mesh of one's own, gets other colours by words. What it came from stays as it is."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder

from engine.assets.meshes.file_kinds import SUFFIXES
from engine.errors import InputError, StudioError
from engine.lazy import imported
from engine.session import Session
from studio.collapsible import fold
from studio.messages import note, problem
from studio.uploads import check_uploads

PAINT, RESTYLE = "Paint anew", "Change what I name"
HELP = "The shape stays, and so does the result that it comes from."


@dataclass(frozen=True)
class EditCard:
    """The widgets of the card, in the order in which the handler takes and gives them."""

    mesh: gr.File
    way: gr.Radio
    words: gr.Textbox
    was: gr.Textbox
    go: gr.Button
    told: gr.HTML
    sheet: gr.Image
    files: gr.File

    @property
    def asked(self) -> list[gr.components.Component]:
        return [self.mesh, self.way, self.words, self.was]

    @property
    def shown(self) -> list[gr.components.Component]:
        return [self.told, self.sheet, self.files]


def draw_edit_card() -> EditCard:
    """Draw it, closed, in the current Blocks."""
    with gr.Column(elem_classes="mq-card", elem_id="mq-edit"), fold("Edit a result or a mesh", "mq-edit-fold"):
        gr.HTML(note(HELP), apply_default_css=False)
        title = "A mesh of yours (without one, the run that is shown)"
        mesh = gr.File(label=title, file_types=list(SUFFIXES), height=84, elem_id="mq-edit-mesh")
        way = gr.Radio([PAINT, RESTYLE], value=PAINT, show_label=False, container=False, elem_id="mq-edit-way")
        words = gr.Textbox(label="As", placeholder="a red chair with blue legs", lines=1, elem_id="mq-edit-words")
        known = "a red chair (a run knows it itself)"
        was = gr.Textbox(label="What it is now", placeholder=known, lines=1, visible=False, elem_id="mq-edit-was")
        go = gr.Button("Edit", variant="primary", size="sm", elem_id="mq-edit-go")
        told = gr.HTML(elem_id="mq-edit-told", apply_default_css=False)
        sheet = gr.Image(label="From all round", visible=False, interactive=False, elem_id="mq-edit-sheet")
        files = gr.File(label="Files", file_count="multiple", visible=False, interactive=False, elem_id="mq-edit-files")
    return EditCard(mesh, way, words, was, go, told, sheet, files)


def connect_edit_card(card: EditCard, token: gr.Textbox, session: Session) -> None:
    """One edit at a time: it shares the processor with the run that goes."""
    editing = Editing(session)
    quiet = {"show_progress": "hidden", "api_visibility": "private"}
    card.way.input(lambda way: gr.update(visible=way == RESTYLE), card.way, card.was, queue=False, **quiet)
    card.go.click(editing.edit, [token, *card.asked], card.shown, concurrency_limit=1, **quiet)


class Editing:
    """The handler of the card."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def edit(self, token: str, mesh: str | None, way: str, words: str, was: str) -> Iterator[tuple[Any, Any, Any]]:
        """(what is told, the sheet, the files), again and again while it works."""
        notes: list[str] = []
        try:
            yield note("It begins."), gr.skip(), gr.skip()
            for event in imported("studio.commands.edit").edits(self._options(token, mesh, way, words, was), notes.append):
                if isinstance(event, tuple):
                    glb, sheet, recipe = map(str, event)
                    shown = gr.update(value=sheet, visible=True), gr.update(value=[glb, sheet, recipe], visible=True)
                    yield note(" ".join(each.removeprefix("note: ") for each in notes), "Done."), *shown
                else:
                    yield note(f"{event.step} of {event.steps}", "Step"), gr.skip(), gr.skip()
        except StudioError as error:
            yield problem(error), gr.skip(), gr.skip()

    def _options(self, token: str, mesh: str | None, way: str, words: str, was: str) -> Any:
        """What is asked for, as the command line would. Raises InputError."""
        words, was = str(words or "").strip(), str(was or "").strip()
        if not words:
            raise InputError("There are no words to paint by.", "Say what it shall look like: a red chair with blue legs.")
        source = self._source(token, mesh)
        if way == RESTYLE and not was and not mesh:
            was = self.session.settings(token).spec.prompt
        options = imported("studio.commands.edit").EditOptions
        out = Path(get_upload_folder()) / "edits" / secrets.token_urlsafe(16)
        changes = {"restyle": words, "was": was or None} if way == RESTYLE else {"paint": words}
        return options(source=source, out=out, **changes)

    def _source(self, token: str, mesh: str | None) -> Path:
        if mesh:
            check_uploads({"the mesh": Path(str(mesh))}, (Path(get_upload_folder()),))
            return Path(str(mesh))
        files = self.session.files(token) if token else {}
        found = next((files[name] for name in ("glb", "texture") if name in files), None)
        if found is None:
            raise InputError("There is no mesh to edit.", "Open a run that is done, or add a mesh of your own.")
        return found
