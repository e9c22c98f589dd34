"""A cloud of Gaussians as numbers that mean something, whatever file it came from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SH_C0 = 0.28209479177387814
"""Y_0^0 = 1 / (2 sqrt(pi)), the constant spherical harmonic."""


@dataclass(frozen=True, eq=False)
class SplatCloud:
    """N Gaussians, float32: ``means`` (N,3), ``scales`` (N,3) linear, ``quats`` (N,4) unit wxyz, ``opacities`` (N,) in 0..1,
    ``sh0`` (N,3) constant harmonics; ``comments`` of the file without the recipe's; ``notes`` say what had to be changed.
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
