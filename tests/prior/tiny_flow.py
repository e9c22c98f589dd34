"""Flow-model pipelines with random weights, small enough for any machine, laid out and named as on the
Hub.
"""

from __future__ import annotations

import string
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderDC,
    AutoencoderKL,
    DPMSolverMultistepScheduler,
    FlowMatchEulerDiscreteScheduler,
    SanaPipeline,
    SanaTransformer2DModel,
    SD3Transformer2DModel,
    StableDiffusion3Pipeline,
)
from tiny_pipeline import letters_tokenizer
from transformers import (
    CLIPTextConfig,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    Gemma2Config,
    Gemma2Model,
    GemmaTokenizer,
    T5Config,
    T5EncoderModel,
    T5TokenizerFast,
)

CLIP_WIDTHS, POOLED, JOINT = (16, 24), (20, 12), 48


def save_tiny_sd3(folder: Path, t5: bool = True, in_channels: int = 4, **scheduler: Any) -> Path:
    """Write a Stable Diffusion 3 pipeline: 4 x 8 x 8 latents of 16 x 16 pictures; T5 in shards, as on the
    Hub.
    """
    tokenizers = [
        letters_tokenizer(folder / "tokenizer"),
        letters_tokenizer(folder / "tokenizer_2", pad="a</w>"),
    ]
    with torch.random.fork_rng():
        torch.manual_seed(2)
        clips = [_clip(*part) for part in zip(tokenizers, CLIP_WIDTHS, POOLED)]
        encoder, tokenizer = (_t5(), _t5_tokenizer()) if t5 else (None, None)
        transformer, vae = _mmdit(in_channels), _kl()
    pipeline = StableDiffusion3Pipeline(
        transformer=transformer,
        scheduler=FlowMatchEulerDiscreteScheduler(**{"shift": 3.0, **scheduler}),
        vae=vae,
        text_encoder=clips[0],
        tokenizer=tokenizers[0],
        text_encoder_2=clips[1],
        tokenizer_2=tokenizers[1],
        text_encoder_3=encoder,
        tokenizer_3=tokenizer,
    )
    pipeline.save_pretrained(folder)
    if encoder is not None:
        (folder / "text_encoder_3" / "model.safetensors").unlink()
        encoder.save_pretrained(folder / "text_encoder_3", max_shard_size="12KB")
    return folder


def save_tiny_sana(folder: Path, **scheduler: Any) -> Path:
    """Write a Sana pipeline: 4 x 8 x 8 latents of 32 x 32 pictures, 300 tokens of words."""
    tokenizer = _gemma_tokenizer()
    with torch.random.fork_rng():
        torch.manual_seed(3)
        transformer, vae, encoder = _linear_dit(), _dc(), _gemma(tokenizer)
    settings = {"prediction_type": "flow_prediction", "use_flow_sigmas": True, "flow_shift": 3.0, **scheduler}
    pipeline = SanaPipeline(
        tokenizer=tokenizer,
        text_encoder=encoder,
        vae=vae,
        transformer=transformer,
        scheduler=DPMSolverMultistepScheduler(**settings),
    )
    pipeline.save_pretrained(folder)
    return folder


def _mmdit(in_channels: int) -> SD3Transformer2DModel:
    network = SD3Transformer2DModel(
        sample_size=8,
        patch_size=2,
        in_channels=in_channels,
        num_layers=2,
        attention_head_dim=8,
        num_attention_heads=2,
        joint_attention_dim=JOINT,
        caption_projection_dim=16,
        pooled_projection_dim=sum(POOLED),
        out_channels=4,
        pos_embed_max_size=8,
        dual_attention_layers=(0,),
        qk_norm="rms_norm",
    )
    return _lively(network)


def _linear_dit() -> SanaTransformer2DModel:
    network = SanaTransformer2DModel(
        in_channels=4,
        out_channels=4,
        num_attention_heads=2,
        attention_head_dim=4,
        num_layers=2,
        num_cross_attention_heads=2,
        cross_attention_head_dim=4,
        cross_attention_dim=8,
        caption_channels=16,
        sample_size=8,
    )
    return _lively(network)


def _lively(network: torch.nn.Module) -> torch.nn.Module:
    """Random where a transformer starts at zero, so that time and words make a difference."""
    with torch.no_grad():
        for weight in network.parameters():
            if not weight.any():
                weight.normal_(std=0.1)
    return network


def _kl() -> AutoencoderKL:
    return AutoencoderKL(
        block_out_channels=(8, 16),
        norm_num_groups=4,
        latent_channels=4,
        sample_size=16,
        scaling_factor=1.5305,
        shift_factor=0.0609,
        force_upcast=True,
        use_quant_conv=False,
        use_post_quant_conv=False,
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
    )


def _dc() -> AutoencoderDC:
    return AutoencoderDC(
        latent_channels=4,
        attention_head_dim=2,
        encoder_block_types=("ResBlock", "ResBlock", "EfficientViTBlock"),
        decoder_block_types=("ResBlock", "ResBlock", "EfficientViTBlock"),
        encoder_block_out_channels=(8, 8, 8),
        decoder_block_out_channels=(8, 8, 8),
        encoder_layers_per_block=(1, 1, 1),
        decoder_layers_per_block=(1, 1, 1),
        encoder_qkv_multiscales=((), (), (5,)),
        decoder_qkv_multiscales=((), (), (5,)),
        scaling_factor=0.41407,
    )


def _clip(tokenizer: CLIPTokenizer, width: int, pooled: int) -> CLIPTextModelWithProjection:
    config = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=77,
        projection_dim=pooled,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    return CLIPTextModelWithProjection(config)


def _t5() -> T5EncoderModel:
    return T5EncoderModel(T5Config(vocab_size=64, d_model=JOINT, d_kv=8, d_ff=32, num_layers=2, num_heads=2))


def _t5_tokenizer() -> T5TokenizerFast:
    pieces = [
        ("<pad>", 0.0),
        ("</s>", 0.0),
        ("<unk>", 0.0),
        ("\u2581", -1.0),
        *((letter, -2.0) for letter in string.ascii_lowercase),
    ]
    return T5TokenizerFast(vocab=pieces, extra_ids=0)


def _gemma(tokenizer: GemmaTokenizer) -> Gemma2Model:
    config = Gemma2Config(
        vocab_size=len(tokenizer),
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=8,
        pad_token_id=tokenizer.pad_token_id,
    )
    return Gemma2Model(config)


def _gemma_tokenizer() -> GemmaTokenizer:
    names = [
        "<pad>",
        "<eos>",
        "<bos>",
        "<unk>",
        "<mask>",
        "\u2581",
        *string.ascii_letters,
        *string.punctuation,
    ]
    return GemmaTokenizer(vocab={name: i for i, name in enumerate(names)}, merges=[])
