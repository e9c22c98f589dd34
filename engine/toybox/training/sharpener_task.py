"""The course of the sharpener: true views of 128 pixels, from what the prior makes of them at 64 when they
are noised.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from engine.core.cameras import orbit_cameras
from engine.errors import InputError, storage_errors
from engine.prior.base import Condition
from engine.prior.toybox.info import DISTANCE, FOV_DEG, RESOLUTION
from engine.prior.toybox.prior import ToyboxPrior, load_toybox
from engine.prior.toybox.sharpener import FACTOR, Sharpener, enlarged
from engine.toybox.captions import plain_caption
from engine.toybox.dataset import HELD_OUT_SEED
from engine.toybox.objects import any_kind, draw_object
from engine.toybox.pictures import on_white, render_object, to_bytes
from engine.toybox.training.batches import pixels_to_x
from engine.toybox.training.loop import Plan

GROUP = 4
FIRST_SEED, SEEDS = 100_000, 500_000
EDGE = 0.2  # summed over channels -1..1
_STREAM = 11
"""Random stream beside the batch's own."""


@dataclass(frozen=True)
class Softening:
    """What is done to a true view of 64 pixels before the sharpener sees it."""

    # share of the schedule to which it is noised; the prior's guess takes its place
    times: tuple[float, float] = (
        0.08,
        0.6,
    )
    kept: float = 0.2  # of the groups: not noised
    blurred: float = 0.6  # of the pictures
    blur_px: float = 1.1  # at most, standard deviation
    elevations_deg: tuple[float, float] = (-15.0, 50.0)
    first_kinds: float = 0.6  # of the objects: of the kinds that the prior knows best
    steps_a_group: int = 3  # steps between two new objects
    pool: int = 1536  # pictures kept to be shown again, elsewhere, mirrored and recoloured
    crop_px: int = 24  # side of what is shown of one, a multiple of 8
    examined: int = 24  # held-out objects


class SharpeningCourse:
    """Train a `Sharpener` on pairs that are drawn while it learns: no cache is needed."""

    def __init__(self, softening: Softening, plan: Plan, rank: int, state: Mapping[str, Any] | None) -> None:
        if plan.init is None:
            raise InputError(
                "A sharpener needs the prior whose views it sharpens.", "Name its folder with --init."
            )
        self.softening, self.device, self.seed, self.rank = (
            softening,
            torch.device(plan.device),
            plan.seed,
            rank,
        )
        self.prior = load_toybox(plan.init, self.device)
        config = (
            {}
            if state is None
            else {name: value for name, value in state["config"].items() if not name.startswith("_")}
        )
        self.net = Sharpener(**config).to(self.device)
        self.pool: list[tuple[Tensor, Tensor]] = []
        self.held_out: tuple[Tensor, Tensor] | None = None

    def loss(self, step: int, images: int, progress: float) -> Tensor:
        """Absolute error of pixels, and of the differences between neighbours, where sharpness is."""
        rng = np.random.default_rng([self.seed, step, self.rank, _STREAM])
        if not self.pool or step % self.softening.steps_a_group == 0:
            fresh = soft_pairs(
                self.prior, int(rng.integers(FIRST_SEED, FIRST_SEED + SEEDS)), rng, self.softening
            )
            self.pool = [*self.pool, *zip(*fresh)][-self.softening.pool :]
        chosen = (self.pool[i] for i in rng.integers(0, len(self.pool), images))
        pairs = [varied(*cropped(soft, truth, rng, self.softening.crop_px), rng) for soft, truth in chosen]
        soft, truth = (
            torch.stack(each).contiguous(memory_format=torch.channels_last) for each in zip(*pairs)
        )
        return sharpening_loss(self.net(soft), truth)

    def state(self) -> dict[str, Any]:
        """The sizes."""
        return {"config": dict(self.net.config)}

    def with_weights(self, weights: Mapping[str, Tensor]) -> Sharpener:
        """A frozen one."""
        net = Sharpener(**self.state()["config"]).to(self.device)
        net.load_state_dict(weights)
        return net.eval().requires_grad_(False)

    @torch.no_grad()
    def examine(self, net: Sharpener, sheet: Path) -> dict[str, list[float]]:
        """Errors on held-out objects, beside enlarging alone; the sheet shows soft, sharpened and true
        views.
        """
        if self.held_out is None:
            self.held_out = held_out_pairs(self.prior, self.softening)
        soft, truth = self.held_out
        made = {"sharpened": net(soft), "enlarged": enlarged(soft)}
        write_rows(sheet, self.prior, [made["enlarged"], made["sharpened"], truth])
        return {name: list(errors(x, truth)) for name, x in made.items()}


@torch.no_grad()
def soft_pairs(
    prior: ToyboxPrior, seed: int, rng: np.random.Generator, how: Softening
) -> tuple[Tensor, Tensor]:
    """Four views of an object: soft (4,4,64,64) and true (4,4,128,128), both as the prior encodes them."""
    obj = draw_object(seed, None if rng.random() < how.first_kinds else any_kind(seed, ()))
    azimuths = (rng.uniform(0, 360) + 90 * np.arange(GROUP)) % 360
    elevations = rng.uniform(*how.elevations_deg, GROUP if rng.random() < 0.5 else 1) * np.ones(GROUP)
    truth = pixels_to_x(
        torch.from_numpy(to_bytes(render_object(obj, azimuths, elevations, FACTOR * RESOLUTION).rgba))
    )
    x = F.avg_pool2d(truth, FACTOR)
    if rng.random() >= how.kept:
        cameras = orbit_cameras(azimuths.tolist(), elevations.tolist(), DISTANCE, FOV_DEG, RESOLUTION)
        t = torch.full((GROUP,), int(rng.uniform(*how.times) * len(prior.schedule)))
        noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(int(rng.integers(2**62))))
        condition = Condition(prior.embed(plain_caption(obj)), cameras)
        x = prior.predict(prior.schedule.add_noise(x, noise, t), t, condition).x0
    sigmas = np.where(rng.random(GROUP) < how.blurred, rng.uniform(0.0, how.blur_px, GROUP), 0.0)
    return torch.stack([blurred(view, float(sigma)) for view, sigma in zip(x, sigmas)]), truth


def blurred(x: Tensor, sigma_px: float) -> Tensor:
    """``x`` (C,S,S) under a Gaussian; as it is below a tenth of a pixel."""
    if sigma_px < 0.1:
        return x
    at = torch.arange(-3, 4, dtype=x.dtype)
    kernel = torch.exp(-0.5 * (at / sigma_px) ** 2)
    kernel, channels = kernel / kernel.sum(), len(x)
    for shape, padding in (((1, 1, 7, 1), (0, 0, 3, 3)), ((1, 1, 1, 7), (3, 3, 0, 0))):
        weight = kernel.view(shape).expand(channels, -1, -1, -1)
        x = F.conv2d(F.pad(x[None], padding, mode="replicate"), weight, groups=channels)[0]
    return x


def cropped(soft: Tensor, truth: Tensor, rng: np.random.Generator, side_px: int) -> tuple[Tensor, Tensor]:
    """A square of the pair round a place where the truth has an edge: elsewhere there is nothing to learn."""
    edges = F.avg_pool2d(
        (truth.diff(dim=-1)[:, :-1].abs() + truth.diff(dim=-2)[..., :-1].abs()).sum(0)[None], FACTOR
    )[0]
    places = (edges > EDGE).nonzero()
    row, column = places[int(rng.integers(len(places)))].tolist() if len(places) else (0, 0)
    top, left = (
        min(max(at - int(rng.integers(side_px)), 0), soft.shape[-1] - side_px) for at in (row, column)
    )
    small, large = (slice(top, top + side_px), slice(left, left + side_px)), FACTOR * side_px
    return soft[:, small[0], small[1]], truth[
        :, FACTOR * top : FACTOR * top + large, FACTOR * left : FACTOR * left + large
    ]


def varied(soft: Tensor, truth: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """The pair with its colours exchanged, and mirrored or not."""
    channels, dims = [*rng.permutation(3).tolist(), 3], [-1] if rng.random() < 0.5 else []
    soft, truth = (each[channels].flip(dims) for each in (soft, truth))
    return soft, truth


def sharpening_loss(x: Tensor, truth: Tensor) -> Tensor:
    """Mean absolute error of pictures (B,4,S,S), and of their differences between neighbours along each
    axis.
    """
    pixels, steps = _errors(x, truth)
    return pixels + 2 * steps


def errors(x: Tensor, truth: Tensor) -> tuple[float, float]:
    """Mean absolute error of pixels, and of the differences between neighbours."""
    pixels, steps = _errors(x, truth)
    return round(float(pixels), 5), round(float(steps), 5)


def _errors(x: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
    """Mean absolute error of pixels, and of the differences between neighbours along both axes."""
    along = [(x.diff(dim=dim) - truth.diff(dim=dim)).abs().mean() for dim in (-1, -2)]
    return (x - truth).abs().mean(), torch.stack(along).mean()


def held_out_pairs(prior: ToyboxPrior, how: Softening) -> tuple[Tensor, Tensor]:
    """The same each time."""
    rng = np.random.default_rng(_STREAM)
    pairs = [soft_pairs(prior, HELD_OUT_SEED + i, rng, how) for i in range(how.examined)]
    soft, truth = (torch.cat(each) for each in zip(*pairs))
    return soft, truth


def write_rows(path: Path, prior: ToyboxPrior, rows: list[Tensor], count: int = 12) -> None:
    """Pictures over white, a row each. Raises `StorageError`."""
    some = [x[:: max(1, len(x) // count)][:count] for x in rows]
    drawn = [np.concatenate(list(on_white(prior.decode(x).rgba.cpu().numpy())), axis=1) for x in some]
    with storage_errors(path):
        Image.fromarray(np.concatenate(drawn)).save(path)
