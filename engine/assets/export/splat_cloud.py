"""A cloud of Gaussians as numbers that mean something, whatever file it came from, and the axes of such
files.

The reference code's captures have +y down, and viewers stand files on that; our world has +z up. A file of
ours says so in a comment, by which it is turned back when it is read; files without it stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

AXES_COMMENT = "up -y, front +z"
TO_FILE = np.array([[0, -1, 0], [0, 0, -1], [1, 0, 0]], np.float64)
"""World to file: (x, y, z) becomes (-y, -z, x)."""

TURN = np.array([0.5, 0.5, -0.5, 0.5])
"""The same rotation as a quaternion w x y z."""

SH_C0 = 0.28209479177387814
"""Y_0^0 = 1 / (2 sqrt(pi)), the constant spherical harmonic."""


@dataclass(frozen=True, eq=False)
class SplatCloud:
    """N Gaussians, float32: ``means`` (N,3), ``scales`` (N,3) linear, ``quats`` (N,4) unit wxyz,
    ``opacities`` (N,) in 0..1, ``sh0`` (N,3) constant harmonics; ``comments`` of the file without the
    recipe's; ``notes`` say what had to be changed.
    """

    means: np.ndarray
    scales: np.ndarray
    quats: np.ndarray
    opacities: np.ndarray
    sh0: np.ndarray
    comments: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def sh0_from_rgb(rgb: np.ndarray) -> np.ndarray:
    """Constant harmonics (...,3) of a colour in 0..1."""
    return (rgb - 0.5) / SH_C0


def rgb_from_sh0(sh0: np.ndarray) -> np.ndarray:
    """Colour (...,3) of constant harmonics; not clipped."""
    return 0.5 + SH_C0 * sh0


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


def turned(
    means: np.ndarray, quats: np.ndarray, matrix: np.ndarray, turn: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Centres (N,3) and orientations (N,4), w x y z, under the rotation ``matrix`` (3,3), which is the
    quaternion ``turn``.
    """
    w, x, y, z = turn  # the product of two quaternions, this one from the left
    left = np.array([[w, -x, -y, -z], [x, w, -z, y], [y, z, w, -x], [z, -y, x, w]])
    return (means @ matrix.T).astype(means.dtype), (quats @ left.T).astype(quats.dtype)
