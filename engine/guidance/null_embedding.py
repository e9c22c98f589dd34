"""A null prompt that learns, and how far it has come."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from engine.math.cameras import Cameras
from engine.prior.base import Condition, TextEmbedding

SIDES = 4  # front, left, back, right
COMPARE_STEPS = 10  # the plain null prompt costs a pass, so it is asked this often
MEMORY = 0.8  # share of the comparisons before that the read-out keeps


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
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))
        self.register_buffer("errors", tokens.new_zeros(2))  # squared, of this prompt and of the plain one
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
        self.steps += 1
        if reset_steps and int(self.steps) % reset_steps == 0:
            with torch.no_grad():
                self.tokens.copy_(self.first.expand_as(self.tokens))
                self.errors.zero_()

    @property
    def asks_plain(self) -> bool:
        """Whether this step compares with the plain null prompt."""
        return int(self.steps) % COMPARE_STEPS == 0

    def compare(self, learned: Tensor, plain: Tensor) -> None:
        """Take note of two errors in the noise, (B,C,h,w) each, of one noisy render."""
        found = torch.stack([learned.square().mean(), plain.square().mean()]).to(self.errors)
        if torch.isfinite(found).all():
            self.errors.mul_(MEMORY).add_((1 - MEMORY) * found)

    def convergence(self) -> float:
        """1 - (squared error of the learned prompt / of the plain one): 0 at first, 1 when it explains every render."""
        learned, plain = self.errors.tolist()
        return 1 - learned / plain if plain > 0 else 0.0


def side_shares(cameras: Cameras) -> Tensor:
    """Shares (B,4) of the sides at azimuth 0, 90, 180 and 270 degrees: linear between the two nearest, 1 in sum."""
    turned = cameras.azimuths_deg()[:, None] / 90 - torch.arange(SIDES, device=cameras.c2w.device)
    distance = (turned + SIDES / 2) % SIDES - SIDES / 2
    return (1 - distance.abs()).clamp(min=0)


def _grown(part: Tensor | None, batch: int) -> Tensor | None:
    return None if part is None else part.expand(batch, *part.shape[1:])
