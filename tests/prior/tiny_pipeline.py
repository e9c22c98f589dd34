"""A Stable Diffusion pipeline with random weights, small enough for any machine, laid out and named as on the
Hub.
"""

from __future__ import annotations

import json
import string
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from safetensors.torch import load_file, save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

WIDTH = 16  # of the text embedding


def save_tiny_pipeline(
    folder: Path, prediction_type: str = "epsilon", in_channels: int = 4, **scheduler: Any
) -> Path:
    """Write the pipeline: 4 x 8 x 8 latents of 16 x 16 pictures, 77 tokens; the same weights every time."""
    words = folder / "tokenizer"
    tokenizer = letters_tokenizer(words)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        unet, vae, text_encoder = _unet(in_channels), _vae(), _text_encoder(tokenizer)
    settings = {
        "beta_schedule": "scaled_linear",
        "beta_start": 0.00085,
        "beta_end": 0.012,
        "steps_offset": 1,
        **scheduler,
    }
    pipeline = StableDiffusionPipeline(
        vae=vae,
        text_encoder=text_encoder,
        tokenizer=tokenizer,
        unet=unet,
        scheduler=DDIMScheduler(prediction_type=prediction_type, clip_sample=False, **settings),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.save_pretrained(folder)
    _rename_as_on_the_hub(folder)
    return folder


def _unet(in_channels: int) -> UNet2DConditionModel:
    return UNet2DConditionModel(
        sample_size=8,
        in_channels=in_channels,
        out_channels=4,
        block_out_channels=(8, 16),
        layers_per_block=1,
        norm_num_groups=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=WIDTH,
        attention_head_dim=2,
    )


def _vae() -> AutoencoderKL:
    return AutoencoderKL(
        block_out_channels=(8, 16),
        norm_num_groups=4,
        latent_channels=4,
        sample_size=16,
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
    )


def _text_encoder(tokenizer: CLIPTokenizer) -> CLIPTextModel:
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=WIDTH,
            intermediate_size=32,
            num_hidden_layers=1,
            num_attention_heads=2,
            max_position_embeddings=77,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
        )
    )


def letters_tokenizer(folder: Path, pad: str = "<|endoftext|>") -> CLIPTokenizer:
    """CLIP's byte-pair tokenizer with letters, a comma and no merges: one token a letter; short prompts end
    in ``pad``.
    """
    folder.mkdir(parents=True)
    letters = [*string.ascii_lowercase, ","]
    vocabulary = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(
        json.dumps({word: i for i, word in enumerate(vocabulary)}), encoding="utf-8"
    )
    (folder / "merges.txt").write_text("#version: 0.2\n", encoding="utf-8")
    config = {"model_max_length": 77, "tokenizer_class": "CLIPTokenizer", "pad_token": pad}
    (folder / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
    return CLIPTokenizer.from_pretrained(folder)


def _rename_as_on_the_hub(folder: Path) -> None:
    """The published files are older than today's libraries: other tensor names, and a tokenizer of two text
    files.
    """
    (folder / "tokenizer" / "tokenizer.json").unlink(missing_ok=True)
    path = folder / "text_encoder" / "model.safetensors"
    tensors = {
        f"text_model.{name.removeprefix('text_model.')}": tensor for name, tensor in load_file(path).items()
    }
    save_file(
        {**tensors, "text_model.embeddings.position_ids": torch.arange(77)[None]},
        path,
        metadata={"format": "pt"},
    )
    path = folder / "vae" / "diffusion_pytorch_model.safetensors"
    old = {".to_q.": ".query.", ".to_k.": ".key.", ".to_v.": ".value.", ".to_out.0.": ".proj_attn."}
    tensors = load_file(path)
    for new_name, old_name in old.items():
        tensors = {name.replace(new_name, old_name): tensor for name, tensor in tensors.items()}
    save_file(tensors, path, metadata={"format": "pt"})
