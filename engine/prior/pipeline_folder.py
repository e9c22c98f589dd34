"""What lies in a diffusers pipeline folder, read without loading it.

``model_index.json`` names each part and its class; each part is a folder of its own. Nothing here imports diffusers.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from engine.errors import FileFormatError, MissingError

INDEX = "model_index.json"
WITHOUT_WEIGHTS = ("tokenizer", "scheduler", "feature_extractor")  # parts that are settings only
NEVER_NEEDED = ("safety_checker", "feature_extractor", "image_encoder")


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file. Raises MissingError when there is no file, FileFormatError when it cannot be read."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise MissingError(f"{path} is missing.", "Fetch the prior again; files of a pipeline folder belong together.") from error
    except (OSError, ValueError) as error:
        raise FileFormatError(f"{path} is not readable JSON: {error}.", "Fetch the prior again.") from error
    if not isinstance(document, dict):
        raise FileFormatError(f"{path} holds no JSON object.", "Fetch the prior again.")
    return document


def pipeline_class(folder: Path) -> str:
    """The pipeline's class by name, such as ``StableDiffusionPipeline``."""
    return str(read_json(folder / INDEX).get("_class_name", "nothing that is named"))


def parts_of(folder: Path) -> dict[str, str]:
    """Part -> class name, for each part that the index says is there and that a prior may need."""
    index = read_json(folder / INDEX)
    pairs = {name: value for name, value in index.items() if isinstance(value, list) and len(value) == 2}
    return {name: str(kind) for name, (library, kind) in pairs.items() if library and kind and name not in NEVER_NEEDED}


def missing_files(folder: Path) -> list[str]:
    """What is not there, as paths relative to ``folder``; the links of a half-fetched Hub cache count as not there."""
    if not (folder / INDEX).exists():
        return [INDEX]
    missing = []
    for part in parts_of(folder):
        names = [path.name for path in folder.glob(f"{part}/*") if path.exists()]
        if not any(name.endswith(".json") for name in names):
            missing.append(f"{part}/*.json")
        if part not in WITHOUT_WEIGHTS and not _has_weights(names):
            missing.append(f"{part}/*.safetensors")
    return missing


def _has_weights(names: list[str]) -> bool:
    """True if a safetensors file is among ``names`` that is not an extra one (``...non_ema.safetensors``)."""
    return any(name.endswith(".safetensors") and ".non_ema." not in name for name in names)


def variant_of(folder: Path, part: str) -> str | None:
    """ "fp16" when a part has half-precision weights only, else None: the ``variant`` that diffusers is to load."""
    names = [path.name for path in folder.glob(f"{part}/*.safetensors") if path.exists()]
    plain = [name for name in names if ".fp16." not in name and ".non_ema." not in name]
    return None if plain or not names else "fp16"
