"""Flat pictures by synchronisation: wide canvases, panoramas that close, and pictures that show something
else when turned.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from engine.core.cameras import orbit_cameras
from engine.core.views import Views
from engine.errors import InputError
from engine.prior.base import Condition, Prior, Prompts, TextEmbedding
from engine.prior.sampling import sampling_times
from engine.synchronisation.cases import CANONICAL
from engine.synchronisation.coherence import Coherence
from engine.synchronisation.pixel_maps import PixelMaps
from engine.synchronisation.sampler import synchronised
from engine.synchronisation.space import CanonicalSpace, Separate, initial_noise
from engine.synchronisation.windows import Windows
from engine.synchronisation.zoom_stack import ZoomStack

KINDS = ("wide", "panorama", "ambiguous", "zoom")
ELEVATION_DEG = 15.0


@dataclass(frozen=True, kw_only=True)
class Sync:
    """What to draw. ``width`` (in pixels) and ``stride`` (a share of a window) are of wide pictures and
    panoramas.

    ``coherence`` makes their windows look alike (`coherence.py`; 0: not). Ambiguous ones have ``views``
    (`pixel_maps.NAMES`) and as many ``prompts``; a zoom has a prompt for each picture, the widest first.
    Raises InputError for what does not go together.
    """

    kind: str
    prompts: tuple[str, ...]
    views: tuple[str, ...] = ("upright", "upside-down")
    width: int = 192
    stride: float = 0.25
    case: int = 2
    steps: int = 30
    guidance_scale: float = 5.0
    seed: int = 0
    coherence: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InputError(f"--sync is {self.kind!r}.", f"Choose one of {', '.join(KINDS)}.")
        wanted = {"ambiguous": len(self.views), "zoom": max(2, len(self.prompts))}.get(self.kind, 1)
        if len(self.prompts) != wanted or not all(prompt.strip() for prompt in self.prompts):
            what = f"There are {len(self.prompts)} prompts, and {wanted} are needed."
            raise InputError(
                what, "Give each view its prompt, with | between them." if wanted > 1 else "Give one prompt."
            )
        if not 0 <= self.coherence <= 100:
            raise InputError(
                f"coherence is {self.coherence}; it must be 0 to 100.", "20 is usual, 0 switches it off."
            )
        if self.coherence and (self.kind not in ("wide", "panorama") or self.case in CANONICAL):
            raise InputError(
                "coherence is between the windows of a wide picture or a panorama.",
                "Use case 2 or 3, or leave it at 0.",
            )
        if not 0 < self.stride <= 1:
            raise InputError(
                f"stride is {self.stride}; it must be above 0, to 1.",
                "0.25 overlaps windows by three quarters.",
            )


def draw(how: Sync, prior: Prior) -> Iterator[Views]:
    """The canonical picture (1,H,W,...) as it is seen at each step of sampling; the last one is finished."""
    empty = torch.zeros(1, prior.info.resolution, prior.info.resolution, 1, device=prior.device)
    _, channels, side, _ = prior.encode(Views(empty.expand(-1, -1, -1, 3), empty, empty)).shape
    space = _space(how, side, prior.info.resolution)
    z, x = initial_noise(space, channels, torch.Generator().manual_seed(how.seed))
    noise = z.to(prior.device), x.to(prior.device)
    times = sampling_times(prior.schedule, how.steps)
    denoiser: Any = Separate(prior) if prior.info.joint_views else prior
    alike = Coherence(how.coherence, lambda x: prior.decode(x).rgb.movedim(-1, 1)) if how.coherence else None
    prompts = prompts_of(prior, how, space.count)
    for x0 in synchronised(
        denoiser, prompts, space, noise, times, how.guidance_scale, case=how.case, coherence=alike
    ):
        z = space.unproject(x0)
        yield _beside(prior.decode(space.project(z)[0])) if how.kind == "zoom" else _decoded(prior, z)


def prompts_of(prior: Prior, how: Sync, count: int) -> Prompts:
    """The instances' prompts; priors that take cameras see all of them from the front, as pictures of things
    of their own.
    """
    texts = [prior.embed(prior.info.worded(prompt)) for prompt in how.prompts]
    texts = texts * count if len(texts) == 1 else texts
    cameras = None
    if prior.info.takes_cameras:
        place = (prior.info.distance, prior.info.fov_deg, prior.info.resolution)
        cameras = orbit_cameras([0.0] * count, ELEVATION_DEG, *place).to(prior.device)
    return Prompts(Condition(_together(texts), cameras), Condition(prior.embed(""), cameras))


def _space(how: Sync, side: int, pixels: int) -> CanonicalSpace:
    if how.kind == "ambiguous":
        return PixelMaps.named(how.views, side)
    if how.kind == "zoom":
        return ZoomStack(len(how.prompts), side)
    width = round(how.width * side / pixels)
    return Windows(side, width, side, max(1, round(how.stride * side)), closed=how.kind == "panorama")


def _together(texts: Sequence[TextEmbedding]) -> TextEmbedding:
    def joined(parts: Sequence[Tensor | None]) -> Tensor | None:
        there = [part for part in parts if part is not None]
        return torch.cat(there) if there else None

    tokens = torch.cat([text.tokens for text in texts])
    return TextEmbedding(
        tokens, joined([text.mask for text in texts]), joined([text.pooled for text in texts])
    )


def _beside(views: Views) -> Views:
    """Pictures (N,H,W,...) as one (1,H,N*W,...)."""
    return Views(*(torch.cat(list(part), dim=1)[None] for part in (views.rgb, views.alpha, views.depth)))


def _decoded(prior: Prior, z: Tensor) -> Views:
    """A canvas of any width, decoded at once where the prior's decoder takes it."""
    return prior.decode(z[None])
