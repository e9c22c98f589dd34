"""A style that fits a prior's networks, and how they wear it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.errors import InputError
from engine.prior.lora.lora_files import TEXT_PARTS, LoraLayer

BASES = {768: "Stable Diffusion 1.x", 1024: "Stable Diffusion 2.x", 2048: "Stable Diffusion XL"}
"""By the width of the words that cross-attention reads."""


@dataclass(frozen=True, eq=False)
class Change:
    """What a style adds to the output of ``layer``: scale * up(down(x)), in the layer's dtype and where it
    computes.
    """

    part: str
    layer: nn.Linear | nn.Conv2d
    down: Tensor
    up: Tensor
    scale: float

    def on(self, device: torch.device) -> Change:
        """The same with its matrices on ``device``."""
        return replace(self, down=self.down.to(device), up=self.up.to(device))

    def of(self, x: Tensor) -> Tensor:
        """The change (without the strength) for the layer's input."""
        if isinstance(self.layer, nn.Linear):
            return F.linear(F.linear(x, self.down), self.up) * self.scale
        layer = self.layer
        return (
            F.conv2d(F.conv2d(x, self.down, None, layer.stride, layer.padding, layer.dilation), self.up)
            * self.scale
        )


@dataclass(frozen=True, eq=False)
class Lora:
    """All changes of one file. The networks are touched only inside ``worn``, so others can share them."""

    changes: tuple[Change, ...]

    @property
    def rewords(self) -> bool:
        """True if prompts read differently with it."""
        return any(change.part in TEXT_PARTS for change in self.changes)

    @contextmanager
    def worn(self, strength: float) -> Iterator[None]:
        """Inside, the layers answer with ``strength`` times the style. At 0 they are the plain ones.

        It hangs on the layers from outside: adapters that replace a layer (``engine.prior.trainable_lora``)
        call the plain one, and so learn on top of the style.
        """
        hooks = [
            change.layer.register_forward_hook(_adding(change, strength))
            for change in self.changes
            if strength != 0
        ]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()


def fitted(
    layers: Sequence[LoraLayer],
    networks: Mapping[str, nn.Module],
    where: str,
    device: torch.device | None = None,
) -> Lora:
    """The style whose ``layers`` belong to ``networks`` (by part), on the ``device`` where these compute;
    None: where they lie.

    Networks may wait in main memory (`engine.prior.offload`) while a style is fitted to them; its matrices
    are small and do not. Raises InputError that names the first layer that does not fit.
    """
    modules = {part: dict(network.named_modules()) for part, network in networks.items()}
    changes = (_change(layer, _find(layer, modules), _seems(layers), where) for layer in layers)
    return Lora(tuple(changes if device is None else (change.on(device) for change in changes)))


def _find(layer: LoraLayer, by_prefix: Mapping[str, Mapping[str, nn.Module]]) -> nn.Module | None:
    """The module that ``layer`` means; text encoders are a level deeper in some versions of their library
    than in others.
    """
    modules = by_prefix.get(layer.part, {})
    names = (layer.layer, layer.layer.removeprefix("text_model."), f"text_model.{layer.layer}")
    return next((modules[name] for name in names if name in modules), None)


def _change(layer: LoraLayer, module: nn.Module | None, seems: str, where: str) -> Change:
    name = f"{layer.part}.{layer.layer}"
    if not isinstance(module, nn.Linear | nn.Conv2d):
        raise InputError(f"{where} changes the layer {name}, which this prior does not have; {seems}.",
                         "Choose a LoRA that was trained on this prior's base.")  # fmt: skip
    down, up = (_shaped(matrix, module) for matrix in (layer.down, layer.up))
    wanted = tuple(module.weight.shape)
    given = (up.shape[0], *down.shape[1:])
    if given != wanted or up.shape[1] != down.shape[0] or any(side != 1 for side in up.shape[2:]):
        raise InputError(f"{where} does not fit: layer {name} is {_times(given)}, the prior's is "
                         f"{_times(wanted)}; {seems}.",
                         "Choose a LoRA that was trained on this prior's base.")  # fmt: skip
    return Change(layer.part, module, down.to(module.weight), up.to(module.weight), layer.scale)


def _shaped(matrix: Tensor, module: nn.Linear | nn.Conv2d) -> Tensor:
    """A 1 x 1 convolution and a linear layer are the same matrix; files mix them up."""
    if isinstance(module, nn.Linear) and matrix.ndim == 4 and matrix.shape[2:] == (1, 1):
        return matrix.flatten(1)
    if isinstance(module, nn.Conv2d) and matrix.ndim == 2:
        return matrix[..., None, None]
    return matrix


def _seems(layers: Sequence[LoraLayer]) -> str:
    """Which model a LoRA seems to be for."""
    widths = [
        layer.down.shape[1]
        for layer in layers
        if layer.part == "unet" and layer.layer.endswith(("attn2.to_k", "attn2.to_v"))
    ]
    if any(layer.layer.startswith(("transformer", "single_", "double_")) for layer in layers):
        return "it seems to be for a transformer model such as Flux or Stable Diffusion 3"
    if not widths:
        return "it does not tell which model it is for"
    return f"it seems to be for {BASES.get(widths[0], f'a model whose words are {widths[0]} wide')}"


def _times(shape: Sequence[int]) -> str:
    return " x ".join(str(side) for side in shape)


def _adding(change: Change, strength: float) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], Tensor]:
    def add(_layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        return output + strength * change.of(inputs[0])

    return add
