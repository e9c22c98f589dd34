"""The pretend device refuses what a GPU refuses, and computes what a CPU computes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

REFUSED = {
    "a sum of both devices": (lambda gpu: gpu + torch.ones(3), RuntimeError, "same device"),
    "joining with a CPU number": (lambda gpu: torch.cat([gpu, torch.ones(1)]), RuntimeError, "same device"),
    "a CPU tensor indexed from the GPU": (lambda gpu: torch.ones(3)[gpu.long()], RuntimeError, "same device"),
    "CPU values set by an "
    "index": (lambda gpu: gpu.__setitem__(gpu > 0, torch.ones(3)), RuntimeError, "same device"),
    "numpy": (lambda gpu: gpu.numpy(), TypeError, r"Tensor\.cpu\(\)"),
    "a CPU generator": (lambda gpu: torch.multinomial(gpu, 2, generator=torch.Generator()), RuntimeError,
    "generator"),
    "a CPU generator for a new tensor": (
        lambda gpu: torch.rand(3, device="cuda", generator=torch.Generator()), RuntimeError, "generator",
    ),
}  # fmt: skip


@pytest.mark.parametrize("asked", REFUSED)
def test_it_refuses(gpu: None, asked: str) -> None:
    call, kind, said = REFUSED[asked]
    with pytest.raises(kind, match=said):
        call(torch.ones(3, device="cuda"))


@pytest.mark.parametrize(
    "call",
    [
        lambda x: x + torch.tensor(2.0),
        lambda x: x[torch.tensor([0, 2])],
        lambda x: x.to("cpu") + torch.ones(3),
    ],
)
def test_it_takes_numbers_indices_and_copies(gpu: None, call: Callable) -> None:
    x = torch.arange(3.0)
    assert torch.equal(call(x.to("cuda")).cpu(), call(x))


def test_a_network_learns_there_what_it_learns_here(gpu: None) -> None:
    """Forward, backward across both devices, and Adam."""
    results = []
    for device in ("cpu", "cuda"):
        torch.manual_seed(0)
        network, x = (
            nn.Sequential(nn.Conv2d(1, 2, 3), nn.GroupNorm(1, 2), nn.Flatten(), nn.Linear(8, 3)),
            torch.ones(2, 1, 4, 4),
        )
        network, x = network.to(device), x.requires_grad_()
        optimiser = torch.optim.Adam(network.parameters(), 0.1)
        network(x.to(device)).square().sum().backward()
        optimiser.step()
        results.append([x.grad, *(parameter.detach().cpu() for parameter in network.parameters())])
    for found, expected in zip(*results, strict=True):
        torch.testing.assert_close(found, expected)


def test_views_share_their_memory(gpu: None) -> None:
    x = torch.zeros(4, device="cuda")
    x.view(2, 2)[0, 1] = 3
    x[2:] += 1
    assert x.tolist() == [0, 3, 1, 1]
