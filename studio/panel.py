"""The left column: what to make, what may change while it grows, what holds for the next run, and the buttons."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from engine.guidance import key_of, methods
from engine.loop.settings import Settings
from studio.catalogue import Catalogue
from studio.controls import Controls, Field, fields_of
from studio.examples import EXAMPLES, chips
from studio.notes import problem

FIRST = ("guidance_scale", "anchor_weight", "learning_rate", "t_max", "t_min")  # order only; what is not named here follows
FIRST_NEXT = ("scene", "start", "time_budget_seconds", "refine_steps")


@dataclass(frozen=True)
class Panel:
    """Every widget that a handler reads or writes."""

    prompt: gr.Textbox
    negative_prompt: gr.Textbox
    words: gr.HTML
    prior: gr.Dropdown
    preset: gr.Dropdown
    preset_note: gr.HTML
    apply_preset: gr.Button
    seed_locked: gr.Checkbox
    dice: gr.Button
    method: gr.Dropdown
    groups: dict[str, gr.Column]
    problem: gr.HTML
    generate: gr.Button
    pause: gr.Button
    resume: gr.Button
    stop: gr.Button
    token: gr.Textbox
    owner: gr.Textbox
    pick: gr.Button
    controls: Controls


def draw_panel(catalogue: Catalogue) -> Panel:
    """Draw the column in the current Blocks."""
    settings = catalogue.defaults()
    controls = Controls(methods())
    fields = fields_of(settings.spec, settings.knobs, controls.methods)
    with gr.Column(elem_id="mq-scroll"):
        parts: dict[str, Any] = _draw_prompt()
        with gr.Column(elem_classes="mq-card"):
            parts |= {**_draw_preset(catalogue, settings), **_draw_seed(controls, fields)}
        parts |= _draw_live(controls, fields, settings)
        _draw_next(controls, fields)
    parts["problem"] = gr.HTML(elem_id="mq-problem", apply_default_css=False)
    return Panel(**parts, **_draw_buttons(), **_draw_hidden(), controls=controls)


def _draw_prompt() -> dict[str, Any]:
    with gr.Column(elem_classes="mq-card", elem_id="mq-words-card"):
        prompt = gr.Textbox(
            label="Prompt",
            placeholder=f"Describe one object: {EXAMPLES[0].prompt}",
            lines=2,
            max_lines=4,
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
        gr.HTML(chips(), elem_id="mq-chips", js_on_load="maquette.mountPrompts(element)", apply_default_css=False)
        words = gr.HTML(elem_id="mq-unknown", apply_default_css=False)
    return {"prompt": prompt, "negative_prompt": negative, "words": words}


def _draw_preset(catalogue: Catalogue, settings: Settings) -> dict[str, Any]:
    presets = [(preset.title, preset.key) for preset in catalogue.presets.presets]
    priors = [(prior.title, prior.id) for prior in catalogue.priors if not prior.missing]
    with gr.Row(elem_classes="mq-line"):
        preset = gr.Dropdown(
            presets,
            label="Preset",
            value=presets[0][1] if presets else None,
            elem_id="mq-preset",
            elem_classes="mq-knob",
            info="A set of settings for a purpose. Nothing changes until you apply it.",
        )
        apply = gr.Button("Apply", size="sm", visible=False, elem_id="mq-apply", min_width=0, scale=0)
    note = gr.HTML("".join(map(problem, catalogue.presets.problems)), elem_id="mq-preset-note", apply_default_css=False)
    prior = gr.Dropdown(
        priors,
        label="Prior",
        value=settings.spec.prior,
        elem_id="mq-prior",
        elem_classes="mq-knob",
        visible=len(priors) > 1 or "hidden",
        info="The diffusion model that knows what things look like.",
    )
    return {"preset": preset, "preset_note": note, "apply_preset": apply, "prior": prior}


def _draw_seed(controls: Controls, fields: Sequence[Field]) -> dict[str, Any]:
    with gr.Row(elem_classes="mq-line", elem_id="mq-seed-row"):
        controls.draw(field for field in fields if field.name == "seed")
        dice = gr.Button("Roll", size="sm", elem_id="mq-dice", min_width=0, scale=0)
        locked = gr.Checkbox(label="Keep", value=False, elem_id="mq-seed-lock", container=False, scale=0, min_width=0)
    return {"dice": dice, "seed_locked": locked}


def _draw_live(controls: Controls, fields: Sequence[Field], settings: Settings) -> dict[str, Any]:
    live = [field for field in fields if field.live and field.method is None]
    present = key_of(settings.knobs.guidance)
    with gr.Column(elem_classes="mq-card", elem_id="mq-live"):
        gr.HTML(_heading("Live", "These act on the run at once."), elem_classes="mq-heading", apply_default_css=False)
        method = gr.Dropdown(
            [(method.title, key) for key, method in controls.methods.items()],
            label="Method",
            value=present,
            elem_id="mq-method",
            elem_classes=["mq-knob", "mq-knob-live"],
            info=controls.methods[present].sentence,
        )
        controls.draw(_ordered([field for field in live if not field.mark.advanced], FIRST))
        with gr.Accordion("More live settings", open=False, elem_id="mq-more-live"):
            controls.draw(field for field in live if field.mark.advanced)
            groups = {key: _draw_method(controls, fields, key, visible=key == present) for key in controls.methods}
    return {"method": method, "groups": groups}


def _draw_method(controls: Controls, fields: Sequence[Field], key: str, *, visible: bool) -> gr.Column:
    with gr.Column(visible=visible, elem_classes="mq-method") as group:
        controls.draw(field for field in fields if field.method == key)
    return group


def _draw_next(controls: Controls, fields: Sequence[Field]) -> None:
    rest = [field for field in fields if not field.live and field.name != "seed"]
    with gr.Column(elem_classes="mq-card", elem_id="mq-next"):
        gr.HTML(_heading("Next run", "These hold from the next Generate on."), elem_classes="mq-heading", apply_default_css=False)
        controls.draw(_ordered([field for field in rest if not field.mark.advanced], FIRST_NEXT))
        with gr.Accordion("More run settings", open=False, elem_id="mq-more-next"):
            controls.draw(field for field in rest if field.mark.advanced)


def _draw_buttons() -> dict[str, Any]:
    with gr.Row(elem_id="mq-actions"):
        return {
            "generate": gr.Button("Generate", variant="primary", elem_id="mq-generate", min_width=0, scale=3),
            "pause": gr.Button("Pause", elem_id="mq-pause", min_width=0),
            "resume": gr.Button("Resume", elem_id="mq-resume", min_width=0),
            "stop": gr.Button("Stop", elem_id="mq-stop", min_width=0),
        }


def _draw_hidden() -> dict[str, Any]:
    return {
        "token": gr.Textbox(visible="hidden", elem_id="mq-token"),
        "owner": gr.Textbox(visible="hidden", elem_id="mq-owner"),
        "pick": gr.Button("Open run", visible="hidden", elem_id="mq-pick"),
    }


def _heading(title: str, sentence: str) -> str:
    return f'<h3><i class="mq-dot"></i>{title}</h3><p>{sentence}</p>'


def _ordered(fields: list[Field], first: Iterable[str]) -> list[Field]:
    order = {name: place for place, name in enumerate(first)}
    return sorted(fields, key=lambda field: order.get(field.name, len(order)))
