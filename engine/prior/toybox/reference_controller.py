"""The controller that lets a 3D reference guide the toybox denoiser: a meta-ControlNet (Phidias, arXiv
2409.11406, 3.2).

Two networks read the reference. The **base controller** looks at its CCM from every target camera and says
what that means for each view. The **meta controller** looks at the pair of what is wanted (a picture of it
and the words) and the reference from the same camera, and says how well they fit: it feeds the base
controller at every scale (y_meta1), closes or opens its output, and adds its own (y_meta2). Both end in
zero-initialised layers, so a new controller changes nothing (arXiv 2302.05543), and both enter the denoiser,
which stays frozen, through the features of its stem.

Shapes: B objects, V views, C = 4 channels, S = 64 pixels, N = 64 tokens a view, D = ``width``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.prior.toybox.configured import Configured, keeps_config
from engine.prior.toybox.network import (
    Block,
    Stem,
    StemFeatures,
    ToyboxDenoiser,
    bias_of,
    inputs_of,
    mlp,
    sinusoid,
)
from engine.prior.toybox.poses import GRID, Poses
from engine.prior.toybox.text_encoder import Words

Layer = TypeVar("Layer", nn.Linear, nn.Conv2d)

GATES = 3
"""One for each scale of the stem."""


@dataclass(frozen=True, eq=False)
class Pair:
    """What is wanted beside the reference: ``concept`` (B,4,S,S) a picture, ``reference`` (B,4,S,S) the CCM
    from its camera.

    ``visible`` (B,) bool: where there is no picture, both are ignored and the words alone say what is wanted.
    """

    concept: Tensor
    reference: Tensor
    visible: Tensor


class ReferenceController(Configured):
    """Features to add to the denoiser's stem. ``meta=False`` leaves the meta controller out: a plain
    ControlNet.

    ``routing`` says whether it was taught maps whose resolution follows the noise, or always the finest.
    """

    @keeps_config
    def __init__(
        self,
        width: int = 192,
        depth: int = 2,
        heads: int = 4,
        channels: int = 4,
        fine: int = 32,
        middle: int = 96,
        meta: bool = True,
        routing: bool = True,
    ) -> None:
        super().__init__()
        self.stem = Stem(channels, fine, middle, width)
        self.position = nn.Parameter(torch.randn(GRID * GRID, width) * 0.02)
        self.ray = nn.Linear(6, width)
        self.time = mlp(width, width, width)
        self.from_text = nn.Linear(width, width)
        self.modulation = nn.Linear(width, 6 * width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(depth))
        self.to_fine = zero(nn.Conv2d(fine, fine, 1))
        self.to_middle = zero(nn.Conv2d(middle, middle, 1))
        self.to_coarse = zero(nn.Linear(width, width))
        self.adviser = MetaController(width, depth, heads, channels, fine, middle) if meta else None
        _start_modulation(self.modulation, width)

    def forward(self, reference: Tensor, pair: Pair, t: Tensor, words: Words, poses: Poses) -> StemFeatures:
        """``reference`` (B,V,4,S,S) CCM channels, ``t`` (B,V) noise times 0..1; features of the BV views."""
        objects, views = reference.shape[:2]
        stem = self.stem(reference.flatten(0, 1))
        state = self.time(sinusoid(t, inputs_of(self.time))) + self.from_text(words.pooled)[:, None]
        advice = None if self.adviser is None else self.adviser(pair, t[:, :1], words)
        if advice is not None:
            stem = advice.aligned(stem, views)
            state = state + advice.state[:, None]
        grid = stem.coarse.flatten(2).transpose(1, 2).unflatten(0, (objects, views))
        tokens = grid + self.position + self.ray(poses.rays * poses.known[:, None, None, None])
        modulation = self.modulation(F.silu(state))[:, :, None]
        context = words if advice is None else advice.with_tokens(words)
        mask = F.pad(context.mask, (views * GRID * GRID, 0), value=True)[:, None, None]
        for block in self.blocks:
            tokens = block(tokens, modulation, context.tokens, mask)
        coarse = self.to_coarse(tokens).flatten(0, 1).transpose(1, 2).unflatten(2, (GRID, GRID))
        out = StemFeatures(self.to_fine(F.silu(stem.fine)), self.to_middle(F.silu(stem.middle)), coarse)
        return out if advice is None else advice.weighed(out, views)


@dataclass(frozen=True, eq=False)
class Advice:
    """What the meta controller says of B pairs.

    ``scales`` and ``shifts`` of each scale, (B,c) (y_meta1); ``tokens`` (B,N,D) and ``state`` (B,D) for the
    base controller's attention; ``gates`` (B,3) in 0..2, one a scale, 1 at first; ``own`` (B,D), added to
    every view (y_meta2).
    """

    scales: tuple[Tensor, ...]
    shifts: tuple[Tensor, ...]
    tokens: Tensor
    state: Tensor
    gates: Tensor
    own: Tensor

    def aligned(self, stem: StemFeatures, views: int) -> StemFeatures:
        """The base controller's features at every scale, scaled and shifted."""
        parts = (stem.fine, stem.middle, stem.coarse)
        return StemFeatures(
            *(
                part * (1 + _each_view(scale, views)) + _each_view(shift, views)
                for part, scale, shift in zip(parts, self.scales, self.shifts, strict=True)
            )
        )

    def with_tokens(self, words: Words) -> Words:
        """The words, and after them the pair's tokens, for attention."""
        mask = F.pad(words.mask, (0, self.tokens.shape[1]), value=True)
        return Words(torch.cat([words.tokens, self.tokens.to(words.tokens.dtype)], 1), mask, words.pooled)

    def weighed(self, out: StemFeatures, views: int) -> StemFeatures:
        """y_adaptive: the base controller's output through the gates, and the meta controller's own."""
        fine, middle, coarse = (_each_view(gate[:, None], views) for gate in self.gates.unbind(1))
        return StemFeatures(
            out.fine * fine, out.middle * middle, out.coarse * coarse + _each_view(self.own, views)
        )


class MetaController(nn.Module):
    """Compares what is wanted with the reference."""

    def __init__(self, width: int, depth: int, heads: int, channels: int, fine: int, middle: int) -> None:
        super().__init__()
        self.sizes = (fine, middle, width)
        self.stem = Stem(2 * channels, fine, middle, width)
        self.position = nn.Parameter(torch.randn(GRID * GRID, width) * 0.02)
        self.unseen = nn.Parameter(torch.randn(width) * 0.02)  # in place of a picture
        self.time = mlp(width, width, width)
        self.from_text = nn.Linear(width, width)
        self.modulation = nn.Linear(width, 6 * width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self.align = zero(nn.Linear(width, 2 * sum(self.sizes)))
        self.state = zero(nn.Linear(width, width))
        self.gates = zero(nn.Linear(width, GATES))
        self.own = zero(nn.Linear(width, width))
        _start_modulation(self.modulation, width)

    def forward(self, pair: Pair, t: Tensor, words: Words) -> Advice:
        """Of B pairs at noise times ``t`` (B,1)."""
        grid = self.stem(torch.cat([pair.concept, pair.reference], 1)).coarse.flatten(2).transpose(1, 2)
        tokens = torch.where(pair.visible[:, None, None], grid, self.unseen) + self.position
        state = self.time(sinusoid(t, inputs_of(self.time))) + self.from_text(words.pooled)[:, None]
        modulation = self.modulation(F.silu(state))[:, :, None]
        mask = F.pad(words.mask, (GRID * GRID, 0), value=True)[:, None, None]
        tokens = tokens[:, None]
        for block in self.blocks:
            tokens = block(tokens, modulation, words.tokens, mask)
        tokens = self.norm(tokens[:, 0])
        pooled = tokens.mean(1)
        aligned = self.align(pooled).split([size for size in self.sizes for _ in range(2)], dim=1)
        gates = 2 * torch.sigmoid(self.gates(pooled))  # a new controller's gates stand at 1
        return Advice(aligned[::2], aligned[1::2], tokens, self.state(pooled), gates, self.own(pooled))


def zero(layer: Layer) -> Layer:
    """The layer with weights and biases of zero, so that nothing comes through at first."""
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(bias_of(layer))
    return layer


def controller_for(
    net: ToyboxDenoiser, depth: int = 2, meta: bool = True, routing: bool = True
) -> ReferenceController:
    """A new controller of the denoiser's sizes whose base part begins as a copy of its first layers (arXiv
    2302.05543).
    """
    sizes = {name: net.config[name] for name in ("width", "heads", "channels", "fine", "middle")}
    controller = ReferenceController(**sizes, depth=depth, meta=meta, routing=routing)
    for name in ("stem", "position", "ray", "time", "from_text", "modulation"):
        mine, theirs = getattr(controller, name), getattr(net, name)
        if isinstance(mine, nn.Module):
            mine.load_state_dict(theirs.state_dict())
        else:
            mine.data.copy_(theirs.data)
    for mine, theirs in zip(controller.blocks, net.blocks, strict=False):
        mine.load_state_dict(theirs.state_dict())
    return controller


def strengthened(features: StemFeatures, strength: float | Tensor) -> StemFeatures:
    """The features times a strength: a number, or one for each of the BV views."""
    if isinstance(strength, Tensor):
        strength = strength.view(-1, 1, 1, 1).to(features.fine)
    return StemFeatures(features.fine * strength, features.middle * strength, features.coarse * strength)


def _each_view(values: Tensor, views: int) -> Tensor:
    """(B,c) to (BV,c,1,1)."""
    return values.repeat_interleave(views, 0)[..., None, None]


def _start_modulation(layer: nn.Linear, width: int) -> None:
    """As the denoiser's: gates half open, which the zero weights inside the blocks keep silent."""
    nn.init.normal_(layer.weight, std=0.02)
    nn.init.zeros_(bias_of(layer))
    with torch.no_grad():
        layer.bias.view(6, width)[[2, 5]] = 0.5
