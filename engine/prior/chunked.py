"""Work off many views with a bounded number in memory."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint


def chunked(network: Callable[..., Tensor], most: int, *batches: Tensor, recompute: bool = False) -> Tensor:
    """``network`` on at most ``most`` rows of the batches (B,...) at a time, its answers joined again.

    Splitting alone bounds what a call needs, not what its gradient keeps. With ``recompute`` each part is
    computed again on the way back (arXiv 1604.06174), so that only one part's activations exist at a time;
    ``network`` must still answer the same then.
    """
    chunks = list(zip(*(batch.split(most) for batch in batches), strict=True))
    if len(chunks) == 1:
        return network(*chunks[0])
    again = recompute and torch.is_grad_enabled() and any(batch.requires_grad for batch in batches)
    return torch.cat(
        [checkpoint(network, *chunk, use_reentrant=False) if again else network(*chunk) for chunk in chunks]
    )
