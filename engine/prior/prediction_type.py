"""What a network's output means, turned into the noise and the clean picture at the border."""

from __future__ import annotations

from torch import Tensor

from engine.core.noise_schedule import (
    NoiseSchedule,
    eps_from_flow,
    eps_from_v,
    eps_from_x0,
    x0_from_eps,
    x0_from_flow,
    x0_from_v,
)
from engine.errors import FileFormatError
from engine.prior.base import Prediction

PREDICTION_TYPES = ("epsilon", "v_prediction", "sample")
"""Names as in a diffusers scheduler config: the noise, the velocity a eps - sig x0, the clean picture."""

FLOW = "flow_prediction"
"""As diffusers names it too: the velocity eps - x0 of a rectified flow."""


def check_prediction_type(prediction_type: str, where: str) -> str:
    """``prediction_type`` itself, or FileFormatError that names the allowed ones."""
    if prediction_type not in PREDICTION_TYPES:
        allowed = ", ".join(PREDICTION_TYPES)
        raise FileFormatError(
            f"{where} says prediction_type {prediction_type!r}; it must be one of {allowed}.",
            "This model needs another loader.",
        )
    return prediction_type


def read_output(
    output: Tensor, x_t: Tensor, t: Tensor, schedule: NoiseSchedule, prediction_type: str
) -> Prediction:
    """``output`` (B,C,h,w) of a network that saw ``x_t`` at times ``t`` (B,), in the dtype of ``x_t``."""
    output = output.to(x_t.dtype)
    a, sig = schedule.signal_and_noise(t, x_t)
    if prediction_type == "epsilon":
        return Prediction(output, x0_from_eps(x_t, output, a, sig))
    if prediction_type == FLOW:
        return Prediction(eps_from_flow(x_t, output, a, sig), x0_from_flow(x_t, output, a, sig))
    if prediction_type == "v_prediction":
        return Prediction(eps_from_v(x_t, output, a, sig), x0_from_v(x_t, output, a, sig))
    return Prediction(eps_from_x0(x_t, output, a, sig), output)
