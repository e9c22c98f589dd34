"""``python -m studio replay``: make a result again from the recipe in any file of it, and say how near the
new one comes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from engine.assets.export.ply import read_splat_ply
from engine.errors import InputError, StudioError
from engine.loop.edit_recipe import Chain
from engine.loop.inspection import recipe_text
from engine.loop.recipe import Recipe
from engine.loop.recipe_chain import read_link
from studio.commands.edit import MESH
from studio.commands.generate import generate
from studio.commands.generate_options import GenerateOptions
from studio.commands.replay_chain import replay_chain

SPLATS = "scene.ply"
PARTS = ("means", "scales", "quats", "opacities", "sh0")


def replay(options: argparse.Namespace) -> None:
    """Run the recipe in ``options.file``, live changes at their steps included, and first those that it set
    out from.

    Raises InputError where there is none.
    """
    out = options.out or Path(f"{options.file.resolve().parent.name or options.file.stem}-replay")
    if out.resolve() == options.file.resolve().parent:
        raise InputError(f"{out} is where the original lies.", "Choose another folder with --out.")
    chain = chain_of(options.file)
    if len(chain) > 1 or not all(isinstance(each, Recipe) for each in chain):
        replay_chain(chain, options.file, out, options.formats, options.quiet)
    else:
        generate(GenerateOptions(out=out, recipe=options.file, formats=options.formats, quiet=options.quiet))
    for name, compare in ((SPLATS, comparison), (MESH, mesh_comparison)):
        if (original := options.file.with_name(name)).is_file() and (out / name).is_file():
            print(compare(original, out / name))


def chain_of(file: Path) -> Chain:
    """The recipes by which a file was made, the first one first. Raises InputError where it holds none."""
    if not file.is_file():
        raise InputError(f"{file} is not a file.", "Give a recipe.toml, or a file that Maquette exported.")
    link = read_link(recipe_text(file))
    return (*link.before, link.alone())


def mesh_comparison(original: Path, again: Path) -> str:
    """Whether two meshes with their textures are one, in a sentence; what their recipes say is not looked
    at.
    """
    same = glb_body(original) == glb_body(again)
    return f"The same as {original}, bit for bit." if same else f"It differs from {original}."


def glb_body(path: Path) -> bytes:
    """The binary chunk of a GLB: vertices, faces and pictures."""
    data = path.read_bytes()
    head = 20 + int.from_bytes(data[12:16], "little")
    return data[head:]


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
