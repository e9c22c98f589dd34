"""A Stable Diffusion XL pipeline with random weights, small enough for any machine, laid out and named as on
the Hub.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, EulerDiscreteScheduler, StableDiffusionXLPipeline, UNet2DConditionModel
from tiny_pipeline import letters_tokenizer
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

WIDTHS = (16, 24)  # of the two text embeddings
POOLED, TIME_IDS, TIME_WIDTH = 20, 6, 4


def save_tiny_sdxl(folder: Path, time_ids: int = TIME_IDS, force_upcast: bool = True, **unet: Any) -> Path:
    """Write the pipeline: 4 x 8 x 8 latents of 16 x 16 pictures, 77 tokens twice; the same weights every
    time.
    """
    first, second = (
        letters_tokenizer(folder / "tokenizer"),
        letters_tokenizer(folder / "tokenizer_2", pad="a</w>"),
    )
    with torch.random.fork_rng():
        torch.manual_seed(1)
        network, vae = _unet(time_ids, **unet), _vae(force_upcast)
        encoder = CLIPTextModel(_text_config(first, WIDTHS[0]))
        encoder_2 = CLIPTextModelWithProjection(_text_config(second, WIDTHS[1]))
    scheduler = EulerDiscreteScheduler(
        beta_schedule="scaled_linear",
        beta_start=0.00085,
        beta_end=0.012,
        steps_offset=1,
        timestep_spacing="leading",
    )
    pipeline = StableDiffusionXLPipeline(
        vae=vae,
        text_encoder=encoder,
        text_encoder_2=encoder_2,
        tokenizer=first,
        tokenizer_2=second,
        unet=network,
        scheduler=scheduler,
        force_zeros_for_empty_prompt=True,
        add_watermarker=False,
    )
    pipeline.save_pretrained(folder)
    return folder


def _unet(time_ids: int, **changes: Any) -> UNet2DConditionModel:
    values = dict(
        sample_size=8,
        in_channels=4,
        out_channels=4,
        block_out_channels=(8, 16),
        layers_per_block=1,
        norm_num_groups=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=sum(WIDTHS),
        attention_head_dim=(2, 4),
        use_linear_projection=True,
        transformer_layers_per_block=(1, 2),
        addition_embed_type="text_time",
        addition_time_embed_dim=TIME_WIDTH,
        projection_class_embeddings_input_dim=POOLED + time_ids * TIME_WIDTH,
    )
    return UNet2DConditionModel(**{**values, **changes})


def _vae(force_upcast: bool) -> AutoencoderKL:
    return AutoencoderKL(
        block_out_channels=(8, 16),
        norm_num_groups=4,
        latent_channels=4,
        sample_size=16,
        scaling_factor=0.13025,
        force_upcast=force_upcast,
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
    )


def _text_config(tokenizer: CLIPTokenizer, width: int) -> CLIPTextConfig:
    return CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=77,
        projection_dim=POOLED,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
