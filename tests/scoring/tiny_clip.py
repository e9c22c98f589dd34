"""A CLIP model with random weights, small enough for any machine, laid out and named as on the Hub."""

from __future__ import annotations

import json
import string
from pathlib import Path

import torch
from transformers import CLIPConfig, CLIPModel, CLIPTextConfig, CLIPTokenizer, CLIPVisionConfig

MEAN, STD = (0.5, 0.4, 0.3), (0.2, 0.25, 0.3)
LETTERS = [*string.ascii_lowercase, ","]
VOCABULARY = [*LETTERS, *(f"{letter}</w>" for letter in LETTERS), "<|startoftext|>", "<|endoftext|>"]


def save_tiny_clip(folder: Path) -> Path:
    """Write config, weights, preprocessor and tokenizer: 16-pixel pictures, 20 tokens; always the same
    weights.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        CLIPModel(_config()).save_pretrained(folder)
    (folder / "vocab.json").write_text(json.dumps({word: i for i, word in enumerate(VOCABULARY)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"model_max_length": 20, "tokenizer_class": "CLIPTokenizer"})
    )
    (folder / "preprocessor_config.json").write_text(json.dumps({"image_mean": MEAN, "image_std": STD}))
    CLIPTokenizer.from_pretrained(folder)  # it can be read
    return folder


def _config() -> CLIPConfig:
    common = {
        "hidden_size": 16,
        "intermediate_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "projection_dim": 8,
    }
    start, end = VOCABULARY.index("<|startoftext|>"), VOCABULARY.index("<|endoftext|>")
    words = CLIPTextConfig(
        vocab_size=len(VOCABULARY), max_position_embeddings=20, bos_token_id=start, eos_token_id=end, **common
    )
    pictures = CLIPVisionConfig(image_size=16, patch_size=8, **common)
    return CLIPConfig(text_config=words.to_dict(), vision_config=pictures.to_dict(), projection_dim=8)
