"""A reference controller on disk: a diffusers model folder with half-precision weights, which knows its prior's."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from engine.errors import FileFormatError, InputError, MissingError, storage_errors
from engine.prior.pipeline_folder import read_json
from engine.prior.toybox.info import WEIGHTS
from engine.prior.toybox.reference_controller import ReferenceController

BASE = "_base"
"""In its settings: the digest of the prior's weights that it was taught to guide."""


def save_controller(folder: Path, config: Mapping[str, object], weights: Mapping[str, Tensor], base: str = "") -> None:
    """Write or replace the controller's files; the weights take their place whole. Raises `StorageError`.

    ``base`` is the digest of the prior's weights that it belongs to.
    """
    folder = Path(folder)
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        halves = {name: value.detach().to("cpu", torch.float16).contiguous() for name, value in weights.items()}
        partial = folder / f".{WEIGHTS}.partial"
        save_file(halves, partial)
        (folder / "config.json").write_text(
            json.dumps({"_class_name": "ReferenceController", BASE: base, **config}, indent=1) + "\n", encoding="utf-8"
        )
        os.replace(partial, folder / WEIGHTS)


def load_controller(folder: Path) -> ReferenceController:
    """The controller in a folder, frozen, in single precision on the CPU. Raises `MissingError` or `FileFormatError`."""
    folder = Path(folder)
    missing = [name for name in ("config.json", WEIGHTS) if not (folder / name).exists()]
    if missing:
        raise MissingError(f"The reference controller in {folder} lacks {', '.join(missing)}.", "Restore it, or train one.")
    try:
        config = read_json(folder / "config.json")
        net = ReferenceController(**{name: value for name, value in config.items() if not name.startswith("_")})
        net.load_state_dict(load_file(folder / WEIGHTS))
    except InputError:
        raise
    except (OSError, SafetensorError, RuntimeError, TypeError, ValueError) as error:
        raise FileFormatError(f"The reference controller in {folder} is damaged ({error}).", "Restore it.") from error
    return net.eval().requires_grad_(False)


def base_of(folder: Path) -> str:
    """The digest of the prior's weights that the controller in ``folder`` belongs to; nothing if it does not say."""
    return str(read_json(Path(folder) / "config.json").get(BASE, ""))
