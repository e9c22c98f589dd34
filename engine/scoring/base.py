"""What a scorer is: pictures and a prompt in, one number for each picture out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class ScorerInfo:
    """What must be known of a scorer before it is loaded. ``source`` is a Hub id; empty: it comes with the
    studio.

    ``points`` are the slope and offset that turn a score into points of about 0 to 100 (T3Bench, arXiv
    2310.02977, does so).
    """

    id: str
    title: str
    sentence: str
    picture_size: int  # side in pixels of the pictures it looks at
    points: tuple[float, float] = (100.0, 0.0)
    source: str = ""
    revision: str = ""
    licence: str = ""
    size_mb: int = 0
    files: tuple[str, ...] = ()  # what has to be there of the source
    needs: tuple[str, ...] = ()  # Python packages, as they are imported
    install: str = ""  # how to get them


class Scorer(Protocol):
    """A model that judges pictures. Those it is given are (N,H,W,4) uint8 with premultiplied colour."""

    info: ScorerInfo

    def scores(self, rgba: np.ndarray, prompt: str) -> np.ndarray | None:
        """(N,) how well each picture of one object shows the prompt: more is better; None if it cannot judge
        this prompt.
        """
        ...

    def fronts(self, rgba: np.ndarray, prompt: str) -> np.ndarray | None:
        """(N,) bool: does the picture look like the object's front? None if it cannot tell for this
        prompt.
        """
        ...


@runtime_checkable
class DifferentiableScorer(Protocol):
    """A scorer whose judgement has a gradient, so that pictures can be pushed towards the words."""

    def unlikeness(self, rgba: Tensor, prompt: str) -> Tensor | None:
        """(B,) how little premultiplied pictures (B,H,W,4) in 0..1 show the prompt, about 0 to 1; None as
        `Scorer.scores`.
        """
        ...


def over_white(rgba: np.ndarray) -> np.ndarray:
    """Premultiplied uint8 pictures (...,4) as RGB (...,3) uint8 over white."""
    return rgba[..., :3] + (255 - rgba[..., 3:])
