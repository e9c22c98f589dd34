"""The page: what is on it and what happens when it is touched. The stage on the right is drawn by
``assets/stage.js``.

A handler reads controls, asks the session, and answers at once; no handler waits for a run. The run's token
sits in a hidden box, so that every handler acts on the run that this page shows.
"""

from __future__ import annotations

from typing import Any

import gradio as gr

from engine.session import Session
from studio.api.gradio_calls import connect_gradio_api
from studio.branching import Branching
from studio.call_errors import StudioBlocks
from studio.catalogue import Catalogue
from studio.controls import SHARED
from studio.download_panel import connect_fetch_box
from studio.edit_card import connect_edit_card
from studio.examples import tiles
from studio.handlers import WORDED, Handlers
from studio.panel import Panel, draw_panel
from studio.picture_card import connect_picture_card
from studio.preset_bar import Presetting
from studio.reference_card import connect_reference_card
from studio.reference_examples import connect_filling
from studio.restore_settings import Restoring
from studio.strength_curve import connect_strength
from studio.tab_state import Desks, Tabbing
from studio.theme import asset
from studio.undo_button import Undoing
from studio.variations import Varying

READ_ADDRESS = "() => [maquette.tokenInAddress(), maquette.owner()]"
ATTACH = "(token) => { maquette.attach(token); }"
PICKED = "(token) => [maquette.picked]"
AS_OWNER = "(token, owner, ...rest) => [token, maquette.owner(), ...rest]"
AS_OWNER_TOO = "(told, owner, ...rest) => [told, maquette.owner(), ...rest]"
AT_MOMENT = (
    "(told, token, owner, ...rest) => [String(maquette.moment ?? ''), token, maquette.owner(), ...rest]"
)
CHOOSE = "(tokens) => { maquette.showDrafts(tokens); }"
NO_PROBLEM = "() => ''"
REFRESH = "() => { maquette.refreshRuns(); }"
DICE = "() => Math.floor(Math.random() * 2147483648)"
QUIET = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}


def build_page(session: Session, catalogue: Catalogue) -> gr.Blocks:
    """The whole page; ``studio.server.open_port`` serves it."""
    with StudioBlocks(
        title="Maquette", analytics_enabled=False, fill_width=True, delete_cache=(600, 3600)
    ) as page:
        gr.HTML(
            asset("header.html").replace("{{mark}}", asset("mark.svg")),
            elem_id="mq-header",
            js_on_load="maquette.mountHeader(element)",
            apply_default_css=False,
        )
        with gr.Row(elem_id="mq-body"):
            with gr.Column(elem_id="mq-panel", min_width=0):
                panel = draw_panel(catalogue)
            gr.HTML(
                asset("stage.html").replace("{{tiles}}", tiles()),
                elem_id="mq-stage-host",
                js_on_load="maquette.mountStage(element)",
                apply_default_css=False,
            )
        connect_gradio_api(session, catalogue)  # first, so that its endpoints have the plain names
        _connect(page, panel, Handlers(session, catalogue, panel.controls))
    return page


def _connect(page: gr.Blocks, panel: Panel, handlers: Handlers) -> None:
    presetting = Presetting(handlers)
    everything = [
        panel.tabs,
        panel.prompt,
        panel.negative_prompt,
        panel.prior,
        panel.method,
        *panel.controls.components,
    ]
    attached = [panel.token, panel.owner, panel.problem, panel.words, *panel.groups, *everything]
    tabbing, desks = Tabbing(handlers, presetting), gr.State(Desks())
    for arriving in (
        page.load(handlers.attach, [panel.token, panel.owner], attached, js=READ_ADDRESS, **QUIET),
        panel.pick.click(handlers.pick, panel.token, attached, js=PICKED, **QUIET),
    ):
        arriving.then(None, panel.token, None, js=ATTACH)
        arriving.then(tabbing.arrive, [desks, panel.tabs], desks, **QUIET)
    _connect_run(panel, handlers, everything)
    _connect_live(panel, handlers)
    _connect_presets(panel, presetting, everything)
    _connect_tabs(panel, tabbing, desks, everything)
    _connect_restore(panel, Restoring(handlers, presetting), everything).then(
        tabbing.arrive, [desks, panel.tabs], desks, **QUIET
    )
    _connect_prior(panel, handlers)
    connect_reference_card(panel.reference, panel, handlers)
    connect_strength(panel.strength, panel, handlers)
    connect_picture_card(panel.controls)
    connect_edit_card(panel.edit, panel, handlers, everything)
    connect_fetch_box(page, panel.fetch, panel.prior, handlers.catalogue)
    panel.dice.click(None, None, panel.controls.named("seed"), js=DICE, api_visibility="private")


def _connect_run(panel: Panel, handlers: Handlers, everything: list[gr.components.Component]) -> None:
    inputs = [panel.token, panel.owner, panel.seed_locked, panel.schedule, *everything]
    outputs = [panel.token, panel.controls.named("seed"), panel.problem]
    further = [
        panel.problem,
        panel.owner,
        panel.reference.variations,
        panel.controls.named("seed"),
        *everything,
    ]
    begun = panel.generate.click(handlers.generate, inputs, outputs, js=AS_OWNER, **QUIET)
    begun.then(None, panel.token, None, js=ATTACH)
    begun.then(Varying(handlers).more, further, panel.problem, js=AS_OWNER_TOO, **QUIET).then(
        None, js=REFRESH
    )
    branching = Branching(handlers)
    for button, act, given, js in (
        (panel.fork, branching.fork, [panel.problem, panel.token, panel.owner, *everything], AT_MOMENT),
        (panel.further, branching.further, [panel.token, panel.owner, *everything], AS_OWNER),
    ):
        button.click(act, given, [panel.token, panel.problem], js=js, **QUIET).then(
            None, panel.token, None, js=ATTACH
        )
    given = [panel.problem, panel.owner, panel.seed_locked, panel.controls.named("seed"), *everything]
    drafting = panel.drafts.click(
        branching.drafts, given, [panel.drafted, panel.problem], js=AS_OWNER_TOO, **QUIET
    )
    drafting.then(None, panel.drafted, None, js=CHOOSE)
    touched = [event for component in everything if (event := getattr(component, "input", None)) is not None]
    gr.on(touched, None, None, panel.problem, js=NO_PROBLEM, **QUIET)  # what was wrong may be right now
    for button, command in (
        (panel.pause, handlers.pause),
        (panel.resume, handlers.resume),
        (panel.stop, handlers.stop),
    ):
        button.click(command, panel.token, panel.problem, **QUIET)


def _connect_live(panel: Panel, handlers: Handlers) -> None:
    for field, component in panel.controls.pairs:
        if field.live:
            component.input(
                handlers.steer(field.name),
                [panel.token, component],
                panel.problem,
                trigger_mode="always_last",
                **QUIET,
            )
    everything = [
        panel.tabs,
        panel.prompt,
        panel.negative_prompt,
        panel.prior,
        panel.method,
        *panel.controls.components,
    ]
    back = [panel.problem, *panel.groups, *everything]
    panel.undo_live.click(Undoing(handlers).undo, [panel.token, panel.prior], back, **QUIET)
    inputs = [panel.token, panel.tabs, panel.method, panel.prior, *panel.controls.components]
    outputs = [panel.problem, panel.controls.named(SHARED), *panel.groups]
    panel.method.input(handlers.choose_method, inputs, outputs, **QUIET)


def _connect_prior(panel: Panel, handlers: Handlers) -> None:
    """Another prior knows other words, and has a use for other settings and methods, whoever chose it."""
    given = [panel.controls.named(name) for name in WORDED]
    telling = [panel.prompt, panel.prior, *given]
    for changed in (panel.prompt, *given):
        changed.change(handlers.understood, telling, panel.words, trigger_mode="always_last", **QUIET)
    outputs = [panel.words, panel.method, *(component for _, component in panel.controls.demanding())]
    inputs = [panel.tabs, panel.prior, panel.prompt, *given]
    panel.prior.change(handlers.choose_prior, inputs, outputs, trigger_mode="always_last", **QUIET)
    scale = panel.controls.named(SHARED)
    panel.prior.input(
        handlers.suit_scale, [panel.prior, panel.method, scale], scale, trigger_mode="always_last", **QUIET
    )
    panel.tabs.change(
        handlers.suit, [panel.tabs, panel.prior], outputs[2:], trigger_mode="always_last", **QUIET
    )


def _connect_tabs(
    panel: Panel, tabbing: Tabbing, desks: gr.State, everything: list[gr.components.Component]
) -> None:
    """Another tab, chosen by hand or because a run of it is shown."""
    inputs = [desks, panel.presets.memory, *everything]
    panel.tabs.input(
        tabbing.choose, inputs, [desks, *panel.presets.outputs, *panel.groups, *everything], **QUIET
    )
    panel.tabs.change(
        tabbing.presetting.offer, panel.tabs, panel.presets.menu, trigger_mode="always_last", **QUIET
    )


def _connect_presets(panel: Panel, presetting: Presetting, everything: list[gr.components.Component]) -> None:
    bar = panel.presets
    shown = [*bar.outputs, panel.problem, *panel.groups, *everything]
    bar.menu.input(presetting.preview, [bar.memory, bar.menu, *everything], bar.outputs, **QUIET)
    applied = bar.apply.click(
        presetting.apply, [bar.memory, panel.token, bar.menu, *everything], shown, **QUIET
    )
    connect_filling(applied, panel)
    bar.undo.click(presetting.undo, [bar.memory, panel.token], shown, **QUIET)
    bar.dismiss.click(presetting.rest, bar.memory, bar.outputs, **QUIET)
    panel.pick.click(presetting.forget, bar.memory, bar.outputs, **QUIET)
    panel.pick.click(None, None, panel.schedule, js=NO_PROBLEM, **QUIET)


def _connect_restore(panel: Panel, restoring: Restoring, everything: list[gr.components.Component]) -> Any:
    bar = panel.presets
    shown = [*bar.outputs, panel.schedule, panel.problem, panel.seed_locked, *panel.groups, *everything]
    return bar.restore.upload(restoring.restore, [bar.memory, bar.restore], shown, **QUIET)
