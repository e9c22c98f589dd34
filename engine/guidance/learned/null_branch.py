"""A null prompt that learns."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from engine.core.cameras import Cameras
from engine.guidance.cost import COMPARE_STEPS
from engine.prior.base import Condition, TextEmbedding
from engine.prior.trainable_lora import Adapter

MEMORY = 0.8  # share of the comparisons before that the read-out keeps

SIDES = 4  # front, left, back, right


class Convergence(nn.Module):
    """Counts steps and remembers errors; buffers alone, so that a checkpoint holds them."""

    steps: Tensor
    errors: Tensor

    def __init__(self, device: torch.device | str = "cpu") -> None:
        super().__init__()
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))
        # squared: learned, plain
        self.register_buffer("errors", torch.zeros(2, dtype=torch.float64, device=device))

    def begin_step(self, reset_steps: int) -> bool:
        """Count a step; true every ``reset_steps`` of them (0: never), when what was learned is to be
        forgotten.
        """
        self.steps += 1
        forget = bool(reset_steps) and int(self.steps) % reset_steps == 0
        if forget:
            self.errors.zero_()
        return forget

    @property
    def asks_plain(self) -> bool:
        """Whether this step compares with the plain null prompt."""
        return int(self.steps) % COMPARE_STEPS == 0

    def compare(self, learned: Tensor, plain: Tensor) -> None:
        """Take note of two errors in the noise, (B,C,h,w) each, of one noisy render."""
        errors = torch.stack([learned.square().mean(), plain.square().mean()]).to(self.errors)
        if torch.isfinite(errors).all():
            self.errors.mul_(MEMORY).add_((1 - MEMORY) * errors)

    def value(self) -> float:
        """1 - (squared error of the learned branch / of the plain one): 0 at first, 1 when it explains every
        render.
        """
        learned, plain = self.errors.tolist()
        return 1 - learned / plain if plain > 0 else 0.0


class NullAdapter(nn.Module):
    """The ``adapter`` of the null branch, and how far it has come."""

    def __init__(self, adapter: Adapter, device: torch.device) -> None:
        super().__init__()
        self.adapter, self.read_out = adapter, Convergence(device)


class NullEmbedding(nn.Module):
    """All that a prior reads of a prompt as parameters, ``tokens`` (S,L,D) and, where there is one,
    ``pooled`` (S,P) text.

    At least float32, one for each of S = 4 sides of the object. Used as one prompt, it is the mean of the
    sides: their gradients are then equal, and with Adam they move together like a single embedding.
    ``one_prompt`` (priors that give all views one prompt) keeps S = 1. The mask of tokens that count stays as
    it was: of toybox's empty prompt that is a single one, so that without its pooled text next to nothing
    could be learned.
    """

    first: Tensor
    first_pooled: Tensor  # None where there is no pooled text

    def __init__(self, text: TextEmbedding, one_prompt: bool) -> None:
        super().__init__()
        assert len(text.tokens) == 1, f"a null prompt starts from one prompt, got {len(text.tokens)}"
        sides = 1 if one_prompt else SIDES
        self.register_buffer("first", _full(text.tokens))
        self.register_buffer("first_pooled", None if text.pooled is None else _full(text.pooled))
        self.tokens = nn.Parameter(self.first.repeat(sides, 1, 1))
        self.pooled = None if text.pooled is None else nn.Parameter(self.first_pooled.repeat(sides, 1))
        self.read_out, self.mask = Convergence(text.tokens.device), text.mask

    def conditioned(self, plain: Condition, per_side: bool) -> Condition:
        """``plain`` with the learned words: one prompt, or one for each of its cameras."""
        sides = len(self.tokens)
        if per_side and sides > 1 and plain.cameras is not None:
            shares = side_shares(plain.cameras).to(self.tokens)
        else:
            shares = self.tokens.new_full((1, sides), 1 / sides)
        mask = None if self.mask is None else self.mask.expand(len(shares), -1)
        pooled = None if self.pooled is None else shares.to(self.pooled) @ self.pooled
        return plain.with_text(TextEmbedding(torch.einsum("bs,sld->bld", shares, self.tokens), mask, pooled))

    def begin_step(self, reset_steps: int) -> None:
        """Count a step; every ``reset_steps`` of them (0: never) forget what was learned."""
        if self.read_out.begin_step(reset_steps):
            with torch.no_grad():
                self.tokens.copy_(self.first.expand_as(self.tokens))
                if self.pooled is not None:
                    self.pooled.copy_(self.first_pooled.expand_as(self.pooled))


def side_shares(cameras: Cameras) -> Tensor:
    """Shares (B,4) of the sides at azimuth 0, 90, 180 and 270 degrees: linear between the two nearest, 1 in
    sum.
    """
    turned = cameras.azimuths_deg()[:, None] / 90 - torch.arange(SIDES, device=cameras.c2w.device)
    distance = (turned + SIDES / 2) % SIDES - SIDES / 2
    return (1 - distance.abs()).clamp(min=0)


def _full(part: Tensor) -> Tensor:
    """A copy in at least single precision: half would lose small updates."""
    return part.detach().to(torch.promote_types(part.dtype, torch.float32), copy=True)
