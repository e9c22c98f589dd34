"""``python -m studio settings``: every setting by name, with what is allowed, its default and what it
does.
"""

from __future__ import annotations

import difflib
import shutil
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

from engine.core.fields import marked_fields, rule_of
from engine.errors import InputError
from engine.guidance import methods
from engine.loop.settings import Value
from engine.loop.spec import Knobs, RunSpec

INDENT = 4
PLAIN = {
    "prompt": "What to make, in words.",
    "negative_prompt": "What to avoid, in words.",
    "images": "Pictures of the object, as --image lists them.",
    "image_crops": "What part of each picture is used.",
    "reference": "A 3D model that guides the shape, as --reference takes it.",
    "prior": "The diffusion prior (python -m studio priors lists them).",
    "method": "The guidance method; each has further settings of its own.",
}
"""Settings that are words of their own, without a mark beside their field."""


@dataclass(frozen=True)
class Setting:
    """``allowed`` in words, as a refusal says it; ``group`` is when it may change, or the method that it
    belongs to.
    """

    group: str
    name: str
    allowed: str
    default: Value
    help: str

    def text(self, width: int) -> str:
        """A line of facts, and below it what it does."""
        indent = " " * INDENT
        facts = f"{self.name} = {self.default if self.default != '' else '(empty)'}   {self.allowed}".rstrip()
        explained = textwrap.fill(self.help, width, initial_indent=indent, subsequent_indent=indent)
        return f"{facts}\n{explained}".rstrip()


def settings(sought: str | None, *, markdown: bool = False) -> None:
    """List all settings by group, or those that hold the word ``sought``. Raises InputError if there are
    none.

    With ``markdown`` all of them, as `table`.
    """
    every = list(all_settings())
    if markdown:
        print(table(every))
        return
    matching = [
        each for each in every if sought is None or sought.lower() in f"{each.name} {each.help}".lower()
    ]
    if not matching:
        near = difflib.get_close_matches(str(sought), [each.name for each in every], n=3, cutoff=0.3)
        raise InputError(
            f"No setting holds {sought!r}.",
            f"Leave the word out to list all, or try {', '.join(near) or 'steps'}.",
        )
    width = shutil.get_terminal_size().columns
    for group in dict.fromkeys(each.group for each in matching):
        print(f"{group}\n")
        print("\n".join(each.text(width) for each in matching if each.group == group), end="\n\n")
    print("Set one with --set NAME=VALUE; presets and recipes use the same names.")


def table(every: Iterable[Setting]) -> str:
    """A Markdown table a group, as `engine/loop/SETTINGS.md` holds them."""
    lines = [
        "# Every setting",
        "",
        "By `python -m studio settings --markdown`. Presets, recipes, `--set`, the page and the API use "
        "these names.",
    ]
    group = None
    for each in every:
        if each.group != group:
            group = each.group
            lines += [
                "",
                f"## {group}",
                "",
                "| name | default | allowed | what it does |",
                "|---|---|---|---|",
            ]
        cells = (f"`{each.name}`", str(each.default), each.allowed, each.help)
        lines.append("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |")
    return "\n".join(lines)


def all_settings() -> Iterator[Setting]:
    """Every setting of a run, of what may change while it goes, and of each guidance method."""
    spec, knobs = RunSpec("a red mug"), Knobs()
    yield from _of(spec, "Of a run, when it begins", {"prompt": ""})
    yield Setting("While it goes", "method", f"one of {', '.join(sorted(methods()))}", "sds", PLAIN["method"])
    for owner in (knobs, knobs.timesteps):
        yield from _of(owner, "While it goes")
    for key, kind in sorted(methods().items()):
        yield from _of(kind(), f"While it goes, method {key}")


def _of(owner: Any, group: str, defaults: Mapping[str, Value] = {}) -> Iterator[Setting]:
    marked = {knob.name: knob for knob in marked_fields(owner)}
    for field in fields(owner):
        value = getattr(owner, field.name)
        if not isinstance(value, str | int | float | bool):
            continue
        knob = marked.get(field.name)
        allowed, help = (
            ("words", PLAIN.get(field.name, "")) if knob is None else (rule_of(knob), knob.mark.help)
        )
        yield Setting(group, field.name, allowed, defaults.get(field.name, value), help)
