"""Runs begin, step, end, are written and go on again on a GPU: every preset, method, kind of input and family
of priors.

What takes longest, and finds what the rest finds, is marked ``heavy``: ``pytest -m heavy
tests/pretend_cuda``.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.guidance import methods
from engine.prior.base import Prior
from engine.session.presets import find_preset, load_presets
from engine.session.reference_lookup import References, own_folder
from tests.pretend_cuda.running import interrupted, settings_of, started, written

PriorOf = Callable[[str], Prior]
FAMILIES = {"stable-diffusion-1.5": "sd", "zero123-xl": "zero123", "zero123plus-v1.2": "zero123plus"}
CHAIR = "shelf:toybox/701000"
HEAVY = {
    *("imagedream-image", "mvdream-splats", "sd15-hifa", "zero123plus-draft"),
    *("toybox-ball", "toybox-field", "toybox-image", "toybox-lods", "toybox-quick", "toybox-region"),
}
PRESETS = [
    pytest.param(
        preset.key, marks=pytest.mark.heavy if preset.key in HEAVY or "reference" in preset.key else ()
    )
    for preset in load_presets().presets
]
OTHER_METHODS = sorted(set(methods()) - {preset.values.get("method") for preset in load_presets().presets})
TINY = {"start": "ball", "render_size": 16, "splats": 100, "views_per_step": 1, "perp_neg": False}


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_runs_and_goes_on(prior_of: PriorOf, tmp_path: Path, mug: str, preset: str) -> None:
    kind = find_preset(preset).values["prior"]
    prior = prior_of(FAMILIES.get(kind, kind))
    small: dict[str, Any] = {"images": mug if prior.info.needs_images or preset.endswith("image") else ""}
    small |= {"refine_steps": 0} if prior.info.fixed_views else {}
    settings = settings_of(preset, **small)
    if preset.startswith("reference"):
        settings = References(tmp_path / "library", own_folder({})).settled(
            settings_of(preset, reference=CHAIR, **small), tmp_path
        )
    interrupted(settings, prior, tmp_path)
    started(settings, prior, tmp_path, resume=True)


@pytest.mark.parametrize("method", OTHER_METHODS)
def test_every_method_without_a_preset_steps(prior_of: PriorOf, tmp_path: Path, method: str) -> None:
    short = {"inversion_steps": 2} if method == "sdi" else {}
    started(settings_of("sd15-splats", method=method, **TINY, **short), prior_of("sd"), tmp_path)


@pytest.mark.parametrize(
    "family", ["sd3", "if", *(pytest.param(each, marks=pytest.mark.heavy) for each in ("sana", "sdxl"))]
)
def test_every_family_without_a_preset_steps(prior_of: PriorOf, tmp_path: Path, family: str) -> None:
    started(settings_of("sd15-splats", **TINY), prior_of(family), tmp_path)


@pytest.mark.heavy
@pytest.mark.parametrize("scene", ["splats", "field"])
def test_files_are_written_and_a_splat_file_is_a_start(prior_of: PriorOf, tmp_path: Path, scene: str) -> None:
    settings = settings_of("sd15-splats", **TINY, scene=scene)
    finished = started(settings, prior_of("sd"), tmp_path)
    names = written(finished, settings, tmp_path, ("ply", "glb"))
    assert {"scene.ply", "mesh.glb"} <= names
    again = settings_of("sd15-splats", **{**TINY, "start": "file"}, start_file=str(tmp_path / "scene.ply"))
    for family in ("sd", "instruct"):
        started(again, prior_of(family), tmp_path / family)


@pytest.mark.heavy
@pytest.mark.parametrize(
    "change",
    [
        {"gradient_clip": "norm"}, {"perp_neg": True}, {"negative_prompt": "ugly", "guidance_rescale": 0.5},
            {"rough_steps": 1},
        {"backend": "torch"}, {"scene": "canvas"}, {"scene": "field"},
            {"method": "lods", "null_per_side": True},
    ],
    ids=str,
)  # fmt: skip
def test_what_goes_round_a_method_steps(prior_of: PriorOf, tmp_path: Path, change: dict[str, Any]) -> None:
    started(settings_of("sd15-splats", **{**TINY, **change}), prior_of("sd"), tmp_path)
