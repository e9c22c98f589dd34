"""The density's term against numbers worked out by hand."""

from __future__ import annotations

import math

import torch

from engine.loop.terms.density import total_variation


def test_total_variation_of_a_ramp_is_its_mean_slope() -> None:
    x, y, z = torch.meshgrid(*[torch.arange(6.0)] * 3, indexing="ij")
    assert math.isclose(total_variation(2 * x - 3 * y + z), (2 + 3 + 1) / 3, rel_tol=1e-6)
    assert total_variation(torch.stack([x * 0 + 4, x * 0 - 1], dim=-1)) == 0
    step = (x >= 3).float()
    assert math.isclose(total_variation(step), 36 / (5 * 36) / 3, rel_tol=1e-6)
