"""From any scene to a coloured mesh."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.spatial import KDTree

from engine.assets.export.bake import Baked, bake
from engine.assets.export.surface import SurfaceOptions, surface_of_grid
from engine.assets.meshes.mesh_shape import vertex_normals
from engine.core import morphology
from engine.errors import InputError
from engine.loop.carving import SURFACE_LEVEL, box_of, carved, thin_parts
from engine.loop.messages import SceneCopy
from engine.loop.shown_scene import shown
from engine.loop.vertex_colours import VERTEX_PICTURE_SIZE, colour_pictures, colours_from_pictures
from engine.loop.volume import colours_at, occupancy_grid
from engine.scene.splats import Splats

RESOLUTION = 112
LEVEL = 0.35
MAX_FACES = 20_000
TEXTURED_FACES = 8_000  # unwrapping takes time that grows faster than the number of faces
SMALLEST_PART = 0.004  # pieces smaller than this share of the whole are dust
SHEET = 0.5  # share of thin parts from which on the whole is called a sheet
DUST_SLOPE = 2  # voxels round a piece of dust that go with it


@dataclass(frozen=True, eq=False)
class ColouredMesh:
    """``vertices`` (N,3) in the world, ``faces`` (F,3) outward, ``colours`` (N,3) in 0..1 display values.

    ``notes`` say what a person should know of the shape: that it is a mist, in several parts, or cut off.
    """

    vertices: np.ndarray
    faces: np.ndarray
    colours: np.ndarray
    notes: tuple[str, ...] = ()


def mesh_of(copy: SceneCopy, max_faces: int = MAX_FACES) -> ColouredMesh:
    """The outer surface of a scene, coloured as it looks from outside. Raises InputError when there is
    nothing solid.
    """
    solid = solid_of(copy)
    clean = without_dust(solid.solidity, solid.level)
    options = SurfaceOptions(
        RESOLUTION, solid.level, largest_only=False, smoothing=solid.smoothing, max_faces=max_faces
    )
    surface = surface_of_grid(clean, options)
    normals = vertex_normals(surface.vertices, surface.faces)
    colours = colours_from_pictures(
        colour_pictures(copy, VERTEX_PICTURE_SIZE),
        surface.vertices,
        normals,
        lambda hidden: solid.colour(surface.vertices[hidden]),
    )
    notes = (*solid.notes, *_notes(clean > solid.level, len(surface.faces), max_faces))
    return ColouredMesh(surface.vertices, surface.faces, colours, notes)


@dataclass(frozen=True, eq=False)
class Solid:
    """``solidity`` (R,R,R) of a scene, its ``colour`` at points (N,3), the ``level`` of its surface, and
    rounds of ``smoothing``.
    """

    solidity: np.ndarray
    colour: Callable[[np.ndarray], np.ndarray]
    level: float
    smoothing: int
    notes: tuple[str, ...] = ()


def solid_of(copy: SceneCopy) -> Solid:
    """A scene as a volume. Raises InputError when there is nothing solid.

    Splats are carved; where that leaves nothing, as of a mist, and of fields, the plain occupancy counts.
    """
    scene = shown(copy)
    occupancy, colour = occupancy_grid(scene, RESOLUTION), partial(colours_at, scene)
    densest = float(occupancy.max())
    level = min(LEVEL, 0.5 * densest)  # a thin mist still has a surface
    if level <= 1e-4:
        raise InputError(
            "The shape has no solid part to make a mesh of.", "Refine it for longer, or export the splats."
        )
    if float(occupancy.min()) > level:
        raise InputError(
            "The shape fills its whole space, so that it has no surface to make a mesh of.",
            "Export the splats, or leave the largest away (--most-size).",
        )
    notes = (
        ("The shape is a mist: its mesh is where that is half as dense as at its densest.",)
        if densest < LEVEL
        else ()
    )
    if isinstance(scene, Splats):
        cleaned = carved(scene, without_dust(occupancy, level), level, copy.fov_deg, copy.distance)
        if float(cleaned.max()) > SURFACE_LEVEL:
            return Solid(cleaned, colour, SURFACE_LEVEL, 3, notes)
        notes = notes or ("Nothing of the shape is opaque: its mesh is the surface of a mist.",)
    return Solid(occupancy, colour, level, 6, notes)


def _notes(solid: np.ndarray, faces: int, max_faces: int) -> Iterator[str]:
    """Of what is inside the surface (R,R,R) bool, and of how many faces there are."""
    parts = morphology.pieces_of(solid, np.ones((3, 3, 3)))[1]
    if parts > 1:
        yield f"The mesh has {parts} parts that do not touch."
    if thin_parts(solid).sum() > SHEET * solid.sum():
        yield "The shape is a thin sheet: its mesh is closed, and as thick as a grid of 112 voxels can show."
    if any(solid.take(end, axis).any() for axis in range(3) for end in (0, -1)):
        yield "The shape reaches the border of its space, where its mesh is cut off."
    if max_faces and faces > max_faces:
        yield f"The mesh has {faces:,} faces: with {max_faces:,} it would tear."


def textured_mesh(copy: SceneCopy, mesh: ColouredMesh, size: int = 1024) -> Baked:
    """The surface of a scene with its colours in a texture of ``size`` squared."""
    normals, nearest, pictures = (
        vertex_normals(mesh.vertices, mesh.faces),
        KDTree(mesh.vertices),
        colour_pictures(copy),
    )

    def colour_at(points: np.ndarray) -> np.ndarray:
        vertex = np.asarray(nearest.query(points)[1])
        return colours_from_pictures(
            pictures, points, normals[vertex], lambda hidden: mesh.colours[vertex[hidden]]
        )

    return bake(mesh.vertices, mesh.faces, colour_at, size=size)


def without_dust(solidity: np.ndarray, level: float) -> np.ndarray:
    """Solidity (R,R,R) with closed hollows filled (nobody sees them) and pieces of dust taken away."""
    box = box_of(solidity > level, DUST_SLOPE + 1)
    within = solidity[box]
    filled = morphology.filled(within > level)
    hollow = filled & (within <= level)
    labels, count = morphology.pieces_of(filled, np.ones((3, 3, 3)))
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    sizes[0] = 0
    small = sizes < SMALLEST_PART * sizes.sum()
    dust = small[labels] & filled
    clean = np.where(hollow, np.float32(1), within)
    if dust.any():  # what is left of its slope would make a shell
        clean[morphology.grown(dust, DUST_SLOPE) & ~(filled & ~dust)] = 0
    result = solidity.astype(np.float32)
    result[box] = clean
    return result
