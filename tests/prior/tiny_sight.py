"""Pipelines with random weights that see a picture, in the Hub's layouts: Zero123 in both of its, and
Zero123++.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModel, CLIPVisionModelWithProjection

from tests.prior.tiny_pipeline import WIDTH, save_tiny_pipeline

EYE_SIDE = 28  # of four patches
RAMP = [i / 77 for i in range(77)]
LAYERS = {"Zero123Pipeline": ("clip_camera_projection", "CLIPCameraProjection", "proj"),
          "Zero1to3StableDiffusionPipeline": ("cc_projection", "CCProjection", "projection")}  # fmt: skip


def save_tiny_zero123(folder: Path, pipeline: str = "Zero123Pipeline") -> Path:
    """Stable Diffusion's parts with a UNet of eight channels, no words, an image encoder and the layer for
    the camera.
    """
    save_tiny_pipeline(folder, in_channels=8)
    for part in ("text_encoder", "tokenizer"):
        shutil.rmtree(folder / part)
    save_eye(folder / "image_encoder", CLIPVisionModelWithProjection)
    save_preparation(folder / "feature_extractor")
    part, kind, layer = LAYERS[pipeline]
    generator = torch.Generator().manual_seed(5)
    weights = {
        f"{layer}.weight": torch.randn(WIDTH, WIDTH + 4, generator=generator),
        f"{layer}.bias": torch.ones(WIDTH),
    }
    (folder / part).mkdir()
    save_file(weights, folder / part / "diffusion_pytorch_model.safetensors", metadata={"format": "pt"})
    (folder / part / "config.json").write_text(json.dumps({"_class_name": kind}), encoding="utf-8")
    change_index(
        folder, _class_name=pipeline, text_encoder=None, tokenizer=None,
        image_encoder=["transformers", "CLIPVisionModelWithProjection"],
        feature_extractor=["transformers", "CLIPImageProcessor"], **{part: ["zero123", kind]})  # fmt: skip
    return folder


def save_tiny_zero123plus(folder: Path) -> Path:
    """Stable Diffusion's parts that predict velocities, with an image encoder, two preparations and the
    ramp.
    """
    save_tiny_pipeline(folder, "v_prediction", beta_schedule="linear", timestep_spacing="trailing")
    save_eye(folder / "vision_encoder", CLIPVisionModelWithProjection)
    save_preparation(folder / "feature_extractor_clip")
    save_preparation(folder / "feature_extractor_vae", 16, image_mean=[0.5] * 3, image_std=[0.8] * 3)
    change_index(
        folder, _class_name="Zero123PlusPipeline", feature_extractor=None, ramping_coefficients=RAMP,
        vision_encoder=["transformers", "CLIPVisionModelWithProjection"],
        feature_extractor_clip=["transformers", "CLIPImageProcessor"],
        feature_extractor_vae=["transformers", "CLIPImageProcessor"])  # fmt: skip
    return folder


def save_eye(folder: Path, kind: type[CLIPVisionModel | CLIPVisionModelWithProjection]) -> None:
    """An image encoder whose embedding is as wide as the words; all tensors are named as on the Hub, with one
    of the old ones.
    """
    config = CLIPVisionConfig(
        hidden_size=WIDTH, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2,
            image_size=EYE_SIDE, patch_size=14,
        projection_dim=WIDTH)  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(3)
        kind(config).save_pretrained(folder)
    path = folder / "model.safetensors"
    named = {name if name.startswith(("vision_model.", "visual_")) else f"vision_model.{name}": tensor
             for name, tensor in load_file(path).items()}  # fmt: skip
    save_file(
        {**named, "vision_model.embeddings.position_ids": torch.arange(5)[None]},
        path,
        metadata={"format": "pt"},
    )


def save_preparation(folder: Path, side: int = EYE_SIDE, **settings: Any) -> None:
    size = {"size": {"shortest_edge": side}, "crop_size": {"height": side, "width": side}}
    CLIPImageProcessor(**size, **settings).save_pretrained(folder)
    written = next(folder.glob("*processor*_config.json"))
    if written.name != "preprocessor_config.json":
        written.rename(folder / "preprocessor_config.json")


def change_index(folder: Path, **parts: Any) -> None:
    """Name other parts in the pipeline's index; None leaves one out."""
    path = folder / "model_index.json"
    index = {**json.loads(path.read_text(encoding="utf-8")), **parts}
    path.write_text(
        json.dumps({name: value for name, value in index.items() if value is not None}), encoding="utf-8"
    )
