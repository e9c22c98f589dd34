"""What lies in a diffusers pipeline folder, read without loading it.

``model_index.json`` names each part and its class; each part is a folder of its own. Weights are one
safetensors file or several with an index, in full precision or in the half-precision ``variant`` named fp16.
Nothing here imports diffusers.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from engine.errors import FileFormatError, MissingError

INDEX = "model_index.json"
# how the names of parts begin that are settings only
WITHOUT_WEIGHTS = (
    "tokenizer",
    "scheduler",
    "feature_extractor",
)
NEVER_NEEDED = ("safety_checker", "watermarker")
EYE, BEFORE_EYE = "image_encoder", "feature_extractor"
"""The second prepares pictures for the first; where there is no image encoder, it serves the safety checker
alone.
"""
STEMS = ("model", "diffusion_pytorch_model")  # how transformers and diffusers name their weights
HALF = "fp16"
VARIANTS = (None, HALF)


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file. Raises MissingError when there is no file, FileFormatError when it cannot be
    read.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise MissingError(
            f"{path} is missing.", "Fetch the prior again; files of a pipeline folder belong together."
        ) from error
    except (OSError, ValueError) as error:
        raise FileFormatError(f"{path} is not readable JSON: {error}.", "Fetch the prior again.") from error
    if not isinstance(document, dict):
        raise FileFormatError(f"{path} holds no JSON object.", "Fetch the prior again.")
    return document


def pipeline_class(folder: Path) -> str:
    """The pipeline's class by name, such as ``StableDiffusionPipeline``."""
    return str(read_json(folder / INDEX).get("_class_name", "nothing that is named"))


def parts_of(folder: Path, leave_out: Collection[str] = ()) -> dict[str, str]:
    """Part -> class name, for each part that the index says is there and that a prior may need, less those to
    leave out.
    """
    index = read_json(folder / INDEX)
    pairs = {name: value for name, value in index.items() if isinstance(value, list) and len(value) == 2}
    needless = {*NEVER_NEEDED, *leave_out, *(() if any(pairs.get(EYE, ())) else (BEFORE_EYE,))}
    return {
        name: str(kind)
        for name, (library, kind) in pairs.items()
        if library and kind and name not in needless
    }


def missing_files(folder: Path, leave_out: Collection[str] = ()) -> list[str]:
    """What is not there, as paths relative to ``folder``; the links of a half-fetched Hub cache count as not
    there.
    """
    if not (folder / INDEX).exists():
        return [INDEX]
    missing = []
    for part in parts_of(folder, leave_out):
        if not any(name.endswith(".json") for name in _names(folder, part)):
            missing.append(f"{part}/*.json")
        if part in parts_without_weights(folder, leave_out):
            missing.append(f"{part}/*.safetensors")
    return missing


def parts_without_weights(folder: Path, leave_out: Collection[str] = ()) -> list[str]:
    """The parts of which no variant's weights are all there."""
    networks = [part for part in parts_of(folder, leave_out) if not part.startswith(WITHOUT_WEIGHTS)]
    return [part for part in networks if not any(_complete(folder, part, variant) for variant in VARIANTS)]


def variant_of(folder: Path, part: str) -> str | None:
    """The ``variant`` that diffusers is to load: "fp16" when a part has half-precision weights only, else
    None.
    """
    return HALF if _complete(folder, part, HALF) and not _complete(folder, part, None) else None


def weight_patterns(part: str, variant: str | None) -> list[str]:
    """The names that a part's safetensors may have, as patterns for a download: one file, or shards and their
    index.
    """
    dotted = f".{variant}" if variant else ""
    endings = (f"{dotted}.safetensors", f"{dotted}-*.safetensors", f".safetensors.index{dotted}.json")
    return [f"{part}/{stem}{ending}" for stem in STEMS for ending in endings]


def settings_patterns(folder: Path, leave_out: Collection[str] = ()) -> list[str]:
    """The small files of all parts, as patterns for a download; ``folder`` needs to hold the index only."""
    parts = parts_of(folder, leave_out)
    return [INDEX, *(f"{part}/{'*' if part.startswith('tokenizer') else '*config.json'}" for part in parts)]


def _complete(folder: Path, part: str, variant: str | None) -> bool:
    """True if one file of weights of this variant is there, or an index and every shard that it names."""
    names, dotted = _names(folder, part), f".{variant}" if variant else ""
    for stem in STEMS:
        index = f"{stem}.safetensors.index{dotted}.json"
        if f"{stem}{dotted}.safetensors" in names:
            return True
        if (
            index in names
            and set(read_json(folder / part / index).get("weight_map", {"": ""}).values()) <= names
        ):
            return True
    return False


def _names(folder: Path, part: str) -> set[str]:
    return {path.name for path in (folder / part).glob("*") if path.exists()}
