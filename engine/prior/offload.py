"""Networks that share a device too small for all of them: the one at work is there, the others wait in main
memory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn


class Offload:
    """Moves each of ``networks`` to ``device`` when it is called, with what it is given, and the one that was
    there back.

    A network counts as called when it or one of its direct children is: a VAE is asked through its encoder
    and its decoder. What moves is a frozen weight's copy in the place of the old one, which lives on where
    the gradient of an earlier call still needs it. What learns inside a network (an adapter while it is
    active) never moves: an optimiser holds that very tensor, and it is small, so it lives on the device from
    the first. Satellites that hang on a network from outside (a style's matrices) do the same.
    """

    def __init__(self, networks: Sequence[nn.Module], device: torch.device) -> None:
        self.networks, self.device = tuple(networks), device
        self.present: nn.Module | None = None
        self._hooks = [
            module.register_forward_pre_hook(self._called(network), with_kwargs=True)
            for network in self.networks
            for module in (network, *network.children())
        ]
        for network in self.networks:
            _move(network, torch.device("cpu"))

    def _called(self, network: nn.Module) -> Callable[..., tuple[tuple[Any, ...], dict[str, Any]]]:
        def hook(
            module: nn.Module, args: tuple[Any, ...], named: dict[str, Any]
        ) -> tuple[tuple[Any, ...], dict[str, Any]]:
            self.invite(network)
            return tuple(map(self._brought, args)), {
                name: self._brought(value) for name, value in named.items()
            }

        return hook

    def _brought(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: self._brought(part) for name, part in value.items()}
        return value.to(self.device) if isinstance(value, Tensor) else value

    def invite(self, network: nn.Module) -> None:
        """Bring ``network`` to the device."""
        if network is self.present:
            return
        if self.present is not None:
            _move(self.present, torch.device("cpu"))
        _move(network, self.device)
        self.present = network

    def end(self) -> None:
        """All networks to the device, for good."""
        for hook in self._hooks:
            hook.remove()
        for network in self.networks:
            _move(network, self.device)


def _move(network: nn.Module, device: torch.device) -> None:
    for module in network.modules():
        for name, weight in module.named_parameters(recurse=False):
            if not weight.requires_grad:
                setattr(module, name, nn.Parameter(weight.detach().to(device), requires_grad=False))
        for name, buffer in module.named_buffers(recurse=False):
            setattr(module, name, buffer.to(device))
