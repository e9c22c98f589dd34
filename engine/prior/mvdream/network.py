"""MVDream's UNet, built from diffusers' parts (arXiv 2308.16512, section 3.1).

It is Stable Diffusion 2.1's UNet with two changes:

* self-attention runs over the tokens of all views of an object: (V, N, C) becomes (1, V N, C);
* a two-layer network turns the 16 numbers of a camera into a vector that is added to the time embedding.
  That is what diffusers calls a class embedding of the type "projection".

Published weights keep the names and the config of the original LDM code; ``engine.prior.mvdream.names``
translates both.
"""

from __future__ import annotations

from typing import Any

import torch
from diffusers import UNet2DConditionModel
from diffusers.models.attention import BasicTransformerBlock
from diffusers.models.attention_processor import Attention
from torch import Tensor

CAMERA_NUMBERS = 16


class JointAttention(Attention):
    """Self-attention in which all rows of the batch, which are the views of one object, attend to each
    other.
    """

    def forward(
        self,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
    ) -> Tensor:
        """Tokens (V,N,C) of V views to tokens of the same shape."""
        assert encoder_hidden_states is None and attention_mask is None, (
            "this layer reads the views themselves, all of them"
        )
        joined = hidden_states.reshape(1, -1, hidden_states.shape[-1])
        return super().forward(joined).reshape(hidden_states.shape)


def joint_unet(config: dict[str, Any]) -> UNet2DConditionModel:
    """A UNet with joint self-attention and random weights; ``config`` as ``names.unet_config`` makes it.

    One call sees one object: ``unet(x (V,4,h,w), t, words (V,L,D), class_labels=cameras (V,16))``.
    """
    unet = UNet2DConditionModel(**config)
    for block in [module for module in unet.modules() if isinstance(module, BasicTransformerBlock)]:
        plain = block.attn1
        block.attn1 = JointAttention(
            plain.query_dim, heads=plain.heads, dim_head=plain.inner_dim // plain.heads
        )
    return unet


def empty_unet(config: dict[str, Any]) -> UNet2DConditionModel:
    """The same without memory for its weights, which ``load_state_dict(..., assign=True)`` then provides."""
    with torch.device("meta"):
        return joint_unet(config)
