"""What is left away of an object without touching the run: what lies outside of a box, haze, specks too
large, and needles.

Haze are splats that hardly cover anything, needles those that are drawn out along one axis; both come of too
strong a push.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from engine.assets.export.formats.base import Trim
from engine.errors import InputError
from engine.loop.export_source import Source
from engine.loop.mesh import ColouredMesh
from engine.loop.messages import SceneCopy
from engine.scene.splats import Splats

BINS = 32
RANGES = {"opacity": (0.0, 1.0), "size": (-3.0, 0.0), "stretch": (0.0, 2.0)}
"""Of the histograms: of sizes and stretches the decimal logarithm."""


@dataclass(frozen=True, eq=False)
class Measures:
    """Of N splats: ``opacity`` (N,) in 0..1, ``size`` (N,) the longest standard deviation in world units,
    ``stretch`` (N,) that by the middle one: 1 for a disc or a ball, large for a needle.
    """

    opacity: np.ndarray
    size: np.ndarray
    stretch: np.ndarray


def measures_of(scene: Splats) -> Measures:
    """What splats are selected by."""
    scales = np.sort(scene.scales.detach().float().cpu().numpy(), axis=1)
    opacity = scene.opacities.detach().float().cpu().numpy()
    return Measures(opacity, scales[:, 2], scales[:, 2] / np.maximum(scales[:, 1], 1e-12))


def histograms(scene: Splats) -> dict[str, list[int]]:
    """How many splats there are in each of ``BINS`` even steps of `RANGES`; what lies beyond counts at the
    ends.
    """
    measures, counts = measures_of(scene), {}
    for name, (low, high) in RANGES.items():
        values = getattr(measures, name)
        values = values if name == "opacity" else np.log10(np.maximum(values, 1e-9))
        counts[name] = np.histogram(np.clip(values, low, high), BINS, (low, high))[0].tolist()
    return counts


def kept_splats(scene: Splats, trim: Trim) -> np.ndarray:
    """Which splats (N,) stay."""
    measures, means = measures_of(scene), scene.means.detach().float().cpu().numpy()
    kept = measures.opacity >= trim.least_opacity
    if trim.most_size:
        kept &= measures.size <= trim.most_size
    if trim.most_stretch:
        kept &= measures.stretch <= trim.most_stretch
    return kept & _inside(means, trim.box)


def trimmed(source: Source, trim: Trim) -> tuple[Source, tuple[str, ...]]:
    """What is left of a source, and what to know of it. Raises `InputError` where nothing is."""
    if trim == Trim():
        return source, ()
    scene, notes = source.scene, ()
    if scene is not None and isinstance(scene.scene, Splats):
        scene, notes = _trimmed_scene(scene, trim)
    mesh = source.mesh if source.mesh is None or not trim.box else _cut(source.mesh, trim.box)
    if source.mesh is not None and trim.box:
        notes = (*notes, "The box cuts the surface open: it is not closed there.")
    return replace(source, scene=scene, mesh=mesh), notes


def _trimmed_scene(copy: SceneCopy, trim: Trim) -> tuple[SceneCopy, tuple[str, ...]]:
    splats = copy.scene
    assert isinstance(splats, Splats), "other scenes become meshes"
    kept = kept_splats(splats, trim)
    if not kept.any():
        raise InputError(
            "Nothing is left of the object.", "Widen the box, or let the sliders of the cleaning go back."
        )
    rows = splats.means.new_tensor(np.flatnonzero(kept)).long()
    scene = Splats(**{field.name: getattr(splats, field.name)[rows] for field in fields(Splats)})
    return replace(copy, scene=scene), (f"{int((~kept).sum()):,} of {len(kept):,} splats are left away.",)


def _cut(mesh: ColouredMesh, box: tuple[float, ...]) -> ColouredMesh:
    """The faces whose corners all lie in the box, with the vertices that they use."""
    faces = mesh.faces[_inside(mesh.vertices, box)[mesh.faces].all(axis=1)]
    if not len(faces):
        raise InputError("Nothing is left of the object.", "Widen the box.")
    used, numbers = np.unique(faces, return_inverse=True)
    return replace(
        mesh, vertices=mesh.vertices[used], faces=numbers.reshape(faces.shape), colours=mesh.colours[used]
    )


def _inside(points: np.ndarray, box: tuple[float, ...]) -> np.ndarray:
    """Which points (N,3) lie in a box (low xyz, high xyz); all of them where there is none."""
    if not box:
        return np.ones(len(points), bool)
    low, high = np.array(box[:3]), np.array(box[3:])
    return np.all((points >= low) & (points <= high), axis=1)
