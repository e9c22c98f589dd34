"""Reference attention: a network reads a second picture through its own self-attention (arXiv 2310.15110,
section 2.2).

The picture goes through the same network first, with as much noise as the one that is drawn. Every
self-attention keeps the tokens that it saw, and when the drawn picture comes through, it attends to them
beside its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from diffusers import UNet2DConditionModel
from diffusers.models.attention import BasicTransformerBlock
from diffusers.models.attention_processor import Attention
from torch import Tensor


class ReferenceAttention(Attention):
    """Self-attention that notes its tokens while ``noting``, and else attends to ``noted`` (B,M,C) too, where
    there are any.
    """

    noting: bool = False
    noted: Tensor | None = None

    def forward(
        self,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
    ) -> Tensor:
        """Tokens (B,N,C) to tokens of the same shape."""
        assert encoder_hidden_states is None and attention_mask is None, (
            "this layer reads the picture itself, all of it"
        )
        if self.noting:
            self.noted = hidden_states
        if self.noting or self.noted is None:
            return super().forward(hidden_states)
        noted = self.noted.expand(len(hidden_states), -1, -1)
        return super().forward(hidden_states, torch.cat([hidden_states, noted], dim=1))


def with_reference_attention(unet: UNet2DConditionModel) -> UNet2DConditionModel:
    """``unet`` itself, each self-attention replaced by one with the same weights that can attend to a second
    picture.
    """
    for block in [module for module in unet.modules() if isinstance(module, BasicTransformerBlock)]:
        plain = block.attn1
        bias = plain.to_q.bias is not None
        with torch.device("meta"):
            block.attn1 = ReferenceAttention(
                plain.query_dim, heads=plain.heads, dim_head=plain.inner_dim // plain.heads, bias=bias
            )
        block.attn1.load_state_dict(plain.state_dict(), assign=True)
        block.attn1.requires_grad_(False).eval()
    return unet


@contextmanager
def in_sight_of(unet: UNet2DConditionModel, picture: Tensor, t: Tensor, tokens: Tensor) -> Iterator[None]:
    """Inside, ``unet`` attends to the noisy ``picture`` (1,C,h,w) at time ``t`` (1,), which is read with
    ``tokens`` (1,L,D).
    """
    layers = [module for module in unet.modules() if isinstance(module, ReferenceAttention)]
    try:
        for layer in layers:
            layer.noting = True
        unet(picture, t, encoder_hidden_states=tokens)
        for layer in layers:
            layer.noting = False
        yield
    finally:
        for layer in layers:
            layer.noting, layer.noted = False, None
