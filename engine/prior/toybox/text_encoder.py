"""How the toybox denoiser reads: word numbers to contextual tokens. B prompts, L words, D = ``width``."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True, eq=False)
class Words:
    """Encoded prompts: ``tokens`` (B,L,D), ``mask`` (B,L) bool of tokens that count, ``pooled`` (B,D)."""

    tokens: Tensor
    mask: Tensor
    pooled: Tensor


class TextEncoder(nn.Module):
    """Word numbers to contextual tokens: embedding, position, small transformer layers."""

    def __init__(self, words: int, length: int, width: int, depth: int, heads: int, pad: int) -> None:
        super().__init__()
        self.pad = pad
        self.embedding = nn.Embedding(words, width)
        self.position = nn.Parameter(torch.randn(length, width) * 0.02)
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(
                width, heads, 2 * width, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
            )
            for _ in range(depth)
        )
        self.norm = nn.LayerNorm(width)
        nn.init.normal_(self.embedding.weight, std=0.5)

    def forward(self, ids: Tensor) -> Words:
        """Numbers (B,L) to `Words`; the padding number is masked out."""
        mask = ids != self.pad
        tokens = self.embedding(ids) + self.position[: ids.shape[1]]
        for layer in self.layers:
            tokens = layer(tokens, src_key_padding_mask=~mask)
        tokens = self.norm(tokens)
        share = mask.to(tokens.dtype)[..., None]
        return Words(tokens, mask, (tokens * share).sum(1) / share.sum(1).clamp(min=1))
