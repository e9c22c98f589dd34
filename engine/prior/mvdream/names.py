"""From the names of MVDream's published weights and config to those of diffusers' UNet.

    published                     here
    time_embed.{0,2}              time_embedding.linear_{1,2}
    camera_embed.{0,2}            class_embedding.linear_{1,2}
    input_blocks.0.0              conv_in
    input_blocks.I.{0,1}          down_blocks.L.{resnets,attentions}.R   I = 1 + L (n + 1) + R, n blocks each
    input_blocks.I.0.op           down_blocks.L.downsamplers.0.conv      R = n
    middle_block.{0,1,2}          mid_block.{resnets.0,attentions.0,resnets.1}
    output_blocks.I.{0,1}         up_blocks.L.{resnets,attentions}.R     I = L (n + 1) + R, coarsest first
    output_blocks.I.{1,2}.conv    up_blocks.L.upsamplers.0.conv
    out.{0,2}                     conv_norm_out, conv_out

Within a residual block: in_layers.{0,2} are norm1 and conv1, emb_layers.1 is time_emb_proj, out_layers.{0,3}
are norm2 and conv2, skip_connection is conv_shortcut. Within a transformer block nothing changes.

Checked against the source of the published class, ``MultiViewUNetModel`` in ashawkey/mvdream_diffusers, and
its conversion script, which keeps the original names and writes the original settings as
``unet/config.json``: three linear layers and no 1x1 convolutions in each transformer, 32 groups, cosine
before sine in the time embedding, heads of ``num_head_channels``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

RESIDUAL = {
    "in_layers.0": "norm1",
    "in_layers.2": "conv1",
    "emb_layers.1": "time_emb_proj",
    "out_layers.0": "norm2",
    "out_layers.3": "conv2",
    "skip_connection": "conv_shortcut",
}
EMBEDDINGS = {"0": "linear_1", "2": "linear_2"}
MIDDLE = {"0": "resnets.0", "1": "attentions.0", "2": "resnets.1"}
ENDS = {"out.0": "conv_norm_out", "out.2": "conv_out", "input_blocks.0.0": "conv_in"}
NEEDED = (
    "in_channels",
    "out_channels",
    "model_channels",
    "channel_mult",
    "num_res_blocks",
    "attention_resolutions",
    "num_head_channels",
    "context_dim",
    "camera_dim",
)
UNKNOWN_HERE = {
    "ip_dim": 0,
    "num_classes": None,
    "use_scale_shift_norm": False,
    "resblock_updown": False,
    "dims": 2,
    "n_embed": None,
    "conv_resample": True,
    "num_attention_blocks": None,
}
"""Settings of the published class that change the network, with the only value that is built here."""


def unet_config(published: Mapping[str, Any]) -> dict[str, Any]:
    """What diffusers' UNet is to be built with. Raises ValueError for a setting that is missing or makes
    another network.
    """
    missing = [name for name in NEEDED if name not in published]
    if missing:
        raise ValueError(f"it lacks {', '.join(missing)}")
    other = [
        f"{name} {published[name]!r}"
        for name, value in UNKNOWN_HERE.items()
        if published.get(name, value) != value
    ]
    if other:
        raise ValueError(f"it has {', '.join(other)}, which makes another network than MVDream's")
    widths = [published["model_channels"] * mult for mult in published["channel_mult"]]
    attends = [2**level in published["attention_resolutions"] for level in range(len(widths))]
    return {
        "sample_size": published.get("image_size", 32),
        "in_channels": published["in_channels"],
        "out_channels": published["out_channels"],
        "block_out_channels": tuple(widths),
        "layers_per_block": published["num_res_blocks"],
        "down_block_types": tuple("CrossAttnDownBlock2D" if has else "DownBlock2D" for has in attends),
        "up_block_types": tuple("CrossAttnUpBlock2D" if has else "UpBlock2D" for has in reversed(attends)),
        "attention_head_dim": tuple(
            width // published["num_head_channels"] for width in widths
        ),  # diffusers means the heads
        "transformer_layers_per_block": published.get("transformer_depth", 1),
        "cross_attention_dim": published["context_dim"],
        "use_linear_projection": True,
        "class_embed_type": "projection",
        "projection_class_embeddings_input_dim": published["camera_dim"],
    }


def diffusers_name(name: str, blocks: int) -> str:
    """The name here of a published tensor ``name``; ``blocks`` is num_res_blocks. Raises ValueError for an
    unknown name.
    """
    for published, ours in ENDS.items():
        if name.startswith(published + "."):
            return ours + name.removeprefix(published)
    part, *rest = name.split(".")
    try:
        if part in ("time_embed", "camera_embed"):
            return ".".join(
                [
                    {"time_embed": "time_embedding", "camera_embed": "class_embedding"}[part],
                    EMBEDDINGS[rest[0]],
                    *rest[1:],
                ]
            )
        if part == "middle_block":
            return f"mid_block.{MIDDLE[rest[0]]}.{_inner(rest[1:])}"
        index, place = int(rest[0]), rest[1:]
        if part == "input_blocks":
            return _down(*divmod(index - 1, blocks + 1), place)
        if part == "output_blocks":
            return _up(*divmod(index, blocks + 1), place)
    except (KeyError, IndexError, ValueError) as error:
        raise ValueError(f"{name} is no tensor of this network") from error
    raise ValueError(f"{name} is no tensor of this network")


def _down(level: int, row: int, place: list[str]) -> str:
    if place[1] == "op":
        return f"down_blocks.{level}.downsamplers.0.conv.{place[2]}"
    return f"down_blocks.{level}.{('resnets', 'attentions')[int(place[0])]}.{row}.{_inner(place[1:])}"


def _up(level: int, row: int, place: list[str]) -> str:
    if place[1] == "conv":
        return f"up_blocks.{level}.upsamplers.0.conv.{place[2]}"
    return f"up_blocks.{level}.{('resnets', 'attentions')[int(place[0])]}.{row}.{_inner(place[1:])}"


def _inner(place: list[str]) -> str:
    """Within a block: a residual block's layers are renamed, a transformer's are not."""
    whole = ".".join(place)
    for published, ours in RESIDUAL.items():
        if whole.startswith(published + "."):
            return ours + whole.removeprefix(published)
    return whole
