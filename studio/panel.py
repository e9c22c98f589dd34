"""The left column: what to make, what may change while it grows, what holds for the next run, and the
buttons.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from engine.guidance import key_of, methods
from engine.loop.settings import Settings
from studio.catalogue import Catalogue
from studio.controls import SHARED, Controls, Field, fields_of, fold
from studio.download_panel import FetchBox, draw_fetch_box
from studio.edit_card import EditCard, draw_edit_card
from studio.examples import chips
from studio.menu import menu, method_options, preset_options, prior_options
from studio.messages import problem
from studio.picture_card import draw_picture_card
from studio.preset_bar import Memory
from studio.reference_card import ReferenceCard, draw_reference_card
from studio.restore_settings import draw_restore
from studio.strength_curve import Strength, draw_strength
from studio.tabs import TABS, TEXT, Tab, gives, tab_bar

FIRST = ("anchor_weight", "learning_rate", "t_max", "t_min")  # order only; what is not named here follows
FIRST_NEXT = ("scene", "start", "time_budget_seconds", "refine_steps")
ENERGIES = "energy_"
# the live card, on a phone
SHEET = '<button type="button" aria-pressed="false" aria-controls="mq-live">Steer</button>'
UNDO = '<button type="button" class="mq-undo-live" hidden></button>'
ASK_FIRST = (
    "A set of settings for a purpose. Choosing one shows what it would change; nothing changes "
    "until you apply it."
)


@dataclass(frozen=True)
class PresetBar:
    """The preset menu, what the chosen one would change, and what can be done about it; ``memory`` is
    ``presetting.Memory``.
    """

    menu: gr.HTML
    note: gr.HTML
    apply: gr.Button
    dismiss: gr.Button
    undo: gr.Button
    restore: gr.UploadButton
    memory: gr.State

    @property
    def outputs(self) -> list[gr.components.Component]:
        """Everything that ``studio.preset_bar`` answers for the bar itself."""
        return [self.menu, self.note, self.apply, self.dismiss, self.undo, self.memory]


@dataclass(frozen=True)
class Panel:
    """Every widget that a handler reads or writes. ``groups`` hold a method's own controls: those in sight,
    those put away.
    """

    tabs: gr.HTML
    prompt: gr.Textbox
    negative_prompt: gr.Textbox
    words: gr.HTML
    prior: gr.HTML
    fetch: FetchBox
    presets: PresetBar
    seed_locked: gr.Checkbox
    dice: gr.Button
    method: gr.HTML
    groups: list[gr.Column]
    strength: Strength
    reference: ReferenceCard
    problem: gr.HTML
    generate: gr.Button
    drafts: gr.Button
    drafted: gr.Textbox
    schedule: gr.Textbox
    pause: gr.Button
    resume: gr.Button
    stop: gr.Button
    token: gr.Textbox
    owner: gr.Textbox
    pick: gr.Button
    undo_live: gr.Button
    fork: gr.Button
    further: gr.Button
    edit: EditCard
    controls: Controls


def draw_panel(catalogue: Catalogue, tabs: Sequence[Tab] = TABS) -> Panel:
    """Draw the column in the current Blocks."""
    settings = catalogue.defaults()
    controls = Controls(methods(), gives(tabs), catalogue)
    fields = fields_of(settings.spec, settings.knobs, controls.methods)
    parts: dict[str, Any] = {"tabs": tab_bar(tabs)}
    with gr.Column(elem_id="mq-scroll"):
        parts |= {"edit": draw_edit_card(controls), "reference": draw_reference_card(controls)}
        draw_picture_card(controls, fields)
        parts |= _draw_words()
        with gr.Column(elem_classes="mq-card"):
            parts |= {
                **_draw_presets(catalogue),
                **_draw_prior(catalogue, settings),
                **_draw_seed(controls, fields),
            }
        offers = catalogue.prior(settings.spec.prior).offers
        parts |= _draw_live(controls, fields, settings, catalogue, offers)
        _draw_next(controls, fields, offers)
    parts["problem"] = gr.HTML(elem_id="mq-problem", apply_default_css=False)
    return Panel(**parts, **_draw_buttons(), **_draw_hidden(), controls=controls)


def _draw_words() -> dict[str, Any]:
    """A prompt, what to leave out, examples to click, and a place for a notice about words."""
    with gr.Column(elem_classes="mq-card", elem_id="mq-words-card"):
        prompt = gr.Textbox(
            label="Prompt",
            placeholder=TEXT.words,
            lines=2,
            max_lines=4,
            info="Enter generates, Shift+Enter begins a new line.",
            elem_id="mq-prompt",
            submit_btn=False,
        )
        negative = gr.Textbox(
            label="Negative prompt",
            show_label=False,
            placeholder="Leave out (optional)",
            lines=1,
            max_lines=2,
            elem_id="mq-negative",
        )
        gr.HTML(
            chips(), elem_id="mq-chips", js_on_load="maquette.mountPrompts(element)", apply_default_css=False
        )
        return {
            "prompt": prompt,
            "negative_prompt": negative,
            "words": gr.HTML(elem_id="mq-unknown", apply_default_css=False),
        }


def _draw_presets(catalogue: Catalogue) -> dict[str, Any]:
    options = preset_options(catalogue, TEXT)
    first = options[0].key if options else None
    chosen = menu(options, first, "Preset", "mq-preset", help=ASK_FIRST)
    with gr.Row(elem_id="mq-preset-acts"):
        note = gr.HTML(
            "".join(map(problem, catalogue.presets.problems)),
            elem_id="mq-preset-note",
            apply_default_css=False,
        )
        apply = gr.Button(
            "Apply", variant="primary", size="sm", visible=False, elem_id="mq-apply", min_width=0
        )
        dismiss = gr.Button("Leave as it is", size="sm", visible=False, elem_id="mq-dismiss", min_width=0)
        undo = gr.Button("Undo", size="sm", visible=False, elem_id="mq-undo", min_width=0)
        restore = draw_restore()
    return {"presets": PresetBar(chosen, note, apply, dismiss, undo, restore, gr.State(Memory(first)))}


def _draw_prior(catalogue: Catalogue, settings: Settings) -> dict[str, Any]:
    help = "The diffusion model that knows what things look like."
    prior = menu(prior_options(catalogue), settings.spec.prior, "Prior", "mq-prior", help=help)
    return {"prior": prior, "fetch": draw_fetch_box()}


def _draw_seed(controls: Controls, fields: Sequence[Field]) -> dict[str, Any]:
    with gr.Row(elem_classes="mq-line", elem_id="mq-seed-row"):
        controls.draw(field for field in fields if field.name == "seed")
        dice = gr.Button("Roll", size="sm", elem_id="mq-dice", min_width=0, scale=0)
        locked = gr.Checkbox(
            label="Keep", value=False, elem_id="mq-seed-lock", container=False, scale=0, min_width=0
        )
    return {"dice": dice, "seed_locked": locked}


def _draw_live(
    controls: Controls,
    fields: Sequence[Field],
    settings: Settings,
    catalogue: Catalogue,
    offers: frozenset[str],
) -> dict[str, Any]:
    """Method, guidance and the method's own controls first, then what every method shares, then what is put
    away.
    """
    shared = [field for field in fields if field.live and field.method is None]
    near, far = ([field for field in shared if field.mark.advanced is put_away] for put_away in (False, True))
    present = key_of(settings.knobs.guidance)
    with gr.Column(elem_classes="mq-card", elem_id="mq-live"):
        head = _heading("Live", "These act on the run at once.") + UNDO
        gr.HTML(
            head, elem_classes="mq-heading", js_on_load="maquette.mountUndo(element)", apply_default_css=False
        )
        options = method_options(controls.methods, catalogue, settings.spec.prior)
        method = menu(
            options,
            present,
            "Method",
            "mq-method",
            live=True,
            about=True,
            help="How the prior pushes the shape.",
        )
        mark = controls.scale_mark(present, settings.spec.prior, settings.knobs.guidance.guidance_scale)
        controls.draw([replace(field, mark=mark) for field in near if field.name == SHARED], offers, TEXT.key)
        groups = [_draw_method(controls, fields, key, present, put_away=False) for key in controls.methods]
        strength = draw_strength(controls, shared, offers)
        controls.draw(_ordered([field for field in near if field.name != SHARED], FIRST), offers, TEXT.key)
        with fold("More live settings", "mq-more-live"):
            groups += [
                _draw_method(controls, fields, key, present, put_away=True) for key in controls.methods
            ]
            controls.draw([field for field in far if not field.name.startswith(ENERGIES)], offers, TEXT.key)
        with fold("Energies: what pictures of it should be like", "mq-energies"):
            controls.draw([field for field in far if field.name.startswith(ENERGIES)], offers, TEXT.key)
    return {"method": method, "groups": groups, "strength": strength}


def _draw_method(
    controls: Controls, fields: Sequence[Field], key: str, present: str, *, put_away: bool
) -> gr.Column:
    own = [field for field in fields if field.method == key and field.mark.advanced is put_away]
    with gr.Column(
        visible=key == present, elem_classes="mq-method", elem_id=f"mq-{'more' if put_away else 'own'}-{key}"
    ) as group:
        controls.draw(own)
    return group


def _draw_next(controls: Controls, fields: Sequence[Field], offers: frozenset[str]) -> None:
    rest = [field for field in fields if not field.live and field.name != "seed"]
    with gr.Column(elem_classes="mq-card", elem_id="mq-next"):
        gr.HTML(
            _heading("Next run", "These hold from the next Generate on."),
            elem_classes="mq-heading",
            apply_default_css=False,
        )
        controls.draw(
            _ordered([field for field in rest if not field.mark.advanced], FIRST_NEXT), offers, TEXT.key
        )
        with fold("More run settings", "mq-more-next"):
            controls.draw([field for field in rest if field.mark.advanced], offers, TEXT.key)


def _draw_buttons() -> dict[str, Any]:
    with gr.Row(elem_id="mq-actions"):
        gr.HTML(SHEET, elem_id="mq-sheet", js_on_load="maquette.mountSheet(element)", apply_default_css=False)
        return {
            "generate": gr.Button("Generate", variant="primary", elem_id="mq-generate", min_width=0, scale=3),
            "drafts": gr.Button("Four drafts", elem_id="mq-four", min_width=0, scale=2),
            "pause": gr.Button("Pause", elem_id="mq-pause", min_width=0),
            "resume": gr.Button("Resume", elem_id="mq-resume", min_width=0),
            "stop": gr.Button("Stop", elem_id="mq-stop", min_width=0),
        }


def _draw_hidden() -> dict[str, Any]:
    return {
        "token": gr.Textbox(visible="hidden", elem_id="mq-token"),
        "owner": gr.Textbox(visible="hidden", elem_id="mq-owner"),
        "pick": gr.Button("Open run", visible="hidden", elem_id="mq-pick"),
        "drafted": gr.Textbox(visible="hidden", elem_id="mq-drafted"),
        "schedule": gr.Textbox(visible="hidden", elem_id="mq-schedule"),
        "fork": gr.Button("Branch", visible="hidden", elem_id="mq-fork"),
        "further": gr.Button("Refine further", visible="hidden", elem_id="mq-further"),
        "undo_live": gr.Button("Undo", visible="hidden", elem_id="mq-undo-live"),
    }


def _heading(title: str, sentence: str) -> str:
    return f'<h3><i class="mq-dot"></i>{title}</h3><p>{sentence}</p>'


def _ordered(fields: list[Field], first: Iterable[str]) -> list[Field]:
    order = {name: place for place, name in enumerate(first)}
    return sorted(fields, key=lambda field: order.get(field.name, len(order)))
