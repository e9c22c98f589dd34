"""Priors that read no words."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from engine.prior.base import TextEmbedding
from engine.prior.latent.text_encoder import Words


@dataclass(frozen=True)
class NoWords:
    """Every prompt is one token of zeros (1,1,``width``), to which the picture's is added.

    So methods that learn an embedding in place of the empty prompt have one to learn.
    """

    width: int

    @property
    def networks(self) -> dict[str, nn.Module]:
        return {}

    def embed(self, prompt: str, device: torch.device) -> TextEmbedding:
        return TextEmbedding(torch.zeros(1, 1, self.width, device=device))

    def unread(self, prompt: str) -> str:
        return ""


@dataclass(frozen=True, eq=False)
class EmptyTextEncoder:
    """Every prompt is the empty one of ``words``, with which the prior was taught."""

    words: Words

    @property
    def networks(self) -> dict[str, nn.Module]:
        return self.words.networks

    def embed(self, prompt: str, device: torch.device) -> TextEmbedding:
        return self.words.embed("", device)

    def unread(self, prompt: str) -> str:
        return ""
