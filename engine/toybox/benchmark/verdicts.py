"""What one asset shows, and what the verdicts on many assets amount to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from engine.toybox.benchmark.shapes import Bank, ShapeScore, score_shape
from engine.toybox.benchmark.tasks import AZIMUTHS_DEG, TextTask
from engine.toybox.classifier import BIN_DEG, COLOUR_WORDS, ToyClassifier, base_colour, read, slot_of
from engine.toybox.objects import JUDGED_KINDS, KINDS_WITH_FRONT

NEAR_DEG = 45.0
BACK_DEG = 135.0


@dataclass(frozen=True, eq=False)
class Verdict:
    """One asset from eight azimuths, judged against its prompt.

    ``kind_right`` (8,) bool; ``seen_azimuth_deg`` (8,) given the prompt's kind; ``colours_right`` (parts,)
    bool, the body first, read from all views together, because no single view shows every part.
    """

    kind: str
    kind_right: np.ndarray
    seen_azimuth_deg: np.ndarray
    colours_right: np.ndarray
    shape: ShapeScore


def judge(rgba: np.ndarray, task: TextTask, classifier: ToyClassifier, bank: Bank) -> Verdict:
    """Judge views (8,64,64,4), premultiplied RGBA, of an asset that should be what ``task`` asks for."""
    reading = read(classifier, torch.from_numpy(np.ascontiguousarray(rgba, np.float32)))
    kind = JUDGED_KINDS.index(task.kind)
    pooled = reading.colour.exp().mean(0)
    colours = [
        COLOUR_WORDS[int(pooled[slot_of(task.kind, part)].argmax())] == base_colour(word)
        for part, word in task.colours.items()
    ]
    return Verdict(
        task.kind,
        (reading.kind.argmax(-1) == kind).numpy(),
        reading.azimuth[:, kind].argmax(-1).numpy() * BIN_DEG,
        np.array(colours),
        score_shape(rgba, bank),
    )


def angle_between(a: np.ndarray, b: np.ndarray | float) -> np.ndarray:
    """Degrees 0..180 between two azimuths."""
    return np.abs((np.asarray(a) - b + 180) % 360 - 180)


def summarise(verdicts: Sequence[Verdict]) -> dict[str, float]:
    """Means over assets and views.

    ``worst_azimuth_accuracy``: share of assets whose kind is recognised from the least recognisable of the
    eight azimuths. ``azimuth_accuracy``: views seen within 45 degrees of their true azimuth. ``janus_rate``:
    share of the views from behind (135 degrees or more from the front) that look like the front (within 45
    degrees). Both only over kinds that have a front. ``border_touch`` and ``empty``: shares of views. Rates
    without any asset that they could be measured on are 0.
    """
    kinds = np.stack([v.kind_right for v in verdicts])
    turning = [v.seen_azimuth_deg for v in verdicts if v.kind in KINDS_WITH_FRONT]
    named = np.stack(turning) if turning else np.zeros((0, len(AZIMUTHS_DEG)))
    behind = angle_between(np.array(AZIMUTHS_DEG), 0.0) >= BACK_DEG
    return {
        "kind_accuracy": float(kinds.mean()),
        "colour_accuracy": float(np.concatenate([v.colours_right for v in verdicts]).mean()),
        "body_colour_accuracy": float(np.mean([v.colours_right[0] for v in verdicts])),
        "azimuth_accuracy": _mean(angle_between(named, np.array(AZIMUTHS_DEG)) <= NEAR_DEG),
        "worst_azimuth_accuracy": float(kinds.mean(0).min()),
        "janus_rate": _mean(angle_between(named[:, behind], 0.0) <= NEAR_DEG),
        "shape_iou": float(np.mean([v.shape.iou for v in verdicts])),
        "shape_psnr": float(np.mean([v.shape.psnr for v in verdicts])),
        "border_touch": float(np.mean([v.shape.border for v in verdicts])),
        "empty": float(np.mean([v.shape.empty for v in verdicts])),
    }


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if values.size else 0.0
