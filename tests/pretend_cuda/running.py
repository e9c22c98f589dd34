"""Whole runs on the pretend device, as small as they can be: begun, stepped, written, and gone on with from
their checkpoint.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from engine.loop.messages import Finished, Stepped, Unattended
from engine.loop.results import write_results
from engine.loop.run import run
from engine.loop.settings import Settings, with_values
from engine.loop.spec import Knobs, RunSpec
from engine.prior.base import Prior, PriorInfo
from engine.session.presets import apply_preset, find_preset

INFO = PriorInfo("tiny", "Tiny", "rgb", 16, 3.0)
SMALL = {
    "refine_steps": 2, "render_size": 32, "splats": 200, "voxels": 16, "fit_steps": 10, "sampling_steps": 2,
    "draft_views": 4,
    "views_per_step": 2, "time_budget_seconds": 0,
}  # fmt: skip
LOADERS = {
    "sd": ("tiny_pipeline.save_tiny_pipeline", "latent.stable_diffusion.load_latent"),
    "sdxl": ("tiny_sdxl.save_tiny_sdxl", "latent.sdxl.load_sdxl"),
    "sd3": ("tiny_flow.save_tiny_sd3", "flow.load.load_flow"),
    "sana": ("tiny_flow.save_tiny_sana", "flow.load.load_flow"),
    "if": ("tiny_if.save_tiny_if", "pixel.prior.load_pixel"),
    "mvdream": ("tiny_mvdream.save_tiny_mvdream", "mvdream.prior.load_mvdream"),
    "imagedream": ("tiny_imagedream.save_tiny_imagedream", "imagedream.prior.load_imagedream"),
    "zero123": ("tiny_sight.save_tiny_zero123", "zero123.load.load_zero123"),
    "zero123plus": ("tiny_sight.save_tiny_zero123plus", "zero123plus.prior.load_zero123plus"),
    "instruct": ("tiny_instruct.save_tiny_instruct", "instruct.prior.load_instruct"),
}
"""By family: who writes a tiny random pipeline, and who loads it."""


def named(root: str, path: str) -> Callable[..., Any]:
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(f"{root}.{module}"), name)


def saved(family: str, folder: Path) -> Path:
    """The tiny pipeline of ``family``, written once."""
    # as its siblings import it
    sys.modules.setdefault("tiny_pipeline", importlib.import_module("tests.prior.tiny_pipeline"))
    target = folder / family
    return target if target.exists() else named("tests.prior", LOADERS[family][0])(target)


def loaded(family: str, folder: Path, device: torch.device | str = "cuda") -> Prior:
    return named("engine.prior", LOADERS[family][1])(saved(family, folder), device, INFO)


def settings_of(preset: str, images: str = "", **values: Any) -> Settings:
    """A preset in small, with ``values`` instead of its own."""
    base = Settings(RunSpec("a red mug", images=images), Knobs())
    return with_values(apply_preset(find_preset(preset), base), {**SMALL, **values})


def started(settings: Settings, prior: Prior, folder: Path, **given: Any) -> Finished:
    """The run's end. Every step has a finite loss, and the scene lies on the GPU."""
    events = list(
        run(settings.spec, settings.knobs, Unattended(), lambda *_, **__: prior, folder=folder, **given)
    )
    steps = [event for event in events if isinstance(event, Stepped)]
    assert steps and not any(event.metrics.get("skipped") for event in steps)
    assert isinstance(events[-1], Finished)
    assert all(tensor.is_cuda for tensor in events[-1].copy.scene.parameters().values())
    return events[-1]


def interrupted(settings: Settings, prior: Prior, folder: Path) -> None:
    """Let go of the run after the first step of its last stage; it leaves a checkpoint."""
    last = "refine" if settings.spec.refine_steps else "fit"
    events = run(settings.spec, settings.knobs, Unattended(), lambda *_, **__: prior, folder=folder)
    assert any(isinstance(event, Stepped) and event.stage == last for event in events)
    events.close()


def written(finished: Finished, settings: Settings, folder: Path, formats: tuple[str, ...]) -> set[str]:
    """The names of the files of a finished run."""
    return {path.name for path in write_results(finished, settings.spec.prior, folder, formats).values()}
