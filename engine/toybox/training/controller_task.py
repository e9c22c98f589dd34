"""The course of the reference controller: the denoiser stays as it is and learns nothing (Phidias, arXiv
2409.11406).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.errors import InputError
from engine.prior.reference.maps import Reading, ReferenceMaps, routed
from engine.prior.toybox.network import StemFeatures
from engine.prior.toybox.pipeline_files import base_digest, load_parts
from engine.prior.toybox.reference_controller import Pair, ReferenceController, controller_for
from engine.prior.toybox.schedule import TIMES
from engine.prior.toybox.text_encoder import Words
from engine.toybox.dataset import ShardCache
from engine.toybox.objects import draw_object
from engine.toybox.references.drawing import (
    Amounts,
    Kind,
    Mix,
    distorted_maps,
    draw_kind,
    draw_reference,
    strength_at,
)
from engine.toybox.training.batches import BatchSource, Shares, TrainingBatch
from engine.toybox.training.evaluation import FRACTIONS, Evaluation, with_first_given
from engine.toybox.training.loop import Plan
from engine.toybox.training.objective import Guide, predict_clean, training_loss, view_errors

_STREAM = 9
"""Random stream beside the batch's own."""

KINDS: tuple[Kind, ...] = ("self", "retrieved", "random")
LEAVABLE = ("meta", "routing", "augmentation")
"""Parts that can be left out, to measure what they are worth."""


@dataclass(frozen=True)
class Parts:
    """What the controller consists of, so that each part can be left out and its worth be measured."""

    meta: bool = True  # the meta controller; without it, a plain ControlNet
    routing: bool = True  # maps by noise level; without it, always the finest
    augmentation: bool = True  # distorted and retrieved references; without it, the object itself
    reading: Reading = "progress"
    depth: int = 2
    mix: Mix = field(default_factory=Mix)
    amounts: Amounts = field(default_factory=Amounts)
    shares: Shares = field(default_factory=lambda: Shares(single_view=0.0, no_camera=0.0, given_view=0.6))
    examined_objects: int = 16


class GuidingCourse:
    """Train every weight of a `ReferenceController` beside a frozen denoiser."""

    def __init__(self, parts: Parts, plan: Plan, rank: int, state: Mapping[str, Any] | None) -> None:
        if plan.init is None:
            raise InputError(
                "A reference controller needs the prior that it guides.", "Name its folder with --init."
            )
        prior = load_parts(plan.init)
        self.parts, self.device, self.seed, self.rank = parts, torch.device(plan.device), plan.seed, rank
        self.base = prior.net.to(self.device).eval().requires_grad_(False)
        self.tokeniser, self.schedule = prior.tokeniser, prior.schedule
        self.net = controller_for(self.base, parts.depth, parts.meta, parts.routing).to(self.device)
        self.base_digest = base_digest(plan.init)
        assert plan.cache is not None, "this course learns from a cache"
        cache = ShardCache.open(plan.cache)
        self.source = BatchSource(cache, self.tokeniser, TIMES, plan.seed, rank, parts.shares, self.device)
        self.seeds = int(self.source.seeds.min()), int(self.source.seeds.max()) + 1
        self.examination: Evaluation | None = None

    def loss(self, step: int, images: int, progress: float) -> Tensor:
        """The denoiser's loss with a reference for each object."""
        batch = self.source.batch(step, images)
        maps = self.draw_maps(batch, np.random.default_rng([self.seed, step, self.rank, _STREAM]), progress)
        return training_loss(self.base, self.schedule, batch, self.guide(self.net, batch, maps))

    def draw_maps(
        self, batch: TrainingBatch, rng: np.random.Generator, progress: float, kind: Kind | None = None
    ) -> ReferenceMaps:
        """Maps of a reference for each object of the batch; of one ``kind`` if that is named, not distorted
        then.
        """
        mix, drawn = self.parts.mix, []
        strength = strength_at(progress, mix) if kind is None and self.parts.augmentation else 0.0
        for seed, azimuth_deg, elevation_deg in zip(batch.seeds.tolist(), *batch.angles_deg, strict=True):
            obj = draw_object(seed)
            chosen = kind or (draw_kind(rng, progress, mix) if self.parts.augmentation else "self")
            mesh = draw_reference(obj, chosen, rng, self.seeds)
            drawn.append(distorted_maps(mesh, azimuth_deg, elevation_deg, rng, strength, self.parts.amounts))
        pictures = torch.from_numpy(np.stack(drawn)).permute(0, 1, 4, 2, 3).to(self.device)
        return ReferenceMaps(pictures[:, :, :3], pictures[:, :, 3:])

    def guide(self, net: ReferenceController, batch: TrainingBatch, maps: ReferenceMaps) -> Guide:
        """What the controller adds for this batch."""

        def features(t: Tensor, words: Words) -> StemFeatures:
            inputs = routed(maps, t, self.parts.reading) if net.config.routing else maps
            return net(inputs.channels(), pair_of(batch, maps.channels()), t, words, batch.poses)

        return features

    def state(self) -> dict[str, Any]:
        """The sizes, what was left out, and the weights that it guides."""
        left_out = [name for name in LEAVABLE if not getattr(self.parts, name)]
        return {"config": dict(self.net.config), "left_out": left_out, "base": self.base_digest}

    def with_weights(self, weights: Mapping[str, Tensor]) -> ReferenceController:
        """A frozen controller."""
        net = ReferenceController(**self.net.config).to(self.device)
        net.load_state_dict(weights)
        return net.eval().requires_grad_(False)

    @torch.no_grad()
    def examine(self, net: ReferenceController, sheet: Path) -> dict[str, list[float]]:
        """Errors without a reference and with each kind of it, with a picture of what is wanted and with
        words alone.
        """
        if self.examination is None:
            self.examination = Evaluation(
                self.tokeniser, self.schedule, self.device, self.parts.examined_objects
            )
        table: dict[str, list[float]] = {}
        for fraction in FRACTIONS:
            plain = self.examination.batch(fraction)
            for name, batch in (("words", plain), ("picture", with_first_given(plain))):
                self._note(table, f"{name}, no reference", batch, None)
                for kind in KINDS:
                    maps = self.draw_maps(batch, np.random.default_rng(0), 1.0, kind)
                    self._note(table, f"{name}, {kind}", batch, self.guide(net, batch, maps))
        return table

    def _note(
        self, table: dict[str, list[float]], row: str, batch: TrainingBatch, guide: Guide | None
    ) -> None:
        errors = view_errors(predict_clean(self.base, self.schedule, batch, guide), batch)[:, 1:]
        table.setdefault(row, []).append(round(float(errors.mean()), 5))


def pair_of(batch: TrainingBatch, channels: Tensor) -> Pair:
    """The first given view of each object, and the reference (B,V,4,S,S) from its camera."""
    first = batch.clean.float().argmax(1)
    rows = torch.arange(len(first), device=first.device)
    return Pair(batch.x[rows, first], channels[rows, first], batch.clean.any(1))
