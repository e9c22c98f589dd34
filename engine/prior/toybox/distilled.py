"""The guided student of the toybox prior on disk: a denoiser that is told the guidance scale (arXiv
2210.03142).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from engine.prior.toybox.network import ToyboxDenoiser
from engine.prior.toybox.network_files import load_network, save_network
from engine.prior.toybox.pipeline_files import BASE

LARGEST_GUIDANCE = 6.0
"""The highest guidance scale that a student practises; above it, and with negative words, two passes are
made.
"""


def save_distilled(
    folder: Path, config: Mapping[str, object], weights: Mapping[str, Tensor], base: str
) -> None:
    """Write or replace its files; ``base`` is the digest of the prior's weights it learned from. Raises
    `StorageError`.
    """
    save_network(ToyboxDenoiser, folder, config, weights, **{BASE: base})


def load_distilled(folder: Path) -> ToyboxDenoiser:
    """The one in a folder, frozen, in single precision on the CPU. Raises `MissingError` or
    `FileFormatError`.
    """
    return load_network(ToyboxDenoiser, folder, "guided student")
