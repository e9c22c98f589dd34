"""Safetensors files, told by their headers: whether one is whole, and how many numbers it holds. No tensor is
read.

A file is eight bytes with the header's length, the header (JSON: name -> dtype, shape, data_offsets), and the
tensors.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection
from pathlib import Path
from typing import Any

from engine.errors import FileFormatError
from engine.prior.pipeline_folder import parts_of, variant_of

MOST_HEADER = 100_000_000  # bytes, as the format allows
ENDING = ".safetensors"


def header(path: Path) -> dict[str, dict[str, Any]]:
    """Name -> {dtype, shape, data_offsets}. Raises FileFormatError for a file that is no safetensors file or
    is not whole.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 2 <= length <= min(MOST_HEADER, size - 8):
                raise ValueError("it does not begin with the length of its header")
            tensors = json.loads(file.read(length))
        tensors.pop("__metadata__", None)
        end = max((int(tensor["data_offsets"][1]) for tensor in tensors.values()), default=0)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise FileFormatError(
            f"{path} is no safetensors file: {error}.", "Delete it and fetch the prior again."
        ) from error
    if 8 + length + end != size:
        raise FileFormatError(
            f"{path} should have {8 + length + end:,} bytes and has {size:,}.",
            "Delete it and fetch the prior again.",
        )
    return tensors


def elements(path: Path) -> int:
    """How many numbers a file holds. Raises FileFormatError as ``header`` does."""
    return sum(math.prod(tensor["shape"]) for tensor in header(path).values())


def files_of(folder: Path, part: str) -> list[Path]:
    """The safetensors files from which a part is loaded: one, or shards."""
    variant = variant_of(folder, part)
    return [
        path
        for path in sorted((folder / part).glob(f"*{ENDING}"))
        if path.exists() and _is_of(path.name, variant)
    ]


def elements_in(folder: Path, leave_out: Collection[str] = ()) -> dict[str, int]:
    """How many numbers each network of a pipeline folder has, by part, less those to leave out."""
    counts = {part: sum(map(elements, files_of(folder, part))) for part in parts_of(folder, leave_out)}
    return {part: count for part, count in counts.items() if count}


def _is_of(name: str, variant: str | None) -> bool:
    words = name.removesuffix(ENDING).split("-")[0].split(".")[1:]
    return words == ([variant] if variant else [])
