"""``python -m studio edit --paint WORDS --splats``, or ``--restyle``: the colours of splats change, and no
other number of their file.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from tqdm import tqdm

from engine.assets.export.sheet import write_sheet
from engine.assets.export.splat_cloud import sh0_from_rgb
from engine.core.paths import given_path
from engine.editing.dataset_update import update_of
from engine.editing.painting_splats import paint_splats, recolour_ply
from engine.editing.restyling_splats import restyle_splats
from engine.errors import InputError, MissingError
from engine.loop.devices import limit_threads
from engine.loop.edit_recipe import EditRecipe
from engine.loop.export_source import open_source
from engine.loop.frames import render_rgba, strip_cameras
from engine.loop.messages import SceneCopy
from engine.loop.recipe_chain import chain_in
from engine.prior.registry import load_prior
from studio.commands.edit import SHEET, EditOptions, outcome_of, paint_of, read, step_of
from studio.commands.folders import put_aside, ready

SPLATS, SHEET_SIDE = "scene.ply", 256


def edit_splats(options: EditOptions, quiet: bool) -> None:
    """Paint or restyle, write the splats and a sheet of them. Raises StudioError before anything is
    written.
    """
    limit_threads()
    source, how = splats_in(given_path(str(options.source))), paint_of(options)
    if source.absolute().parent == options.out.absolute():
        raise InputError(f"--out {options.out} is where the source lies.", "Name another folder.")
    opened = open_source(source)
    if opened.scene is None:
        raise InputError(f"{source} holds no splats.", "Leave --splats away to paint its mesh.")
    prior = load_prior(options.prior)
    if options.restyle and not prior.info.takes_source:
        raise InputError(
            f"{prior.info.title} restyles meshes, and no splats.",
            "Leave --splats away, or choose a prior that edits pictures: --prior instruct-pix2pix.",
        )
    how, was = read(how, options, source, prior, tqdm.write)
    events, more = paint_splats(opened.scene, how, prior), {}
    if was is not None:
        update = update_of(how, options.image_guidance_scale)
        events = restyle_splats(opened.scene, update, prior)
        more = {"instruction": True, "image_guidance_scale": options.image_guidance_scale}
    done = outcome_of(events, quiet)
    ready(options.out)
    put_aside(options.out, (SPLATS, SHEET))
    recipe = EditRecipe(step_of("recolour", how, source, options, **more), chain_in(source)).to_toml()
    recolour_ply(
        source, options.out / SPLATS, sh0_from_rgb(done.splats.rgb.numpy()).astype(np.float32), recipe
    )
    copy = SceneCopy(0, 0, done.splats, "auto", opened.scene.fov_deg, opened.scene.distance)
    write_sheet(options.out / SHEET, render_rgba(copy, strip_cameras(copy, SHEET_SIDE)), recipe=recipe)
    print(options.out / SPLATS, options.out / SHEET, sep="\n")


def splats_in(source: Path) -> Path:
    """``source`` itself, or the splats of the result in this folder. Raises MissingError."""
    splats = source / SPLATS if source.is_dir() else source
    if not splats.is_file():
        raise MissingError(
            f"--from {source} holds no {SPLATS}.", "Name a splat PLY, or the folder of a result that has one."
        )
    return splats
