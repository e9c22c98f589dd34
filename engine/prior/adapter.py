"""Low-rank adapters (LoRA, arXiv 2106.09685) on a prior's own network, there only while they are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import nn

from engine.prior.base import Prior, check_takes_adapters

ATTENTION = ("to_q", "to_k", "to_v", "to_out.0", "qkv", "word_kv", "out")  # as diffusers and toybox name its linear layers
NAME = "adapter"


@dataclass(frozen=True, eq=False)
class _Place:
    """Where in the network a layer stands: the attribute ``name`` of ``owner``, ``plain`` or ``adapted``."""

    owner: nn.Module
    name: str
    plain: nn.Module
    adapted: nn.Module


class Adapter(nn.Module):
    """A low-rank change of a frozen network, W + scale B A. Its parameters are A and B alone, at least float32.

    Outside ``active`` the network is untouched, so that several adapters and the plain prior can share it. B starts at zero: a
    new adapter changes nothing.
    """

    def __init__(self, network: nn.Module, rank: int, rng: torch.Generator, scale: float = 1.0) -> None:
        super().__init__()
        self._places = _adapted(network, rank, scale)
        self.down, self.up = nn.ModuleDict(), nn.ModuleDict()
        for number, place in enumerate(self._places):
            dtype = torch.promote_types(place.plain.weight.dtype, torch.float32)
            self.down[str(number)] = place.adapted.lora_A[NAME].to(dtype)
            self.up[str(number)] = place.adapted.lora_B[NAME].to(dtype)
        with torch.no_grad():
            for layer in self.down.values():  # as a linear layer starts, from the given generator
                noise = torch.rand(layer.weight.shape, generator=rng, device=rng.device)
                layer.weight.copy_((2 * noise - 1) * layer.in_features**-0.5)

    @torch.no_grad()
    def forget(self) -> None:
        """Change nothing any more."""
        for layer in self.up.values():
            layer.weight.zero_()

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


def adapter_on(prior: Prior, rank: int, rng: torch.Generator, scale: float = 1.0) -> Adapter:
    """A new adapter on the prior's network. Raises InputError if the prior has none."""
    check_takes_adapters(prior.info)
    return Adapter(prior.network, rank, rng, scale)


def _adapted(network: nn.Module, rank: int, scale: float) -> tuple[_Place, ...]:
    """Wrap the layers, remember both forms, and put the plain ones back."""
    from peft import LoraConfig, inject_adapter_in_model  # slow to import, and only needed here

    plain = _targets(network)
    config = LoraConfig(r=rank, lora_alpha=rank * scale, target_modules=list(plain))
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
    attention = {name: layer for name, layer in linear.items() if f".{name}".endswith(tuple(f".{part}" for part in ATTENTION))}
    return attention or linear
