"""The toybox's classifier as a scorer: it always works, offline, and judges the kinds and colours that the
toybox knows.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from engine.scoring.base import ScorerInfo
from engine.toybox.classifier import (
    BIN_DEG,
    COLOUR_WORDS,
    Reading,
    ToyClassifier,
    base_colour,
    load_classifier,
    read,
    slot_of,
)
from engine.toybox.objects import JUDGED_KINDS, KINDS_WITH_FRONT
from engine.toybox.prompt_parser import Asked, read_prompt

SIZE, BATCH = 64, 128
INFO = ScorerInfo(
    id="toybox",
    title="Toybox classifier",
    sentence="The probability that a picture shows the kind and the colours that the prompt names. Comes "
    "with the studio.",
    picture_size=SIZE,
    licence="Apache-2.0",
)


class ToyboxScorer:
    """Reads 64-pixel cut-outs, seen from a little above."""

    info = INFO

    def __init__(self, classifier: ToyClassifier) -> None:
        self.classifier = classifier

    def scores(self, rgba: np.ndarray, prompt: str) -> np.ndarray | None:
        """(N,) probability of what the prompt names, times that of its colours.

        None if it names nothing of the toybox, or what the classifier has not learned.

        Colours are read from all pictures together, because no single one shows every part. The kinds of one
        picture share one probability, so of several that are named the least likely counts, times their
        number.
        """
        objects = read_prompt(prompt)
        if not _judged(objects):
            return None
        reading = self._read(rgba)
        kinds = reading.kind.exp()[:, [JUDGED_KINDS.index(one.kind) for one in objects]]
        there = (kinds.min(1).values * len({one.kind for one in objects})).clamp(max=1)
        return (there * _colours(reading, objects)).numpy()

    def unlikeness(self, rgba: Tensor, prompt: str) -> Tensor | None:
        """(B,) of pictures (B,H,W,4) in 0..1: mean surprise, -log p in units of 10, at the kinds and colours
        that are named.

        Colours are read in each picture by itself. None if the prompt names nothing of the toybox.
        """
        objects = read_prompt(prompt)
        if not _judged(objects):
            return None
        x = (
            F.interpolate(rgba.movedim(-1, 1), size=(SIZE, SIZE), mode="area")
            if rgba.shape[1] != SIZE
            else rgba.movedim(-1, 1)
        )
        reading = self.classifier(x.contiguous().cpu())
        kinds = -reading.kind.log_softmax(-1)[:, [JUDGED_KINDS.index(one.kind) for one in objects]].mean(1)
        colours = reading.colour.log_softmax(-1)
        named = [-colours[:, slot_of(one.kind, part), COLOUR_WORDS.index(base_colour(word))]
                 for one in objects for part, word in one.colours.items()]  # fmt: skip
        surprise = kinds if not named else (kinds + torch.stack(named).mean(0)) / 2
        return (surprise / 10).to(rgba)

    def fronts(self, rgba: np.ndarray, prompt: str) -> np.ndarray | None:
        """(N,) whether a picture of the one kind that is named shows its front; None for kinds without
        one.
        """
        objects = read_prompt(prompt)
        if len(objects) != 1 or objects[0].kind not in KINDS_WITH_FRONT.intersection(JUDGED_KINDS):
            return None
        azimuth_deg = (
            self._read(rgba).azimuth[:, JUDGED_KINDS.index(objects[0].kind)].argmax(-1).numpy() * BIN_DEG
        )
        return np.minimum(azimuth_deg, 360 - azimuth_deg) <= 45

    def _read(self, rgba: np.ndarray) -> Reading:
        x = torch.from_numpy(rgba).float() / 255
        if x.shape[1:3] != (SIZE, SIZE):
            x = F.interpolate(x.movedim(-1, 1), size=(SIZE, SIZE), mode="area").movedim(1, -1)
        parts = [read(self.classifier, part) for part in x.split(BATCH)]
        return Reading(
            *(torch.cat([getattr(part, name) for part in parts]) for name in ("kind", "azimuth", "colour"))
        )


def _judged(objects: tuple[Asked, ...]) -> bool:
    """Whether something is asked for, and the classifier has learned all of it."""
    return bool(objects) and all(one.kind in JUDGED_KINDS for one in objects)


def _colours(reading: Reading, objects: tuple[Asked, ...]) -> Tensor:
    """Mean probability of the colours that are named; 1 if none is."""
    pooled = reading.colour.exp().mean(0)
    named = [
        pooled[slot_of(one.kind, part), COLOUR_WORDS.index(base_colour(word))]
        for one in objects
        for part, word in one.colours.items()
    ]
    return torch.stack(named).mean() if named else torch.ones(())


def load(folder: Path | None, device: torch.device) -> ToyboxScorer:
    """The classifier that comes with the studio; it is small and stays on the CPU. Raises MissingError or
    FileFormatError.
    """
    return ToyboxScorer(load_classifier().requires_grad_(False))
