"""Draw one canonical thing through its instances, with any prior: DDIM (arXiv 2010.02502), synchronised at
every step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from engine.errors import InputError
from engine.prior.base import Prediction, Prior, Prompts
from engine.prior.sampling import predict_guided
from engine.synchronisation.cases import CANONICAL, CASES, independent
from engine.synchronisation.coherence import Coherence
from engine.synchronisation.space import CanonicalSpace

Corrected = Callable[[Prediction, Tensor, Tensor], Prediction]


def synchronised(
    prior: Prior,
    prompts: Prompts,
    space: CanonicalSpace,
    noise: tuple[Tensor, Tensor],
    times: list[int],
    guidance_scale: float,
    *,
    case: int = 2,
    until: float = 1.0,
    corrected: Corrected | None = None,
    coherence: Coherence | None = None,
) -> Iterator[Tensor]:
    """Denoise ``noise`` (canonical, instances: `space.initial_noise`); yields the clean instances x0
    (N,C,h,w) of each time.

    ``prompts`` are those of the N instances. After the share ``until`` of the steps the instances go on by
    themselves (SyncTweedies leaves its last fifth free). ``corrected`` may change each guided prediction.
    ``coherence`` makes instances look alike (cases that carry instances only). Raises InputError for a case
    that there is not.
    """
    if case not in CASES:
        raise InputError(
            f"case is {case}; there are cases {', '.join(map(str, CASES))}.",
            "Choose 2, or 5 where it may be quick.",
        )
    carried = noise[0 if case in CANONICAL else 1]
    canonical = case in CANONICAL
    for i, time in enumerate(times):
        step = CASES[case]
        if i >= until * len(times):
            carried, canonical, step = space.project(carried)[0] if canonical else carried, False, independent
        t = torch.full((space.count,), time, dtype=torch.long, device=prior.device)
        after = times[i + 1] if i + 1 < len(times) else None
        predict = _predictor(prior, prompts, t, guidance_scale, corrected)
        if coherence is not None and not canonical:
            carried = coherence.moved(carried, predict, i)
        with torch.no_grad():
            done = step(carried, predict, space, _level(prior, time), _level(prior, after))
        yield done.x0
        carried = done.carried


def _predictor(
    prior: Prior, prompts: Prompts, t: Tensor, guidance_scale: float, corrected: Corrected | None
) -> Callable[[Tensor], Prediction]:
    def predict(x: Tensor) -> Prediction:
        prediction = predict_guided(prior, x, t, prompts, guidance_scale)
        return prediction if corrected is None else corrected(prediction, x, t)

    return predict


def _level(prior: Prior, time: int | None) -> tuple[float, float]:
    """(a, sig) of a time; None: clean."""
    if time is None:
        return 1.0, 0.0
    abar = float(prior.schedule.alphas_cumprod[time])
    return abar**0.5, (1 - abar) ** 0.5
