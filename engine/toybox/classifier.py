"""The benchmark's eye: a small network that says what a 64-pixel cut-out shows.

It tells the kind, the colour of each part of a kind (light and dark shades count as their base colour), and
from which of eight azimuths the object is seen. It was trained on seeds that the prior never saw, so the two
cannot agree by heart:

    python -m engine.toybox.classifier --out FILE.safetensors      train it again
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from engine.errors import FileFormatError, MissingError, storage_errors
from engine.toybox.objects import JUDGED_KINDS, parts_of
from engine.toybox.words import BASE_COLOURS

WEIGHTS = Path(__file__).with_suffix(".safetensors")
COLOUR_WORDS: tuple[str, ...] = tuple(BASE_COLOURS)
SLOTS: tuple[tuple[str, str], ...] = tuple((kind, part) for kind in JUDGED_KINDS for part in parts_of(kind))
"""Every colourable part of every kind that it tells apart: (kind, part)."""
AZIMUTH_BINS = 8
BIN_DEG = 360.0 / AZIMUTH_BINS


@dataclass(frozen=True, eq=False)
class Reading:
    """Logits for N pictures: ``kind`` (N,K), ``azimuth`` (N,K,8) given each kind, ``colour`` (N,P,14) of each
    of ``SLOTS``.
    """

    kind: Tensor
    azimuth: Tensor
    colour: Tensor


class ToyClassifier(nn.Module):
    """Convolutions down to 4 x 4; colours are read where a learned query for each part looks on the 16 x 16
    grid.
    """

    def __init__(self) -> None:
        super().__init__()
        self.fine = nn.Sequential(*_layer(16, 32), *_layer(32, 64, stride=2), *_layer(64, 64))
        self.coarse = nn.Sequential(*_layer(64, 112, stride=2), *_layer(112, 112))
        self.summary = nn.Sequential(
            *_layer(112, 96, stride=2), nn.Flatten(), nn.Linear(16 * 96, 160), nn.ReLU()
        )
        self.kind = nn.Linear(160, len(JUDGED_KINDS))
        self.azimuth = nn.Linear(160, len(JUDGED_KINDS) * AZIMUTH_BINS)
        self.keys = nn.Conv2d(64 + 112, 64, 1)
        self.queries = nn.Parameter(torch.randn(len(SLOTS), 64) * 0.125)
        self.values = nn.Conv2d(64 + 112, 48, 1)
        self.colour = nn.Sequential(nn.Linear(48 + 4, 64), nn.ReLU(), nn.Linear(64, len(COLOUR_WORDS)))

    def forward(self, rgba: Tensor) -> Reading:
        """Read pictures (N,4,64,64): premultiplied colour and alpha in 0..1."""
        fine = self.fine(F.pixel_unshuffle(rgba - 0.3, 2))
        coarse = self.coarse(fine)
        summary = self.summary(coarse)
        grid = torch.cat([fine, F.interpolate(coarse, scale_factor=2.0)], dim=1)
        # (N,256,52)
        tokens = torch.cat([self.values(grid), F.avg_pool2d(rgba, 4)], dim=1).flatten(2).transpose(1, 2)
        attention = torch.softmax(self.queries @ self.keys(grid).flatten(2), dim=-1)  # (N,P,256)
        azimuth = self.azimuth(summary).unflatten(1, (len(JUDGED_KINDS), AZIMUTH_BINS))
        return Reading(self.kind(summary), azimuth, self.colour(attention @ tokens))


def _layer(inputs: int, outputs: int, stride: int = 1) -> tuple[nn.Module, ...]:
    return nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()


@torch.no_grad()
def read(classifier: ToyClassifier, rgba: Tensor) -> Reading:
    """Log-probabilities of what pictures (N,64,64,4) show: premultiplied RGBA in 0..1."""
    reading = classifier(rgba.movedim(-1, 1).contiguous())
    return Reading(*(logits.log_softmax(-1) for logits in (reading.kind, reading.azimuth, reading.colour)))


def save_classifier(classifier: ToyClassifier, path: Path) -> None:
    """Write the weights in half precision. Raises StorageError."""
    state = {
        name: value.half() if value.is_floating_point() else value
        for name, value in classifier.state_dict().items()
    }
    with storage_errors(path):
        save_file({name: value.contiguous() for name, value in state.items()}, path)


def load_classifier(path: Path = WEIGHTS) -> ToyClassifier:
    """The trained classifier, ready to read. Raises MissingError without weights, FileFormatError if they do
    not fit.
    """
    if not Path(path).exists():
        raise MissingError(
            f"The benchmark's classifier is not at {path}.",
            "Run: python -m engine.toybox.classifier --out FILE",
        )
    classifier = ToyClassifier()
    try:
        state = load_file(path)
        classifier.load_state_dict(
            {name: value.float() if value.is_floating_point() else value for name, value in state.items()}
        )
    except Exception as error:  # safetensors and torch raise several kinds
        raise FileFormatError(
            f"{path} does not hold this classifier's weights ({error}).", "Restore the file."
        ) from error
    return classifier.eval()


def slot_of(kind: str, part: str) -> int:
    """Index of a part among ``SLOTS``."""
    return SLOTS.index((kind, part))


def base_colour(words: str) -> str:
    """The base colour of a colour word or shade: "dark red" counts as red."""
    return words.split()[-1]


if __name__ == "__main__":
    from engine.toybox.benchmark.train_classifier import main

    sys.exit(main())
