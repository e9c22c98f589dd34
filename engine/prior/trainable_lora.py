"""Low-rank adapters (LoRA, arXiv 2106.09685) on a prior's own network, there only while they are asked
for.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from engine.prior.abilities import ADAPTER_STARTS, check_takes_adapters
from engine.prior.base import Prior

# as diffusers and toybox name its linear layers
ATTENTION = (
    "to_q",
    "to_k",
    "to_v",
    "to_out.0",
    "qkv",
    "word_kv",
    "out",
)
NAME = "adapter"
UNIFORM, NORMAL = ADAPTER_STARTS


@dataclass(frozen=True, eq=False)
class _Place:
    """Where in the network a layer stands: the attribute ``name`` of ``owner``, ``plain`` or ``adapted``."""

    owner: nn.Module
    name: str
    plain: nn.Linear
    adapted: Any  # peft's layer round it


class Adapter(nn.Module):
    """A low-rank change of a frozen network, W + scale B A. Its parameters are A and B alone, at least
    float32.

    Outside ``active`` the network is untouched, so that several adapters and the plain prior can share it. B
    starts at zero: a new adapter changes nothing. A and B lie on ``device``, where the network is when it is
    asked, wherever its weights wait now; None: where they are.
    """

    def __init__(
        self,
        network: nn.Module,
        rank: int,
        rng: torch.Generator,
        scale: float = 1.0,
        *,
        start: str = UNIFORM,
        device: torch.device | None = None,
    ) -> None:
        super().__init__()
        self._places = _adapted(network, rank, scale)
        self.down, self.up = nn.ModuleDict(), nn.ModuleDict()
        for number, place in enumerate(self._places):
            dtype = torch.promote_types(place.plain.weight.dtype, torch.float32)
            self.down[str(number)] = place.adapted.lora_A[NAME].to(device, dtype)
            self.up[str(number)] = place.adapted.lora_B[NAME].to(device, dtype)
        with torch.no_grad():
            for weight in self.down.parameters():
                weight.copy_(_started(weight.shape, start, rng))

    @torch.no_grad()
    def forget(self) -> None:
        """Change nothing any more."""
        for weight in self.up.parameters():
            weight.zero_()

    @contextmanager
    def active(self) -> Iterator[None]:
        """Inside, the network answers with this adapter."""
        try:
            for place in self._places:
                setattr(place.owner, place.name, place.adapted)
            yield
        finally:
            for place in self._places:
                setattr(place.owner, place.name, place.plain)


def adapter_on(
    prior: Prior, rank: int, rng: torch.Generator, scale: float = 1.0, start: str = UNIFORM
) -> Adapter:
    """A new adapter on the prior's network and device. Raises InputError if the prior has none."""
    check_takes_adapters(prior.info)
    assert prior.network is not None, "a prior that takes adapters has a network"
    return Adapter(prior.network, rank, rng, scale, start=start, device=prior.device)


def _started(shape: torch.Size, start: str, rng: torch.Generator) -> Tensor:
    """A (rank, inputs) before the first step, by ADAPTER_STARTS, from the given generator."""
    rank, inputs = shape
    if start == NORMAL:
        return torch.randn(shape, generator=rng, device=rng.device) / rank
    return (2 * torch.rand(shape, generator=rng, device=rng.device) - 1) * inputs**-0.5


def _adapted(network: nn.Module, rank: int, scale: float) -> tuple[_Place, ...]:
    """Wrap the layers, remember both forms, and put the plain ones back."""
    from peft import LoraConfig, inject_adapter_in_model  # slow to import, and only needed here

    plain = _targets(network)
    alpha: Any = rank * scale  # peft divides by the rank again, and takes any number whatever its type says
    config = LoraConfig(r=rank, lora_alpha=alpha, target_modules=list(plain))
    with torch.random.fork_rng(devices=[]):
        inject_adapter_in_model(config, network, NAME)
    del network.peft_config
    places = []
    for name, layer in plain.items():
        owner, _, attribute = name.rpartition(".")
        owner = network.get_submodule(owner)
        places.append(_Place(owner, attribute, layer, getattr(owner, attribute)))
        setattr(owner, attribute, layer)
    return tuple(places)


def _targets(network: nn.Module) -> dict[str, nn.Linear]:
    """The attention's linear layers by their full names; all linear layers where no attention is."""
    linear = {name: module for name, module in network.named_modules() if type(module) is nn.Linear}
    attention = {
        name: layer
        for name, layer in linear.items()
        if f".{name}".endswith(tuple(f".{part}" for part in ATTENTION))
    }
    return attention or linear
