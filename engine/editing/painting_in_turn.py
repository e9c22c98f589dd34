"""One view after the other is painted, and keeps what the ones before it have painted (TEXTure, arXiv
2302.01721).

Each texel is *generated* where nobody has painted it, *refined* where this view sees it much more squarely
than who painted it, and *kept* otherwise. The next view is the one that has most to paint (Text2Tex, arXiv
2303.11396).
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from engine.assets.meshes.mesh_shape import ReferenceShape
from engine.editing.texturing import Paint, Painted, Painting, Studio, prepared, work_texels
from engine.prior.base import Prior
from engine.prior.sampling import predict_guided, sampling_times
from engine.synchronisation.texture import TextureSpace

KEEP, REFINE, GENERATE = 0, 1, 2
BETTER = 0.2  # by how much more squarely a texel must be seen to be painted again
CHECKER = 4  # cells of the chequerboard by which refined places are held for the first half of the steps


def trimap(cosine: Tensor, best: Tensor) -> Tensor:
    """What becomes of texels that this view sees with ``cosine`` (T,), and others at best with ``best`` (T,);
    0: not.
    """
    state = torch.where(cosine > best + BETTER, REFINE, KEEP)
    return torch.where((best <= 0) & (cosine > 0), GENERATE, state)


def next_view(cosines: Tensor, best: Tensor, left: list[int]) -> int:
    """Of the views ``left`` the one that has most to paint; ``cosines`` (N,T), ``best`` (T,)."""
    gain = {k: float(cosines[k][trimap(cosines[k], best) != KEEP].sum()) for k in left}
    return max(left, key=lambda k: (gain[k], -k))


def paint_in_turn(shape: ReferenceShape, how: Paint, prior: Prior) -> Iterator[Painting | Painted]:
    """As `texturing.paint`, one view after the other. Raises InputError as it does."""
    texels = work_texels(shape)
    whole = prepared(shape, how, prior, texels=texels)
    space = whole.space
    assert isinstance(space, TextureSpace)
    cosines = space.weights ** (1 / how.cosine_power)
    canonical = torch.zeros(whole.background.shape[1], cosines.shape[1])
    best, left, done = torch.zeros(cosines.shape[1]), list(range(len(cosines))), 0
    times = sampling_times(whole.prior.schedule, how.steps)
    rng = torch.Generator().manual_seed(how.seed)
    while left:
        k = next_view(cosines, best, left) if done else 0
        left.remove(k)
        one = prepared(shape, how, prior, whole.cameras[[k]], texels)
        state = trimap(cosines[k], best)
        for x0 in _view(one, canonical, state, times, how.guidance_scale, rng):
            done += 1
            yield Painting(done, len(times) * len(cosines), one.prior.decode(x0))
        painted = state != KEEP
        canonical[:, painted] = one.space.unproject(x0.cpu())[:, painted]
        best = torch.where(painted, torch.maximum(best, cosines[k]), best)
    canonical = canonical[:, space.filled]
    projected, mask = space.project(canonical)
    yield whole.painted(shape, how, (projected + (1 - mask) * whole.background.cpu()).to(whole.background))


def _view(
    one: Studio, canonical: Tensor, state: Tensor, times: list[int], scale: float, rng: torch.Generator
) -> Iterator[Tensor]:
    """Clean pictures (1,C,h,w) of one view, whose kept places show what is painted there already."""
    known, _ = one.space.project(canonical)
    known = known.to(one.background)
    shown, _ = one.space.project(state[None].to(canonical))
    shown = shown.to(known)
    x = torch.randn(known.shape, generator=rng).to(known)
    for i, time in enumerate(times):
        t = torch.full((1,), time, device=x.device)
        with torch.no_grad():
            prediction = one.held(predict_guided(one.prior, x, t, one.prompts, scale), x, t)
        held = _held(shown, one.space.mask.to(known), early=i < len(times) // 2)
        x0 = held * known + (1 - held) * prediction.x0
        yield x0
        if i + 1 < len(times):
            a, sig = one.prior.schedule.signal_and_noise(t, x)
            eps = (x - a * x0) / sig
            a, sig = one.prior.schedule.signal_and_noise(torch.full_like(t, times[i + 1]), x)
            x = a * x0 + sig * eps


def _held(shown: Tensor, mask: Tensor, *, early: bool) -> Tensor:
    """Where what is there is held (1,1,h,w): kept places, and of the refined ones every other cell while it
    is early.
    """
    kept = (shown.round() == KEEP).to(mask) * mask
    if not early:
        return kept
    side = shown.shape[-1]
    cells = torch.arange(side, device=shown.device) // CHECKER
    chequered = ((cells[:, None] + cells) % 2 == 0).to(mask)
    return torch.maximum(kept, (shown.round() == REFINE).to(mask) * mask * chequered)
