"""How strongly the reference acts, as a curve to drag while the run goes; what that does; and the same run
without it.

The curve is drawn by ``assets/strength.js``. Each of its five settings is a control of its own without a
look, so that presets, tabs and earlier runs set them like any other; the drawing shows and moves them
together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import gradio as gr

from studio.compare_runs import Comparing
from studio.controls import Controls, Field

if TYPE_CHECKING:
    from studio.handlers import Handlers
    from studio.panel import Panel

SETTINGS = (
    "reference_follow",
    "reference_early",
    "reference_late",
    "reference_curve",
    "reference_gate",
    "ignore_reference",
)
AS_OWNER = "(token) => [token, maquette.owner()]"
SHOW_TWIN = "(twin) => { maquette.compare(twin); }"


@dataclass(frozen=True)
class Strength:
    """``drawing`` holds the curve and its plot; a click on ``compare`` leaves in ``twin`` the token of the
    run to show beside.
    """

    drawing: gr.HTML
    compare: gr.Button
    twin: gr.Textbox


def draw_strength(
    controls: Controls, fields: Sequence[Field], offers: frozenset[str] = frozenset()
) -> Strength:
    """The curve and its settings in the current Blocks; nothing in it depends on what a prior ``offers``."""
    own = [field for name in SETTINGS for field in fields if field.name == name]
    drawing = gr.HTML(
        html_template='<div class="mq-strength"></div>',
        js_on_load="maquette.mountStrength(element, props)",
        apply_default_css=False,
        elem_id="mq-strength",
        elem_classes="mq-in-reference",
        marks={field.name: _plain(field) for field in own},
    )
    for field in own:
        controls.place(field, _held(field))
    compare = gr.Button("Compare", visible="hidden", elem_id="mq-compare")
    return Strength(drawing, compare, gr.Textbox(visible="hidden", elem_id="mq-twin"))


def connect_strength(strength: Strength, panel: Panel, handlers: Handlers) -> None:
    """The comparison; live settings are connected with all the others, see ``studio.page``."""
    quiet: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
    shown, comparing = [panel.token, panel.owner], Comparing(handlers.session)
    strength.compare.click(
        comparing.twin, shown, [strength.twin, panel.problem], js=AS_OWNER, **quiet
    ).success(None, strength.twin, None, js=SHOW_TWIN)


def _plain(field: Field) -> dict[str, Any]:
    """A mark as the browser takes it."""
    return {**asdict(field.mark), "label": field.title}


def _held(field: Field) -> gr.HTML:
    """One setting, set by the drawing and by whatever sets controls."""
    return gr.HTML(
        field.value,
        html_template="<i></i>",
        js_on_load=f"maquette.mountHeld({field.name!r}, props, trigger, watch)",
        apply_default_css=False,
        elem_id=f"mq-{field.name}",
        elem_classes="mq-held",
        label=field.title,
        name=field.title,
        help=field.mark.help,
    )
