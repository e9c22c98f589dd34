"""``python -m studio edit``: a finished thing, or any mesh, changed by words. What it came from is never written over."""

from __future__ import annotations

import argparse
from dataclasses import fields, replace
from pathlib import Path

import tomli_w
from tqdm import tqdm

from engine.assets.export.files import atomic_path
from engine.assets.export.glb import write_textured_glb
from engine.assets.export.sheet import write_sheet
from engine.assets.meshes.canonical_pose import Orientation
from engine.assets.meshes.mesh_file import read_reference
from engine.core.paths import given_path
from engine.editing.restyling import Restyle, restyle
from engine.editing.texturing import Paint, Painted, paint
from engine.errors import InputError, MissingError, storage_errors
from engine.loop.devices import limit_threads
from engine.loop.inspection import recipe_text
from engine.loop.prompt_words import heard
from engine.loop.recipe import Recipe
from engine.loop.spec import RunSpec
from engine.prior.base import Prior
from engine.prior.registry import load_prior
from studio.commands.folders import put_aside, ready

MESH, SHEET, RECIPE = "mesh_textured.glb", "views.png", "edit.toml"
MESHES = ("mesh.glb", "mesh_textured.glb", "scene.ply")  # of a result's folder, the best first


def edit(options: argparse.Namespace) -> None:
    """Do what the options ask for and write it to ``options.out``. Raises StudioError."""
    limit_threads()
    source = mesh_in(given_path(str(options.source)))
    how = paint_of(options)
    ready(options.out)
    if source.absolute().parent == options.out.absolute():
        raise InputError(
            f"--out {options.out} is where the source lies.", "Name another folder, so that nothing is written over."
        )
    shape = read_reference(source, Orientation(options.up, options.turn_deg))
    for note in shape.notes:
        tqdm.write(f"note: {shape.name}: {note}")
    prior = load_prior(options.prior)
    how, was = read(how, options, source, prior)
    events = paint(shape, how, prior) if was is None else restyle(shape, Restyle(paint=how, was=was), prior)
    with tqdm(total=how.steps * (1 if was is None else 2), disable=options.quiet, unit="step") as bar:
        for event in events:
            if isinstance(event, Painted):
                painted = event
                break
            bar.update(event.step - bar.n)
    write(painted, how, source, options)


def paint_of(options: argparse.Namespace) -> Paint:
    """How to paint, by the options; what is not given is at its default. Raises InputError."""
    words = options.paint or options.restyle
    if not words or (options.paint and options.restyle):
        raise InputError("Say one thing to do.", 'Write --paint "a red chair with blue legs", or --restyle with the new words.')
    named = {each.name: getattr(options, each.name, None) for each in fields(Paint)}
    return Paint(**{**{name: value for name, value in named.items() if value is not None}, "prompt": words})


def read(how: Paint, options: argparse.Namespace, source: Path, prior: Prior) -> tuple[Paint, str | None]:
    """The words as the prior reads them: the new ones in ``how``, and the old ones of what is restyled, else None."""
    was = None if options.restyle is None else options.was or words_in(source)
    if not prior.info.taught_words:
        return how, was
    heard_new = heard(RunSpec(how.prompt, prior=options.prior))
    for note in heard_new.notes:
        tqdm.write(f"note: {note}")
    old = None if was is None else heard(RunSpec(was, prior=options.prior)).prompt
    return replace(how, prompt=heard_new.prompt), old


def words_in(source: Path) -> str:
    """The prompt by which a file of ours was made. Raises InputError where it does not say."""
    try:
        words = Recipe.from_toml(recipe_text(source)).settings.spec.prompt
    except InputError:
        words = ""
    if not words.strip():
        raise InputError(f"{source.name} does not say what it is.", 'Say it: --was "a red mug with a blue handle".')
    return words


def mesh_in(source: Path) -> Path:
    """``source`` itself, or the mesh of the result in this folder. Raises MissingError."""
    if source.is_file():
        return source
    found = next((source / name for name in MESHES if (source / name).is_file()), None)
    if found is None:
        what = f"{source} is no file" if not source.is_dir() else f"{source} holds no {', '.join(MESHES)}"
        raise MissingError(f"--from {what}.", "Name a mesh (GLB, OBJ, PLY, STL ...), or the folder of a result.")
    return found


def write(painted: Painted, how: Paint, source: Path, options: argparse.Namespace) -> None:
    """The mesh, a sheet of it, and how it was made; earlier ones are put aside."""
    put_aside(options.out, (MESH, SHEET, RECIPE))
    recipe = tomli_w.dumps(
        {"source": source.name, "prior": options.prior, **{k: v for k, v in vars(how).items() if v is not None}}
    )
    write_textured_glb(options.out / MESH, painted.baked, recipe=recipe)
    write_sheet(options.out / SHEET, painted.pictures, recipe=recipe)
    with storage_errors(options.out / RECIPE), atomic_path(options.out / RECIPE) as path:
        path.write_text(recipe, encoding="utf-8")
    for name in (MESH, SHEET, RECIPE):
        print(options.out / name)
