"""The course of the correspondence adapter: views of procedural objects whose surfaces, and so
correspondences, are known.

The prior stays as it is, with its reference controller open on the object's own maps, as it is when a mesh is
painted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.core.cameras import orbit_cameras
from engine.core.correspondences import Correspondences, correspondences
from engine.errors import InputError
from engine.prior.base import Condition, Reference
from engine.prior.reference.maps import ReferenceMaps
from engine.prior.reference.strength import Influence, StrengthCurve
from engine.prior.toybox.correspondence import FINE_SIDE, CorrespondenceAdapter, Surface
from engine.prior.toybox.info import DISTANCE, FOV_DEG, RESOLUTION
from engine.prior.toybox.pipeline_files import base_digest
from engine.prior.toybox.prior import ToyboxPrior, load_toybox
from engine.toybox.captions import plain_caption
from engine.toybox.dataset import HELD_OUT_SEED
from engine.toybox.objects import any_kind, draw_object
from engine.toybox.pictures import render_object, to_bytes
from engine.toybox.training.batches import pixels_to_x
from engine.toybox.training.evaluation import FRACTIONS
from engine.toybox.training.loop import Plan
from engine.toybox.training.objective import LARGEST_WEIGHT
from engine.toybox.training.sharpener_task import FIRST_SEED, SEEDS, write_rows

VIEWS = 8
OPEN = Influence(StrengthCurve.between(1.0, 1.0))
_STREAM = 13
"""Random stream beside the batch's own."""


@dataclass(frozen=True)
class Orbits:
    """Which views are shown."""

    elevations_deg: tuple[float, float] = (-5.0, 35.0)
    first_kinds: float = 0.6  # of the objects: of the kinds that the prior knows best
    no_text: float = 0.1
    noise_lean: float = 0.6  # times are u^lean
    steps_an_object: int = 2  # steps between two new objects
    pool: int = 96  # objects kept to be shown again, at another noise
    examined: int = 6  # held-out objects


@dataclass(frozen=True, eq=False)
class Shown:
    """Views (V,4,64,64) of one object as the prior encodes them, what it is told of them, and what
    corresponds.
    """

    x: Tensor
    condition: Condition
    surface: Surface
    known: Correspondences


class CorrespondenceCourse:
    """Train a `CorrespondenceAdapter` on objects that are drawn while it learns: no cache is needed."""

    def __init__(self, orbits: Orbits, plan: Plan, rank: int, state: Mapping[str, Any] | None) -> None:
        if plan.init is None:
            raise InputError(
                "A correspondence adapter needs the prior that it joins.", "Name its folder with --init."
            )
        self.orbits, self.device, self.seed, self.rank = orbits, torch.device(plan.device), plan.seed, rank
        self.prior, self.base = load_toybox(plan.init, self.device), base_digest(plan.init)
        config = {} if state is None else _plain(state["config"])
        self.net = CorrespondenceAdapter(**config).to(self.device)
        self.pool: list[Shown] = []
        self.held_out: list[Shown] = []

    def loss(self, step: int, images: int, progress: float) -> Tensor:
        """The denoiser's own: squared error of the clean views, weighted by the noise."""
        rng = np.random.default_rng([self.seed, step, self.rank, _STREAM])
        if not self.pool or step % self.orbits.steps_an_object == 0:
            seed = int(rng.integers(FIRST_SEED, FIRST_SEED + SEEDS))
            self.pool = [*self.pool, drawn(self.prior, seed, rng, self.orbits)][-self.orbits.pool :]
        chosen = [self.pool[i] for i in rng.integers(0, len(self.pool), max(1, images // VIEWS))]
        losses = [self._loss(each, rng) for each in chosen]
        return torch.stack(losses).mean()

    def _loss(self, each: Shown, rng: np.random.Generator) -> Tensor:
        t = int(rng.random() ** self.orbits.noise_lean * (len(self.prior.schedule) - 1))
        _, sig = self.prior.schedule.signal_and_noise(torch.tensor([t]), each.x[:1])
        weight = float((1 / sig**2).clamp(max=LARGEST_WEIGHT))
        return weight * (cleaned(self.prior, self.net, each, t, rng) - each.x).square().mean()

    def state(self) -> dict[str, Any]:
        """The sizes, and the weights beside which it learns."""
        return {"config": dict(self.net.config), "base": self.base}

    def with_weights(self, weights: Mapping[str, Tensor]) -> CorrespondenceAdapter:
        """A frozen one."""
        net = CorrespondenceAdapter(**self.state()["config"]).to(self.device)
        net.load_state_dict(weights)
        return net.eval().requires_grad_(False)

    @torch.no_grad()
    def examine(self, net: CorrespondenceAdapter, sheet: Path) -> dict[str, list[float]]:
        """Errors of held-out objects, and how far their views differ at one point, by noise, beside the prior
        alone.
        """
        if not self.held_out:
            rng = np.random.default_rng(_STREAM)
            seeds = range(HELD_OUT_SEED, HELD_OUT_SEED + self.orbits.examined)
            self.held_out = [
                drawn(self.prior, seed, rng, replace(self.orbits, no_text=0.0)) for seed in seeds
            ]
        table: dict[str, list[float]] = {}
        rows: dict[str, Tensor] = {}
        for name, adapter in (("alone", None), ("joined", net)):
            for fraction in FRACTIONS:
                errors, apart, rows[name] = examined(self.prior, adapter, self.held_out, fraction)
                table.setdefault(f"{name}, error", []).append(round(errors, 5))
                table.setdefault(f"{name}, views differ", []).append(round(apart, 5))
        write_rows(sheet, self.prior, [rows["alone"], rows["joined"], self.held_out[0].x])
        return table


def drawn(prior: ToyboxPrior, seed: int, rng: np.random.Generator, how: Orbits) -> Shown:
    """An object from all round, at two heights in turn, as a mesh is painted."""
    obj = draw_object(seed, None if rng.random() < how.first_kinds else any_kind(seed, ()))
    azimuths = (rng.uniform(0, 360) + 360 / VIEWS * np.arange(VIEWS)) % 360
    elevations = np.resize(rng.uniform(*how.elevations_deg, 2), VIEWS)
    pictures = render_object(obj, azimuths, elevations)
    cameras = orbit_cameras(azimuths.tolist(), elevations.tolist(), DISTANCE, FOV_DEG, RESOLUTION)
    ccm, mask = torch.from_numpy(pictures.ccm), torch.from_numpy(pictures.rgba[..., 3] > 0.5)
    maps = ReferenceMaps(ccm.movedim(-1, 1)[None], mask[None, :, None].float())
    text = prior.embed("" if rng.random() < how.no_text else plain_caption(obj))
    condition = Condition(text, cameras.to(prior.device), reference=Reference(OPEN, maps.to(prior.device)))
    x = pixels_to_x(torch.from_numpy(to_bytes(pictures.rgba))).to(prior.device)
    known = correspondences(2 * ccm - 1, mask, cameras, FINE_SIDE).to(prior.device)
    return Shown(x, condition, Surface.of(2 * ccm - 1, mask, cameras).to(prior.device), known)


def cleaned(
    prior: ToyboxPrior, adapter: CorrespondenceAdapter | None, each: Shown, t: int, rng: np.random.Generator
) -> Tensor:
    """The clean views (V,4,64,64) that the prior sees at time ``t``."""
    noise = torch.randn(each.x.shape, generator=torch.Generator().manual_seed(int(rng.integers(2**62)))).to(
        each.x
    )
    times = torch.full((len(each.x),), t, device=each.x.device)
    joined = prior if adapter is None else prior.joined_by(adapter, each.surface)
    return joined.predict(prior.schedule.add_noise(each.x, noise, times), times, each.condition).x0


def examined(
    prior: ToyboxPrior, adapter: CorrespondenceAdapter | None, held_out: list[Shown], fraction: float
) -> tuple[float, float, Tensor]:
    """Mean squared error, mean difference of views at one point, and the first object's views; the same noise
    each time.
    """
    rng, t = np.random.default_rng(_STREAM), int(fraction * (len(prior.schedule) - 1))
    views = [cleaned(prior, adapter, each, t, rng) for each in held_out]
    errors = [float((x - each.x).square().mean()) for x, each in zip(views, held_out)]
    apart = [views_apart(x, each.known) for x, each in zip(views, held_out)]
    return float(np.mean(errors)), float(np.mean(apart)), views[0]


def views_apart(x: Tensor, known: Correspondences) -> float:
    """Mean absolute difference of views (V,C,64,64) where they show one point."""
    step = x.shape[-1] // known.side
    own = x[..., step // 2 :: step, step // 2 :: step].flatten(2)[:, None]
    others = torch.nn.functional.grid_sample(
        x[known.others].flatten(0, 1), known.places.flatten(0, 1)[:, None], align_corners=False
    )
    apart = (others[:, :, 0].unflatten(0, known.others.shape) - own).abs().mean(2)
    return float(apart[known.visible].mean())


def _plain(config: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in config.items() if not name.startswith("_")}
