"""Attention along surfaces: a view sees what the others show at the same points (MVDiffusion, arXiv
2307.01097, section 4.1).

A small adapter beside the frozen denoiser, in its head: each cell asks the 3 x 3 neighbourhoods of its
correspondences in nearby views, at 16 and at 32 cells a side. Its last layers start at zero, so that a new
adapter changes nothing; where nothing corresponds it never does.

Shapes: V views, c features, R cells a side, O other views, d inner width, C cells that correspond to any
place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.core.cameras import Cameras
from engine.core.correspondences import Correspondences, correspondences
from engine.prior.toybox.configured import Configured, keeps_config
from engine.prior.toybox.network import mlp, sinusoid
from engine.prior.toybox.network_files import load_network, save_network
from engine.prior.toybox.pipeline_files import BASE
from engine.prior.toybox.reference_controller import zero

WINDOW = 3
MIDDLE_SIDE, FINE_SIDE = 16, 32
TIME_WIDTH = 64


@dataclass(frozen=True, eq=False)
class Neighbourhoods:
    """The cells of V views that correspond to any place, and what they ask.

    ``cells`` (C,) count through all V*R*R cells; ``rows`` and ``shares`` (C*O*9,4) are the cells and the
    bilinear weights of which each asked place is made; ``visible`` (C,O) as in `Correspondences`.
    """

    cells: Tensor
    rows: Tensor
    shares: Tensor
    visible: Tensor

    @staticmethod
    def of(known: Correspondences) -> Neighbourhoods:
        """The 3 x 3 cells round each correspondence; those beyond the border are the border's."""
        side, others = known.side, known.others.shape[1]
        view, cell = known.visible.any(1).nonzero().T
        at = (known.places[view, :, cell] + 1) / 2 * side - 0.5  # (C,O,2) in cells, x first
        steps = torch.arange(WINDOW, device=at.device) - WINDOW // 2
        offsets = torch.stack(torch.meshgrid(steps, steps, indexing="ij")[::-1], dim=-1).view(-1, 2)
        rows, shares = _corners((at[:, :, None] + offsets).clamp(0, side - 1), side)
        rows = rows + (known.others[view] * side**2)[:, :, None, None]
        count = len(cell) * others * len(offsets)
        return Neighbourhoods(
            view * side**2 + cell, rows.view(count, 4), shares.view(count, 4), known.visible[view, :, cell]
        )

    def to(self, device: torch.device | str) -> Neighbourhoods:
        """The same on another device."""
        return Neighbourhoods(
            *(part.to(device) for part in (self.cells, self.rows, self.shares, self.visible))
        )


def _corners(at: Tensor, side: int) -> tuple[Tensor, Tensor]:
    """The four cells round places (...,2), x first, and their bilinear weights: (...,4) each."""
    low = at.floor().long()
    high, share = (low + 1).clamp(max=side - 1), at - low
    (left, top), (right, bottom), (x, y) = (part.unbind(-1) for part in (low, high, share))
    rows = torch.stack(
        [top * side + left, top * side + right, bottom * side + left, bottom * side + right], -1
    )
    return rows, torch.stack([(1 - y) * (1 - x), (1 - y) * x, y * (1 - x), y * x], -1)


class CorrespondenceBlock(nn.Module):
    """One scale: V views' features, and what corresponds to each of their cells."""

    def __init__(self, width: int, inner: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.q, self.kv = nn.Linear(width, inner), nn.Linear(width, 2 * inner)
        # from the exact place, in cells
        self.displacement = nn.Parameter(torch.randn(WINDOW * WINDOW, inner) * 0.1)
        self.shift = nn.Linear(TIME_WIDTH, 2 * width)
        self.mix = nn.Linear(inner + width, width)
        self.out = zero(nn.Linear(width, width))

    def forward(self, x: Tensor, near: Neighbourhoods, state: Tensor) -> Tensor:
        """Features (V,c,R,R) with what the others add; ``state`` (V,`TIME_WIDTH`) says how noisy they are."""
        scale, shift = self.shift(state)[:, None].chunk(2, dim=-1)
        cells = F.layer_norm(x.flatten(2).transpose(1, 2), x.shape[1:2]) * (1 + scale) + shift
        cells = cells.flatten(0, 1)  # (V*R*R,c)
        own = cells[near.cells]
        heard = self._heard(self.q(own), self.kv(cells), near)
        added = self.out(F.silu(self.mix(torch.cat([heard, own], dim=-1))))
        whole = torch.zeros_like(cells).index_copy(0, near.cells, added.to(cells))
        return x + whole.view(len(x), -1, x.shape[1]).transpose(1, 2).unflatten(2, x.shape[2:])

    def _heard(self, q: Tensor, messages: Tensor, near: Neighbourhoods) -> Tensor:
        """What cells (C,d) take from keys and values ``messages`` (V*R*R,2d) of their neighbourhoods."""
        heard = F.embedding_bag(near.rows, messages, per_sample_weights=near.shares.to(messages), mode="sum")
        keys, values = heard.view(len(q), -1, WINDOW * WINDOW, messages.shape[1]).chunk(2, dim=-1)
        keys, values = (self._split(part.flatten(1, 2)) for part in (keys + self.displacement, values))
        weights = attention_weights(self._split(q), keys, near.visible)
        return torch.einsum("phk,pkhd->phd", weights, values).flatten(1)

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1))


def attention_weights(q: Tensor, keys: Tensor, visible: Tensor) -> Tensor:
    """(C,heads,K) of queries (C,heads,d) on keys (C,K,heads,d); exactly 0 for views (C,O) that do not see the
    point.
    """
    logits = torch.einsum("phd,pkhd->phk", q, keys) * q.shape[-1] ** -0.5
    heard = visible.repeat_interleave(keys.shape[1] // visible.shape[1], dim=1)[:, None]
    return torch.softmax(logits.masked_fill(~heard, -torch.inf), dim=-1)


class CorrespondenceAdapter(Configured):
    """Blocks at the two scales of the denoiser's head."""

    @keeps_config
    def __init__(
        self, middle: int = 96, fine: int = 32, middle_inner: int = 48, fine_inner: int = 16, heads: int = 2
    ) -> None:
        super().__init__()
        self.time = mlp(TIME_WIDTH, TIME_WIDTH, TIME_WIDTH)
        self.middle = CorrespondenceBlock(middle, middle_inner, heads)
        self.fine = CorrespondenceBlock(fine, fine_inner, heads)

    def state(self, t: Tensor) -> Tensor:
        """Of noise times ``t`` (V,) in 0..1."""
        return F.silu(self.time(sinusoid(t, TIME_WIDTH)))


@dataclass(frozen=True, eq=False)
class Surface:
    """What corresponds in ``count`` views, at the two scales."""

    count: int
    middle: Neighbourhoods
    fine: Neighbourhoods

    @staticmethod
    def of(points: Tensor, mask: Tensor, cameras: Cameras) -> Surface:
        """Of views whose pixels show ``points`` (V,S,S,3) of the world where ``mask`` (V,S,S)."""
        known = (correspondences(points, mask, cameras, side) for side in (MIDDLE_SIDE, FINE_SIDE))
        return Surface(len(cameras), *map(Neighbourhoods.of, known))

    def to(self, device: torch.device | str) -> Surface:
        """The same on another device."""
        return Surface(self.count, self.middle.to(device), self.fine.to(device))


@dataclass(frozen=True, eq=False)
class Joined:
    """What the denoiser's head calls at each scale."""

    adapter: CorrespondenceAdapter
    surface: Surface
    state: Tensor

    def middle(self, x: Tensor) -> Tensor:
        return self.adapter.middle(x, self.surface.middle, self.state)

    def fine(self, x: Tensor) -> Tensor:
        return self.adapter.fine(x, self.surface.fine, self.state)


def save_correspondence(
    folder: Path, config: Mapping[str, object], weights: Mapping[str, Tensor], base: str = ""
) -> None:
    """Write or replace its files; ``base`` is the digest of the prior beside which it learned. Raises
    `StorageError`.
    """
    save_network(CorrespondenceAdapter, folder, config, weights, **{BASE: base})


def load_correspondence(folder: Path) -> CorrespondenceAdapter:
    """The one in a folder, frozen, in single precision on the CPU. Raises `MissingError` or
    `FileFormatError`.
    """
    return load_network(CorrespondenceAdapter, folder, "correspondence adapter")
