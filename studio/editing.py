"""What the Edit tab does: an edit of a mesh, told step by step, or a run that sets out from a scene."""

from __future__ import annotations

import json
import secrets
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr

from engine.errors import InputError, StudioError
from engine.lazy import imported
from engine.loop.region_settings import DRAFT, FILL
from engine.loop.settings import Value
from engine.loop.spec import MAX_SEED
from engine.prior.capabilities import info_of
from studio.edit_sources import ENERGY, PAINT, PART, RESTYLE, EditSources, example_named, new_folder
from studio.handlers import Handlers
from studio.messages import note, problem
from studio.pictures import contact_grid, jpeg

WAYS: Mapping[str, str] = {
    PAINT: "Paint it",
    PART: "Change it",
    RESTYLE: "Restyle it",
    ENERGY: "Refine it so",
}
"""What the button says."""

TEXTURE, SURFACE = "All views together", "Together, along the surface"
IN_TURN, DISTILLED = "One view after the other", "Distilled"
STRATEGIES: Mapping[str, str] = {
    TEXTURE: "together",
    SURFACE: "together",
    IN_TURN: "in turn",
    DISTILLED: "distilled",
}
COSTS: Mapping[str, str] = {
    TEXTURE: "New colours from words, on the mesh as it is. Eight views agree on one texture: about ten "
    "seconds of a core.",
    SURFACE: "As together, and views are compared along the surface while they are drawn. Toybox alone has "
    "learned it.",
    IN_TURN: "Each view keeps what the ones before it painted: as many passes, one view each; seams may "
    "show.",
    DISTILLED: "Score distillation pushes the texture itself, step by step: even colours, and about twice "
    "the time.",
}
ABOUT: Mapping[str, str] = {
    PAINT: COSTS[TEXTURE],
    PART: "New words for what lies in the box; all else stays. Drag the box in the picture.",
    RESTYLE: "Only the colours change that the words change.",
    ENERGY: "What pictures of it should be like, beside the words: the weights below act at once.",
}
WEIGHTS = ("energy_symmetry", "energy_outline", "energy_depth", "energy_likeness", "energy_colour_weight")
Shown = tuple[Any, Any, Any, Any]
WIDGETS, PRIOR = 7, 3  # how many the card has, and where the prior stands in ``everything``
FILLED = 9 + len(WEIGHTS)


@dataclass(frozen=True)
class Edit:
    """What the card says: ``given`` is a file or a thing of the shelf, None where the run that is shown is
    meant.
    """

    given: str | None
    way: str
    strategy: str
    words: str
    was: str
    region: str

    @staticmethod
    def of(mesh: str | None, sample: str, way: str, strategy: str, words: str, was: str, region: str) -> Edit:
        """As the widgets give it."""
        return Edit(
            mesh or sample or None,
            way,
            strategy,
            str(words or "").strip(),
            str(was or "").strip(),
            region.strip(),
        )


class Editing:
    """The handlers of the tab. ``everything`` is as in `Handlers`."""

    def __init__(self, handlers: Handlers) -> None:
        self.handlers, self.sources = handlers, EditSources(handlers.session)

    def choose(self, way: str) -> tuple[Any, Any, Any]:
        """What depends on the way: what it does, how it is painted, and the button's words."""
        strategies = gr.update(visible=way == PAINT and len(STRATEGIES) > 1)
        return note(ABOUT.get(way, "")), strategies, gr.update(value=WAYS.get(way, WAYS[PAINT]))

    def choose_strategy(self, strategy: str) -> str:
        """What a strategy of painting does, and what it costs."""
        return note(COSTS.get(strategy, ""))

    def fill(self, clicked: str) -> tuple[Any, ...]:
        """An example into the card, and its weights into the energies."""
        example = example_named(clicked.split(" ")[0]) if clicked else None
        if example is None:
            return (gr.skip(),) * FILLED
        weights = [example.energies.get(name, 0.0) for name in WEIGHTS]
        return (
            "",
            example.source,
            example.way,
            example.words,
            "",
            example.region,
            *self.choose(example.way),
            *weights,
        )

    def go(self, token: str, owner: str, *values: Any) -> Iterator[Shown]:
        """(the run's token, what is told, what is shown, files), again and again while it works.

        ``values`` are the widgets of `Edit`, then ``everything``.
        """
        edit, everything = Edit.of(*values[:WIDGETS]), values[WIDGETS:]
        try:
            yield gr.skip(), note("It begins."), "", gr.update(visible=False)
            if edit.way in (PART, ENERGY):
                yield self._run(token, owner, edit, everything)
            else:
                yield from self._mesh(token, edit, everything)
        except StudioError as error:
            yield gr.skip(), problem(error), gr.skip(), gr.skip()

    def accept(self, shown: str) -> tuple[Any, ...]:
        """The edited mesh is what is edited next."""
        after = json.loads(shown or "{}").get("after")
        return (
            (after, "", note("The next edit goes on from this."), "", gr.skip())
            if after
            else (gr.skip(),) * 5
        )

    def undo(self) -> tuple[Any, Any, Any]:
        """Nothing of the edit is shown; its source is as it was."""
        return note("It is as it was."), "", gr.update(visible=False)

    def _run(self, token: str, owner: str, edit: Edit, everything: Sequence[Value]) -> Shown:
        known = self.sources.words(token, edit.given)
        words = edit.words or (known if edit.way == ENERGY else "")
        if not words:
            raise InputError(
                "There are no words for what it becomes.", "Say the whole: a red mug with a blue handle."
            )
        if edit.way == PART and not edit.region:
            raise InputError("There is no box.", "Choose one below the words, and drag it in the picture.")
        values = {
            "start": "file",
            "start_file": str(self.sources.splats(token, edit.given)),
            "region": edit.region if edit.way == PART else "",
            "region_was": edit.was or known,
            "region_start": DRAFT if self._drafts(str(everything[PRIOR])) else FILL,
            "seed": secrets.randbelow(MAX_SEED + 1),
        }
        settings = self.handlers.settings(everything, values, words)
        new = self.handlers.session.submit(settings, owner or secrets.token_urlsafe(16))
        outcome = json.dumps({"kind": "run", "before": "" if edit.given else token, "after": new})
        return (
            new,
            note("It is on the stage; what it came from stays in the library.", "Begun."),
            outcome,
            gr.update(visible=False),
        )

    def _drafts(self, prior: str) -> bool:
        """Whether a prior draws several views of one object, with alpha."""
        info = info_of(prior)
        return info is not None and info.joint_views and info.channels == "rgba"

    def _mesh(self, token: str, edit: Edit, everything: Sequence[Value]) -> Iterator[Shown]:
        if not edit.words:
            raise InputError(
                "There are no words to paint by.", "Say what it shall look like: a red chair with blue legs."
            )
        notes: list[str] = []
        source = self.sources.mesh(token, edit.given)
        for event in imported("studio.commands.edit").edits(
            self._options(token, source, edit, everything), notes.append
        ):
            if isinstance(event, tuple):
                yield self._done(source, event, notes)
            else:
                yield gr.skip(), note(f"{event.step} of {event.steps}", "Step"), working(event), gr.skip()

    def _done(self, source: Path, files: tuple[Path, ...], notes: list[str]) -> Shown:
        outcome = json.dumps({"kind": "mesh", "before": str(source), "after": str(files[0])})
        shown = gr.update(value=[str(each) for each in files], visible=True)
        return (
            gr.skip(),
            note(" ".join(each.removeprefix("note: ") for each in notes), "Done."),
            outcome,
            shown,
        )

    def _options(self, token: str, source: Path, edit: Edit, everything: Sequence[Value]) -> Any:
        """What is asked for, as the command line would, with the prior and the ControlNet of the panel."""
        spec = self.handlers.settings(everything, {}, edit.words).spec
        options = partial(
            imported("studio.commands.edit").EditOptions,
            source=source,
            out=new_folder(),
            prior=spec.prior,
            control=spec.control,
        )
        if edit.way != RESTYLE:
            along = edit.strategy == SURFACE or None
            return options(paint=edit.words, strategy=STRATEGIES.get(edit.strategy), correspondence=along)
        was = edit.was or self.sources.words(token, edit.given)
        return options(restyle=edit.words, was=was or None)


def working(event: Any) -> Any:
    """A picture of the views that are painted now, for the card."""
    views = getattr(event, "views", None)
    if views is None:
        return gr.skip()
    encoded = b64encode(jpeg(contact_grid(imported("engine.editing.mesh_views").on_paper(views)))).decode()
    picture = f"data:image/jpeg;base64,{encoded}"
    return json.dumps({"kind": "working", "picture": picture, "step": event.step, "steps": event.steps})
