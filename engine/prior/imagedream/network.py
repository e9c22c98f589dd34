"""ImageDream's UNet (arXiv 2312.02201, section 3.2): MVDream's, which reads a picture in two further ways.

* The patches that CLIP sees become a few tokens (a resampler, as in IP-Adapter, arXiv 2308.06721). Every
  cross-attention adds what it finds in them, by keys and values of their own, to what it finds in the
  words.
* The picture's clean latents go through the network as one view more, without a camera.

Published weights keep the names of the original code: ``image_embed`` is the resampler, ``attn2.to_k_ip`` and
``attn2.to_v_ip`` are the new keys and values; `engine.prior.mvdream.names` translates the others.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from diffusers import UNet2DConditionModel
from diffusers.models.attention import BasicTransformerBlock
from diffusers.models.attention_processor import Attention
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from engine.prior.mvdream.network import joint_unet

LAYERS, HEADS, HEAD_WIDTH, WIDENING = 4, 12, 64, 4
"""Of the resampler: what the published class builds whatever its config says."""


class PictureAttention(Attention):
    """Cross-attention to words, and by itself to the last ``picture_tokens`` of its tokens, which are a
    picture's.
    """

    def __init__(self, plain: Attention, picture_tokens: int) -> None:
        super().__init__(
            plain.query_dim,
            plain.cross_attention_dim,
            heads=plain.heads,
            dim_head=plain.inner_dim // plain.heads,
        )
        self.picture_tokens = picture_tokens
        self.to_k_ip = nn.Linear(plain.cross_attention_dim, plain.inner_dim, bias=False)
        self.to_v_ip = nn.Linear(plain.cross_attention_dim, plain.inner_dim, bias=False)

    def forward(
        self,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
    ) -> Tensor:
        """Tokens (B,N,C), with words and picture (B,L+n,D), to tokens of the same shape."""
        assert encoder_hidden_states is not None and attention_mask is None, (
            "this layer reads words and a picture, all of both"
        )
        cut = encoder_hidden_states.shape[1] - self.picture_tokens
        words, picture = encoder_hidden_states[:, :cut], encoder_hidden_states[:, cut:]
        assert self.to_k is not None and self.to_v is not None and self.to_out is not None, (
            "it was made with all of them"
        )
        query = self._heads(self.to_q(hidden_states))
        read = scaled_dot_product_attention(
            query, self._heads(self.to_k(words)), self._heads(self.to_v(words))
        )
        attended = scaled_dot_product_attention(
            query, self._heads(self.to_k_ip(picture)), self._heads(self.to_v_ip(picture))
        )
        return self.to_out[0]((read + attended).transpose(1, 2).flatten(2))

    def _heads(self, tokens: Tensor) -> Tensor:
        return tokens.unflatten(2, (self.heads, -1)).transpose(1, 2)


class Resampler(nn.Module):
    """From what an image encoder sees (B,N,P) to a few tokens (B,n,D), through learned queries."""

    def __init__(self, width: int, tokens: int, patch_width: int) -> None:
        super().__init__()
        self.latents = nn.Parameter(torch.randn(1, tokens, width) / width**0.5)
        self.proj_in = nn.Linear(patch_width, width)
        self.proj_out = nn.Linear(width, width)
        self.norm_out = nn.LayerNorm(width)
        self.layers = nn.ModuleList(nn.ModuleList([Gathering(width), _mixing(width)]) for _ in range(LAYERS))

    def forward(self, patches: Tensor) -> Tensor:
        patches = self.proj_in(patches)
        tokens = self.latents.expand(len(patches), -1, -1)
        for layer in self.layers:
            gather, mix = cast(nn.ModuleList, layer)
            tokens = tokens + gather(patches, tokens)
            tokens = tokens + mix(tokens)
        return self.norm_out(self.proj_out(tokens))


class Gathering(nn.Module):
    """Queries attend to the patches and to each other."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.to_q = nn.Linear(width, HEADS * HEAD_WIDTH, bias=False)
        self.to_kv = nn.Linear(width, 2 * HEADS * HEAD_WIDTH, bias=False)
        self.to_out = nn.Linear(HEADS * HEAD_WIDTH, width, bias=False)

    def forward(self, patches: Tensor, tokens: Tensor) -> Tensor:
        tokens = self.norm2(tokens)
        keys, values = self.to_kv(torch.cat([self.norm1(patches), tokens], dim=1)).chunk(2, dim=-1)
        heads = (
            part.unflatten(2, (HEADS, HEAD_WIDTH)).transpose(1, 2)
            for part in (self.to_q(tokens), keys, values)
        )
        return self.to_out(scaled_dot_product_attention(*heads).transpose(1, 2).flatten(2))


def _mixing(width: int) -> nn.Sequential:
    wide = WIDENING * width
    return nn.Sequential(
        nn.LayerNorm(width), nn.Linear(width, wide, bias=False), nn.GELU(), nn.Linear(wide, width, bias=False)
    )


def picture_unet(config: dict[str, Any], picture_tokens: int, patch_width: int) -> UNet2DConditionModel:
    """The UNet without memory for its weights; ``config`` as ``mvdream.names.unet_config`` makes it.

    One call sees one object: ``unet(x (V+1,4,h,w), t, tokens (V+1,L+n,D), class_labels=cameras (V+1,16))``,
    with the tokens that ``unet.image_embed(patches)`` makes behind the words.
    """
    with torch.device("meta"):
        unet = joint_unet(config)
        for block in [module for module in unet.modules() if isinstance(module, BasicTransformerBlock)]:
            assert block.attn2 is not None, "every block reads words"
            block.attn2 = PictureAttention(block.attn2, picture_tokens)
        unet.image_embed = Resampler(config["cross_attention_dim"], picture_tokens, patch_width)
    return unet
