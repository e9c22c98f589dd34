"""Carry out a memory plan on a prior that is loaded: precision, calls in turn, slices, networks that wait.

What can be done is what the prior is able to (`engine.prior.abilities`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import psutil
import torch
from torch import nn

from engine.errors import DeviceError
from engine.prior.abilities import CanWait, MadeOfParts, SlicesAttention, SplitsPictures, SplitsViews
from engine.prior.base import Prior
from engine.prior.memory_plan import MARGIN, Economy, Footprint, activations, gigabytes, tiers
from engine.prior.offload import Offload

DTYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}


def networks_of(prior: Prior) -> dict[str, nn.Module]:
    """The networks of a prior by name, "denoiser" and "vae" among them; none for priors that are not made of
    parts.
    """
    return dict(prior.parts.networks) if isinstance(prior, MadeOfParts) else {}


def footprint_of(prior: Prior) -> Footprint | None:
    """What a loaded prior takes; None if it is too small to plan for."""
    networks = networks_of(prior)
    if not networks:
        return None
    weights = [
        sum(tensor.numel() * tensor.element_size() for tensor in network.parameters())
        for network in networks.values()
    ]
    configs: dict[str, Mapping[str, Any]] = {
        name: getattr(network, "config", {}) for name, network in networks.items()
    }
    sizes = {name: next(network.parameters()).element_size() for name, network in networks.items()}
    plain = {name: config for name, config in configs.items() if isinstance(config, Mapping)}
    return Footprint(sum(weights), max(weights), **activations(plain, sizes))


def tiers_of(prior: Prior, views: int) -> tuple[Economy, ...]:
    """The economies that this prior knows for ``views`` views a step."""
    networks = networks_of(prior)
    return tiers(
        views,
        separate_views=not prior.info.joint_views and isinstance(prior, SplitsViews),
        fused_attention=fused_attention(prior.device) or not isinstance(prior.network, SlicesAttention),
        vae="vae" in networks and isinstance(prior, SplitsPictures),
        can_offload=prior.device.type != "cpu" and len(networks) > 1 and isinstance(prior, CanWait),
    )


def economise(prior: Prior, economy: Economy) -> None:
    """Make ``prior`` work as ``economy`` says, whatever it did before."""
    networks = networks_of(prior)
    if isinstance(prior, SplitsViews):
        prior.max_views_per_call = economy.views_per_call
    if isinstance(prior, SplitsPictures):
        prior.max_pictures_per_call = economy.pictures_per_call
    if isinstance(prior.network, SlicesAttention) and not fused_attention(prior.device):
        prior.network.set_attention_slice("max" if economy.sliced_attention else None)
    if "vae" in networks:
        _tile(networks["vae"], economy.tiled_vae)
    if isinstance(prior, CanWait):
        _offload(prior, tuple(networks.values()), economy.offloaded)


def _tile(vae: Any, tiled: bool) -> None:
    if not hasattr(vae, "tile_latent_min_size"):  # other kinds tile by other names
        return
    side = vae.config.sample_size // (2 if tiled else 1)
    vae.tile_sample_min_size = side
    vae.tile_latent_min_size = side // 2 ** (len(vae.config.block_out_channels) - 1)
    vae.use_tiling = tiled
    if tiled:
        vae.enable_gradient_checkpointing()  # a gradient would else keep all tiles
    else:
        vae.disable_gradient_checkpointing()


def _offload(prior: CanWait, networks: Sequence[nn.Module], offloaded: bool) -> None:
    if offloaded and prior.offload is None:
        prior.offload = Offload(networks, prior.device)
    elif not offloaded and prior.offload is not None:
        prior.offload.end()
        prior.offload = None


def load_within(
    load: Callable[[torch.device], Prior], weights: Mapping[str, int], device: torch.device, precision: str
) -> Prior:
    """``load(device)``, in another ``precision`` if one is asked for; networks that do not all fit wait in
    main memory.

    ``weights`` says how many numbers each network has, by part, before it is loaded. Raises DeviceError if
    the largest does not fit, or if the device does not compute in that precision.
    """
    check_precision(precision, device)
    size = {"auto": 2 if device.type == "cuda" else 4, "fp32": 4}.get(precision, 2)
    taken, room = size * sum(weights.values()), free_bytes(device) * (1 - MARGIN)
    waiting = taken > room and device.type != "cpu"
    least = size * max(weights.values(), default=0) if waiting else taken
    if least > room:
        raise DeviceError(
            f"The prior's weights take {gigabytes(least)}, and {gigabytes(free_bytes(device))} of memory "
            "are free.",
            "Close other programs, choose the precision fp16 or bf16, or a smaller prior.",
        )
    if precision == "auto" and not waiting:
        return load(device)
    prior = load(torch.device("cpu"))
    if not isinstance(prior, CanWait):  # a small one chooses for itself
        return load(device)
    networks = networks_of(prior).values()
    recast(prior, ("fp16" if device.type == "cuda" else "fp32") if precision == "auto" else precision)
    waits = cast(CanWait, prior)
    waits.device = device
    if waiting:
        _offload(waits, tuple(networks), offloaded=True)
    else:
        for network in networks:
            network.to(device)
    return prior


def recast(prior: Prior, precision: str) -> None:
    """Turn a prior's networks to "fp32", "fp16" or "bf16"; one whose config says ``force_upcast`` would
    overflow in fp16.
    """
    for network in networks_of(prior).values():
        upcast = precision == "fp16" and getattr(getattr(network, "config", None), "force_upcast", False)
        network.to(DTYPES["fp32" if upcast else precision])


def check_precision(precision: str, device: torch.device) -> None:
    """Raises DeviceError for a precision that ``device`` cannot compute with."""
    if (
        precision == "bf16"
        and device.type == "cuda"
        and not torch.cuda.is_bf16_supported(including_emulation=False)
    ):
        raise DeviceError("This GPU does not compute in bf16.", "Choose the precision auto, fp16 or fp32.")


def fused_attention(device: torch.device) -> bool:
    """Whether torch computes attention on ``device`` without whole score matrices."""
    if device.type == "cuda":
        return torch.backends.cuda.mem_efficient_sdp_enabled() or torch.backends.cuda.flash_sdp_enabled()
    return device.type == "cpu"


def free_bytes(device: torch.device) -> int:
    """What a program can still have on ``device``: what nobody uses, and what this program keeps in store
    there.
    """
    if device.type == "cuda":
        return (
            torch.cuda.mem_get_info(device)[0]
            + torch.cuda.memory_reserved(device)
            - torch.cuda.memory_allocated(device)
        )
    return psutil.virtual_memory().available
