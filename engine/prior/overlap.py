"""Overlapped semantic component suppression: what old and new words have in common is divided (arXiv
2310.11784, section 3.3).

A region of a scene is to follow new words, and the scene as it is follows old ones. With d_n = e(new) -
e(empty) and d_o = e(old) - e(empty), the part of d_n along d_o asks for what is there already:

    d_par = (<d_n, d_o> / <d_o, d_o>) d_o,   d_perp = d_n - d_par,   e = e(empty) + s (d_perp + d_par / W)

With c = e(empty) + d_perp + d_par / W in place of the prediction of the new words, that is e(empty) + s (c -
e(empty)): every method that knows a conditional and an unconditional prediction can be told c, for one pass
more. W = 1 changes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.prior.base import Overlap, Prediction, Prior

if TYPE_CHECKING:
    from torch import Tensor


def suppressed(
    prior: Prior,
    x_t: Tensor,
    t: Tensor,
    overlap: Overlap | None,
    unconditional: Prediction,
    conditional: Prediction,
) -> Prediction:
    """``conditional`` with what it shares with the old words divided by W; itself where there are none, or W
    is 1.

    Noise and clean picture are changed alike: at one noise level their differences are multiples of each
    other.
    """
    if overlap is None or overlap.suppression == 1:
        return conditional
    old = prior.predict(x_t, t, overlap.condition)
    parts = ((getattr(each, name) for each in (unconditional, conditional, old)) for name in ("eps", "x0"))
    return Prediction(
        *(empty + divided(new - empty, was - empty, overlap.suppression) for empty, new, was in parts)
    )


def divided(new: Tensor, old: Tensor, suppression: float) -> Tensor:
    """d_perp + d_par / W of differences ``new`` and ``old`` (B,C,h,w), picture by picture; ``new`` where
    ``old`` is zero.
    """
    dims = tuple(range(1, old.ndim))
    length = old.square().sum(dims, keepdim=True)
    along = (new * old).sum(dims, keepdim=True) / length.clamp(min=1e-20) * old
    return new - (1 - 1 / suppression) * along
