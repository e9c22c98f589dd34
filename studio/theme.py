"""How the page looks: plaster, ink, verdigris for what acts and bronze for what is live.

The colours are CSS variables in ``assets/look.css``, once for light and once for dark; Gradio's theme only
points at them.
"""

from __future__ import annotations

import json
from pathlib import Path

import gradio as gr

from engine.core.camera import SIDES

PLASTER, NIGHT = "#f2f0ea", "#121311"  # as in look.css; Gradio paints these before any style sheet is read
ASSETS = Path(__file__).parent / "assets"
STYLES = (
    "look.css",
    "panel.css",
    "menu.css",
    "tabs.css",
    "pictures.css",
    "reference.css",
    "stage.css",
    "strength.css",
    "blocks.css",
    "ghost.css",
    "fetch.css",
    "library.css",
    "edit.css",
)
SCRIPTS = (
    "page.js",
    "live.js",
    "sliders.js",
    "menu.js",
    "tabs.js",
    "files.js",
    "picture_tools.js",
    "mask_brush.js",
    "pictures.js",
    "solid.js",
    "handles.js",
    "blocks.js",
    "reference.js",
    "blocks_source.js",
    "status_line.js",
    "beside.js",
    "view_tools.js",
    "film.js",
    "stage.js",
    "strength.js",
    "library.js",
    "drafts.js",
    "dropping.js",
    "changes.js",
    "two_faced.js",
    "shortcuts.js",
    "compare.js",
    "ghost.js",
    "region.js",
    "edit.js",
)


def theme() -> gr.themes.Base:
    """Gradio's own widgets in our colours."""
    base = gr.themes.Base(
        font=[gr.themes.LocalFont("IBM Plex Sans", weights=(400, 600)), "system-ui", "sans-serif"],
        font_mono=[gr.themes.LocalFont("IBM Plex Mono", weights=(400, 500)), "ui-monospace", "monospace"],
        text_size="sm",
        spacing_size="sm",
        radius_size="md",
    )
    looks = {
        "body_text_color": "var(--mq-ink)",
        "body_text_color_subdued": "var(--mq-muted)",
        "background_fill_primary": "var(--mq-panel)",
        "background_fill_secondary": "var(--mq-bg)",
        "border_color_primary": "var(--mq-line)",
        "border_color_accent": "var(--mq-accent)",
        "color_accent_soft": "var(--mq-accent-soft)",
        "block_background_fill": "transparent",
        "block_border_width": "0px",
        "block_label_text_color": "var(--mq-muted)",
        "block_title_text_color": "var(--mq-ink)",
        "block_info_text_color": "var(--mq-muted)",
        "panel_background_fill": "transparent",
        "input_background_fill": "var(--mq-raised)",
        "input_background_fill_focus": "var(--mq-raised)",
        "input_border_color": "var(--mq-line-strong)",
        "input_border_color_focus": "var(--mq-accent)",
        "input_border_width": "1px",
        "input_placeholder_color": "var(--mq-faint)",
        "input_shadow": "none",
        "input_shadow_focus": "0 0 0 3px var(--mq-accent-soft)",
        "checkbox_background_color": "var(--mq-raised)",
        "checkbox_background_color_selected": "var(--mq-accent)",
        "checkbox_border_color": "var(--mq-line-strong)",
        "checkbox_border_color_selected": "var(--mq-accent)",
        "checkbox_label_background_fill": "var(--mq-raised)",
        "checkbox_label_background_fill_selected": "var(--mq-accent-soft)",
        "checkbox_label_text_color": "var(--mq-ink)",
        "checkbox_label_text_color_selected": "var(--mq-ink)",
        "checkbox_label_border_color": "var(--mq-line-strong)",
        "slider_color": "var(--mq-accent)",
        "button_primary_background_fill": "var(--mq-accent)",
        "button_primary_background_fill_hover": "var(--mq-accent-strong)",
        "button_primary_text_color": "var(--mq-on-accent)",
        "button_primary_border_color": "transparent",
        "button_secondary_background_fill": "var(--mq-raised)",
        "button_secondary_background_fill_hover": "var(--mq-hover)",
        "button_secondary_text_color": "var(--mq-ink)",
        "button_secondary_border_color": "var(--mq-line-strong)",
        "link_text_color": "var(--mq-accent)",
    }
    both = {
        **looks,
        **{f"{name}_dark": value for name, value in looks.items() if name != "block_border_width"},
    }
    return base.set(body_background_fill=PLASTER, body_background_fill_dark=NIGHT, **both)


def head() -> str:
    """Style sheets and scripts, inline: they need no address of their own, whatever prefix a proxy puts
    before the page.
    """
    styles = "\n".join(f"<style>{asset(name)}</style>" for name in STYLES)
    scripts = "\n".join(f"<script>{asset(name)}</script>" for name in SCRIPTS)
    sides = f"<script>window.maquetteSides = {json.dumps(SIDES)};</script>"
    return f"{styles}\n{sides}\n{scripts}"


def asset(name: str) -> str:
    """The text of a file in ``studio/assets``."""
    return (ASSETS / name).read_text(encoding="utf-8")


def favicon() -> Path:
    """The mark as a file, which is how Gradio wants it."""
    return ASSETS / "mark.svg"
