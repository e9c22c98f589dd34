"""A texture by score distillation: views are pushed towards what the prior makes of them (DreamFusion, arXiv
2209.14988).
"""

from __future__ import annotations

from collections.abc import Iterator

import torch

from engine.assets.meshes.mesh_shape import ReferenceShape
from engine.core.noise_schedule import NoiseSchedule
from engine.editing.texturing import Paint, Painted, Painting, prepared
from engine.guidance.sds import Sds
from engine.prior.base import Prior

RATE = 0.1  # of Adam, in the prior's own units
FIRST, LAST = 0.9, 0.1  # noise level, as a share of the schedule


def paint_by_distillation(shape: ReferenceShape, how: Paint, prior: Prior) -> Iterator[Painting | Painted]:
    """As `texturing.paint`; ``how.steps`` steps, of two passes of all views each. Raises InputError as it
    does.
    """
    studio = prepared(shape, how, prior)
    space, schedule = studio.space, studio.prior.schedule
    rng = torch.Generator().manual_seed(how.seed)
    canonical = torch.zeros(
        space.shape(studio.background.shape[1]), device=studio.prior.device, requires_grad=True
    )
    optimiser = torch.optim.Adam([canonical], lr=RATE)
    method = Sds(guidance_scale=how.guidance_scale, weighting="denoise")
    for step in range(how.steps):
        projected, mask = space.project(canonical)
        x = studio.opaque(projected + (1 - mask) * studio.background)
        t = torch.full((space.count,), _time(schedule, step / how.steps), device=x.device)
        out = method.loss(x, t, studio.prompts, studio.prior, None, rng)
        optimiser.zero_grad()
        out.loss.backward()
        optimiser.step()
        yield Painting(step + 1, how.steps, studio.prior.decode(x.detach()))
    with torch.no_grad():
        projected, mask = space.project(canonical)
        yield studio.painted(shape, how, studio.opaque(projected + (1 - mask) * studio.background))


def _time(schedule: NoiseSchedule, progress: float) -> int:
    """Coarse first."""
    return schedule.index(FIRST + (LAST - FIRST) * progress)
