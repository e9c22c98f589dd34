"""Muon against torch's own, which iterates in bfloat16, and against the singular values that it should
leave.
"""

from __future__ import annotations

import pytest
import torch

from engine.toybox.training.denoiser_task import EMBEDDING, with_more_words
from engine.toybox.training.optimiser import Muon, orthogonalised


@pytest.mark.parametrize("shape", [(20, 48), (48, 20), (16, 16)])
def test_steps_are_those_of_torchs_but_for_rounding_and_states_are_exchanged(shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    theirs = [torch.nn.Parameter(torch.randn(shape)) for _ in range(3)]
    ours = [torch.nn.Parameter(p.detach().clone()) for p in theirs]
    a = torch.optim.Muon(theirs, lr=0.02, weight_decay=0.02, adjust_lr_fn="match_rms_adamw")
    b = Muon(ours, 0.02, 0.02)
    for _ in range(5):
        for p, q in zip(theirs, ours, strict=True):
            p.grad = torch.randn(shape)
            q.grad = p.grad.clone()
        a.step()
        b.step()
    for p, q in zip(theirs, ours, strict=True):
        torch.testing.assert_close(p, q, atol=3e-3, rtol=0)
        torch.testing.assert_close(a.state[p]["momentum_buffer"], b.state[q]["momentum_buffer"])


def test_singular_values_come_near_one_and_directions_stay() -> None:
    torch.manual_seed(1)
    matrices = torch.randn(4, 24, 40)
    left, _, right = torch.linalg.svd(matrices, full_matrices=False)
    made = orthogonalised(matrices)
    values = torch.linalg.svdvals(made)
    assert float(values.min()) > 0.6 and float(values.max()) < 1.25
    overlap = torch.einsum("nrk,nrc,nkc->nk", left, made, right)
    torch.testing.assert_close(overlap.sort().values, values.sort().values, atol=2e-3, rtol=0)


def test_new_words_begin_fresh_and_known_ones_keep_their_meaning() -> None:
    known, fresh = torch.randn(5, 3), torch.randn(8, 3)
    grown = with_more_words({EMBEDDING: known, "other": known}, fresh)
    assert torch.equal(grown[EMBEDDING][:5], known) and torch.equal(grown[EMBEDDING][5:], fresh[5:])
    assert grown["other"] is known
