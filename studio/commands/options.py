"""What several commands read from the command line in the same way."""

from __future__ import annotations

from collections.abc import Sequence

from engine.errors import InputError


def named_values(texts: Sequence[str]) -> dict[str, str]:
    """The settings in texts of the form KNOB=VALUE. Raises InputError for any other."""
    return dict(_pair(text) for text in texts)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise InputError(f"--set {text!r} is not of the form KNOB=VALUE.", "Write for example --set guidance_scale=5.")
    return name.strip(), value.strip()
