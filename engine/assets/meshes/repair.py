"""Honest repairs: what cannot be drawn is taken away, what is too fine is coarsened, and both are said."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.assets.meshes.mesh_shape import RawMesh, triangle_areas
from engine.assets.meshes.splats_to_mesh import strays
from engine.errors import FileFormatError

KEPT_FACES = 200_000
"""Faces that a reference keeps: more than its largest map has pixels to show."""

CHECKED_FACES = 1_000_000
"""Meshes with more are not asked whether they are closed, which takes seconds; maps and masks do not depend
on it.
"""

FARTHEST = 1e30
"""Coordinates beyond this are damage, not places."""

HUGE, TINY = 100.0, 0.01
"""Sizes, in the file's units, from which on a note says that it was scaled."""

FAR_SHARE = 0.05


def mended(mesh: RawMesh) -> RawMesh:
    """A mesh that can be drawn. Raises `FileFormatError` if nothing is left of it."""
    outline, mesh = _outline(mesh), _compact(_without_slivers(_without_broken(mesh)))
    if not mesh.splats and len(mesh.faces) <= CHECKED_FACES:
        mesh = _outward(mesh, mesh if outline is None else outline)
    if len(mesh.faces) > KEPT_FACES:
        mesh = coarser(mesh, KEPT_FACES)
    return mesh.noted(_far_note(mesh), _size_note(mesh))


def _outline(mesh: RawMesh) -> RawMesh | None:
    """The mesh before faces were split, mended as well; None where none was, or nothing sound is left."""
    if mesh.outline is None:
        return None
    whole = replace(mesh, faces=mesh.outline, face_colours=np.zeros((len(mesh.outline), 3)), outline=None)
    try:
        return _compact(_without_slivers(_without_broken(whole)))
    except FileFormatError:
        return None


def _without_broken(mesh: RawMesh) -> RawMesh:
    """Without vertices that are no places, and faces that need one that is not there."""
    count = len(mesh.vertices)
    inside = ((mesh.faces >= 0) & (mesh.faces < count)).all(1)
    sound: np.ndarray = np.all(
        np.isfinite(mesh.vertices) & (np.abs(np.nan_to_num(mesh.vertices)) < FARTHEST), axis=1
    )
    kept = inside.copy()
    kept[inside] = sound[mesh.faces[inside]].all(1)
    if not kept.any():
        raise FileFormatError("It holds no face with sound corners.", "Save it again from its source.")
    broken = int((~sound).sum())
    colours = np.clip(np.nan_to_num(mesh.face_colours[kept], nan=0.6), 0, 1)
    said = f"{broken:,} broken vertices (not a number, or endless) were dropped." if broken else ""
    missing = (
        f"{int((~inside).sum()):,} faces had corners that are not there and were dropped."
        if not inside.all()
        else ""
    )
    return _compact(replace(mesh, faces=mesh.faces[kept], face_colours=colours)).noted(said, missing)


def _compact(mesh: RawMesh) -> RawMesh:
    """Without vertices that no face uses, so that they do not count for the size."""
    used, numbers = np.unique(mesh.faces, return_inverse=True)
    return replace(mesh, vertices=mesh.vertices[used], faces=numbers.reshape(-1, 3))


def _without_slivers(mesh: RawMesh) -> RawMesh:
    """Without faces that have no area."""
    size = np.ptp(mesh.vertices, axis=0).max()
    if not size > 0:
        raise FileFormatError("All of it lies in one point.", "Choose a model with a size.")
    kept = triangle_areas(mesh.vertices / size, mesh.faces) > 1e-14
    if not kept.any():
        raise FileFormatError("None of its faces has an area.", "Choose a model with a surface.")
    return replace(mesh, faces=mesh.faces[kept], face_colours=mesh.face_colours[kept])


def coarser(mesh: RawMesh, most: int) -> RawMesh:
    """At most ``most`` faces: vertices in one cell of a grid become one, at their mean (Rossignac & Borrel
    1993).
    """
    before, low = len(mesh.faces), mesh.vertices.min(0)
    size = float(np.ptp(mesh.vertices, axis=0).max()) or 1.0
    for side in (512, 384, 288, 216, 160, 120, 90, 64, 45, 32, 24, 18):
        clustered = _clustered(mesh, np.floor((mesh.vertices - low) / size * side).astype(np.int64), side + 1)
        if len(clustered.faces) <= most:
            break
    if len(clustered.faces) > most:  # a cloud of loose faces: the largest of them show
        rows = np.argsort(-triangle_areas(clustered.vertices, clustered.faces))[:most]
        clustered = replace(clustered, faces=clustered.faces[rows], face_colours=clustered.face_colours[rows])
    sound = _compact(_without_slivers(clustered))
    return sound.noted(f"It was coarsened from {before:,} to {len(sound.faces):,} faces.")


def _clustered(mesh: RawMesh, cells: np.ndarray, side: int) -> RawMesh:
    """The mesh with one vertex for each cell (N,3) in use; faces that collapse, and doubles, are gone."""
    _, numbers, counts = np.unique(
        (cells[:, 0] * side + cells[:, 1]) * side + cells[:, 2], return_inverse=True, return_counts=True
    )
    means = np.stack([np.bincount(numbers, mesh.vertices[:, k]) for k in range(3)], 1) / counts[:, None]
    faces = numbers.reshape(-1)[mesh.faces]
    whole = np.flatnonzero(
        (faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 2] != faces[:, 0])
    )
    a, b, c = np.sort(faces[whole], 1).T
    first = np.unique(
        (a * len(means) + b) * len(means) + c if len(means) < 2_000_000 else np.arange(len(a)),
        return_index=True,
    )[1]
    kept = whole[np.sort(first)]
    return replace(mesh, vertices=means, faces=faces[kept], face_colours=mesh.face_colours[kept])


def _outward(mesh: RawMesh, whole: RawMesh) -> RawMesh:
    """A closed mesh that is inside out is turned; an open one gets a note, for it has no inside. ``whole``
    has unsplit faces.
    """
    joined = _joined(whole)
    edges = np.sort(np.concatenate([joined[:, [0, 1]], joined[:, [1, 2]], joined[:, [2, 0]]]), axis=1)
    shared = np.unique(edges[:, 0] * np.int64(len(whole.vertices)) + edges[:, 1], return_counts=True)[1]
    single = float((shared == 1).mean())
    a, b, c = (whole.vertices[whole.faces[:, k]] - whole.vertices.mean(0) for k in range(3))
    if single > 0.001:
        return mesh.noted("It is open; its inside is drawn like its outside.")
    if float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum()) >= 0:
        return mesh
    return replace(mesh, faces=np.ascontiguousarray(mesh.faces[:, ::-1])).noted(
        "It was inside out, and was turned."
    )


def _joined(mesh: RawMesh) -> np.ndarray:
    """Faces with vertices at the same place counted as one: many formats repeat them at seams."""
    size = np.ptp(mesh.vertices, axis=0).max()
    places = np.round((mesh.vertices - mesh.vertices.min(0)) / size * (1 << 20)).astype(np.int64)
    keys = (places[:, 0] << 42) + (places[:, 1] << 21) + places[:, 2]
    return np.unique(keys, return_inverse=True)[1].reshape(-1)[mesh.faces]


def _far_note(mesh: RawMesh) -> str:
    """A warning if few faces far away make all the others small."""
    centres = mesh.vertices[mesh.faces].mean(1)
    far, whole = strays(centres), np.ptp(mesh.vertices, axis=0).max()
    if not far.any() or far.all() or far.mean() > FAR_SHARE:
        return ""
    rest = float(np.ptp(centres[~far], axis=0).max())
    return (
        "A few parts far away make the rest small; delete them in a 3D editor if they do not belong."
        if rest < 0.2 * whole
        else ""
    )


def _size_note(mesh: RawMesh) -> str:
    size = float(np.ptp(mesh.vertices, axis=0).max())
    return (
        f"It was {size:,.4g} units large, and was scaled to the studio's size."
        if size > HUGE or size < TINY
        else ""
    )
