"""Validation on objects never trained on: errors of clean views under right and wrong conditions, and a sample sheet."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from engine.math.noise import NoiseSchedule, eps_from_x0
from engine.prior.toybox.network import Poses, ToyboxDenoiser, Words
from engine.prior.toybox.poses import orbit_poses
from engine.prior.toybox.schedule import time_fraction
from engine.prior.toybox.tokeniser import Tokeniser
from engine.toybox.dataset import HELD_OUT_SEED, Shard, generate_shard
from engine.toybox.training.batches import GROUP, TrainingBatch, pixels_to_x
from engine.toybox.training.objective import predict_clean, view_errors

FRACTIONS = (0.9, 0.75, 0.5)
PROMPTS = (
    "a red mug",
    "a blue chair with yellow legs",
    "a green car",
    "a white house with a red roof",
    "a green tree",
    "a red mushroom with white spots",
    "a blue rocket",
    "a snowman",
    "a yellow bird",
    "a purple table",
    "a pink cake",
    "a gray robot",
    "a brown bottle",
    "an orange lamp",
    "a black sword",
    "a yellow boat",
)


class Evaluation:
    """A fixed set of held-out objects with fixed noise."""

    def __init__(self, tokeniser: Tokeniser, schedule: NoiseSchedule, device: torch.device, objects: int = 16) -> None:
        self.tokeniser, self.schedule, self.device = tokeniser, schedule, device
        self.shard: Shard = generate_shard(HELD_OUT_SEED, objects)

    @torch.no_grad()
    def errors(self, net: ToyboxDenoiser) -> dict[str, list[float]]:
        """Mean squared error of x0 at noise times .9, .75 and .5, by condition."""
        table: dict[str, list[float]] = {}
        for fraction in FRACTIONS:
            for name, variant in _variants(self._batch(fraction), self.tokeniser).items():
                table.setdefault(name, []).append(round(self._error(net, variant), 5))
        return table

    def _error(self, net: ToyboxDenoiser, batch: TrainingBatch) -> float:
        """Over the last three views of each object, so that every variant is judged on the same pictures."""
        judged = view_errors(predict_clean(net, self.schedule, batch), batch)
        if judged.shape[1] == 1:
            return float(judged.view(-1, GROUP)[:, 1:].mean())
        return float(judged[:, 1:].mean())

    def _batch(self, fraction: float) -> TrainingBatch:
        images = torch.from_numpy(np.asarray(self.shard.images[:, :GROUP])).to(self.device)
        x = pixels_to_x(images)
        poses = orbit_poses(
            *(torch.from_numpy(a[:, :GROUP]).to(self.device) for a in (self.shard.azimuth_deg, self.shard.elevation_deg))
        )
        ids = self.tokeniser([captions[0] for captions in self.shard.captions]).to(self.device)
        clean = torch.zeros(x.shape[:2], dtype=torch.bool, device=self.device)
        t = torch.full((len(x),), self.schedule.index(fraction), device=self.device)
        noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(0)).to(self.device)
        return TrainingBatch(x, ids, poses, clean, t, noise)

    @torch.no_grad()
    def sheet(self, net: ToyboxDenoiser, path: Path, guidance_scale: float = 2.5, steps: int = 6) -> None:
        """Write a PNG with one row of four views for each of 16 prompts, in two columns."""
        x = torch.cat([self._sample(net, list(PROMPTS[i : i + 8]), guidance_scale, steps) for i in range(0, len(PROMPTS), 8)])
        alpha = (x[:, :, 3:] + 1) / 2
        rgb = ((x[:, :, :3] + alpha) / 2 + 1 - alpha).clamp(0, 1)
        rows = (rgb.permute(0, 3, 1, 4, 2).flatten(2, 3) * 255).byte().cpu().numpy()  # (16, 64, 4 x 64, 3)
        half = len(rows) // 2
        columns = [np.concatenate(list(part)) for part in (rows[:half], rows[half:])]
        Image.fromarray(np.concatenate(columns, axis=1)).resize((1024, 1024), Image.Resampling.NEAREST).save(path)

    def _sample(self, net: ToyboxDenoiser, prompts: list[str], guidance_scale: float, steps: int) -> Tensor:
        count = len(prompts)
        azimuth = torch.tensor([30.0, 120.0, 210.0, 300.0]).expand(count, GROUP)
        poses = orbit_poses(azimuth, torch.full_like(azimuth, 15.0))
        poses = Poses(*(part.to(self.device) for part in (poses.c2w, poses.rays, poses.known)))
        clean = torch.zeros(count, GROUP, dtype=torch.bool, device=self.device)
        words, empty = (net.text(self.tokeniser(p).to(self.device)) for p in (prompts, [""] * count))
        x = torch.randn(count, GROUP, 4, 64, 64, generator=torch.Generator().manual_seed(1)).to(self.device)
        times = [round(999 * (steps - i) / steps) for i in range(steps)]
        for i, time in enumerate(times):
            t = torch.full((count,), time, device=self.device)
            x0 = self._guided(net, x, t, words, empty, poses, clean, guidance_scale)
            if i + 1 < steps:
                eps = eps_from_x0(x, x0, *self.schedule.signal_and_noise(t, x))
                x = self.schedule.add_noise(x0, eps, torch.full_like(t, times[i + 1]))
        return x0

    def _guided(
        self,
        net: ToyboxDenoiser,
        x: Tensor,
        t: Tensor,
        words: Words,
        empty: Words,
        poses: Poses,
        clean: Tensor,
        guidance_scale: float,
    ) -> Tensor:
        at = time_fraction(t)[:, None].expand(clean.shape)
        with torch.autocast(x.device.type, torch.bfloat16):
            right, null = (net(x, at, w, poses, clean).float().clamp(-1, 1) for w in (words, empty))
        return torch.lerp(null, right, guidance_scale).clamp(-1, 1)


def _variants(batch: TrainingBatch, tokeniser: Tokeniser) -> dict[str, TrainingBatch]:
    """The batch, and the same pictures told something else."""
    nothing = tokeniser([""]).to(batch.ids.device).expand_as(batch.ids)
    given = batch.clean.clone()
    given[:, 0] = True
    turned = Poses(batch.poses.c2w.roll(1, 1), batch.poses.rays.roll(1, 1), batch.poses.known)
    return {
        "text": batch,
        "null_text": replace(batch, ids=nothing),
        "wrong_text": replace(batch, ids=batch.ids.roll(1, 0)),
        "wrong_camera": replace(batch, poses=turned),
        "single_view": _singles(batch),
        "given_view_no_text": replace(batch, ids=nothing, clean=given),
    }


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
    )
