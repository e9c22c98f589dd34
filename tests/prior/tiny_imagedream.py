"""ImageDream with random weights in the Hub's layout, and a plain network with the published names: the twin
of ours.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn.functional import gelu
from transformers import CLIPVisionModel

from tests.prior.tiny_mvdream import CONFIG, Attention, Layer, PublishedUnet, save_tiny_mvdream
from tests.prior.tiny_pipeline import WIDTH
from tests.prior.tiny_sight import change_index, save_eye, save_preparation

TOKENS = 3
PICTURE_CONFIG = {**CONFIG, "ip_dim": TOKENS, "ip_weight": 1.0}  # the published one has 16 tokens


def save_tiny_imagedream(folder: Path) -> Path:
    """MVDream's layout with an image encoder and the twin's weights; the same every time."""
    save_tiny_mvdream(folder)
    save_eye(folder / "image_encoder", CLIPVisionModel)
    save_preparation(folder / "feature_extractor")
    change_index(
        folder,
        image_encoder=["transformers", "CLIPVisionModel"],
        feature_extractor=["transformers", "CLIPImageProcessor"],
    )
    (folder / "unet" / "config.json").write_text(json.dumps(PICTURE_CONFIG), encoding="utf-8")
    weights = {name: tensor.clone() for name, tensor in published_twin().state_dict().items()}
    save_file(weights, folder / "unet" / "diffusion_pytorch_model.safetensors", metadata={"format": "pt"})
    return folder


def published_twin() -> PublishedPictureUnet:
    """The twin with random weights, none of them zero."""
    with torch.random.fork_rng():
        torch.manual_seed(1)
        twin = PublishedPictureUnet()
        for parameter in twin.parameters():
            nn.init.normal_(parameter, std=0.3 if parameter.ndim == 1 else 0.06)
    return twin.eval().requires_grad_(False)


class PublishedPictureUnet(PublishedUnet):
    """MVDream's twin whose cross-attention reads a picture too."""

    def __init__(self) -> None:
        super().__init__(CONFIG)
        for layer in [module for module in self.modules() if isinstance(module, Layer)]:
            layer.attn2 = PictureReading(layer.attn2.to_q.in_features, WIDTH, CONFIG["num_head_channels"])
        self.image_embed = Resampled()

    def see(
        self, x: Tensor, t: Tensor, words: Tensor, cameras: Tensor, patches: Tensor, picture: Tensor
    ) -> Tensor:
        """Four views (4,4,h,w) with a fifth, the picture's latents (1,4,h,w), whose camera is zeros."""
        told = torch.cat([words.expand(5, -1, -1), self.image_embed(patches).expand(5, -1, -1)], dim=1)
        cameras = torch.cat([cameras, torch.zeros(1, 16)])
        return self(torch.cat([x, picture]), torch.cat([t, t[:1]]), told, cameras)[:4]


class PictureReading(Attention):
    def __init__(self, width: int, given: int, head: int) -> None:
        super().__init__(width, given, head)
        self.to_k_ip, self.to_v_ip = nn.Linear(given, width, bias=False), nn.Linear(given, width, bias=False)

    def forward(self, x: Tensor, given: Tensor) -> Tensor:
        words, picture = given[:, :-TOKENS], given[:, -TOKENS:]
        read = soft(self.to_q(x), self.to_k(words), self.to_v(words), self.head)
        return self.to_out(read + soft(self.to_q(x), self.to_k_ip(picture), self.to_v_ip(picture), self.head))


class Resampled(nn.Module):
    """The published resampler with the sizes that its class has fixed: 4 layers of 12 heads of 64 numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.latents = nn.Parameter(torch.zeros(1, TOKENS, WIDTH))
        self.proj_in, self.proj_out, self.norm_out = (
            nn.Linear(WIDTH, WIDTH),
            nn.Linear(WIDTH, WIDTH),
            nn.LayerNorm(WIDTH),
        )
        self.layers = nn.ModuleList(nn.ModuleList([Perceiving(), widening(4 * WIDTH)]) for _ in range(4))

    def forward(self, patches: Tensor) -> Tensor:
        x, tokens = self.proj_in(patches), self.latents
        for perceive, (norm, widen, _, narrow) in self.layers:
            tokens = perceive(x, tokens) + tokens
            tokens = narrow(gelu(widen(norm(tokens)))) + tokens
        return self.norm_out(self.proj_out(tokens))


def widening(wide: int) -> nn.Sequential:
    first, last = nn.Linear(WIDTH, wide, bias=False), nn.Linear(wide, WIDTH, bias=False)
    return nn.Sequential(nn.LayerNorm(WIDTH), first, nn.GELU(), last)


class Perceiving(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.to_q, self.to_kv = nn.Linear(WIDTH, 768, bias=False), nn.Linear(WIDTH, 1536, bias=False)
        self.to_out = nn.Linear(768, WIDTH, bias=False)

    def forward(self, x: Tensor, tokens: Tensor) -> Tensor:
        tokens = self.norm2(tokens)
        both = self.to_kv(torch.cat([self.norm1(x), tokens], dim=1))
        return self.to_out(soft(self.to_q(tokens), both[..., :768], both[..., 768:], 64))


def soft(q: Tensor, k: Tensor, v: Tensor, head: int) -> Tensor:
    """Attention head by head, written out."""
    parts = []
    for start in range(0, q.shape[-1], head):
        each = slice(start, start + head)
        parts.append((q[..., each] @ k[..., each].transpose(1, 2) / head**0.5).softmax(-1) @ v[..., each])
    return torch.cat(parts, dim=-1)
