"""Read a LoRA file and call its layers by one kind of name, whichever program wrote it.

diffusers (old and new), peft and kohya name the same two matrices differently; diffusers' own converters do
the renaming. Only safetensors files are read, since the older formats are pickles, which can run any program.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from engine.errors import FileFormatError, InputError

PICKLES = (b"PK\x03\x04", b"\x80")  # how torch's archives and bare pickles begin
KOHYA = ("lora_unet_", "lora_te_", "lora_te1_", "lora_te2_")
OTHER_KINDS = {"hada_": "LoHa", "lokr_": "LoKr", "dora_scale": "DoRA", "lora_magnitude_vector": "DoRA"}
TEXT_PARTS = ("text_encoder", "text_encoder_2")
MATRIX = re.compile(r"(?P<layer>.+)\.lora_(?P<side>[AB])(?:\.default)?\.weight")


@dataclass(frozen=True, eq=False)
class LoraLayer:
    """The change scale * up(down(x)) of one layer: ``part`` of the pipeline, ``layer`` in it; down
    (r,in,...), up (out,r,...).
    """

    part: str
    layer: str
    down: Tensor
    up: Tensor
    scale: float


def read_lora(path: Path, unet_config: Any) -> tuple[LoraLayer, ...]:
    """The layers in ``path``, in its order; ``unet_config`` tells how many blocks a kohya file's numbers
    count.

    Raises InputError when there is no such file or it is a pickle, FileFormatError when it holds no LoRA that
    can be read.
    """
    tensors, metadata = _open(path)
    _refuse_other_kinds(path, tensors)
    matrices, alphas = _renamed(path, tensors, unet_config)
    downs, ups = (
        {_place(name): value for name, value in matrices.items() if _side(name) == side} for side in "AB"
    )
    if not downs or set(downs) != set(ups):
        lonely = sorted(set(downs) ^ set(ups)) or sorted(tensors)
        example = ".".join(lonely[0]) if isinstance(lonely[0], tuple) else lonely[0]
        raise FileFormatError(f"{path} holds no pairs of LoRA matrices (it has {len(tensors)} tensors, "
                              f"such as {example}).",
                              "Choose a LoRA file for Stable Diffusion in diffusers', peft's or kohya's "
                              "layout.")  # fmt: skip
    return tuple(
        LoraLayer(*place, down, ups[place], _scale(place, len(down), alphas, metadata))
        for place, down in downs.items()
    )


def _open(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """All tensors, and what the file or a peft config beside it says of alpha, by part."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return tensors, _metadata(path, file.metadata() or {})
    except (SafetensorError, OSError, ValueError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> InputError:
    """Why the file at ``path`` could not be opened, and what to do."""
    try:
        with path.open("rb") as file:
            start = file.read(4)
    except OSError as refusal:
        reason = refusal.strerror or refusal
        return InputError(f"The style file {path} cannot be read: {reason}.", "Give the path of a LoRA file.")
    if start.startswith(PICKLES):
        return InputError(
            f"The style file {path} is a pickle, which can run any program when it is opened.",
            "Choose the .safetensors version of it, or convert it where you trust it.",
        )
    return FileFormatError(
        f"{path} is no safetensors file, or it was cut short: {error}.", "Fetch or save it again."
    )


def _metadata(path: Path, header: Mapping[str, str]) -> dict[str, Any]:
    """peft's settings by dotted name, as diffusers stores them in the header and peft in
    ``adapter_config.json``.
    """
    metadata = json.loads(header.get("lora_adapter_metadata", "{}"))
    beside = path.with_name("adapter_config.json")
    if not metadata and beside.is_file():
        metadata = {
            f"unet.{name}": value for name, value in json.loads(beside.read_text(encoding="utf-8")).items()
        }
    return metadata


def _refuse_other_kinds(path: Path, tensors: Mapping[str, Tensor]) -> None:
    for mark, kind in OTHER_KINDS.items():
        if any(mark in name for name in tensors):
            raise FileFormatError(f"{path} is a {kind} file, which changes layers in another way than LoRA "
                                  "does.",
                                  "Choose a plain LoRA file.")  # fmt: skip


def _renamed(
    path: Path, tensors: dict[str, Tensor], unet_config: Any
) -> tuple[dict[str, Tensor], dict[tuple[str, str], float]]:
    """Tensors by ``PART.LAYER.lora_A.weight`` and ``...lora_B.weight``, and alphas by (part, layer)."""
    if all(name.startswith(KOHYA) for name in tensors):
        tensors, alphas = _from_kohya(path, tensors, unet_config)
    else:
        alphas = {name: float(value) for name, value in tensors.items() if name.endswith(".alpha")}
        tensors = {name: value for name, value in tensors.items() if name not in alphas}
    matrices = {_peft_name(name): value for name, value in tensors.items()}
    return matrices, {
        _place(_peft_name(name.removesuffix(".alpha"))): alpha for name, alpha in alphas.items()
    }


def _from_kohya(
    path: Path, tensors: dict[str, Tensor], unet_config: Any
) -> tuple[dict[str, Tensor], dict[str, float]]:
    # its converter serves all Stable Diffusion models
    from diffusers.loaders import (
        StableDiffusionXLLoraLoaderMixin,
    )

    try:
        converted: Any = StableDiffusionXLLoraLoaderMixin.lora_state_dict(
            dict(tensors), unet_config=unet_config
        )
        return converted
    except (ValueError, KeyError, IndexError) as error:
        reason = " ".join(str(error).split())[:200]
        raise FileFormatError(f"{path} has kohya's names, but not those of a LoRA for Stable Diffusion: "
                              f"{reason}.",
                              "Choose a plain LoRA file.") from error  # fmt: skip


def _peft_name(name: str) -> str:
    """``name`` as peft spells it, with the part in front; names without a part are the UNet's."""
    from diffusers.utils.state_dict_utils import (
        StateDictType,
        convert_state_dict_to_peft,
        convert_unet_state_dict_to_peft,
    )

    name = name.removeprefix("base_model.model.")
    part, _, rest = name.partition(".")
    if part in TEXT_PARTS:
        return f"{part}.{next(iter(convert_state_dict_to_peft({rest: None}, StateDictType.DIFFUSERS_OLD)))}"
    return f"unet.{next(iter(convert_unet_state_dict_to_peft({name.removeprefix('unet.'): None})))}"


def _place(name: str) -> tuple[str, str]:
    """(part, layer) of a matrix's name, or of a layer's."""
    match = MATRIX.fullmatch(name)
    part, _, layer = (match["layer"] if match else name).partition(".")
    return part, layer


def _side(name: str) -> str:
    match = MATRIX.fullmatch(name)
    return match["side"] if match else ""


def _scale(
    place: tuple[str, str], rank: int, alphas: Mapping[tuple[str, str], float], metadata: Mapping[str, Any]
) -> float:
    """alpha / rank, or alpha / sqrt(rank) where peft's settings say so (arXiv 2312.03732); 1 where nothing is
    said.
    """
    part, layer = place
    alpha = alphas.get(place)
    if alpha is None:
        patterns = metadata.get(f"{part}.alpha_pattern") or {}
        special = [value for name, value in patterns.items() if layer == name or layer.endswith(f".{name}")]
        alpha = special[0] if special else metadata.get(f"{part}.lora_alpha", rank)
    return alpha / (rank**0.5 if metadata.get(f"{part}.use_rslora") else rank)
