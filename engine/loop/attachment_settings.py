"""The settings of a ControlNet and of a style file (LoRA) on a prior's UNet, as controls."""

from __future__ import annotations

from typing import Annotated

from engine.core.fields import Choice, File, Range
from engine.prior.control.entries import OFF, control_ids

Control = Annotated[
    str,
    Choice(
        (OFF, *control_ids()),
        label="ControlNet",
        advanced=True,
        needs="takes_controls",
        help="Also shows the prior the depth or the normals of the shape, so that it judges what is there. "
        "Half a pass more.",
    ),
]
StyleFile = Annotated[
    str,
    File(
        (".safetensors",),
        label="Style file",
        advanced=True,
        needs="takes_styles",
        help="A LoRA that was trained on the prior's base model: a look, or one thing that it knows.",
    ),
]
ControlStrength = Annotated[
    float,
    Range(
        0,
        2,
        0.05,
        label="ControlNet strength",
        advanced=True,
        needs="takes_controls",
        help="How closely the prior keeps to the shape as it is, where a ControlNet is chosen. 0: not at "
        "all.",
    ),
]
StyleStrength = Annotated[
    float,
    Range(
        0,
        2,
        0.05,
        label="Style strength",
        advanced=True,
        needs="takes_styles",
        help="How much of the style file the prior wears. 0: none, 1: as it was trained.",
    ),
]
