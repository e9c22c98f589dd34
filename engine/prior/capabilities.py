"""What is known of a prior before its weights are loaded: enough to say which settings cannot work with
it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.errors import StudioError
from engine.prior.base import PriorInfo
from engine.prior.entries import PRIORS_FOLDER, PriorEntry
from engine.prior.image_prompt.capabilities import IMAGEDREAM, ZERO123, ZERO123PLUS
from engine.prior.registry import find_entry
from engine.prior.toybox.info import read_info

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
