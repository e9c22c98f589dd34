"""A diffusers scheduler config, read as a noise schedule."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from engine.core.noise_schedule import NoiseSchedule, linear, scaled_linear, squared_cosine, zero_terminal_snr
from engine.errors import FileFormatError
from engine.prior.pipeline_folder import read_json
from engine.prior.prediction_type import check_prediction_type

REMEDY = "This model needs another loader."


def read_scheduler(folder: Path) -> tuple[NoiseSchedule, str]:
    """The training schedule and the prediction type of the pipeline in ``folder``; which sampler it names does not matter."""
    path = folder / "scheduler" / "scheduler_config.json"
    config = read_json(path)
    prediction_type = check_prediction_type(config.get("prediction_type", "epsilon"), str(path))
    try:
        return schedule_from(config), prediction_type
    except (TypeError, ValueError, AssertionError, RuntimeError) as error:
        raise FileFormatError(f"{path} describes no noise schedule: {error}.", REMEDY) from error


def schedule_from(config: Mapping[str, Any]) -> NoiseSchedule:
    """``alphas_cumprod`` from ``trained_betas`` or from ``beta_schedule``; raises ValueError for one that is not known."""
    schedule = _unscaled(config)
    return zero_terminal_snr(schedule) if config.get("rescale_betas_zero_snr") else schedule


def _unscaled(config: Mapping[str, Any]) -> NoiseSchedule:
    steps = int(config.get("num_train_timesteps", 1000))
    start, end = float(config.get("beta_start", 1e-4)), float(config.get("beta_end", 0.02))
    kind = config.get("beta_schedule", "linear")
    if config.get("trained_betas") is not None:
        return NoiseSchedule((1 - torch.tensor(config["trained_betas"], dtype=torch.float64)).cumprod(0))
    if kind == "scaled_linear":
        return scaled_linear(steps, start, end)
    if kind == "linear":
        return linear(steps, start, end)
    if kind == "squaredcos_cap_v2":
        return squared_cosine(steps)
    raise ValueError(f"beta_schedule {kind!r} is none of scaled_linear, linear, squaredcos_cap_v2")
