"""A chain of runs and edits, made again from its first recipe on, each from what the one before it made."""

from __future__ import annotations

from dataclasses import fields
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

from tqdm import tqdm

from engine.assets.export.files import atomic_path
from engine.assets.images.input_files import within
from engine.assets.meshes.canonical_pose import Orientation, Tip
from engine.assets.meshes.mesh_file import read_reference
from engine.editing.mesh_to_splats import write_mesh_as_splats
from engine.errors import MissingError, storage_errors
from engine.loop.edit_recipe import Chain, EditRecipe
from engine.loop.recipe import EditStep, Recipe
from engine.loop.recipe_chain import chain_in
from engine.loop.reference import input_files
from engine.loop.results import FILE_OF
from studio.commands.edit import EditOptions, edits, outcome_of
from studio.commands.edit_region import kept_before
from studio.commands.edit_splats import SPLATS, edit_splats
from studio.commands.folders import ready
from studio.commands.generate import make
from studio.commands.generate_options import GenerateOptions

STEPS, RECIPE = "steps", "recipe.toml"
"""The folder in ``--out`` of all but the last result, one by its number each; and what a run among them is
told.
"""


def replay_chain(chain: Chain, file: Path, out: Path, formats: str, quiet: bool) -> None:
    """Follow ``chain``, which was read from ``file``, and write its last result to ``out``. Raises
    StudioError.
    """
    before: Path | None = None
    for number, step in enumerate(chain, 1):
        folder = out if number == len(chain) else out / STEPS / str(number)
        wanted = formats if number == len(chain) else format_for(chain[number])
        tqdm.write(f"{number} of {len(chain)}: {described(step)}")
        ready(folder)
        if isinstance(step, Recipe):
            make(
                GenerateOptions(
                    recipe=_settled(step, before, file, folder), out=folder, formats=wanted, quiet=quiet
                )
            )
        else:
            _edit(step, _source(step, before, file), folder, quiet)
        before = folder


def described(step: Recipe | EditStep) -> str:
    """What a link of the chain does, in a line."""
    if isinstance(step, Recipe):
        spec = step.settings.spec
        return f"{spec.prompt}{f' in {spec.region}' if spec.region else ''}"
    return f"{step.kind} {step.values.get('prompt', '')}".strip()


def format_for(after: Recipe | EditStep) -> str:
    """The format that the next link sets out from."""
    name = SPLATS if isinstance(after, Recipe) else Path(str(after.values.get("source", ""))).name
    return next((key for key, known in FILE_OF.items() if known == name), "ply,glb")


def _settled(step: Recipe, before: Path | None, file: Path, folder: Path) -> Path:
    """The recipe of a run in ``folder``, with the files that it names where they are now."""
    spec, values = step.settings.spec, step.alone().tables()
    values |= {
        "images": within(spec.images, file.parent),
        "reference": input_files.within(spec.reference, file.parent),
    }
    if spec.start == "file":
        start = before / SPLATS if before is not None else there(spec.start_file, file)
        values["start_file"] = str(kept_before(start, folder, Orientation()).absolute())
    path = folder / STEPS / RECIPE
    with storage_errors(path):
        path.parent.mkdir(exist_ok=True)
        with atomic_path(path) as partial:
            partial.write_text(Recipe.of_tables(values).to_toml(), encoding="utf-8")
    return path


def _edit(step: EditStep, source: Path, folder: Path, quiet: bool) -> None:
    if step.kind == "splats":
        values = step.values
        orientation = Orientation(cast(Tip, values.get("up", "auto")), float(values.get("turn_deg", 0.0)))
        recipe = EditRecipe(
            EditStep("splats", {**values, "source": str(source.absolute())}), chain_in(source)
        ).to_toml()
        write_mesh_as_splats(read_reference(source, orientation), folder / SPLATS, recipe=recipe)
    elif step.kind == "recolour":
        edit_splats(options_of(step, source, folder), quiet)
    else:
        outcome_of(edits(options_of(step, source, folder), note=tqdm.write), quiet)


def options_of(step: EditStep, source: Path, folder: Path) -> EditOptions:
    """What was asked for, with the settings as they were."""
    names = {each.name for each in fields(EditOptions)} - {"source", "out", "paint", "restyle"}
    values: dict[str, Any] = {name: value for name, value in step.values.items() if name in names}
    if "control_strengths" in values:
        values["control_strengths"] = tuple(values["control_strengths"])
    restyles = step.kind == "restyle" or step.values.get("instruction")
    words = {"restyle" if restyles else "paint": step.values["prompt"]}
    return EditOptions(source=source, out=folder, **words, **values)


def _source(step: EditStep, before: Path | None, file: Path) -> Path:
    """What an edit sets out from: of the same name in what the link before it made, or the file that was
    given.
    """
    named = str(step.values.get("source", ""))
    if before is not None:
        path = before / Path(named).name
        return path if path.is_file() else before
    source, known = there(named, file), step.values.get("source_sha256")
    if known is not None and sha256(source.read_bytes()).hexdigest() != known:
        tqdm.write(f"note: {source} is not to the byte what it was, so the result may differ")
    return source


def there(named: str, file: Path) -> Path:
    """A file of a recipe: where it was, or else beside the recipe's own file. Raises MissingError."""
    path = Path(named)
    place = next((each for each in (path, file.parent / path.name) if each.is_file()), None)
    if place is None:
        raise MissingError(
            f"{named or 'The source'}, from which it was made, is not there.", f"Put it beside {file}."
        )
    return place
