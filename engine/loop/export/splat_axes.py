"""The axes of splat files: the reference code's captures have +y down, and viewers stand files on that; our world has +z up.

A file of ours says so in a comment, by which it is turned back when it is read; files without it stay as they are.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.spatial.transform import Rotation

from engine.loop.export.splat_cloud import SplatCloud

AXES_COMMENT = "up -y, front +z"
TO_FILE = Rotation.from_matrix([[0, -1, 0], [0, 0, -1], [1, 0, 0]])
"""World to file: (x, y, z) becomes (-y, -z, x)."""


def turned(means: np.ndarray, quats: np.ndarray, rotation: Rotation) -> tuple[np.ndarray, np.ndarray]:
    """Centres (N,3) and orientations (N,4), w x y z, of a cloud as a whole after ``rotation``."""
    if not len(means):
        return means, quats
    own = Rotation.from_quat(np.asarray(quats, np.float64)[:, [1, 2, 3, 0]])
    return rotation.apply(means).astype(means.dtype), (rotation * own).as_quat()[:, [3, 0, 1, 2]].astype(quats.dtype)


def in_world(cloud: SplatCloud) -> SplatCloud:
    """A cloud that was read, in our axes if its file says that it is ours."""
    if AXES_COMMENT not in cloud.comments:
        return cloud
    means, quats = turned(cloud.means, cloud.quats, TO_FILE.inv())
    return replace(cloud, means=means, quats=quats)
