"""The toybox denoiser: a small transformer that cleans any number of views of one object together.

Each 64 x 64 RGBA view becomes 8 x 8 tokens through a convolutional stem; the tokens of all views of an object
attend to each other (MVDream, arXiv 2308.16512) and to the words; a convolutional head turns them back into
pixels. Time, camera, pooled text and pooled given views modulate every block (adaLN-single, arXiv
2310.00426). A given (clean) view is one whose time is 0.

Shapes: B objects, V views, C = 4 channels, S = 64 pixels, N = 64 tokens a view, L words, D = ``width``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.prior.toybox.configured import Configured, keeps_config
from engine.prior.toybox.joining import Joining
from engine.prior.toybox.poses import GRID, Poses, pose_numbers
from engine.prior.toybox.text_encoder import TextEncoder, Words


@dataclass(frozen=True, eq=False)
class StemFeatures:
    """What the stem sees of BV views: ``fine`` (BV,c0,32,32), ``middle`` (BV,c1,16,16), ``coarse``
    (BV,D,8,8).

    A reference adapter adds its own to these; that is its only door into the network.
    """

    fine: Tensor
    middle: Tensor
    coarse: Tensor

    def __add__(self, other: StemFeatures) -> StemFeatures:
        return StemFeatures(self.fine + other.fine, self.middle + other.middle, self.coarse + other.coarse)


def sinusoid(t: Tensor, width: int) -> Tensor:
    """Features (..., width) of times ``t`` in 0..1, with wavelengths from about 6 down to 0.006."""
    frequency = torch.exp(torch.linspace(0, math.log(1000), width // 2, device=t.device))
    angle = t[..., None] * frequency
    return torch.cat([angle.sin(), angle.cos()], dim=-1)


def mlp(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    """Linear, SiLU, linear."""
    return nn.Sequential(nn.Linear(inputs, hidden), nn.SiLU(), nn.Linear(hidden, outputs))


class Block(nn.Module):
    """Attention over the tokens of all views and the words, then a per-token network; both modulated and
    gated.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.bias = nn.Parameter(torch.zeros(6 * width))
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.word_kv = nn.Linear(width, 2 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.expand = nn.Linear(width, 4 * width)
        self.contract = nn.Linear(4 * width, width)
        self.q_gain = nn.Parameter(torch.full((width // heads,), 1.0))
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.contract.weight)

    def forward(self, x: Tensor, modulation: Tensor, words: Tensor, mask: Tensor) -> Tensor:
        """``x`` (B,V,N,D), ``modulation`` (B,V,1,6D), ``words`` (B,L,D), ``mask`` (B,1,1,VN+L) of keys that
        count.
        """
        shift, scale, gate, shift2, scale2, gate2 = (modulation + self.bias).chunk(6, dim=-1)
        x = x + gate * self._attend(_modulated(x, shift, scale), words, mask)
        hidden = F.gelu(self.expand(_modulated(x, shift2, scale2)), approximate="tanh")
        return x + gate2 * self.contract(hidden)

    def _attend(self, x: Tensor, words: Tensor, mask: Tensor) -> Tensor:
        flat = x.flatten(1, 2)
        q, k, v = self.qkv(flat).chunk(3, dim=-1)
        word_k, word_v = self.word_kv(words).chunk(2, dim=-1)
        q, k, v = (self._split(part) for part in (q, torch.cat([k, word_k], 1), torch.cat([v, word_v], 1)))
        size = q.shape[-1:]
        # normalised queries and keys keep attention calm (arXiv 2302.05442)
        q = F.layer_norm(q, size, self.q_gain).to(v.dtype)
        k = F.layer_norm(k, size).to(v.dtype)
        mixed = _attention(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2), mask)
        return self.out(mixed.transpose(1, 2).flatten(2)).view(x.shape)

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1))


def bias_of(layer: nn.Conv2d | nn.Linear) -> Tensor:
    """Of a layer that has one."""
    assert layer.bias is not None, "the layer was made without a bias"
    return layer.bias


def inputs_of(layers: nn.Sequential) -> int:
    """How many numbers an `mlp` takes."""
    first = layers[0]
    assert isinstance(first, nn.Linear), "it is no mlp"
    return first.in_features


def _attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
    """Softmax attention (B,H,N,d); where gradients are taken on a CPU, two plain products are faster than the
    fused kernel.
    """
    if not (q.requires_grad and q.device.type == "cpu"):
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    unheard = torch.zeros_like(mask, dtype=q.dtype).masked_fill(~mask, -1e4)
    return torch.softmax((q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2) + unheard, dim=-1) @ v


def _modulated(x: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
    return torch.addcmul(shift, F.layer_norm(x, x.shape[-1:]), 1 + scale)


class Stem(nn.Module):
    """Pixels (BV,4,64,64) to features at 32, 16 and 8."""

    def __init__(self, channels: int, fine: int, middle: int, width: int) -> None:
        super().__init__()
        self.fine = nn.Conv2d(4 * channels, fine, 3, padding=1)
        self.middle = nn.Conv2d(fine, middle, 3, stride=2, padding=1)
        self.coarse = nn.Conv2d(middle, width, 3, stride=2, padding=1)

    def forward(self, x: Tensor) -> StemFeatures:
        fine = self.fine(F.pixel_unshuffle(x, 2).contiguous(memory_format=torch.channels_last))
        middle = self.middle(F.silu(fine))
        return StemFeatures(fine, middle, self.coarse(F.silu(middle)))


class Head(nn.Module):
    """Tokens and the stem's features back to pixels; the last convolution sees whole pixels, so that no 2 x 2
    pattern stays.
    """

    def __init__(self, channels: int, fine: int, middle: int, width: int, last: int) -> None:
        super().__init__()
        self.to_middle = nn.Linear(width, 4 * middle)
        self.mix_middle = nn.Conv2d(middle, middle, 3, padding=1)
        self.to_fine = nn.Conv2d(middle, 4 * fine, 1)
        self.mix_fine = nn.Conv2d(fine, 4 * last, 3, padding=1)
        self.pixels = nn.Conv2d(last, channels, 3, padding=1)
        nn.init.zeros_(self.pixels.weight)
        nn.init.zeros_(bias_of(self.pixels))
        with torch.no_grad():  # the four pixels of a shuffled cell start equal
            self.mix_fine.weight.copy_(self.mix_fine.weight[::4].repeat_interleave(4, 0))
            bias_of(self.mix_fine).copy_(bias_of(self.mix_fine)[::4].repeat_interleave(4, 0))

    def forward(self, tokens: Tensor, stem: StemFeatures, joined: Joining | None = None) -> Tensor:
        """``tokens`` (BV,N,D) to pixels (BV,4,64,64)."""
        grid = self.to_middle(tokens).transpose(1, 2).unflatten(2, (GRID, GRID))
        middle = F.silu(F.pixel_shuffle(grid, 2).contiguous(memory_format=torch.channels_last) + stem.middle)
        middle = F.silu(self.mix_middle(middle) + stem.middle)
        middle = middle if joined is None else joined.middle(middle)
        fine = F.silu(
            F.pixel_shuffle(self.to_fine(middle), 2).contiguous(memory_format=torch.channels_last) + stem.fine
        )
        fine = fine if joined is None else joined.fine(fine)
        return self.pixels(
            F.silu(F.pixel_shuffle(self.mix_fine(fine), 2).contiguous(memory_format=torch.channels_last))
        )


class ToyboxDenoiser(Configured):
    """Predicts the clean views x0 of objects from noisy ones, given time, words, cameras and clean views."""

    @keeps_config
    def __init__(
        self,
        width: int = 192,
        depth: int = 6,
        heads: int = 6,
        channels: int = 4,
        fine: int = 32,
        middle: int = 96,
        last: int = 16,
        words: int = 256,
        length: int = 16,
        pad: int = 0,
        text_depth: int = 3,
        guidance_embeds: bool = False,
    ) -> None:
        """``guidance_embeds``, as diffusers' Flux calls it: it is told the guidance scale and needs one pass
        instead of two.
        """
        super().__init__()
        self.text = TextEncoder(words, length, width, text_depth, heads=4, pad=pad)
        self.stem = Stem(channels, fine, middle, width)
        self.position = nn.Parameter(torch.randn(GRID * GRID, width) * 0.02)
        self.ray = nn.Linear(6, width)
        self.time = mlp(width, width, width)
        self.pose = mlp(16, width, width)
        self.no_pose = nn.Parameter(torch.zeros(width))
        self.given = nn.Parameter(torch.randn(width) * 0.02)  # marks the tokens of a clean view
        self.from_text = nn.Linear(width, width)
        self.from_given = nn.Linear(width, width)
        self.modulation = nn.Linear(width, 6 * width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(depth))
        self.final = nn.Linear(width, 2 * width)
        self.head = Head(channels, fine, middle, width, last)
        for layer in (self.modulation, self.final):
            nn.init.zeros_(layer.bias)
            nn.init.normal_(layer.weight, std=0.02)
        with (
            torch.no_grad()
        ):  # gates start half open: the zero weights inside the blocks make them silent already
            self.modulation.bias.view(6, width)[[2, 5]] = 0.5
        self.guidance = mlp(1, width, width) if guidance_embeds else None

    def forward(
        self,
        x: Tensor,
        t: Tensor,
        words: Words,
        poses: Poses,
        clean: Tensor,
        reference: StemFeatures | None = None,
        guidance_scale: Tensor | None = None,
        joined: Joining | None = None,
    ) -> Tensor:
        """Clean views from ``x`` (B,V,4,S,S) at times ``t`` (B,V) in 0..1; ``clean`` (B,V) bool marks given
        ones.

        A network with ``guidance_embeds`` wants ``guidance_scale`` (B,), and answers as two passes and
        guidance would.
        """
        views, stem = x.shape[:2], self.stem(x.flatten(0, 1))
        if reference is not None:
            stem = stem + reference
        known = poses.known[:, None, None]
        grid = stem.coarse.flatten(2).transpose(1, 2).unflatten(0, views)
        pose = torch.where(known, self.pose(pose_numbers(poses.c2w)), self.no_pose)
        state = self.time(sinusoid(t, inputs_of(self.time))) + pose + self.from_text(words.pooled)[:, None]
        if self.guidance is not None:
            assert guidance_scale is not None, "this network must be told the guidance scale"
            state = state + self.guidance(guidance_scale[:, None] - 1)[:, None]
        state = F.silu(state + self.from_given(_pooled_given(grid, clean))[:, None])
        tokens = (
            grid
            + self.position
            + self.ray(poses.rays * known[..., None])
            + self.given * clean[..., None, None]
        )
        modulation = self.modulation(state)[:, :, None]
        mask = _key_mask(words.mask, views[1] * GRID * GRID)
        for block in self.blocks:
            tokens = block(tokens, modulation, words.tokens, mask)
        shift, scale = self.final(state)[:, :, None].chunk(2, dim=-1)
        return self.head(_modulated(tokens, shift, scale).flatten(0, 1), stem, joined).unflatten(0, views)


def _pooled_given(grid: Tensor, clean: Tensor) -> Tensor:
    """Mean token (B,D) of the given views of ``grid`` (B,V,N,D); zero where none is given."""
    share = clean.to(grid.dtype)
    return (grid.mean(2) * share[..., None]).sum(1) / share.sum(1, keepdim=True).clamp(min=1)


def _key_mask(words: Tensor, tokens: int) -> Tensor:
    """(B,1,1,tokens + L): every picture token counts, and the words that are there."""
    return F.pad(words, (tokens, 0), value=True)[:, None, None]
