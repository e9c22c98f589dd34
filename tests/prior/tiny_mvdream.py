"""MVDream with random weights in the Hub's layout, and a plain network with the published names: the twin of
ours.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn.functional import gelu, interpolate, scaled_dot_product_attention

from tests.prior.tiny_pipeline import save_tiny_pipeline

CONFIG = {
    "_class_name": "MultiViewUNetModel",
    "_diffusers_version": "0.25.0",
    "image_size": 8,
    "in_channels": 4,
    "out_channels": 4,
    "model_channels": 32,
    "attention_resolutions": [2, 1],
    "num_res_blocks": 1,
    "channel_mult": [1, 2, 2],
    "num_head_channels": 16,
    "transformer_depth": 1,
    "context_dim": 16,
    "use_checkpoint": False,
    "camera_dim": 16,
}  # the published one has 320 channels, [4, 2, 1], 2, [1, 2, 4, 4], 64 and 1024


def save_tiny_mvdream(folder: Path, prediction_type: str = "epsilon") -> Path:
    """Stable Diffusion's parts with MVDream's UNet in place of the plain one; the same weights every time."""
    save_tiny_pipeline(folder, prediction_type)
    path = folder / "model_index.json"
    index = json.loads(path.read_text(encoding="utf-8"))
    index |= {
        "_class_name": "MVDreamPipeline",
        "unet": ["mv_unet", "MultiViewUNetModel"],
        "image_encoder": [None, None],
        "feature_extractor": [None, None],
    }
    del index["safety_checker"]
    path.write_text(json.dumps(index), encoding="utf-8")
    (folder / "unet" / "mv_unet.py").write_text(
        "raise RuntimeError('published code must not run')\n", encoding="utf-8"
    )
    (folder / "unet" / "config.json").write_text(json.dumps(CONFIG), encoding="utf-8")
    weights = {name: tensor.clone() for name, tensor in published_twin().state_dict().items()}
    save_file(weights, folder / "unet" / "diffusion_pytorch_model.safetensors", metadata={"format": "pt"})
    return folder


def published_twin() -> PublishedUnet:
    """The twin with random weights, none of them zero."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        twin = PublishedUnet(CONFIG)
        for parameter in twin.parameters():
            nn.init.normal_(parameter, std=0.3 if parameter.ndim == 1 else 0.06)
    return twin.eval().requires_grad_(False)


class PublishedUnet(nn.Module):
    """The network of arXiv 2308.16512 with the names of the published weights, written as plainly as
    possible.
    """

    def __init__(self, config: dict) -> None:
        super().__init__()
        width, mults, self.rows = config["model_channels"], config["channel_mult"], config["num_res_blocks"]
        self.width = width
        emb = 4 * width
        self.time_embed = nn.Sequential(nn.Linear(width, emb), nn.SiLU(), nn.Linear(emb, emb))
        self.camera_embed = nn.Sequential(
            nn.Linear(config["camera_dim"], emb), nn.SiLU(), nn.Linear(emb, emb)
        )

        def layers(taken: int, given: int, level: int) -> list[nn.Module]:
            found: list[nn.Module] = [Residual(taken, given, emb)]
            if 2**level in config["attention_resolutions"]:
                found.append(Transformer(given, config["num_head_channels"], config["context_dim"]))
            return found

        self.input_blocks = nn.ModuleList(
            [nn.ModuleList([nn.Conv2d(config["in_channels"], width, 3, padding=1)])]
        )
        kept, now = [width], width
        for level, mult in enumerate(mults):
            for _ in range(self.rows):
                self.input_blocks.append(nn.ModuleList(layers(now, mult * width, level)))
                now = mult * width
                kept.append(now)
            if level + 1 < len(mults):
                self.input_blocks.append(nn.ModuleList([Down(now)]))
                kept.append(now)
        self.middle_block = nn.ModuleList(
            [
                Residual(now, now, emb),
                Transformer(now, config["num_head_channels"], config["context_dim"]),
                Residual(now, now, emb),
            ]
        )
        self.output_blocks = nn.ModuleList()
        for level, mult in reversed(list(enumerate(mults))):
            for row in range(self.rows + 1):
                block = layers(now + kept.pop(), mult * width, level)
                now = mult * width
                self.output_blocks.append(
                    nn.ModuleList(block + ([Up(now)] if level and row == self.rows else []))
                )
        self.out = nn.Sequential(
            nn.GroupNorm(32, now), nn.SiLU(), nn.Conv2d(now, config["out_channels"], 3, padding=1)
        )

    def forward(self, x: Tensor, t: Tensor, words: Tensor, cameras: Tensor, joint: bool = True) -> Tensor:
        """x (V,4,h,w), t (V,), words (V,L,D), cameras (V,16); ``joint``: the views attend to each other."""
        half = self.width // 2
        angles = t[:, None] * torch.exp(-math.log(10000) * torch.arange(half) / half)
        emb = self.time_embed(torch.cat([angles.cos(), angles.sin()], dim=1)) + self.camera_embed(cameras)

        def through(block: nn.ModuleList, x: Tensor) -> Tensor:
            for layer in block:
                if isinstance(layer, Residual):
                    x = layer(x, emb)
                else:
                    x = layer(x, words, joint) if isinstance(layer, Transformer) else layer(x)
            return x

        kept = []
        for block in self.input_blocks:
            x = through(block, x)
            kept.append(x)
        x = through(self.middle_block, x)
        for block in self.output_blocks:
            x = through(block, torch.cat([x, kept.pop()], dim=1))
        return self.out(x)


class Residual(nn.Module):
    def __init__(self, taken: int, given: int, emb: int) -> None:
        super().__init__()
        self.in_layers = nn.Sequential(
            nn.GroupNorm(32, taken), nn.SiLU(), nn.Conv2d(taken, given, 3, padding=1)
        )
        self.emb_layers = nn.Sequential(nn.SiLU(), nn.Linear(emb, given))
        self.out_layers = nn.Sequential(
            nn.GroupNorm(32, given), nn.SiLU(), nn.Dropout(0), nn.Conv2d(given, given, 3, padding=1)
        )
        self.skip_connection = nn.Identity() if taken == given else nn.Conv2d(taken, given, 1)

    def forward(self, x: Tensor, emb: Tensor) -> Tensor:
        return self.skip_connection(x) + self.out_layers(
            self.in_layers(x) + self.emb_layers(emb)[..., None, None]
        )


class Down(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.op = nn.Conv2d(width, width, 3, stride=2, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.op(x)


class Up(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(interpolate(x, scale_factor=2, mode="nearest"))


class Transformer(nn.Module):
    def __init__(self, width: int, head: int, words: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(32, width, eps=1e-6)
        self.proj_in, self.proj_out = nn.Linear(width, width), nn.Linear(width, width)
        self.transformer_blocks = nn.ModuleList([Layer(width, head, words)])

    def forward(self, x: Tensor, words: Tensor, joint: bool) -> Tensor:
        tokens = self.proj_in(self.norm(x).flatten(2).transpose(1, 2))
        tokens = self.proj_out(self.transformer_blocks[0](tokens, words, joint))
        return x + tokens.transpose(1, 2).reshape(x.shape)


class Layer(nn.Module):
    def __init__(self, width: int, head: int, words: int) -> None:
        super().__init__()
        self.norm1, self.norm2, self.norm3 = nn.LayerNorm(width), nn.LayerNorm(width), nn.LayerNorm(width)
        self.attn1, self.attn2 = Attention(width, width, head), Attention(width, words, head)
        self.ff = FeedForward(width)

    def forward(self, x: Tensor, words: Tensor, joint: bool) -> Tensor:
        seen = self.norm1(x)
        together = seen.reshape(1, -1, x.shape[-1]) if joint else seen
        x = x + self.attn1(together, together).reshape(x.shape)
        x = x + self.attn2(self.norm2(x), words)
        return x + self.ff(self.norm3(x))


class Attention(nn.Module):
    def __init__(self, width: int, given: int, head: int) -> None:
        super().__init__()
        self.head = head
        self.to_q, self.to_k, self.to_v = (
            nn.Linear(size, width, bias=False) for size in (width, given, given)
        )
        self.to_out = nn.Sequential(nn.Linear(width, width), nn.Dropout(0))

    def forward(self, x: Tensor, given: Tensor) -> Tensor:
        q, k, v = (
            part.unflatten(2, (-1, self.head)).transpose(1, 2)
            for part in (self.to_q(x), self.to_k(given), self.to_v(given))
        )
        return self.to_out(scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


class FeedForward(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.net = nn.Sequential(Gated(width), nn.Dropout(0), nn.Linear(4 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


class Gated(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.proj = nn.Linear(width, 8 * width)

    def forward(self, x: Tensor) -> Tensor:
        value, gate = self.proj(x).chunk(2, dim=-1)
        return value * gelu(gate)
