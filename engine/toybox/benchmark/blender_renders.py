"""A folder of GLB files as Blender draws them, under one sun: what an artist sees first. Outside the tests;
needs ``bpy``.

    python -m engine.toybox.benchmark.blender_renders FOLDER [--out FILE.png] [--size 320] [--views 4]
                                                       [--grey]

One row a file, evenly round it. ``pip install bpy`` brings Blender as a Python module, for the Python
versions it is built for.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image

from engine.errors import InputError, MissingError, StudioError, storage_errors

ELEVATION_DEG, FOV_DEG = 20.0, 30.0
SUN_FROM_DEG, SUN_STRENGTH, SKY_STRENGTH = (55.0, 0.0, 35.0), 3.0, 0.35
SAMPLES = 16


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m engine.toybox.benchmark.blender_renders", description=str(__doc__).splitlines()[0]
    )
    parser.add_argument("folder", type=Path, help="of .glb files, or of folders with them")
    parser.add_argument(
        "--out", type=Path, default=Path("blender.png"), help="the picture (default %(default)s)"
    )
    parser.add_argument(
        "--size", type=int, default=320, help="side of one picture in pixels (default %(default)s)"
    )
    parser.add_argument("--views", type=int, default=4, help="pictures of each file (default %(default)s)")
    parser.add_argument("--grey", action="store_true", help="leave colours out, so that only shape tells")
    options = parser.parse_args(arguments)
    try:
        write_renders(
            sorted(options.folder.rglob("*.glb")), options.out, options.size, options.views, options.grey
        )
    except StudioError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def write_renders(files: Sequence[Path], out: Path, size: int, views: int, grey: bool) -> None:
    """Draw ``files``, one row each. Raises MissingError without bpy, InputError without files,
    StorageError.
    """
    if not files:
        raise InputError("There is no .glb file in that folder.", "Give a folder of results.")
    if find_spec("bpy") is None:
        raise MissingError("Blender's Python module is not installed.", "Install it with: pip install bpy")
    with tempfile.TemporaryDirectory() as folder:
        rows = [
            np.concatenate(_drawn(file, Path(folder) / "view.png", size, views, grey), axis=1)
            for file in files
        ]
    with storage_errors(out):
        Image.fromarray(np.concatenate(rows, axis=0)).save(out)


def _drawn(file: Path, picture: Path, size: int, views: int, grey: bool) -> list[np.ndarray]:
    """``views`` pictures (S,S,3) uint8 of one file."""
    import bpy

    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.import_scene.gltf(filepath=str(file))
    meshes = [each for each in bpy.context.scene.objects if each.type == "MESH"]
    if grey:
        for mesh in meshes:
            mesh.data.materials.clear()
    corners = np.array(
        [each.matrix_world @ corner for each in meshes for corner in map(_vector, each.bound_box)]
    )
    middle = (corners.min(0) + corners.max(0)) / 2
    radius = float(np.linalg.norm(corners - middle, axis=1).max())
    _light(bpy)
    _settle(bpy.context.scene, picture, size)
    pictures = []
    for view in range(views):
        _look(bpy, middle, radius, math.radians(360 * view / views - 60))
        bpy.ops.render.render(write_still=True)
        pictures.append(np.asarray(Image.open(picture).convert("RGB")))
    return pictures


def _vector(values: Sequence[float] | np.ndarray):
    from mathutils import Vector

    return Vector(values)


def _light(bpy) -> None:
    """One sun, and a faint even sky."""
    sun = bpy.data.lights.new("sun", "SUN")
    sun.energy = SUN_STRENGTH
    lamp = bpy.data.objects.new("sun", sun)
    lamp.rotation_euler = [math.radians(angle) for angle in SUN_FROM_DEG]
    bpy.context.scene.collection.objects.link(lamp)
    world = bpy.data.worlds.new("sky")
    world.use_nodes = True
    colour, strength = world.node_tree.nodes["Background"].inputs[:2]
    colour.default_value, strength.default_value = (1, 1, 1, 1), SKY_STRENGTH
    bpy.context.scene.world = world


def _settle(scene, picture: Path, size: int) -> None:
    """Cycles on the processor, which needs no screen."""
    scene.render.engine, scene.cycles.device, scene.cycles.samples = "CYCLES", "CPU", SAMPLES
    scene.render.resolution_x = scene.render.resolution_y = size
    scene.render.filepath, scene.render.image_settings.file_format = str(picture), "PNG"
    scene.view_settings.view_transform = "Standard"


def _look(bpy, middle: np.ndarray, radius: float, azimuth: float) -> None:
    """Put the camera, made on first use, round the object, at ``azimuth`` (radians) from Blender's -y, where
    fronts face.
    """
    camera = bpy.data.objects.get("camera")
    if camera is None:
        camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
        camera.data.angle = math.radians(FOV_DEG)
        bpy.context.scene.collection.objects.link(camera)
        bpy.context.scene.camera = camera
    elevation, distance = math.radians(ELEVATION_DEG), 1.05 * radius / math.sin(math.radians(FOV_DEG / 2))
    offset = np.array(
        [
            math.sin(azimuth) * math.cos(elevation),
            -math.cos(azimuth) * math.cos(elevation),
            math.sin(elevation),
        ]
    )
    camera.location = middle + distance * offset
    camera.rotation_euler = (_vector(-offset)).to_track_quat("-Z", "Y").to_euler()


if __name__ == "__main__":
    sys.exit(main())
