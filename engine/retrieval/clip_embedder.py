"""CLIP (arXiv 2103.00020) as an embedder: pictures and words in one space, for anything that has a name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np

from engine.scoring.clip import INFO, ClipScorer
from engine.scoring.registry import load_scorer


class ClipEmbedder:
    """Wraps the CLIP model that also judges pictures, so that one download serves both."""

    def __init__(self, scorer: ClipScorer) -> None:
        self.scorer = scorer
        self.id, self.picture_size = f"clip {INFO.source}@{INFO.revision[:8]}", scorer.size

    def pictures(self, rgba: np.ndarray) -> np.ndarray:
        """(N,D) of premultiplied RGBA (N,S,S,4) in 0..1."""
        return (
            self.scorer.embedded_pictures((np.clip(rgba, 0, 1) * 255 + 0.5).astype(np.uint8))
            .float()
            .cpu()
            .numpy()
        )

    def words(self, texts: Sequence[str]) -> np.ndarray:
        """(N,D) of sentences, comparable with pictures; true matches reach about 0.3."""
        return self.scorer.embedded_words(list(texts)).float().cpu().numpy()


def load() -> ClipEmbedder:
    """The model, if it was fetched. Raises `MissingError` with the command that fetches it."""
    return ClipEmbedder(cast(ClipScorer, load_scorer("clip")))
