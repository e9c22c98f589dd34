"""The five cases of diffusion synchronisation (arXiv 2403.14370, table 1): what is averaged, and where it is
denoised.

Each is one DDIM step. ``predict`` gives the guided prediction of instances (N,C,h,w); ``now`` and ``then``
are the (a, sig) of the present and the next time. Cases 1 to 3 carry instances (N,C,h,w) from step to step, 4
and 5 the canonical z (C,...) itself.

| case | denoised in | averaged | known from |
|---|---|---|---|
| 0 | instances | nothing | independent views |
| 1 | instances | eps | |
| 2 | instances | x0 | SyncTweedies |
| 3 | instances | the next x_t | MultiDiffusion (arXiv 2302.08113) |
| 4 | canonical | eps | Visual Anagrams (arXiv 2311.17919) |
| 5 | canonical | x0 | SyncMVD (arXiv 2311.12891) |

Where several pixels fall on one place, averaging noise loses variance (sum of squared weights < 1), so that
1, 3, 4 and 5 blur; case 2 averages clean predictions alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import Tensor

from engine.core.noise_schedule import eps_from_x0, x0_from_eps
from engine.prior.base import Prediction
from engine.synchronisation.space import CanonicalSpace

Predict = Callable[[Tensor], Prediction]
Level = tuple[float, float]
"""(a, sig) of a time."""


@dataclass(frozen=True, eq=False)
class Step:
    """``carried`` goes into the next step; ``x0`` (N,C,h,w) are the clean instances as they are seen now."""

    carried: Tensor
    x0: Tensor


def independent(x: Tensor, predict: Predict, space: CanonicalSpace, now: Level, then: Level) -> Step:
    """Case 0: every instance by itself."""
    prediction = predict(x)
    return Step(then[0] * prediction.x0 + then[1] * prediction.eps, prediction.x0)


def average_eps(x: Tensor, predict: Predict, space: CanonicalSpace, now: Level, then: Level) -> Step:
    """Case 1: eps of the instances is averaged."""
    eps = shared(predict(x).eps, space)
    x0 = x0_from_eps(x, eps, *now)
    return Step(then[0] * x0 + then[1] * eps, x0)


def average_x0(x: Tensor, predict: Predict, space: CanonicalSpace, now: Level, then: Level) -> Step:
    """Case 2, SyncTweedies: clean predictions are averaged, and each instance keeps its own noise."""
    x0 = shared(predict(x).x0, space)
    eps = eps_from_x0(x, x0, *now)
    return Step(then[0] * x0 + then[1] * eps, x0)


def average_next(x: Tensor, predict: Predict, space: CanonicalSpace, now: Level, then: Level) -> Step:
    """Case 3, MultiDiffusion: the next noisy instances are averaged."""
    prediction = predict(x)
    return Step(
        shared(then[0] * prediction.x0 + then[1] * prediction.eps, space), shared(prediction.x0, space)
    )


def canonical_eps(z: Tensor, predict: Predict, space: CanonicalSpace, now: Level, then: Level) -> Step:
    """Case 4: z is denoised, by the mean of the instances' eps."""
    eps = space.unproject(predict(space.project(z)[0]).eps)
    z0 = x0_from_eps(z, eps, *now)
    return Step(then[0] * z0 + then[1] * eps, space.project(z0)[0])


def canonical_x0(z: Tensor, predict: Predict, space: CanonicalSpace, now: Level, then: Level) -> Step:
    """Case 5: z is denoised, by the mean of the instances' clean predictions."""
    z0 = space.unproject(predict(space.project(z)[0]).x0)
    eps = eps_from_x0(z, z0, *now)
    return Step(then[0] * z0 + then[1] * eps, space.project(z0)[0])


def shared(instances: Tensor, space: CanonicalSpace) -> Tensor:
    """The instances after they have agreed; what one sees of nothing stays its own."""
    agreed, mask = space.project(space.unproject(instances))
    return mask * agreed + (1 - mask) * instances


CASES: Mapping[int, Callable[[Tensor, Predict, CanonicalSpace, Level, Level], Step]] = {
    0: independent,
    1: average_eps,
    2: average_x0,
    3: average_next,
    4: canonical_eps,
    5: canonical_x0,
}
CANONICAL = (4, 5)
"""Cases that carry the canonical tensor."""
