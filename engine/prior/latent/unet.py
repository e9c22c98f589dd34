"""How Stable Diffusion's UNets want to be called, and what SDXL's wants to know besides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from engine.prior.base import TextEmbedding
from engine.prior.latent.loading import Network


@dataclass(frozen=True)
class PictureSize:
    """What SDXL is told of a picture (arXiv 2307.01952, section 2.2), each as (height, width) or (top, left)
    in pixels.
    """

    original: tuple[int, int]  # before it was resized for training
    crop: tuple[int, int]  # where its corner was cut
    target: tuple[int, int]  # as it is now

    @staticmethod
    def native(side: int) -> PictureSize:
        """A square picture of the model's own size that was neither resized nor cut."""
        return PictureSize((side, side), (0, 0), (side, side))

    @property
    def numbers(self) -> tuple[int, ...]:
        """The six numbers in the order in which the network takes them."""
        return (*self.original, *self.crop, *self.target)


@dataclass(frozen=True, eq=False)
class UnetDenoiser:
    """A UNet in its own dtype; one with ``size`` is told the pooled text and the picture's size too."""

    network: Network
    size: PictureSize | None = None

    def __call__(self, x_t: Tensor, t: Tensor, text: TextEmbedding) -> Tensor:
        return self.network(x_t.to(self.network.dtype), t, **self.named(text)).sample

    def named(self, text: TextEmbedding) -> dict[str, Any]:
        """What a call is told besides the noisy latents and their times, by name."""
        return {
            "encoder_hidden_states": text.tokens.to(self.network.dtype),
            "added_cond_kwargs": self.added(text),
        }

    def added(self, text: TextEmbedding) -> dict[str, Tensor] | None:
        """``added_cond_kwargs`` for B prompts; None for a network that takes none."""
        if self.size is None:
            return None
        assert text.pooled is not None, "SDXL's words are pooled, too"
        pooled = text.pooled.to(self.network.dtype)
        numbers = torch.tensor(self.size.numbers, dtype=pooled.dtype, device=pooled.device)
        return {"text_embeds": pooled, "time_ids": numbers.expand(len(pooled), -1)}
