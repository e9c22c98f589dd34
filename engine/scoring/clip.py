"""CLIP similarity (arXiv 2103.00020): the cosine between a picture's and the prompt's embedding, here with
ViT-L/14.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from torch import Tensor

from engine.errors import FileFormatError
from engine.scoring.base import ScorerInfo, over_white

INFO = ScorerInfo(
    id="clip",
    title="CLIP ViT-L/14",
    sentence="How near picture and prompt lie in CLIP's space.",
    picture_size=224,
    source="openai/clip-vit-large-patch14",
    revision="32bd64288804d66eefd0ccbe215aa642df71cc41",
    licence="MIT",
    size_mb=1720,
    files=(
        "config.json",
        "model.safetensors",
        "preprocessor_config.json",
        "vocab.json",
        "merges.txt",
        "tokenizer_config.json",
    ),
    needs=("transformers",),
    install="pip install transformers",
)
SIDES = ("front view", "side view", "back view")
BATCH = 32


class ClipScorer:
    """A CLIP model; ``scaled`` multiplies the cosine by the temperature it was trained with, as reward models
    built on it do.
    """

    def __init__(self, info: ScorerInfo, folder: Path, device: torch.device, scaled: bool = False) -> None:
        from transformers import CLIPTokenizer  # slow to import

        self.info, self.device = info, device
        try:
            self.model = _model(folder).to(device).eval().requires_grad_(False)
            self.tokenizer = CLIPTokenizer.from_pretrained(folder, local_files_only=True)
            self.mean, self.std = _normalisation(folder / "preprocessor_config.json")
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            raise FileFormatError(f"{folder} does not hold a CLIP model that can be read: {error}.",
                                  f"Delete that folder and fetch {info.id} again.") from error  # fmt: skip
        self.size = self.model.config.vision_config.image_size
        self.scale = float(self.model.logit_scale.exp()) if scaled else 1.0

    def scores(self, rgba: np.ndarray, prompt: str) -> np.ndarray:
        """(N,) cosine of each picture with the prompt."""
        return self.scale * self._cosines(rgba, [prompt])[:, 0]

    def fronts(self, rgba: np.ndarray, prompt: str) -> np.ndarray:
        """(N,) whether "front view" fits better than "side view" and "back view" of the prompt."""
        return self._cosines(rgba, [f"{prompt}, {side}" for side in SIDES]).argmax(1) == 0

    @torch.no_grad()
    def embedded_pictures(self, rgba: np.ndarray) -> Tensor:
        """(N,D) of unit length, from pictures (N,H,W,4) uint8 with premultiplied colour."""
        parts = [self._pixels(part) for part in np.array_split(rgba, -(-len(rgba) // BATCH))]
        embeddings = [
            self.model.visual_projection(self.model.vision_model(pixel_values=part).pooler_output)
            for part in parts
        ]
        return F.normalize(torch.cat(embeddings), dim=-1)

    def unlikeness(self, rgba: Tensor, prompt: str) -> Tensor:
        """(B,) 1 - cosine of premultiplied pictures (B,H,W,4) in 0..1 with the prompt, differentiable."""
        white = (rgba[..., :3] + 1 - rgba[..., 3:]).movedim(-1, 1).to(self.device)
        embedding = self.model.vision_model(pixel_values=self._normalised(white)).pooler_output
        pictures = F.normalize(self.model.visual_projection(embedding), dim=-1)
        return (1 - pictures @ self.embedded_words([prompt])[0]).to(rgba)

    @torch.no_grad()
    def embedded_words(self, texts: list[str]) -> Tensor:
        """(T,D) of unit length."""
        tokens = self.tokenizer(
            texts, padding=True, truncation=True, max_length=self._most_tokens(), return_tensors="pt"
        )
        words = {name: tokens[name].to(self.device) for name in ("input_ids", "attention_mask")}
        return F.normalize(self.model.text_projection(self.model.text_model(**words).pooler_output), dim=-1)

    def _cosines(self, rgba: np.ndarray, texts: list[str]) -> np.ndarray:
        """(N,T) cosines of all pictures with all texts."""
        return (self.embedded_pictures(rgba) @ self.embedded_words(texts).T).float().cpu().numpy()

    def _pixels(self, rgba: np.ndarray) -> Tensor:
        """Pictures over white as the model was trained on: (N,3,S,S), normalised."""
        return self._normalised(
            torch.from_numpy(over_white(rgba)).to(self.device).movedim(-1, 1).float() / 255
        )

    def _normalised(self, x: Tensor) -> Tensor:
        x = F.interpolate(
            x, size=(self.size, self.size), mode="bicubic", antialias=True, align_corners=False
        ).clamp(0, 1)
        return (x - x.new_tensor(self.mean)[:, None, None]) / x.new_tensor(self.std)[:, None, None]

    def _most_tokens(self) -> int:
        return int(self.model.config.text_config.max_position_embeddings)


def load(folder: Path, device: torch.device) -> ClipScorer:
    """The model in ``folder``. Raises FileFormatError."""
    return ClipScorer(INFO, folder, device)


def _model(folder: Path) -> Any:
    """The network; weights that are not all there are an error, where the library would draw them at
    random.
    """
    from transformers import CLIPModel

    model, loaded = cast(
        "tuple[Any, Any]", CLIPModel.from_pretrained(folder, local_files_only=True, output_loading_info=True)
    )
    if loaded["missing_keys"]:
        raise ValueError(f"{len(loaded['missing_keys'])} of its weights are missing")
    return model


def _normalisation(path: Path) -> tuple[list[float], list[float]]:
    config = json.loads(path.read_text(encoding="utf-8"))
    return config["image_mean"], config["image_std"]
