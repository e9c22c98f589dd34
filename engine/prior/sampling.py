"""Draw pictures from any prior: deterministic DDIM with classifier-free guidance (arXiv 2010.02502, equation
12 with eta = 0).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from engine.core.noise_schedule import NoiseSchedule
from engine.errors import InputError, StudioError
from engine.lazy import torch
from engine.prior.abilities import GuidanceDistilled
from engine.prior.base import Prediction, Prior, Prompts, TextEmbedding, guided
from engine.prior.perp_neg import repelled

if TYPE_CHECKING:
    from torch import Tensor


REMEDY = "Fetch the prior again, or choose another one: guidance compares the prompt with the empty one."

Correction = Callable[[Prediction, "Tensor", "Tensor"], Prediction]
"""A guided prediction, changed in the light of the ``x_t`` and the times ``t`` that it was made for."""


def empty_prompt(prior: Prior) -> TextEmbedding:
    """The empty prompt as ``prior`` reads it. Raises InputError if it has no embedding that guidance could
    start from.
    """
    try:
        text = prior.embed("")
    except StudioError as error:
        raise InputError(
            f"The prior {prior.info.id!r} has no null prompt. {error.what}", error.remedy or REMEDY
        ) from error
    if not text.tokens.numel():
        raise InputError(f"The prior {prior.info.id!r} reads the empty prompt as no tokens at all.", REMEDY)
    if not all(part.isfinite().all() for part in (text.tokens, text.pooled) if part is not None):
        raise InputError(
            f"The prior {prior.info.id!r} reads the empty prompt as numbers that are not finite.", REMEDY
        )
    return text


def sampling_times(schedule: NoiseSchedule, steps: int, start: float = 0.999) -> list[int]:
    """``steps`` integer times, evenly spaced from ``start`` (fraction of the schedule) down towards 0,
    without repeats.
    """
    first = schedule.index(start)
    return sorted({round(first * (steps - i) / steps) for i in range(steps)}, reverse=True)


def ddim(
    prior: Prior,
    prompts: Prompts | Callable[[], Prompts],
    x_t: Tensor,
    times: list[int],
    guidance_scale: float,
    corrected: Correction | None = None,
    guidance_t_min: float = 0.0,
) -> Iterator[Tensor]:
    """Denoise ``x_t`` (B,C,h,w), which has the noise of ``times[0]``; yields the clean picture x0 seen at
    each time.

    The last one is the sample. A generator, so that a caller may look at it, or stop, between any two steps;
    ``prompts`` may be a function that is asked anew in each. Below the share ``guidance_t_min`` of the
    schedule guidance is off.
    """
    for i, time in enumerate(times):
        t = torch.full((len(x_t),), time, device=x_t.device, dtype=torch.long)
        with torch.no_grad():
            conditions = prompts() if callable(prompts) else prompts
            scale = scale_at(t, prior.schedule, guidance_scale, guidance_t_min)
            prediction = predict_guided(prior, x_t, t, conditions, scale)
            prediction = prediction if corrected is None else corrected(prediction, x_t, t)
        yield prediction.x0
        if i + 1 < len(times):
            a, sig = prior.schedule.signal_and_noise(torch.full_like(t, times[i + 1]), x_t)
            x_t = a * prediction.x0 + sig * prediction.eps


def scale_at(t: Tensor, schedule: NoiseSchedule, guidance_scale: float, guidance_t_min: float) -> float:
    """``guidance_scale``, or 1 where all times ``t`` (B,) are below the share ``guidance_t_min`` of the
    schedule.

    At low noise the picture is decided, and guidance costs a pass without telling anything (arXiv 2404.07724,
    section 3).
    """
    return 1.0 if guidance_t_min > 0 and int(t.max()) < schedule.index(guidance_t_min) else guidance_scale


def predict_guided(
    prior: Prior, x_t: Tensor, t: Tensor, prompts: Prompts, guidance_scale: float
) -> Prediction:
    """One guided prediction.

    Guidance 1, and a prior that was taught to answer guided, cost one call instead of two; each unwanted
    prompt costs one more (Perp-Neg).
    """
    plain = not prompts.unwanted and prompts.overlap is None
    if (
        plain
        and guidance_scale != 1
        and isinstance(prior, GuidanceDistilled)
        and prior.answers_guided(prompts, guidance_scale)
    ):
        return prior.predict_guided(x_t, t, prompts, guidance_scale)
    conditional = prior.predict(x_t, t, prompts.positive)
    if plain and guidance_scale == 1:
        return conditional
    unconditional = prior.predict(x_t, t, prompts.unconditional)
    return guided(unconditional, repelled(prior, x_t, t, prompts, unconditional, conditional), guidance_scale)
