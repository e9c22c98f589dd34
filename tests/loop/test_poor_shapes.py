"""Fog, sheets, open shells, loose parts and nothing at all: a mesh with a note, or the splats alone."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import trimesh

from engine.loop import results
from engine.loop.messages import Finished
from engine.loop.recipe import Recipe
from engine.loop.settings import Settings
from engine.loop.spec import Knobs, RunSpec
from engine.scene import splats
from engine.scene.splats import Splats
from tests.loop.test_carving import cloud, copy_of, on_sphere

BALL = on_sphere(3000, 0.6)
PLANE = np.stack(np.meshgrid([0.0], *[np.linspace(-0.6, 0.6, 50)] * 2, indexing="ij"), -1).reshape(-1, 3)


def flat(scene: Splats) -> Splats:
    """Discs across x, a ninth of a voxel thick, between the nodes of the grid."""
    scales = scene.log_scales.clone()
    scales[:, 0] = math.log(0.002)
    return replace(scene, log_scales=scales)


SHAPES = {
    "fog": (cloud(np.random.default_rng(0).normal(0, 0.3, (2000, 3)), 0.15, 0.001), "mist"),
    "sheet": (flat(cloud(PLANE, 0.02)), "thin sheet"),
    "one side of a shell": (cloud(BALL[BALL[:, 0] > 0.1], 0.012), "thin sheet"),
    "open bowl": (cloud(BALL[BALL[:, 2] < 0], 0.03), ""),
    "loose parts": (cloud(np.concatenate([BALL / 3 + [0, 0.5, 0], BALL / 3 - [0, 0.5, 0]]), 0.03), "2 parts"),
}
REFUSED = {
    "nothing solid": (cloud(BALL + [0, 0, 4], 0.03), "no solid part"),
    "all of its space": (cloud(BALL, 1.5), "fills its whole space"),
}


def exported(scene: Splats, folder: Path) -> tuple[dict[str, Path], str]:
    """The files of a result, and its notes."""
    recipe = Recipe(Settings(RunSpec(prompt="a ball"), Knobs()))
    finished = Finished(copy_of(scene), False, {"total": 1.0}, 1, recipe)
    files = results.write_results(finished, "toybox", folder, ("ply", "glb"))
    return files, " ".join(json.loads(files["result"].read_text())["notes"])


@pytest.mark.parametrize("name", SHAPES)
def test_a_poor_shape_has_a_closed_mesh_with_a_note(name: str, tmp_path: Path) -> None:
    scene, note = SHAPES[name]
    files, notes = exported(scene, tmp_path)
    assert "ply" in files and (note in notes if note else not notes)
    mesh = trimesh.load(files["glb"], force="mesh")
    mesh.merge_vertices()
    assert mesh.is_watertight and len(mesh.faces) > 500


@pytest.mark.parametrize("name", REFUSED)
def test_where_no_mesh_can_be_made_the_splats_are_kept_and_a_note_says_why(name: str, tmp_path: Path) -> None:
    scene, note = REFUSED[name]
    files, notes = exported(scene, tmp_path)
    assert "ply" in files and "glb" not in files and note in notes
    assert not (tmp_path / "mesh.glb").exists()


def test_nothing_at_all_leaves_the_summary_which_says_so(tmp_path: Path) -> None:
    empty = splats.from_points(torch.zeros(0, 3), torch.zeros(0, 3), 0.1, 0.5)
    files, notes = exported(empty, tmp_path)
    assert "ply" not in files and "glb" not in files
    assert "no solid part to export" in notes and "no solid part to make a mesh of" in notes
