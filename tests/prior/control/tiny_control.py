"""ControlNets with random weights for tiny pipelines, with registry entries beside them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from diffusers import ControlNetModel, UNet2DConditionModel
from torch import nn

from engine.core.cameras import orbit_cameras
from engine.core.views import Views
from engine.prior.base import Condition, TextEmbedding

SIDE = 16  # pixels of a tiny prior's pictures


def save_tiny_control(
    folder: Path, unet: UNet2DConditionModel, sees: str = "depth", control_id: str = "tiny"
) -> Path:
    """Write a ControlNet for ``unet`` and its entry ``ID.toml`` into ``folder``; the same weights every
    time.
    """
    with torch.random.fork_rng():
        torch.manual_seed(3)
        network = ControlNetModel.from_unet(unet, conditioning_embedding_out_channels=(4, 8))
        for layer in (
            *network.controlnet_down_blocks,
            network.controlnet_mid_block,
            network.controlnet_cond_embedding.conv_out,
        ):
            nn.init.normal_(layer.weight, std=0.3)  # a new one would be silent
    network.save_pretrained(folder / f"{control_id}-files")
    return write_entry(folder, id=control_id, sees=sees, source=f"./{control_id}-files")


def write_entry(folder: Path, **values: Any) -> Path:
    """A registry entry; returns the folder that it is in."""
    table = {
        "id": "tiny",
        "title": "Tiny",
        "sees": "depth",
        "base": "a tiny model",
        "licence": "CC0",
        **values,
    }
    lines = [f"{name} = {json.dumps(value)}" for name, value in table.items() if value is not None]
    (folder / f"{table['id']}.toml").write_text("\n".join(lines), encoding="utf-8")
    return folder


def seen(text: TextEmbedding, views: int = 2) -> Condition:
    """What is told and shown of a tilted plate from some sides, with nothing in the corner."""
    cameras = orbit_cameras([360.0 * i / views for i in range(views)], 10.0, 3.0, 40.0, SIDE)
    v, u = torch.meshgrid(torch.linspace(-1, 1, SIDE), torch.linspace(-1, 1, SIDE), indexing="ij")
    depth = torch.stack([3 + 0.3 * (i + 1) * u + 0.2 * v for i in range(views)])[..., None]
    alpha = torch.ones_like(depth)
    alpha[:, :4, :4] = 0
    return Condition(text, cameras, views=Views(alpha.expand(-1, -1, -1, 3), alpha, depth * alpha))
