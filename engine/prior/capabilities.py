"""What is known of a prior before its weights are loaded: enough to say which settings cannot work with it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.errors import StudioError
from engine.prior.base import PriorInfo
from engine.prior.entries import PRIORS_FOLDER, PriorEntry
from engine.prior.registry import find_entry
from engine.prior.toybox.info import read_info

SHOWN: Mapping[str, Any] = {"takes_cameras": True, "takes_images": True, "needs_images": True, "has_vae": True}
ZERO123: Mapping[str, Any] = {**SHOWN, "reads_words": False}
IMAGEDREAM: Mapping[str, Any] = {**SHOWN, "joint_views": True}


def six_views(elevations_deg: tuple[float, float]) -> tuple[tuple[float, float], ...]:
    """Zero123++'s views: azimuth beside the picture's and elevation of each, which alternates between two."""
    return tuple((30.0 + 60.0 * i, elevations_deg[i % 2]) for i in range(6))


def _six_view_traits(elevations_deg: tuple[float, float], fov_deg: float) -> Mapping[str, Any]:
    """The camera stands where the unit sphere just fits into the picture."""
    cameras = {"fov_deg": fov_deg, "distance": 1 / math.sin(math.radians(fov_deg / 2))}
    return {**ZERO123, "joint_views": True, "fixed_views": six_views(elevations_deg), **cameras}


ZERO123PLUS: Mapping[str, Mapping[str, Any]] = {
    "v1.1": _six_view_traits((30.0, -20.0), fov_deg=2 * math.degrees(math.atan(16 / 35))),
    "v1.2": _six_view_traits((20.0, -10.0), fov_deg=30.0),
}
"""By version: other heights, and another lens. v1.1 has Zero-1-to-3's of 16 / 35, 49.13 degrees (its author in issue 68 of
SUDO-AI-3D/zero123plus, which corrects what was said in its issue 39); v1.2's is in its README."""


WORDED = {"wants_view_words": True}
JOINT = {"takes_cameras": True, "joint_views": True, "has_vae": True}
LATENT = {**WORDED, "has_vae": True}
WITH_ATTACHMENTS = {**LATENT, "takes_controls": True, "takes_styles": True}
TRAITS: Mapping[str, Mapping[str, Any]] = {
    "latent": WITH_ATTACHMENTS,
    "sdxl": WITH_ATTACHMENTS,
    "flow": LATENT,
    "pixel": WORDED,
    "mvdream": JOINT,
    "instruct": {"takes_source": True, "has_vae": True},
    "zero123": ZERO123,
    "stable-zero123": ZERO123,
    **{f"zero123plus-{version}": traits for version, traits in ZERO123PLUS.items()},
    "imagedream": IMAGEDREAM,
}
"""What all priors of a family have in common, as their loaders say too."""


def known_info(entry: PriorEntry) -> PriorInfo | None:
    """The prior's info as far as it decides what goes together; None if only loading it can tell."""
    if entry.family == "toybox":
        return _toybox(entry)
    traits = TRAITS.get(entry.family)
    return None if traits is None else replace(entry.info(), **traits)


def reads_words(entry: PriorEntry) -> bool:
    """Whether a prompt changes anything; a prior that draws from a picture alone reads none."""
    return bool(TRAITS.get(entry.family, {}).get("reads_words", True))


def info_of(prior_id: str, folder: Path = PRIORS_FOLDER) -> PriorInfo | None:
    """``known_info`` by name; None also where there is no readable entry of that name."""
    try:
        return known_info(find_entry(prior_id, folder))
    except StudioError:
        return None


def _toybox(entry: PriorEntry) -> PriorInfo | None:
    return read_info(entry.local_source) if entry.is_local else None
