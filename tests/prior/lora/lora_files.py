"""LoRA files with random weights for a tiny pipeline, in the layouts that people pass round."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import torch
from diffusers.utils import convert_state_dict_to_diffusers, convert_state_dict_to_kohya
from peft import LoraConfig, get_peft_model_state_dict, inject_adapter_in_model
from safetensors.torch import save_file
from torch import Tensor, nn

RANK, ALPHA = 4, 2.0
UNET_LAYERS = ("to_q", "to_k", "to_v", "to_out.0", "proj_in", "ff.net.0.proj", "conv1")
TEXT_LAYERS = ("q_proj", "v_proj", "fc1")
LAYOUTS = ("diffusers", "diffusers_old", "kohya", "peft")


def random_lora(
    network: nn.Module, layers: tuple[str, ...], seed: int, size: float = 0.3
) -> dict[str, Tensor]:
    """Matrices by peft's names for a copy of ``network``."""
    config = LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules=list(layers))
    named = get_peft_model_state_dict(inject_adapter_in_model(config, copy.deepcopy(network), "default"))
    rng = torch.Generator().manual_seed(seed)
    return {name: size * torch.randn(value.shape, generator=rng) for name, value in named.items()}


def write_lora(
    path: Path, layout: str, unet: dict[str, Tensor], text: dict[str, Tensor] | None = None
) -> Path:
    """One file with the matrices of the UNet and the text encoder; alpha is ``ALPHA``, but ``RANK`` in the
    old layout.
    """
    text = text or {}
    path.parent.mkdir(parents=True, exist_ok=True)
    metadata = {"format": "pt"}
    if layout == "kohya":
        tensors = _kohya(unet, "unet") | _kohya(text, "text_encoder.text_model")
    elif layout == "peft":
        assert not text, "peft writes one network a file"
        tensors = {f"base_model.model.{name}": value for name, value in unet.items()}
        settings = {"r": RANK, "lora_alpha": ALPHA, "peft_type": "LORA"}
        path.with_name("adapter_config.json").write_text(json.dumps(settings), encoding="utf-8")
    elif layout == "diffusers_old":
        old_text = convert_state_dict_to_diffusers(text) if text else {}
        tensors = {f"unet.{_old(name)}": value for name, value in unet.items()}
        tensors |= {f"text_encoder.text_model.{name}": value for name, value in old_text.items()}
    else:
        tensors = {f"unet.{name}": value for name, value in unet.items()}
        tensors |= {f"text_encoder.text_model.{name}": value for name, value in text.items()}
        settings = {
            f"{part}.{name}": value
            for part in ("unet", "text_encoder")
            for name, value in _settings().items()
        }
        metadata["lora_adapter_metadata"] = json.dumps(settings, default=list)
    save_file({name: value.contiguous() for name, value in tensors.items()}, path, metadata=metadata)
    return path


def _settings() -> dict[str, Any]:
    return LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules=[*UNET_LAYERS, *TEXT_LAYERS]).to_dict()


def _kohya(named: dict[str, Tensor], part: str) -> dict[str, Tensor]:
    found = (
        convert_state_dict_to_kohya({f"{part}.{name}": value for name, value in named.items()})
        if named
        else {}
    )
    return {name: torch.tensor(ALPHA) if name.endswith(".alpha") else value for name, value in found.items()}


def _old(name: str) -> str:
    """What diffusers wrote before it used peft."""
    for layer in ("to_q", "to_k", "to_v", "to_out.0"):
        old = layer.removesuffix(".0")
        for new, side in (("lora_A", "down"), ("lora_B", "up")):
            name = name.replace(f".{layer}.{new}.", f".processor.{old}_lora.{side}.")
    return name.replace(".lora_A.", ".lora.down.").replace(".lora_B.", ".lora.up.")
