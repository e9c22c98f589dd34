"""The settings of a run's stages: from what it starts, how it drafts, fits, refines and sharpens, and for how
long.
"""

from __future__ import annotations

from typing import Annotated

from engine.core.fields import Choice, File, Range

UNDERSTAND, AS_THEY_ARE = "understand", "as they are"

Words = Annotated[
    str,
    Choice(
        (UNDERSTAND, AS_THEY_ARE),
        label="Words",
        advanced=True,
        needs="taught_words",
        help="Read words that the prior was not taught as the nearest that it knows, and say so; or leave "
        "all as they are.",
    ),
]

Scene = Annotated[
    str,
    Choice(
        ("splats", "field", "canvas"),
        label="Scene",
        help="3D Gaussians, a voxel radiance field, or flat pictures.",
    ),
]

Start = Annotated[
    str,
    Choice(
        ("draft", "ball", "file"),
        label="Start",
        help="A draft sampled from the prior, pure distillation from a ball, or a finished result that is "
        "refined.",
    ),
]

StartFile = Annotated[
    str,
    File(
        (".ply", ".splat", ".spz", ".sog", ".ksplat"),
        label="Start file",
        advanced=True,
        help="Splats to start from: a scene.ply of ours, or any 3DGS file.",
    ),
]

DraftViews = Annotated[
    int,
    Range(
        1,
        16,
        1,
        label="Draft views",
        advanced=True,
        help="Views that the prior samples together, or pictures of a canvas.",
    ),
]

DraftGuidance = Annotated[
    float,
    Range(
        1, 20, 0.1, label="Draft guidance", advanced=True, help="Guidance while the draft views are sampled."
    ),
]

DraftGuidanceTMin = Annotated[
    float,
    Range(
        0,
        1,
        0.05,
        label="Guide the draft above",
        advanced=True,
        help="Noise level below which the draft views are sampled without guidance, in one pass a step "
        "instead of two.",
    ),
]

SamplingSteps = Annotated[
    int,
    Range(
        1,
        50,
        1,
        label="Sampling steps",
        advanced=True,
        help="Denoising steps of the draft views. 1: the mean of what could be there.",
    ),
]

FitSteps = Annotated[
    int,
    Range(
        10, 1000, 10, label="Fit steps", advanced=True, help="Steps that fit the scene to the draft views."
    ),
]

RefineSteps = Annotated[
    int, Range(0, 20000, 10, label="Refine steps", help="Steps of score distillation after the draft.")
]

SharpenSteps = Annotated[
    int,
    Range(
        0,
        500,
        10,
        label="Sharpen steps",
        needs="sharpens",
        help="Steps of the last stage: views of the shape are drawn twice as fine, and the scene is fitted "
        "to them. 0: none.",
    ),
]

TimeBudget = Annotated[
    float,
    Range(
        0, 86400, 5, unit="s", label="Time budget", help="Refining ends when this is used up. 0: no limit."
    ),
]
