"""Perp-Neg: push a view away from what other views show, but only across the prompt's direction. arXiv
2304.04968.

A plain negative prompt "front view" also takes away the object, which both prompts share. Perp-Neg keeps of
each negative direction what is perpendicular to the prompt's own, per picture:

    eps = u + s ((p - u) + sum_i w_i perp(n_i - u, p - u)),   perp(y, x) = y - (<y, x> / <x, x>) x,   w_i <= 0

With c = p + sum_i w_i perp(n_i - u, p - u) in place of the conditional prediction p, that is u + s (c - u):
so every method that knows a conditional and an unconditional prediction can be told c (``repelled``).

| here | paper |
|---|---|
| unconditional, conditional | eps_unc, eps_pos |
| unwanted | the negative prompts and their weights: here "front view" and "side view", at every camera |
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.cameras import Cameras
from engine.lazy import torch
from engine.prior.base import Condition, Prediction, Prior, Prompts, TextEmbedding, Unwanted
from engine.prior.overlap import suppressed
from engine.prior.view_prompts import WORDS, ViewPromptEncoder, view_weights

if TYPE_CHECKING:
    from torch import Tensor

FRONT_SIDE = SIDE_FRONT = (4.0, 0.5, -2.426)
SIDE_BACK, FRONT_BACK = (1.0, 0.5, -0.606), (1.0, 0.5, 0.967)
"""Falloffs (a, b, c) as threestudio has them: a negative word's weight where the view lies between two
others.
"""


def repelled(
    prior: Prior, x_t: Tensor, t: Tensor, prompts: Prompts, unconditional: Prediction, conditional: Prediction
) -> Prediction:
    """``conditional`` off the prompts that are ``unwanted``, for one pass each; itself where there are none.

    Noise and clean picture are moved alike: at one noise level their differences are multiples of each other.
    Where a part of a scene is changed, what the prompt shares with its old words is suppressed first.
    """
    conditional = suppressed(prior, x_t, t, prompts.overlap, unconditional, conditional)
    eps, x0 = conditional.eps, conditional.x0
    for unwanted in prompts.unwanted:
        negative = prior.predict(x_t, t, unwanted.condition)
        weight = unwanted.weights.to(x_t).view(-1, 1, 1, 1)
        eps = eps + weight * perpendicular(
            negative.eps - unconditional.eps, conditional.eps - unconditional.eps
        )
        x0 = x0 + weight * perpendicular(negative.x0 - unconditional.x0, conditional.x0 - unconditional.x0)
    return Prediction(eps, x0)


def perpendicular(y: Tensor, x: Tensor) -> Tensor:
    """What of ``y`` (B,C,h,w) is perpendicular to ``x``, picture by picture; all of it where ``x`` is
    zero.
    """
    dims = tuple(range(1, x.ndim))
    along, length = (y * x).sum(dims, keepdim=True), x.square().sum(dims, keepdim=True)
    return y - torch.where(length > 0, along / torch.where(length > 0, length, 1), 0) * x


def unwanted_views(words: ViewPromptEncoder, cameras: Cameras) -> tuple[Unwanted, ...]:
    """The prompt's "front view" and "side view", with their weights at each of B cameras."""
    front, side = unwanted_weights(cameras)
    return (
        Unwanted(Condition(_word(words, "front view"), cameras), front),
        Unwanted(Condition(_word(words, "side view"), cameras), side),
    )


def unwanted_weights(cameras: Cameras) -> tuple[Tensor, Tensor]:
    """Weights (B,) of "front view" and "side view", at most 0: smooth in azimuth, and fading where one looks
    from overhead.
    """
    turned = cameras.azimuths_deg().abs() / 90  # 0 front, 1 side, 2 back
    ahead, r = turned < 1, torch.where(turned < 1, 1 - turned, 2 - turned)
    front = torch.where(ahead, falloff(r, FRONT_SIDE), falloff(r, FRONT_BACK))
    side = torch.where(ahead, falloff(1 - r, SIDE_FRONT), falloff(r, SIDE_BACK))
    around = 1 - view_weights(cameras)[:, WORDS.index("overhead view")]
    return -around * front, -around * side


def falloff(r: Tensor, constants: tuple[float, float, float]) -> Tensor:
    """a exp(-b r) + c."""
    a, b, c = constants
    return a * torch.exp(-b * r) + c


def _word(words: ViewPromptEncoder, word: str) -> TextEmbedding:
    """The prompt with one of its view words, (1,...)."""
    row, text = [WORDS.index(word)], words.worded
    return text.map(lambda part: part[row])
