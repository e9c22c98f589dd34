"""Splats get other colours from words; their shape stays to the bit (SyncTweedies, arXiv 2403.14370, section
5.3).

The prior is told of the shape by the surface that the splats show. Noise of the views is their own: splats
would average it away.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from engine.assets.export.files import atomic_path
from engine.assets.export.ply import with_recipe
from engine.assets.export.ply_rows import read_header
from engine.assets.meshes.mesh_shape import ReferenceShape
from engine.editing.texturing import Paint, Painting, Studio, alpha_target, prepared, sampled
from engine.errors import FileFormatError, storage_errors
from engine.loop.mesh import mesh_of
from engine.loop.messages import SceneCopy
from engine.prior.base import Prior
from engine.prior.sampling import sampling_times
from engine.render import choose
from engine.scene.splats import Splats
from engine.synchronisation.space import initial_noise
from engine.synchronisation.splat_colours import SplatColours

COLOURS = tuple(f"f_dc_{k}" for k in range(3))
REST = "f_rest_"

FACES = 4000  # of the surface that the prior is told of
MARGIN = 0.01  # colours are kept this far from 0 and 1, where the logistic function is flat


@dataclass(frozen=True, eq=False)
class PaintedSplats:
    """Done: the same splats in other colours."""

    splats: Splats


def paint_splats(copy: SceneCopy, how: Paint, prior: Prior) -> Iterator[Painting | PaintedSplats]:
    """`Painting` after each step, and `PaintedSplats` at the end.

    Raises InputError for a scene with nothing solid, and for a prior that cannot be told of a shape.
    """
    scene = copy.scene
    assert isinstance(scene, Splats)
    studio = splat_studio(copy, how, prior)
    rng = torch.Generator().manual_seed(how.seed)
    noise = initial_noise(studio.space, studio.background.shape[1], rng, consistent=False)
    times = sampling_times(studio.prior.schedule, how.steps)
    first, second = (part.to(prior.device) for part in noise)
    for step, x0 in enumerate(sampled(studio, (first, second), times, how), 1):
        views = studio.prior.decode(x0)
        yield Painting(step, len(times), views)
    plain = (views.rgb / views.alpha.clamp(min=0.05)).clamp(0, 1).movedim(-1, 1)
    space = replace(studio.space, cameras=studio.cameras.resized(plain.shape[-1]))
    yield recoloured(scene, space.unproject(plain).T)


def recoloured(scene: Splats, rgb: Tensor) -> PaintedSplats:
    """The splats in display colours (N,3) in 0..1."""
    colours = torch.logit(rgb.clamp(MARGIN, 1 - MARGIN))
    return PaintedSplats(replace(scene, colours=colours.to(scene.colours)))


def splat_studio(copy: SceneCopy, how: Paint, prior: Prior) -> Studio:
    """What is opened and asked once: the prompts see the surface, and the views the splats themselves."""
    mesh = mesh_of(copy, FACES)
    colours = mesh.colours[mesh.faces].mean(1)
    parts = mesh.vertices.astype(np.float32), mesh.faces.astype(np.int32), colours.astype(np.float32)
    surface = ReferenceShape(*parts, "splats", splats=True)
    studio = prepared(surface, how, prior)
    cameras = studio.cameras.resized(studio.background.shape[-1])
    assert isinstance(copy.scene, Splats)
    space = SplatColours(copy.scene, choose(copy.scene, copy.backend), cameras)
    alpha = None if studio.alpha is None else alpha_target(studio.prior, space)
    return replace(studio, space=space, alpha=alpha)


def recolour_ply(source: Path, out: Path, sh0: np.ndarray, recipe: str | None = None) -> None:
    """Write ``source`` to ``out`` with the constant harmonics ``sh0`` (N,3); those above, which change with
    the view, become 0.

    ``recipe`` takes the place of the one in the file; None leaves every other byte as it was.
    Raises FileFormatError for a PLY that is not plain binary splats of so many rows, StorageError.
    """
    data = bytearray(source.read_bytes())
    try:
        header = read_header(bytes(data[: 1 << 20]))
        vertex = header.elements[0]
        rows = np.frombuffer(data, vertex.dtype(header.order), vertex.count, header.size)
        names = rows.dtype.names or ()
        fits = (
            bool(header.order)
            and vertex.name == "vertex"
            and set(COLOURS) <= set(names)
            and len(rows) == len(sh0)
        )
    except (ValueError, IndexError):
        fits = False
    if not fits:
        raise FileFormatError(
            f"{source} is no plain splat PLY of {len(sh0):,} splats, whose colours could be changed in "
            "place.",
            "Convert it first: python -m studio export FILE --format ply.",
        )
    for k, name in enumerate(COLOURS):
        rows[name] = sh0[:, k]
    for name in rows.dtype.names or ():
        if name.startswith(REST):
            rows[name] = 0
    with storage_errors(out), atomic_path(out) as path:
        path.write_bytes(data if recipe is None else with_recipe(bytes(data), recipe))
