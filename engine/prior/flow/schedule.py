"""A flow-matching scheduler config, read as a noise schedule in our convention, and the way back for a
network's input.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from engine.core.noise_schedule import NoiseSchedule, flow_time, rectified_flow
from engine.errors import FileFormatError
from engine.prior.pipeline_folder import read_json

FLOW_SCHEDULERS = ("FlowMatchEulerDiscreteScheduler", "FlowMatchHeunDiscreteScheduler")
REMEDY = "This model needs another loader."


def read_flow(folder: Path, tokens: int) -> NoiseSchedule:
    """The schedule of the pipeline in ``folder``, whose network sees ``tokens`` patches; which sampler it
    names does not matter.

    Raises FileFormatError for a scheduler of another kind of model.
    """
    path = folder / "scheduler" / "scheduler_config.json"
    config = read_json(path)
    try:
        return rectified_flow(int(config.get("num_train_timesteps", 1000)), shift_of(config, tokens))
    except (TypeError, ValueError, ArithmeticError) as error:
        raise FileFormatError(f"{path} describes no rectified flow: {error}.", REMEDY) from error


def shift_of(config: Mapping[str, Any], tokens: int) -> float:
    """How far the times are moved to more noise; 1 is not at all. Raises ValueError for a config that is no
    flow's.
    """
    if config.get("invert_sigmas"):
        raise ValueError("its times run the other way (invert_sigmas)")
    if config.get("use_flow_sigmas"):  # a solver of ordinary diffusion models that was told to solve a flow
        return _positive(config.get("flow_shift", 1.0))
    if config.get("_class_name") not in FLOW_SCHEDULERS:
        raise ValueError(
            f"{config.get('_class_name')} is none of {', '.join(FLOW_SCHEDULERS)}, and use_flow_sigmas is "
            "not set"
        )
    if not config.get("use_dynamic_shifting"):
        return _positive(config.get("shift", 1.0))
    return _positive(_shift_for(config, tokens))


def _shift_for(config: Mapping[str, Any], tokens: int) -> float:
    """The shift of a model that takes more of it for larger pictures: linear in ``tokens``, or its
    exponential.
    """
    low, high = config.get("base_image_seq_len", 256), config.get("max_image_seq_len", 4096)
    first, last = config.get("base_shift", 0.5), config.get("max_shift", 1.15)
    amount = first + (last - first) * (tokens - low) / (high - low)
    return amount if config.get("time_shift_type", "exponential") == "linear" else math.exp(amount)


def _positive(shift: float) -> float:
    if not 0 < float(shift) < math.inf:
        raise ValueError(f"its shift is {shift}; it must be positive")
    return float(shift)


def flow_input(schedule: NoiseSchedule, x_t: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
    """What a flow's network takes in place of our ``x_t`` (B,C,h,w) at times ``t`` (B,): x_s, and T times its
    time s (B,).
    """
    a, sig = schedule.signal_and_noise(t, x_t)
    return x_t / (a + sig), len(schedule) * flow_time(a, sig).flatten()
