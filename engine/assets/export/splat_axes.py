"""The axes of splat files: the reference code's captures have +y down, and viewers stand files on that; our world has +z up.

A file of ours says so in a comment, by which it is turned back when it is read; files without it stay as they are.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.assets.export.splat_cloud import SplatCloud

AXES_COMMENT = "up -y, front +z"
TO_FILE = np.array([[0, -1, 0], [0, 0, -1], [1, 0, 0]], np.float64)
"""World to file: (x, y, z) becomes (-y, -z, x)."""

TURN = np.array([0.5, 0.5, -0.5, 0.5])
"""The same rotation as a quaternion w x y z."""


def to_file(means: np.ndarray, quats: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Centres (N,3) and orientations (N,4), w x y z, of a cloud in the axes of viewers."""
    return turned(means, quats, TO_FILE, TURN)


def to_world(means: np.ndarray, quats: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The way back."""
    return turned(means, quats, TO_FILE.T, TURN * (1, -1, -1, -1))


def in_world(cloud: SplatCloud) -> SplatCloud:
    """A cloud that was read, in our axes if its file says that it is ours."""
    if AXES_COMMENT not in cloud.comments:
        return cloud
    means, quats = to_world(cloud.means, cloud.quats)
    return replace(cloud, means=means, quats=quats)


def turned(means: np.ndarray, quats: np.ndarray, matrix: np.ndarray, turn: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Centres (N,3) and orientations (N,4) after a rotation, given as ``matrix`` (3,3) and as quaternion ``turn``."""
    """Centres (N,3) and orientations (N,4), w x y z, under the rotation ``matrix`` (3,3), which is the quaternion ``turn``."""
    w, x, y, z = turn  # the product of two quaternions, this one from the left
    left = np.array([[w, -x, -y, -z], [x, w, -z, y], [y, z, w, -x], [z, -y, x, w]])
    return (means @ matrix.T).astype(means.dtype), (quats @ left.T).astype(quats.dtype)
