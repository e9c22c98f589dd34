"""What a toybox folder says of its prior: ``prior.toml``, which is read without weights and words."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from engine.errors import FileFormatError
from engine.prior.base import PriorInfo

FOV_DEG = 40.0
"""Vertical field of view in degrees."""

DISTANCE = 3.05
"""Distance of the camera from the origin; an object fits the unit sphere, which then just fits the
picture.
"""

RESOLUTION = 64
"""Side of the square picture in pixels."""


if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

WEIGHTS = "diffusion_pytorch_model.safetensors"
SETTINGS = "prior.toml"
CONTROLLER = "reference"
"""The folder in it of the controller for 3D references, where one was trained."""

DISTILLED = "distilled"
"""The folder in it of the guided student, where one was trained."""

SHARPENER = "sharpener"
"""The folder in it of the second stage, where one was trained."""

CORRESPONDENCE = "correspondence"
"""The folder in it of the adapter that attends along surfaces, where one was trained."""

TOYBOX_INFO = PriorInfo(
    id="toybox",
    title="Toybox",
    channels="rgba",
    resolution=RESOLUTION,
    default_guidance_scale=2.5,
    time_range=(0.02, 0.98),
    takes_cameras=True,
    joint_views=True,
    takes_images=True,
    fov_deg=FOV_DEG,
    distance=DISTANCE,
    elevation_range_deg=(-5.0, 35.0),
)

_FIELDS = (
    "id",
    "title",
    "channels",
    "resolution",
    "default_guidance_scale",
    "time_range",
    "takes_cameras",
    "joint_views",
    "takes_images",
    "fov_deg",
    "distance",
    "elevation_range_deg",
)


def read_info(folder: Path) -> PriorInfo:
    """What the folder says of its prior, without weights and words. Raises `FileFormatError` if it cannot be
    read.
    """
    try:
        table = tomllib.loads((Path(folder) / SETTINGS).read_text(encoding="utf-8"))
        values: dict[str, Any] = {
            name: tuple(table[name]) if isinstance(table[name], list) else table[name] for name in _FIELDS
        }
        beside = {"takes_references": CONTROLLER, "sharpens": SHARPENER, "guidance_distilled": DISTILLED}
        values |= {name: (Path(folder) / place / WEIGHTS).exists() for name, place in beside.items()}
        return PriorInfo(**values, implies_noise=True, taught_words=True)
    except (OSError, TypeError, KeyError, ValueError) as error:
        raise FileFormatError(
            f"The toybox prior in {folder} is damaged ({error}).", "Restore the folder from the repository."
        ) from error


def info_toml(info: PriorInfo) -> str:
    """The text of ``prior.toml``."""
    values = {name: getattr(info, name) for name in _FIELDS}
    return "".join(
        f"{name} = {json.dumps(list(value) if isinstance(value, tuple) else value)}\n"
        for name, value in values.items()
    )
