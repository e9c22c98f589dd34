"""Flat pictures by synchronisation: wide canvases, panoramas that close, and pictures that show something else when turned."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.core.cameras import orbit_cameras
from engine.core.views import Views
from engine.errors import InputError
from engine.prior.base import Condition, Prior, Prompts, TextEmbedding
from engine.prior.sampling import sampling_times
from engine.synchronisation.pixel_maps import PixelMaps
from engine.synchronisation.sampler import synchronised
from engine.synchronisation.separate import Separate
from engine.synchronisation.space import CanonicalSpace, initial_noise
from engine.synchronisation.windows import Windows

KINDS = ("wide", "panorama", "ambiguous")
ELEVATION_DEG = 15.0


@dataclass(frozen=True, kw_only=True)
class Sync:
    """What to draw. ``width`` (in pixels) and ``stride`` (a share of a window) are of wide pictures and panoramas.

    Ambiguous ones have ``views`` (`pixel_maps.NAMES`) and as many ``prompts``. Raises InputError for what does not go together.
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

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InputError(f"--sync is {self.kind!r}.", f"Choose one of {', '.join(KINDS)}.")
        wanted = len(self.views) if self.kind == "ambiguous" else 1
        if len(self.prompts) != wanted or not all(prompt.strip() for prompt in self.prompts):
            what = f"There are {len(self.prompts)} prompts, and {wanted} are needed."
            raise InputError(what, "Give each view its prompt, with | between them." if wanted > 1 else "Give one prompt.")
        if not 0 < self.stride <= 1:
            raise InputError(f"stride is {self.stride}; it must be above 0, to 1.", "0.25 overlaps windows by three quarters.")


def draw(how: Sync, prior: Prior) -> Iterator[Views]:
    """The canonical picture (1,H,W,...) as it is seen at each step of sampling; the last one is finished."""
    empty = torch.zeros(1, prior.info.resolution, prior.info.resolution, 1, device=prior.device)
    _, channels, side, _ = prior.encode(Views(empty.expand(-1, -1, -1, 3), empty, empty)).shape
    space = _space(how, side, prior.info.resolution)
    z, x = initial_noise(space, channels, torch.Generator().manual_seed(how.seed))
    noise = z.to(prior.device), x.to(prior.device)
    times = sampling_times(prior.schedule, how.steps)
    asked = Separate(prior) if prior.info.joint_views else prior
    for x0 in synchronised(asked, prompts_of(prior, how, space.count), space, noise, times, how.guidance_scale, case=how.case):
        yield _decoded(prior, space.unproject(x0))


def prompts_of(prior: Prior, how: Sync, count: int) -> Prompts:
    """The instances' prompts; priors that take cameras see all of them from the front, as pictures of things of their own."""
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
    width = round(how.width * side / pixels)
    return Windows(side, width, side, max(1, round(how.stride * side)), closed=how.kind == "panorama")


def _together(texts: Sequence[TextEmbedding]) -> TextEmbedding:
    def joined(parts: Sequence[Tensor | None]) -> Tensor | None:
        there = [part for part in parts if part is not None]
        return torch.cat(there) if there else None

    tokens = torch.cat([text.tokens for text in texts])
    return TextEmbedding(tokens, joined([text.mask for text in texts]), joined([text.pooled for text in texts]))


def _decoded(prior: Prior, z: Tensor) -> Views:
    """A canvas of any width, decoded at once where the prior's decoder takes it."""
    return prior.decode(z[None])
