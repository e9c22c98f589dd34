"""Models for photos with random weights, in folders as the Hub has them, with registry entries beside
them.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import torch
from diffusers import LCMScheduler, MarigoldNormalsPipeline, StableDiffusionPipeline
from transformers import (
    DepthAnythingConfig,
    DepthAnythingForDepthEstimation,
    Dinov2Config,
    SamConfig,
    SamModel,
)

from tests.prior.tiny_pipeline import save_tiny_pipeline

COLOURS = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}
PATCH = 8
SAM_SIDE, DEPTH_SIDE = 64, 32


def save_tiny_sam(folder: Path, model_id: str = "tiny-sam") -> Path:
    """Segment Anything for pictures of 64 pixels; returns ``folder``."""
    config = SamConfig(
        vision_config={
            "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": SAM_SIDE,
            "patch_size": PATCH,
            "output_channels": 16, "window_size": 4, "global_attn_indexes": [1], "mlp_dim": 32,
            "num_pos_feats": 8,
        },
        prompt_encoder_config={
            "hidden_size": 16, "image_size": SAM_SIDE, "patch_size": PATCH,
            "image_embedding_size": SAM_SIDE // PATCH,
        },
        mask_decoder_config={
            "hidden_size": 16, "mlp_dim": 32, "num_attention_heads": 2, "iou_head_hidden_dim": 16,
            "attention_downsample_rate": 1,
        },
    )  # fmt: skip
    _save(SamModel, config, folder / f"{model_id}-files", {**COLOURS, "size": {"longest_edge": SAM_SIDE}})
    return write_entry(folder, model_id, "mask", f"./{model_id}-files")


def save_tiny_depth(folder: Path, model_id: str = "tiny-depth") -> Path:
    """Depth Anything for pictures of 32 pixels; returns ``folder``."""
    backbone = Dinov2Config(
        hidden_size=16, num_hidden_layers=4, num_attention_heads=2, image_size=DEPTH_SIDE, patch_size=PATCH,
        out_indices=[1, 2, 3, 4], reshape_hidden_states=False, apply_layernorm=True,
    )  # fmt: skip
    config = DepthAnythingConfig(
        backbone_config=backbone, patch_size=PATCH, reassemble_hidden_size=16, neck_hidden_sizes=[4, 8, 8, 8],
        fusion_hidden_size=8, head_hidden_size=8,
    )  # fmt: skip
    size = {"height": DEPTH_SIDE, "width": DEPTH_SIDE}
    _save(DepthAnythingForDepthEstimation, config, folder / f"{model_id}-files", {**COLOURS, "size": size})
    return write_entry(folder, model_id, "depth", f"./{model_id}-files")


def save_tiny_normals(folder: Path, model_id: str = "tiny-normals") -> Path:
    """Marigold for normals, shown pictures of 16 pixels; in half precision, as its repository has it; returns
    ``folder``.
    """
    parts = StableDiffusionPipeline.from_pretrained(
        save_tiny_pipeline(folder / "parts", in_channels=8), safety_checker=None
    ).components
    pipeline = MarigoldNormalsPipeline(
        **{name: parts[name] for name in ("unet", "vae", "text_encoder", "tokenizer")},
        scheduler=LCMScheduler.from_config(parts["scheduler"].config),
        default_denoising_steps=2,
        default_processing_resolution=16,
    )
    files = folder / f"{model_id}-files"
    pipeline.to(torch.float16).save_pretrained(files, variant="fp16")
    shutil.rmtree(files / "tokenizer")
    shutil.move(folder / "parts" / "tokenizer", files)  # of two text files, as published
    return write_entry(folder, model_id, "normals", f"./{model_id}-files")


def write_entry(folder: Path, model_id: str, makes: str, source: str, **more: str | int) -> Path:
    """A registry entry; returns the folder that it is in."""
    table = {"id": model_id, "title": "Tiny", "makes": makes, "source": source, "licence": "CC0", **more}
    lines = [f"{name} = {json.dumps(value)}" for name, value in table.items()]
    (folder / f"{model_id}.toml").write_text("\n".join(lines), encoding="utf-8")
    return folder


def _save(kind: type, config: object, folder: Path, preprocessor: dict[str, object]) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(3)
        model = kind(config)
        for weights in model.parameters():
            if weights.ndim > 1:
                torch.nn.init.normal_(weights, std=0.3)  # as they are made, they are nearly silent
        model.save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(preprocessor), encoding="utf-8")
