"""Prompts that say from where one looks, for priors that take no cameras.

The prompt is embedded once with each of four view words, and a camera's embedding is a mixture of them that
changes smoothly with its direction (Magic123, arXiv 2306.17843): front to side to back linearly in azimuth,
and overhead high up. DreamFusion (arXiv 2209.14988, section 3) switches between them at fixed angles instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.core.cameras import Cameras
from engine.lazy import torch
from engine.prior.base import Prior, TextEmbedding

if TYPE_CHECKING:
    from torch import Tensor

WORDS = ("front view", "side view", "back view", "overhead view")
OVERHEAD_FROM_DEG, OVERHEAD_TO_DEG = 45.0, 75.0
"""Overhead fades in between these elevations; half of it is there at 60 degrees, where DreamFusion
switches.
"""


def view_weights(cameras: Cameras) -> Tensor:
    """Shares (B,4) of front, side, back and overhead at each camera; not negative, and 1 in sum."""
    turned = cameras.azimuths_deg().abs() / 90  # 0 front, 1 side, 2 back
    front, back = (1 - turned).clamp(min=0), (turned - 1).clamp(min=0)
    overhead = (cameras.elevations_deg() - OVERHEAD_FROM_DEG) / (OVERHEAD_TO_DEG - OVERHEAD_FROM_DEG)
    overhead = overhead.clamp(0, 1)[:, None]
    around = torch.stack([front, 1 - front - back, back], dim=1)
    return torch.cat([(1 - overhead) * around, overhead], dim=1)


@dataclass(frozen=True, eq=False)
class ViewPromptEncoder:
    """One prompt with each of the four view words: a batch of 4 in the order of ``WORDS``."""

    worded: TextEmbedding

    @staticmethod
    def of(prior: Prior, prompt: str) -> ViewPromptEncoder:
        """Embed "PROMPT, front view" and its three sisters."""
        worded = [prior.embed(f"{prompt}, {word}") for word in WORDS]
        masks = [text.mask for text in worded if text.mask is not None]
        pooled = [text.pooled for text in worded if text.pooled is not None]
        return ViewPromptEncoder(
            TextEmbedding(
                torch.cat([text.tokens for text in worded]),
                torch.cat(masks) if masks else None,
                torch.cat(pooled) if pooled else None,
            )
        )

    def at(self, cameras: Cameras) -> TextEmbedding:
        """The embedding (B,...) that belongs to each of B cameras; a token counts where it does in any word
        that has a share.
        """
        text = self.worded
        weights = view_weights(cameras).to(text.tokens)
        mask = None if text.mask is None else ((weights[..., None] > 0) & text.mask).any(dim=1)
        pooled = None if text.pooled is None else weights @ text.pooled
        return TextEmbedding(torch.einsum("bw,wld->bld", weights, text.tokens), mask, pooled)
