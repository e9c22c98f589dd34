"""A DeepFloyd IF pipeline with random weights, small enough for any machine, laid out and named as on the
Hub.
"""

from __future__ import annotations

import json
import string
import struct
from collections.abc import Sequence
from pathlib import Path

import torch
from diffusers import DDPMScheduler, IFPipeline, UNet2DConditionModel
from transformers import T5Config, T5EncoderModel

WIDTH, SIDE = 16, 8
CONTROL, UNKNOWN, NORMAL = 3, 2, 1  # sentencepiece's types of pieces

PIECES = (
    ("<pad>", 0.0, CONTROL),
    ("</s>", 0.0, CONTROL),
    ("<unk>", 0.0, UNKNOWN),
    ("\u2581", -3.0, NORMAL),
    ("\u2581a", -1.0, NORMAL),
    ("\u2581red", -2.0, NORMAL),
    ("re", -2.5, NORMAL),
    ("mug", -2.0, NORMAL),
    *((letter, -6.0, NORMAL) for letter in string.ascii_lowercase),
)


def save_tiny_if(folder: Path, out_channels: int = 6, in_channels: int = 3, **scheduler: object) -> Path:
    """Write the pipeline: pictures of 8 x 8, 77 tokens, the text encoder in shards; the same weights every
    time.
    """
    with torch.random.fork_rng():
        torch.manual_seed(0)
        unet, text_encoder = _unet(in_channels, out_channels), _text_encoder()
    settings = {
        "thresholding": True,
        "dynamic_thresholding_ratio": 0.95,
        "sample_max_value": 1.5,
        "variance_type": "learned_range",
    }
    pipeline = IFPipeline(
        tokenizer=None,
        text_encoder=text_encoder,
        unet=unet,
        scheduler=DDPMScheduler(beta_schedule="squaredcos_cap_v2", **settings, **scheduler),
        safety_checker=None,
        feature_extractor=None,
        watermarker=None,
        requires_safety_checker=False,
    )
    pipeline.save_pretrained(folder)
    text_encoder.save_pretrained(folder / "text_encoder", max_shard_size="10KB")
    (folder / "text_encoder" / "model.safetensors").unlink()
    _name_every_part(folder)
    write_tokenizer(folder / "tokenizer")
    return folder


def write_tokenizer(folder: Path, pieces: Sequence[tuple[str, float, int]] = PIECES) -> None:
    """T5's files as they were published before fast tokenizers: a sentencepiece model and its settings."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "spiece.model").write_bytes(model_proto(pieces))
    config = {"model_max_length": 512, "tokenizer_class": "T5Tokenizer", "extra_ids": 100}
    (folder / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
    special = {"eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
    (folder / "special_tokens_map.json").write_text(json.dumps(special), encoding="utf-8")


def model_proto(pieces: Sequence[tuple[str, float, int]]) -> bytes:
    """The pieces as a protocol buffer, with a trainer's settings (field 2) and an empty normaliser (field
    3).
    """
    rows = []
    for text, score, kind in pieces:
        piece = _field(1, text.encode()) + bytes([2 << 3 | 5]) + struct.pack("<f", score)
        rows.append(_field(1, piece + (b"" if kind == NORMAL else bytes([3 << 3, kind]))))
    trainer = bytes([3 << 3, 1]) + bytes([40 << 3 & 0x7F | 0x80, 40 >> 4]) + b"\x02"  # model_type 1, unk_id 2
    return b"".join(rows) + _field(2, trainer) + _field(3, _field(1, b"identity"))


def _field(number: int, content: bytes) -> bytes:
    size, length = b"", len(content)
    while length >= 0x80:
        size, length = size + bytes([length & 0x7F | 0x80]), length >> 7
    return bytes([number << 3 | 2]) + size + bytes([length]) + content


def _unet(in_channels: int, out_channels: int) -> UNet2DConditionModel:
    return UNet2DConditionModel(
        sample_size=SIDE,
        layers_per_block=1,
        block_out_channels=(8, 16),
        norm_num_groups=4,
        down_block_types=("ResnetDownsampleBlock2D", "SimpleCrossAttnDownBlock2D"),
        mid_block_type="UNetMidBlock2DSimpleCrossAttn",
        up_block_types=("SimpleCrossAttnUpBlock2D", "ResnetUpsampleBlock2D"),
        in_channels=in_channels,
        out_channels=out_channels,
        cross_attention_dim=32,
        encoder_hid_dim=WIDTH,
        attention_head_dim=4,
        addition_embed_type="text",
        addition_embed_type_num_heads=2,
        cross_attention_norm="group_norm",
        resnet_time_scale_shift="scale_shift",
        act_fn="gelu",
        class_embed_type="timestep" if in_channels == 6 else None,
    )


def _text_encoder() -> T5EncoderModel:
    return T5EncoderModel(
        T5Config(
            vocab_size=len(PIECES) + 4,
            d_model=WIDTH,
            d_ff=32,
            d_kv=4,
            num_layers=1,
            num_heads=2,
            feed_forward_proj="gated-gelu",
        )
    )


def _name_every_part(folder: Path) -> None:
    """The published index names a safety checker and a watermarker too, whose files nobody needs here."""
    path = folder / "model_index.json"
    index = json.loads(path.read_text(encoding="utf-8"))
    index |= {
        "tokenizer": ["transformers", "T5Tokenizer"],
        "safety_checker": ["deepfloyd_if", "IFSafetyChecker"],
        "feature_extractor": ["transformers", "CLIPImageProcessor"],
        "watermarker": ["deepfloyd_if", "IFWatermarker"],
    }
    path.write_text(json.dumps(index), encoding="utf-8")
