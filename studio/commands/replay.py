"""``python -m studio replay``: make a result again from the recipe in any file of it, and say how near the new one comes."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from engine.assets.export.ply import read_splat_ply
from engine.errors import InputError, StudioError
from studio.commands.generate import generate
from studio.commands.generate_options import GenerateOptions

SPLATS = "scene.ply"
PARTS = ("means", "scales", "quats", "opacities", "sh0")


def replay(options: argparse.Namespace) -> None:
    """Run the recipe in ``options.file``, live changes at their steps included. Raises InputError where there is none."""
    out = options.out or Path(f"{options.file.resolve().parent.name or options.file.stem}-replay")
    if out.resolve() == options.file.resolve().parent:
        raise InputError(f"{out} is where the original lies.", "Choose another folder with --out.")
    generate(GenerateOptions(out=out, recipe=options.file, formats=options.formats, quiet=options.quiet))
    original = options.file.with_name(SPLATS)
    if original.is_file() and (out / SPLATS).is_file():
        print(comparison(original, out / SPLATS))


def comparison(original: Path, again: Path) -> str:
    """How near two clouds of splats are, in a sentence."""
    try:
        one, other = read_splat_ply(original), read_splat_ply(again)
    except StudioError as error:
        return f"The two cannot be compared: {error.what}"
    pairs = [(getattr(one, name), getattr(other, name)) for name in PARTS]
    if any(a.shape != b.shape for a, b in pairs):
        return f"It differs: {len(one.means):,} splats before, {len(other.means):,} now."
    if all(np.array_equal(a, b) for a, b in pairs):
        return f"The same as {original}, bit for bit."
    far = float(np.abs(one.means - other.means).max())
    return f"Close to {original}: no splat moved by more than {far:.2g} of a unit."
