"""A copy of the prior that learns, for the null branch."""

from __future__ import annotations

import torch
from torch import nn

from engine.guidance.learned.convergence import Convergence
from engine.prior.trainable_lora import Adapter


class NullAdapter(nn.Module):
    """The ``adapter`` of the null branch, and how far it has come."""

    def __init__(self, adapter: Adapter, device: torch.device) -> None:
        super().__init__()
        self.adapter, self.read_out = adapter, Convergence(device)
