"""Validation on objects never trained on: errors of clean views under right and wrong conditions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from engine.core.noise_schedule import NoiseSchedule
from engine.prior.toybox.network import ToyboxDenoiser
from engine.prior.toybox.poses import Poses, orbit_poses
from engine.prior.toybox.tokeniser import Tokeniser
from engine.toybox.dataset import HELD_OUT_SEED, Shard, generate_shard
from engine.toybox.training.batches import GROUP, TrainingBatch, pixels_to_x
from engine.toybox.training.objective import predict_clean, view_errors

FRACTIONS = (0.9, 0.75, 0.5)


class Evaluation:
    """A fixed set of held-out objects with fixed noise."""

    def __init__(
        self, tokeniser: Tokeniser, schedule: NoiseSchedule, device: torch.device, objects: int = 16
    ) -> None:
        self.tokeniser, self.schedule, self.device = tokeniser, schedule, device
        self.shard: Shard = generate_shard(HELD_OUT_SEED, objects)

    @torch.no_grad()
    def errors(self, net: ToyboxDenoiser) -> dict[str, list[float]]:
        """Mean squared error of x0 at noise times .9, .75 and .5, by condition."""
        table: dict[str, list[float]] = {}
        for fraction in FRACTIONS:
            for name, variant in _variants(self.batch(fraction), self.tokeniser).items():
                table.setdefault(name, []).append(round(self._error(net, variant), 5))
        return table

    def _error(self, net: ToyboxDenoiser, batch: TrainingBatch) -> float:
        """Over the last three views of each object, so that every variant is judged on the same pictures."""
        judged = view_errors(predict_clean(net, self.schedule, batch), batch)
        if judged.shape[1] == 1:
            return float(judged.view(-1, GROUP)[:, 1:].mean())
        return float(judged[:, 1:].mean())

    def batch(self, fraction: float) -> TrainingBatch:
        """The objects' first four views, at right angles to each other, at a noise time."""
        images = torch.from_numpy(np.asarray(self.shard.images[:, :GROUP])).to(self.device)
        x = pixels_to_x(images)
        poses = orbit_poses(
            *(
                torch.from_numpy(a[:, :GROUP]).to(self.device)
                for a in (self.shard.azimuth_deg, self.shard.elevation_deg)
            )
        )
        ids = self.tokeniser([captions[0] for captions in self.shard.captions]).to(self.device)
        clean = torch.zeros(x.shape[:2], dtype=torch.bool, device=self.device)
        t = torch.full((len(x),), self.schedule.index(fraction), device=self.device)
        noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(0)).to(self.device)
        angles_deg = np.stack([self.shard.azimuth_deg[:, :GROUP], self.shard.elevation_deg[:, :GROUP]])
        return TrainingBatch(x, ids, poses, clean, t, noise, self.shard.seeds, angles_deg)


def _variants(batch: TrainingBatch, tokeniser: Tokeniser) -> dict[str, TrainingBatch]:
    """The batch, and the same pictures told something else."""
    nothing = tokeniser([""]).to(batch.ids.device).expand_as(batch.ids)
    turned = Poses(batch.poses.c2w.roll(1, 1), batch.poses.rays.roll(1, 1), batch.poses.known)
    return {
        "text": batch,
        "null_text": replace(batch, ids=nothing),
        "wrong_text": replace(batch, ids=batch.ids.roll(1, 0)),
        "wrong_camera": replace(batch, poses=turned),
        "single_view": _singles(batch),
        "given_view_no_text": replace(with_first_given(batch), ids=nothing),
    }


def with_first_given(batch: TrainingBatch) -> TrainingBatch:
    """The same pictures, the first view of each object shown clean."""
    clean = batch.clean.clone()
    clean[:, 0] = True
    return replace(batch, clean=clean)


def _singles(batch: TrainingBatch) -> TrainingBatch:
    """Every view as an object of its own."""
    views = batch.x.shape[1]
    poses = Poses(
        batch.poses.c2w.flatten(0, 1)[:, None],
        batch.poses.rays.flatten(0, 1)[:, None],
        batch.poses.known.repeat_interleave(views),
    )
    return TrainingBatch(
        batch.x.flatten(0, 1)[:, None],
        batch.ids.repeat_interleave(views, 0),
        poses,
        batch.clean.flatten()[:, None],
        batch.t.repeat_interleave(views),
        batch.noise.flatten(0, 1)[:, None],
        np.repeat(batch.seeds, views),
        batch.angles_deg.reshape(2, -1, 1),
    )
