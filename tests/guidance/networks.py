"""A prior in closed form that has a network: what adapters can be tested on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn

from engine.core.noise_schedule import NoiseSchedule, x0_from_eps
from engine.prior.analytic import AnalyticPrior, Mixture
from engine.prior.base import Condition, Prediction
from engine.prior.trainable_lora import Adapter


class LinearPrior(AnalyticPrior):
    """Single Gaussians of one std, eps = (sig / v) layer([x_t, a mean]); the layer's weights are 1 and -1.

    At one time t, other weights are another Gaussian N(m, tau^2): see ``teach``.
    """

    def __init__(self, concepts: Mapping[str, Mixture], schedule: NoiseSchedule | None = None) -> None:
        super().__init__(concepts, schedule)
        self.info = replace(self.info, takes_adapters=True)
        self.std = next(iter(concepts.values())).std
        assert all(len(concept.means) == 1 and concept.std == self.std for concept in concepts.values())
        self.network = nn.Sequential(nn.Linear(2, 1, bias=False)).double().requires_grad_(False)
        with torch.no_grad():
            self.network[0].weight.copy_(torch.tensor([[1.0, -1.0]]))

    def predict(self, x_t: Tensor, t: Tensor, condition: Condition) -> Prediction:
        mean = condition.text.expand(len(x_t)).tokens.to(x_t).view(len(x_t), *x_t.shape[1:])
        a, sig = self.schedule.signal_and_noise(t, x_t)
        read = self.network(torch.stack([x_t, a * mean], dim=-1).double())[..., 0]
        eps = sig / (a**2 * self.std**2 + sig**2) * read.to(x_t)
        return Prediction(eps, x0_from_eps(x_t, eps, a, sig))

    def teach(self, adapter: Adapter, t: int, told: float, mean: float, std: float) -> None:
        """Make the adapted network the best denoiser of N(``mean``, ``std``^2) at ``t``, where it is told the
        mean ``told``.
        """
        abar = self.schedule.alphas_cumprod[t]
        ratio = (abar * self.std**2 + 1 - abar) / (abar * std**2 + 1 - abar)
        with torch.no_grad():
            adapter.down["0"].weight.zero_()[0] = torch.stack([ratio - 1, 1 - ratio * mean / told])
            adapter.up["0"].weight.zero_()[0, 0] = 1
