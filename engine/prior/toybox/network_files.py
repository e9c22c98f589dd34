"""A small network beside the prior on disk: a diffusers model folder with half-precision weights."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from engine.errors import FileFormatError, InputError, MissingError, storage_errors
from engine.prior.pipeline_folder import read_json
from engine.prior.toybox.configured import Configured
from engine.prior.toybox.info import WEIGHTS

Network = TypeVar("Network", bound=Configured)


def halved(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """``weights`` as they are stored: on the CPU, in half precision."""
    return {name: value.detach().to("cpu", torch.float16).contiguous() for name, value in weights.items()}


def save_network(
    kind: type[Configured],
    folder: Path,
    config: Mapping[str, object],
    weights: Mapping[str, Tensor],
    **marks: str,
) -> None:
    """Write or replace its files, ``marks`` among its settings; the weights take their place whole. Raises
    `StorageError`.
    """
    folder = Path(folder)
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        partial = folder / f".{WEIGHTS}.partial"
        save_file(halved(weights), partial)
        settings = {"_class_name": kind.__name__, **marks, **config}
        (folder / "config.json").write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")
        os.replace(partial, folder / WEIGHTS)


def load_network(kind: type[Network], folder: Path, name: str) -> Network:
    """The network in a folder, frozen, in single precision on the CPU; errors call it ``name``.

    Raises `MissingError` or `FileFormatError`.
    """
    folder = Path(folder)
    missing = [file for file in ("config.json", WEIGHTS) if not (folder / file).exists()]
    if missing:
        raise MissingError(f"The {name} in {folder} lacks {', '.join(missing)}.", "Restore it, or train one.")
    try:
        config = read_json(folder / "config.json")
        net = kind(**{setting: value for setting, value in config.items() if not setting.startswith("_")})
        net.load_state_dict(load_file(folder / WEIGHTS))
    except InputError:
        raise
    except (OSError, SafetensorError, RuntimeError, TypeError, ValueError) as error:
        raise FileFormatError(f"The {name} in {folder} is damaged ({error}).", "Restore it.") from error
    return net.eval().requires_grad_(False)
