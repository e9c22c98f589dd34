"""A null prompt that learns."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from engine.guidance.convergence import Convergence
from engine.math.cameras import Cameras
from engine.prior.base import Condition, TextEmbedding

SIDES = 4  # front, left, back, right


class NullEmbedding(nn.Module):
    """The ``tokens`` (S,L,D) of a prompt as parameters, at least float32, one for each of S = 4 sides of the object.

    Used as one prompt, it is the mean of the sides: their gradients are then equal, and with Adam they move together like a
    single embedding. ``one_prompt`` (priors that give all views one prompt) keeps S = 1. Mask and pooled text stay as they were.
    """

    def __init__(self, text: TextEmbedding, one_prompt: bool) -> None:
        super().__init__()
        tokens = text.tokens.detach().to(torch.promote_types(text.tokens.dtype, torch.float32))
        assert len(tokens) == 1, f"a null prompt starts from one prompt, got {len(tokens)}"
        self.tokens = nn.Parameter(tokens.repeat(1 if one_prompt else SIDES, 1, 1))
        self.register_buffer("first", tokens.clone())
        self.read_out = Convergence(tokens.device)
        self.mask, self.pooled = text.mask, text.pooled

    def told(self, plain: Condition, per_side: bool) -> Condition:
        """``plain`` with the learned words: one prompt, or one for each of its cameras."""
        sides = len(self.tokens)
        if per_side and sides > 1 and plain.cameras is not None:
            shares = side_shares(plain.cameras).to(self.tokens)
        else:
            shares = self.tokens.new_full((1, sides), 1 / sides)
        tokens = torch.einsum("bs,sld->bld", shares, self.tokens)
        return plain.with_text(TextEmbedding(tokens, *(_grown(part, len(tokens)) for part in (self.mask, self.pooled))))

    def begin_step(self, reset_steps: int) -> None:
        """Count a step; every ``reset_steps`` of them (0: never) forget what was learned."""
        if self.read_out.begin_step(reset_steps):
            with torch.no_grad():
                self.tokens.copy_(self.first.expand_as(self.tokens))


def side_shares(cameras: Cameras) -> Tensor:
    """Shares (B,4) of the sides at azimuth 0, 90, 180 and 270 degrees: linear between the two nearest, 1 in sum."""
    turned = cameras.azimuths_deg()[:, None] / 90 - torch.arange(SIDES, device=cameras.c2w.device)
    distance = (turned + SIDES / 2) % SIDES - SIDES / 2
    return (1 - distance.abs()).clamp(min=0)


def _grown(part: Tensor | None, batch: int) -> Tensor | None:
    return None if part is None else part.expand(batch, *part.shape[1:])
