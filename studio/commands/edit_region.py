"""``python -m studio edit --region BOX --prompt WORDS``: what lies in boxes changes, the rest stays;
``--undo``.

Such a change is a run that sets out from a file, so that its recipe repeats it and the page shows it. The
scene before lies beside the result.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from engine.assets.export.splat_files import SUFFIXES
from engine.assets.meshes.canonical_pose import Orientation
from engine.assets.meshes.mesh_file import is_splat_header, read_reference
from engine.core.boxes import BETWEEN, read_boxes
from engine.core.paths import given_path
from engine.editing.mesh_checks import check_mesh
from engine.editing.mesh_to_splats import write_mesh_as_splats
from engine.errors import InputError, MissingError, storage_errors
from engine.loop.edit_recipe import EditRecipe
from engine.loop.export_source import DISTANCE, FOV_DEG
from engine.loop.init_from_file import read_start_file
from engine.loop.messages import Finished, SceneCopy
from engine.loop.recipe import EditStep, Recipe
from engine.loop.recipe_chain import chain_in, recipe_in
from engine.loop.results import FILE_OF, RESULT_FILES, write_results
from engine.loop.settings import Settings
from engine.loop.spec import Knobs, RunSpec
from studio.commands.folders import put_aside, ready
from studio.commands.generate import make
from studio.commands.generate_options import USUAL_FORMATS, GenerateOptions, named_values

BEFORE = "before"  # and the suffix of the source
SPLATS = (".ply", *SUFFIXES)
PRESET = "toybox-region"


def edit_region(arguments: argparse.Namespace) -> None:
    """Change what lies in the boxes of ``arguments.region``. Raises StudioError before anything is
    written.
    """
    if arguments.paint or arguments.restyle or not (arguments.prompt or "").strip():
        raise InputError(
            "A region has words of its own.", 'Write --region BOX --prompt "a red mug with a blue handle".'
        )
    boxes = read_boxes(BETWEEN.join(arguments.region))
    source = scene_in(given_path(str(arguments.source)))
    if source.absolute().parent == arguments.out.absolute():
        raise InputError(f"--out {arguments.out} is where the source lies.", "Name another folder.")
    orientation = Orientation(arguments.up, arguments.turn_deg)
    if not is_splats(source):
        check_mesh(read_reference(source, orientation))
    ready(arguments.out)
    put_aside(arguments.out, tuple(BEFORE + end for end in SPLATS))
    before = kept_before(source, arguments.out, orientation)
    values = {
        "region": BETWEEN.join(map(str, boxes)),
        "region_was": arguments.was or "",
        **region_settings(arguments),
    }
    make(
        GenerateOptions(
            out=arguments.out,
            prompt=arguments.prompt,
            preset=arguments.preset or PRESET,
            seed=arguments.seed,
            settings={**values, "start": "file", "start_file": str(before.absolute())},
            formats=USUAL_FORMATS,
            quiet=arguments.quiet,
        )
    )


def region_settings(arguments: argparse.Namespace) -> dict[str, str | float]:
    """The settings that options of `edit` name in their own way, and those of ``--set``."""
    given = {
        "prior": None if arguments.preset else arguments.prior,
        "guidance_scale": arguments.guidance_scale,
        "sampling_steps": arguments.steps,
        "draft_views": arguments.views,
        "control": arguments.control,
    }
    return {
        **{name: value for name, value in given.items() if value is not None},
        **named_values(arguments.set),
    }


def undo(arguments: argparse.Namespace) -> None:
    """Write the scene as it was before the last change. Raises MissingError where it was not kept."""
    folder = given_path(str(arguments.source))
    before = next(
        (folder / f"{BEFORE}{end}" for end in SPLATS if (folder / f"{BEFORE}{end}").is_file()), None
    )
    if before is None:
        raise MissingError(
            f"{folder} keeps no scene before it.", "Name the folder of a result of edit --region."
        )
    if before.absolute().parent == arguments.out.absolute():
        raise InputError(f"--out {arguments.out} is where the source lies.", "Name another folder.")
    ready(arguments.out)
    put_aside(arguments.out, RESULT_FILES)
    recipe = recipe_in(before) or Recipe(Settings(RunSpec("an object"), Knobs()))
    copy = SceneCopy(0, 0, read_start_file(before).splats, "auto", FOV_DEG, DISTANCE)
    files = write_results(Finished(copy, False, {"total": 0.0, "to_first_view": 0.0}, 0, recipe),
        recipe.settings.spec.prior,
                          arguments.out, tuple(USUAL_FORMATS.split(",")))  # fmt: skip
    if before.suffix == files["ply"].suffix:
        shutil.copyfile(before, files["ply"])  # to the bit
    print(*files.values(), sep="\n")


def scene_in(source: Path) -> Path:
    """``source`` itself, or the splats, or else the mesh, of the result in this folder. Raises
    MissingError.
    """
    named = [source / FILE_OF[key] for key in ("ply", "glb")] if source.is_dir() else [source]
    scene = next((each for each in named if each.is_file()), None)
    if scene is None:
        raise MissingError(
            f"--from {source} holds nothing to change.", "Name splats, a mesh, or the folder of a result."
        )
    return scene


def kept_before(source: Path, folder: Path, orientation: Orientation) -> Path:
    """A copy in ``folder`` of the scene that is changed; a mesh is made into splats. Raises FileFormatError,
    StorageError.
    """
    splats = is_splats(source)
    before = folder / (BEFORE + (source.suffix.lower() if splats else ".ply"))
    with storage_errors(before):
        if splats:
            shutil.copyfile(source, before)
        else:
            values = {
                "source": str(source.absolute()),
                "up": orientation.tip,
                "turn_deg": orientation.turn_deg,
            }
            recipe = EditRecipe(EditStep("splats", values), chain_in(source)).to_toml()
            write_mesh_as_splats(read_reference(source, orientation), before, recipe=recipe)
    return before


def is_splats(source: Path) -> bool:
    """Whether a file holds splats, not triangles."""
    suffix = source.suffix.lower()
    return suffix in SPLATS and (suffix != ".ply" or _holds_splats(source))


def _holds_splats(ply: Path) -> bool:
    with ply.open("rb") as opened:
        return is_splat_header(opened.read(1 << 16))
