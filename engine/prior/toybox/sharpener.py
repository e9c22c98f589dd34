"""The second stage of the toybox prior: the same view, cleaned and twice as fine (after DeepFloyd IF and SR3,
arXiv 2104.07636).

A regression in one pass, not a diffusion: what is to be drawn is decided by then, and only edges are still
open. It is taught on what the first stage makes of noised views (conditioning augmentation, arXiv
2106.15282), so that softness, mottling and torn outlines of its input mean nothing to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.prior.toybox.configured import Configured, keeps_config
from engine.prior.toybox.network_files import load_network, save_network

FACTOR = 2
"""How many times finer its pictures are."""


class Residual(nn.Module):
    """Two convolutions beside the way straight on; nearly silent at first."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(min(8, width), width)
        self.first, self.second = (nn.Conv2d(width, width, 3, padding=1) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(F.silu(self.first(F.silu(self.norm(x)))))


class Sharpener(Configured):
    """A U-Net at 32, 16 and 8 for pictures of 64; what it adds to the enlarged picture is all that it
    learns.
    """

    @keeps_config
    def __init__(
        self, channels: int = 4, fine: int = 48, middle: int = 96, coarse: int = 128, last: int = 32
    ) -> None:
        super().__init__()
        self.stem = nn.Conv2d(4 * channels, fine, 3, padding=1)
        self.fine_in = Residual(fine)
        self.to_middle = nn.Conv2d(fine, middle, 3, stride=2, padding=1)
        self.middle_in = Residual(middle)
        self.to_coarse = nn.Conv2d(middle, coarse, 3, stride=2, padding=1)
        self.deepest = nn.Sequential(Residual(coarse), Residual(coarse))
        self.from_coarse = nn.Conv2d(coarse, 4 * middle, 1)
        self.middle_out = nn.Sequential(Residual(middle), Residual(middle))
        self.from_middle = nn.Conv2d(middle, 4 * fine, 1)
        self.fine_out = nn.Sequential(Residual(fine), Residual(fine))
        self.head = nn.Conv2d(fine, 4 * last, 3, padding=1)
        self.pixels = nn.Conv2d(last, 4 * channels, 3, padding=1)
        self._start()

    def _start(self) -> None:
        """Activations keep their size, residuals begin small, and nothing is added to the picture yet."""
        for part in self.modules():
            if isinstance(part, nn.Conv2d):
                nn.init.kaiming_normal_(part.weight, nonlinearity="relu")
                if part.bias is not None:
                    nn.init.zeros_(part.bias)
        with torch.no_grad():
            for part in self.modules():
                if isinstance(part, Residual):
                    part.second.weight.mul_(0.2)
        nn.init.zeros_(self.pixels.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Views ``x`` (B,4,S,S) as the prior encodes them, S a multiple of 8, to (B,4,2S,2S)."""
        fine = self.fine_in(self.stem(F.pixel_unshuffle(x, 2).contiguous(memory_format=torch.channels_last)))
        middle = self.middle_in(self.to_middle(F.silu(fine)))
        deep = self.deepest(self.to_coarse(F.silu(middle)))
        middle = self.middle_out(middle + F.pixel_shuffle(self.from_coarse(F.silu(deep)), 2))
        fine = self.fine_out(fine + F.pixel_shuffle(self.from_middle(F.silu(middle)), 2))
        added = self.pixels(F.silu(F.pixel_shuffle(self.head(F.silu(fine)), 2)))
        return enlarged(x) + F.pixel_shuffle(added, FACTOR)


def enlarged(x: Tensor) -> Tensor:
    """``x`` (B,C,S,S) at ``FACTOR`` times the size, without anything new in it."""
    return F.interpolate(x, scale_factor=FACTOR, mode="bilinear", align_corners=False)


def save_sharpener(folder: Path, config: Mapping[str, object], weights: Mapping[str, Tensor]) -> None:
    """Write or replace its files; the weights take their place whole. Raises `StorageError`."""
    save_network(Sharpener, folder, config, weights)


def load_sharpener(folder: Path) -> Sharpener:
    """The one in a folder, frozen, in single precision on the CPU. Raises `MissingError` or
    `FileFormatError`.
    """
    return load_network(Sharpener, folder, "sharpener")
