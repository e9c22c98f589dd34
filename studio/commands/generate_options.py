"""What ``python -m studio generate`` is asked for: the same for the command line, a table of runs, and a
Python program.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path

from engine.errors import InputError
from engine.loop.settings import Value

USUAL_FORMATS = "ply,glb,mp4,png"


def named_values(texts: Sequence[str]) -> dict[str, str]:
    """The settings in texts of the form KNOB=VALUE. Raises InputError for any other."""
    return dict(_pair(text) for text in texts)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise InputError(
            f"--set {text!r} is not of the form KNOB=VALUE.", "Write for example --set guidance_scale=5."
        )
    return name.strip(), value.strip()


@dataclass(frozen=True, kw_only=True)
class GenerateOptions:
    """One object, from settings to files in ``out``.

    ``prompt``, ``image`` (each ``PATH[@AZIMUTH[*WEIGHT]]``) or ``recipe`` say what; ``settings`` are any by
    name, on top of ``preset``. ``resume`` goes on from the checkpoint in ``out``. ``variations`` makes so
    many, one seed after the other.
    """

    out: Path
    prompt: str | None = None
    negative_prompt: str | None = None
    image: tuple[str, ...] = ()
    image_elevation: str | None = None
    reference: str | None = None
    reference_strength: float | None = None
    reference_curve: str | None = None
    recipe: Path | None = None
    preset: str | None = None
    seed: int | None = None
    variations: int | None = None
    settings: Mapping[str, Value] = field(default_factory=dict)
    formats: str = USUAL_FORMATS
    library: Path | None = None
    shelf: Path | None = None
    resume: bool = False
    quiet: bool = False

    @staticmethod
    def of(arguments: argparse.Namespace) -> GenerateOptions:
        """From the command line. Raises InputError for a ``--set`` that is none."""
        named = {
            each.name: getattr(arguments, each.name)
            for each in fields(GenerateOptions)
            if hasattr(arguments, each.name)
        }
        return GenerateOptions(
            **{**named, "image": tuple(arguments.image), "settings": named_values(arguments.set)}
        )
