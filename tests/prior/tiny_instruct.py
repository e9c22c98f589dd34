"""An InstructPix2Pix pipeline with random weights in the Hub's layout."""

from __future__ import annotations

import json
from pathlib import Path

from tests.prior.tiny_pipeline import save_tiny_pipeline


def save_tiny_instruct(folder: Path) -> Path:
    """Stable Diffusion's parts, with a UNet that takes eight channels; the same weights every time."""
    save_tiny_pipeline(folder, in_channels=8)
    path = folder / "model_index.json"
    index = json.loads(path.read_text(encoding="utf-8"))
    index["_class_name"] = "StableDiffusionInstructPix2PixPipeline"
    path.write_text(json.dumps(index), encoding="utf-8")
    return folder
