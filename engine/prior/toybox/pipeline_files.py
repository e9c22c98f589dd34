"""Toybox on disk: a diffusers pipeline folder with half-precision weights, and ``prior.toml`` for the studio.

model_index.json   unet/   tokenizer/   scheduler/   prior.toml
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from engine.core.noise_schedule import NoiseSchedule
from engine.errors import FileFormatError, InputError, MissingError, storage_errors
from engine.prior.base import PriorInfo
from engine.prior.pipeline_folder import missing_files, read_json
from engine.prior.toybox.info import SETTINGS, TOYBOX_INFO, WEIGHTS, info_toml, read_info
from engine.prior.toybox.network import ToyboxDenoiser
from engine.prior.toybox.network_files import halved, load_network, save_network
from engine.prior.toybox.reference_controller import ReferenceController
from engine.prior.toybox.tokeniser import Tokeniser

BASE = "_base"
"""In its settings: the digest of the prior's weights that it was taught to guide."""

PACKAGE = "engine.prior.toybox"
DIGEST_CHARACTERS = 16


def save_prior(
    folder: Path,
    config: Mapping[str, object],
    weights: Mapping[str, Tensor],
    tokeniser: Tokeniser,
    schedule: NoiseSchedule,
    info: PriorInfo = TOYBOX_INFO,
) -> None:
    """Write or replace the folder's model files; other files in it stay. Raises `StorageError`."""
    folder = Path(folder)
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".partial", dir=folder) as name:
            partial = Path(name)
            (partial / "unet").mkdir()
            save_file(halved(weights), partial / "unet" / WEIGHTS)
            _write_json(partial / "unet" / "config.json", {"_class_name": "ToyboxDenoiser", **config})
            tokeniser.save(partial / "tokenizer")
            (partial / "scheduler").mkdir()
            _write_json(partial / "scheduler" / "scheduler_config.json", _scheduler_config(schedule))
            _write_json(partial / "model_index.json", _index())
            (partial / SETTINGS).write_text(info_toml(info), encoding="utf-8")
            _move_all(partial, folder)


@dataclass(frozen=True, eq=False)
class ToyboxParts:
    """What lies in the folder; the network is in single precision on the CPU."""

    net: ToyboxDenoiser
    tokeniser: Tokeniser
    schedule: NoiseSchedule
    info: PriorInfo


def load_parts(folder: Path) -> ToyboxParts:
    """Open the folder. Raises `MissingError` if files are not there, `FileFormatError` if they are
    damaged.
    """
    folder = Path(folder)
    missing = missing_files(folder) + [name for name in (SETTINGS,) if not (folder / name).exists()]
    if missing:
        raise MissingError(
            f"The toybox prior in {folder} lacks {', '.join(missing)}.",
            "Restore the folder from the repository.",
        )
    try:
        config = read_json(folder / "unet" / "config.json")
        net = ToyboxDenoiser(**{key: value for key, value in config.items() if not key.startswith("_")})
        net.load_state_dict(load_file(folder / "unet" / WEIGHTS))
        tokeniser = Tokeniser.load(folder / "tokenizer", net.config.length)
        betas = torch.tensor(
            read_json(folder / "scheduler" / "scheduler_config.json")["trained_betas"], dtype=torch.float64
        )
    except InputError:
        raise
    except (OSError, SafetensorError, RuntimeError, TypeError, KeyError, ValueError) as error:
        raise FileFormatError(
            f"The toybox prior in {folder} is damaged ({error}).", "Restore the folder from the repository."
        ) from error
    info = replace(read_info(folder), vocabulary=tokeniser.vocabulary)
    return ToyboxParts(net, tokeniser, NoiseSchedule((1 - betas).cumprod(0)), info)


def base_digest(folder: Path) -> str:
    """The beginning of the SHA-256 of the denoiser's weights, by which a controller knows them."""
    return hashlib.sha256((Path(folder) / "unet" / WEIGHTS).read_bytes()).hexdigest()[:DIGEST_CHARACTERS]


def _move_all(partial: Path, folder: Path) -> None:
    """Each file takes its place whole; the weights come last, so that nothing new is read with old settings
    for long.
    """
    files = [path for path in partial.rglob("*") if path.is_file()]
    for path in sorted(files, key=lambda path: path.name == WEIGHTS):
        target = folder / path.relative_to(partial)
        target.parent.mkdir(exist_ok=True)
        os.replace(path, target)
    shutil.rmtree(partial / "unet")


def _write_json(path: Path, document: Mapping[str, object]) -> None:
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def _index() -> dict[str, object]:
    return {
        "_class_name": "ToyboxPipeline",
        "unet": [PACKAGE, "ToyboxDenoiser"],
        "tokenizer": ["transformers", "PreTrainedTokenizerFast"],
        "scheduler": ["diffusers", "DDIMScheduler"],
    }


def _scheduler_config(schedule: NoiseSchedule) -> dict[str, object]:
    """For diffusers' DDIMScheduler; the betas carry six digits, which moves no noise level by more than
    1e-4.
    """
    abar = torch.cat([torch.ones(1, dtype=torch.float64), schedule.alphas_cumprod])
    betas = [float(f"{beta:.6g}") for beta in (1 - abar[1:] / abar[:-1]).tolist()]
    return {
        "_class_name": "DDIMScheduler",
        "num_train_timesteps": len(schedule),
        "prediction_type": "sample",
        "clip_sample": True,
        "set_alpha_to_one": True,
        "timestep_spacing": "trailing",
        "trained_betas": betas,
    }


def save_controller(
    folder: Path, config: Mapping[str, object], weights: Mapping[str, Tensor], base: str = ""
) -> None:
    """Write or replace the controller's files; the weights take their place whole. Raises `StorageError`.

    ``base`` is the digest of the prior's weights that it belongs to.
    """
    save_network(ReferenceController, folder, config, weights, **{BASE: base})


def load_controller(folder: Path) -> ReferenceController:
    """The controller in a folder, frozen, in single precision on the CPU. Raises `MissingError` or
    `FileFormatError`.
    """
    return load_network(ReferenceController, folder, "reference controller")


def base_of(folder: Path) -> str:
    """The digest of the prior's weights that the controller in ``folder`` belongs to; nothing if it does not
    say.
    """
    return str(read_json(Path(folder) / "config.json").get(BASE, ""))


def base_note(place: Path, base: str) -> str:
    """What to tell where the controller was taught beside other weights than those of digest ``base``: it
    works on, but less well, since features drift.
    """
    taught = base_of(place)
    if taught in ("", base):
        return ""
    return (
        f"The reference controller was trained for another state of this prior ({taught}); references act "
        "less surely until it "
        "is trained again for this one."
    )
