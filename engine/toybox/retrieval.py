"""The toybox's embedder: what its classifier sees in a picture, and the picture's outline, side by side.

The classifier tells the kinds it knows apart at any turn; the outline compares shapes that it was never
shown. Each gives half.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
import torch.nn.functional as F

from engine.prior.reference.silhouette import outline
from engine.retrieval.search import unit
from engine.toybox.classifier import ToyClassifier, load_classifier
from engine.toybox.part_words import PART_SYNONYMS
from engine.toybox.words import ADJECTIVE_SYNONYMS, COLOUR_SYNONYMS, KIND_SYNONYMS

SIZE, BATCH = 64, 64


class ToyboxEmbedder:
    """Knows pictures only; captions are compared as words."""

    id, picture_size = "toybox-2", SIZE

    def __init__(self, classifier: ToyClassifier) -> None:
        self.classifier = classifier

    @torch.no_grad()
    def pictures(self, rgba: np.ndarray) -> np.ndarray:
        """(N,D) of premultiplied RGBA (N,64,64,4) in 0..1."""
        x = torch.from_numpy(np.ascontiguousarray(rgba, np.float32)).movedim(-1, 1)
        features = torch.cat([self._kinds(part.contiguous()) for part in x.split(BATCH)]).numpy()
        return np.concatenate([features, unit(outline(rgba))], 1) * np.float32(np.sqrt(0.5))

    def words(self, texts: Sequence[str]) -> None:
        """None: it cannot read."""

    def _kinds(self, x: torch.Tensor) -> torch.Tensor:
        """(N,24) of unit length: how much it looks like each kind, against the mean of all."""
        fine = self.classifier.fine(F.pixel_unshuffle(x - 0.3, 2))
        logits = self.classifier.kind(self.classifier.summary(self.classifier.coarse(fine)))
        return F.normalize(logits - logits.mean(1, keepdim=True), dim=1)


def load() -> ToyboxEmbedder:
    """With the classifier that comes with the studio."""
    return ToyboxEmbedder(load_classifier())


def synonyms() -> Mapping[str, str]:
    """What words of the toybox mean the same: synonym to the usual word; ``hilt`` keeps its own grip."""
    tables = (
        COLOUR_SYNONYMS,
        KIND_SYNONYMS,
        ADJECTIVE_SYNONYMS,
        {k: v for k, v in PART_SYNONYMS.items() if k != "hilt"},
    )
    return {synonym: word for table in tables for word, group in table.items() for synonym in group}
