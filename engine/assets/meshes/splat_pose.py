"""Splats of foreign files in our axes: files do not say which way is up, so that is judged as for a reference."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from engine.assets.export.ply import read_recipe
from engine.assets.export.splat_axes import AXES_COMMENT, turned
from engine.assets.export.splat_cloud import SplatCloud
from engine.assets.meshes.canonical_pose import FRONTS, find_up, frame
from engine.assets.meshes.splats_to_mesh import bodies_of_splats
from engine.errors import InputError


def is_ours(path: Path | str, cloud: SplatCloud) -> bool:
    """Whether a splat file that was read as ``cloud`` comes from Maquette: then its axes are known."""
    if AXES_COMMENT in cloud.comments:
        return True
    try:
        read_recipe(path)
    except InputError:
        return False
    return True


def upright(cloud: SplatCloud) -> SplatCloud:
    """``cloud`` turned about the origin so that what is most likely up (`find_up`) is +z; a note says which axis that was.

    A cloud of which nothing can be seen stays as it is.
    """
    try:
        up, confidence = find_up(bodies_of_splats(cloud))
    except InputError:
        return cloud
    from scipy.spatial.transform import Rotation  # slow to import

    matrix = frame(up, FRONTS[up])
    means, quats = turned(cloud.means, cloud.quats, matrix, np.roll(Rotation.from_matrix(matrix).as_quat(), 1))
    note = f"The start file does not say which way is up; {up} was taken ({confidence:.0%} sure)."
    return replace(cloud, means=means, quats=quats, notes=(*cloud.notes, note))
