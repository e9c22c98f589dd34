"""``python -m studio edit``: a finished thing, or any mesh, changed by words. What it came from is never
written over.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from hashlib import sha256
from pathlib import Path
from typing import TypeVar, cast

from tqdm import tqdm

from engine.assets.export.files import atomic_path
from engine.assets.export.glb import write_textured_glb
from engine.assets.export.sheet import write_sheet
from engine.assets.meshes.canonical_pose import Orientation, Tip
from engine.assets.meshes.mesh_file import read_reference
from engine.core.paths import given_path
from engine.editing.mesh_checks import mesh_notes
from engine.editing.strategies import USUAL_STEPS, painted_by, restyled_by
from engine.editing.texturing import Paint, Painted, Painting
from engine.errors import InputError, MissingError, storage_errors
from engine.lazy import imported
from engine.loop.devices import limit_threads
from engine.loop.edit_recipe import EditRecipe
from engine.loop.prompt_words import heard
from engine.loop.recipe import EditStep
from engine.loop.recipe_chain import chain_in, words_in
from engine.loop.settings import Value
from engine.loop.spec import RunSpec
from engine.prior.base import Prior
from engine.prior.registry import load_prior
from studio.commands.folders import put_aside, ready

MESH, SHEET, RECIPE = "mesh_textured.glb", "views.png", "edit.toml"
MESHES = ("mesh.glb", "mesh_textured.glb", "scene.ply")  # of a result's folder, the best first
Outcome = TypeVar("Outcome")


@dataclass(frozen=True, kw_only=True)
class EditOptions:
    """One edit of the mesh at ``source`` (a file, or a result's folder), written to ``out``: either ``paint``
    or ``restyle``.

    What is None is at the default of `Paint`.
    """

    source: Path
    out: Path
    paint: str | None = None
    restyle: str | None = None
    was: str | None = None
    views: int | None = None
    steps: int | None = None
    guidance_scale: float | None = None
    case: int | None = None
    seed: int | None = None
    texture_size: int | None = None
    control: str | None = None
    control_strengths: tuple[float, float] | None = None
    image_guidance_scale: float | None = None
    strategy: str | None = None
    correspondence: bool | None = None
    consistent_noise: bool | None = None
    prior: str = "toybox"
    up: str = "auto"
    turn_deg: float = 0.0

    @staticmethod
    def of(arguments: argparse.Namespace) -> EditOptions:
        """From the command line."""
        return EditOptions(**{each.name: getattr(arguments, each.name) for each in fields(EditOptions)})


def edit(arguments: argparse.Namespace) -> None:
    """Do what the command line asks for. Raises StudioError."""
    if arguments.region or arguments.undo:
        part = imported("studio.commands.edit_region")
        return part.undo(arguments) if arguments.undo else part.edit_region(arguments)
    if arguments.splats:
        return imported("studio.commands.edit_splats").edit_splats(EditOptions.of(arguments), arguments.quiet)
    print(*outcome_of(edits(EditOptions.of(arguments), note=tqdm.write), arguments.quiet), sep="\n")


def outcome_of(events: Iterator[Painting | Outcome], quiet: bool) -> Outcome:
    """What an edit ends with; a progress bar goes along with its steps."""
    outcome: Outcome | None = None
    with tqdm(disable=quiet, unit="step") as bar:
        for event in events:
            if isinstance(event, Painting):
                bar.total = event.steps
                bar.update(event.step - bar.n)
            else:
                outcome = event
    assert outcome is not None, "an edit ends with what it made"
    return outcome


def edits(options: EditOptions, note: Callable[[str], None]) -> Iterator[Painting | tuple[Path, ...]]:
    """`Painting` after each step, and the paths of the files at the end; ``note`` is told what a person
    should know.

    Raises StudioError before anything is written, but for what the disk refuses.
    """
    limit_threads()
    source = mesh_in(given_path(str(options.source)))
    how = paint_of(options)
    ready(options.out)
    if source.absolute().parent == options.out.absolute():
        raise InputError(f"--out {options.out} is where the source lies.", "Name another folder.")
    shape = read_reference(source, Orientation(cast(Tip, options.up), options.turn_deg))
    for each in (*shape.notes, *mesh_notes(shape)):
        note(f"note: {shape.name}: {each}")
    prior = load_prior(options.prior)
    how, was = read(how, options, source, prior, note)
    scale, instruction = options.image_guidance_scale, prior.info.takes_source or None
    events = painted_by(shape, how, prior) if was is None else restyled_by(shape, how, was, prior, scale)
    restyling = {} if was is None else {"was": was, "image_guidance_scale": scale, "instruction": instruction}
    step = step_of("paint" if was is None else "restyle", how, source, options, **restyling)
    for event in events:
        for each in event.notes if isinstance(event, Painted) else ():
            note(f"note: {each}")
        yield write(event, step, source, options) if isinstance(event, Painted) else event


def paint_of(options: EditOptions) -> Paint:
    """How to paint, by the options; what is not given is at its default. Raises InputError."""
    words = options.paint or options.restyle
    if not words or (options.paint and options.restyle):
        raise InputError(
            "Say one thing to do.",
            'Write --paint "a red chair with blue legs", or --restyle with the new words.',
        )
    given = {each.name: getattr(options, each.name, None) for each in fields(Paint)}
    named = {name: value for name, value in given.items() if value is not None}
    usual = (
        {"steps": USUAL_STEPS[options.strategy]}
        if options.strategy and options.strategy in USUAL_STEPS
        else {}
    )
    return Paint(**{**usual, **named, "prompt": words})


def read(
    how: Paint, options: EditOptions, source: Path, prior: Prior, note: Callable[[str], None]
) -> tuple[Paint, str | None]:
    """The words as the prior reads them: the new ones in ``how``, and the old ones of what is restyled, else
    None.

    A prior that edits pictures needs no old ones. Guidance that was not given is the prior's own, but for
    toybox.
    """
    if not prior.info.taught_words and options.guidance_scale is None:
        how = replace(how, guidance_scale=prior.info.default_guidance_scale)
    if options.restyle is not None and prior.info.takes_source:
        return how, ""
    was = None if options.restyle is None else options.was or words_of(source)
    if not prior.info.taught_words:
        return how, was
    heard_new = heard(RunSpec(how.prompt, prior=options.prior))
    for each in heard_new.notes:
        note(f"note: {each}")
    old = None if was is None else heard(RunSpec(was, prior=options.prior)).prompt
    return replace(how, prompt=heard_new.prompt), old


def words_of(source: Path) -> str:
    """The words by which a file of ours was made. Raises InputError where it does not say."""
    words = words_in(source)
    if not words.strip():
        raise InputError(
            f"{source.name} does not say what it is.", 'Say it: --was "a red mug with a blue handle".'
        )
    return words


def mesh_in(source: Path) -> Path:
    """``source`` itself, or the mesh of the result in this folder. Raises MissingError."""
    if source.is_file():
        return source
    mesh = next((source / name for name in MESHES if (source / name).is_file()), None)
    if mesh is None:
        what = f"{source} is no file" if not source.is_dir() else f"{source} holds no {', '.join(MESHES)}"
        raise MissingError(
            f"--from {what}.", "Name a mesh (GLB, OBJ, PLY, STL ...), or the folder of a result."
        )
    return mesh


def write(painted: Painted, step: EditStep, source: Path, options: EditOptions) -> tuple[Path, ...]:
    """The mesh, a sheet of it, and how it was made, from its first recipe on; earlier files are put aside."""
    put_aside(options.out, (MESH, SHEET, RECIPE))
    recipe = EditRecipe(step, chain_in(source)).to_toml()
    write_textured_glb(options.out / MESH, painted.baked, recipe=recipe)
    write_sheet(options.out / SHEET, painted.pictures, recipe=recipe)
    with storage_errors(options.out / RECIPE), atomic_path(options.out / RECIPE) as path:
        path.write_text(recipe, encoding="utf-8")
    return options.out / MESH, options.out / SHEET, options.out / RECIPE


def step_of(kind: str, how: Paint, source: Path, options: EditOptions, **more: Value | None) -> EditStep:
    """All that repeats an edit; of its source where it lay and what it was to the byte."""
    digest = sha256(source.read_bytes()).hexdigest()
    known = {"source": str(source.absolute()), "source_sha256": digest, "prior": options.prior,
        "up": options.up,
             "turn_deg": options.turn_deg, **more, **vars(how)}  # fmt: skip
    return EditStep(kind, {name: value for name, value in known.items() if value is not None})
