"""What the button says that takes a live change back."""

from __future__ import annotations

from engine.core.fields import marked_fields
from engine.loop.settings import Value
from engine.loop.spec import Knobs
from engine.session import JobView


def undo_words(view: JobView) -> str:
    """What would be taken back, such as "Guidance back to 2.5"; empty where there is nothing."""
    values = dict(view.undoable)
    if "method" in values:
        return f"Method back to {str(values['method']).upper()}"
    if not values:
        return ""
    name, value = next(iter(values.items()))
    title = title_in(view.knobs, name)
    return f"{title} and {len(values) - 1} more" if len(values) > 1 else f"{title} back to {plain(value)}"


def title_in(knobs: Knobs, name: str) -> str:
    """What the page calls a live setting."""
    marked = (*marked_fields(knobs.guidance), *marked_fields(knobs.timesteps), *marked_fields(knobs))
    label = next((knob.mark.label for knob in marked if knob.name == name), "")
    return label or name.replace("_", " ").capitalize()


def plain(value: Value) -> str:
    """A setting's value for people."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, int | float) else str(value) or "none"
