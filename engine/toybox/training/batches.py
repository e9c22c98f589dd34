"""Training batches: which objects, which of their views, at which noise, and which conditions are left out.

Everything about step s of process r is drawn from the numbers (seed, s, r), so that a resumed run needs no
stored random state. What the processes must agree on (how many views an object has) is drawn from (seed, s).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engine.prior.toybox.poses import Poses, orbit_poses
from engine.prior.toybox.tokeniser import Tokeniser
from engine.toybox.dataset import ShardCache

GROUP = 4
"""Views of an object that were taken at right angles to each other."""


@dataclass(frozen=True)
class Shares:
    """How often each thing happens to an object of a batch."""

    single_view: float = 0.15  # of steps: objects with one view,
    eight_views: float = 0.07  # and with eight
    orthogonal: float = 0.6  # of objects with four views: one group at right angles, else any four
    no_text: float = 0.12
    no_camera: float = 0.05
    given_view: float = 0.55  # a view is shown clean,
    second_given: float = 0.2  # and then another one too
    given_no_text: float = 0.5  # of objects with a given view
    unknown_word: float = 0.02  # of words
    noise_lean: float = (
        0.6  # times are u^lean: below 1 the noisy end, where words and cameras decide, comes up more often
    )


@dataclass(frozen=True, eq=False)
class TrainingBatch:
    """B objects from V sides: ``x`` and ``noise`` (B,V,4,S,S), words ``ids`` (B,L), ``clean`` (B,V) bool,
    times ``t`` (B,).

    ``seeds`` (B,) are those of the objects, ``angles_deg`` (2,B,V) the azimuths and elevations of the views.
    """

    x: Tensor
    ids: Tensor
    poses: Poses
    clean: Tensor
    t: Tensor
    noise: Tensor
    seeds: np.ndarray
    angles_deg: np.ndarray


def pixels_to_x(images: Tensor) -> Tensor:
    """Premultiplied RGBA bytes (...,S,S,4) to the network's channels (...,4,S,S): 2 rgb - alpha and 2 alpha -
    1.
    """
    rgba = images.movedim(-1, -3).to(torch.float32) / 255
    alpha = rgba[..., 3:, :, :]
    return torch.cat([2 * rgba[..., :3, :, :] - alpha, 2 * alpha - 1], dim=-3)


def views_of_step(seed: int, step: int, shares: Shares) -> int:
    """1, 4 or 8: views an object has in this step, in every process."""
    draw = np.random.default_rng([seed, step]).random()
    return 1 if draw < shares.single_view else 8 if draw < shares.single_view + shares.eight_views else 4


def choose_views(
    rng: np.random.Generator, objects: int, views: int, available: int, orthogonal: float
) -> np.ndarray:
    """Which views (objects, views) to show of each object, out of ``available``."""
    picks = rng.permuted(np.tile(np.arange(available), (objects, 1)), axis=1)[:, :views]
    if views == GROUP:
        grouped = rng.random(objects) < orthogonal
        group = (
            np.where(rng.random(objects) < 2 / 3, 0, GROUP)
            if available == 2 * GROUP
            else np.zeros(objects, np.int64)
        )
        picks[grouped] = (group[:, None] + np.arange(GROUP))[grouped]
    return picks


def draw_given(rng: np.random.Generator, objects: int, views: int, shares: Shares) -> np.ndarray:
    """Which views (objects, views) are given clean; at least one of each object never is."""
    given = np.zeros((objects, views), bool)
    if views == 1:
        return given
    chosen = rng.random(objects) < shares.given_view
    second = chosen & (rng.random(objects) < shares.second_given)
    order = rng.permuted(np.tile(np.arange(views), (objects, 1)), axis=1)
    given[chosen, order[chosen, 0]] = True
    given[second, order[second, 1]] = True
    return given


def draw_times(rng: np.random.Generator, objects: int, times: int, lean: float) -> np.ndarray:
    """Integer times (objects,): u^lean of the schedule with u spread evenly over the batch."""
    spread = (rng.permutation(objects) + rng.random(objects)) / objects
    return (spread**lean * times).astype(np.int64)


class BatchSource:
    """Draws batches of process ``rank`` from a cache of objects; on a GPU all pictures lie there from the
    start.
    """

    def __init__(
        self,
        cache: ShardCache,
        tokeniser: Tokeniser,
        times: int,
        seed: int,
        rank: int,
        shares: Shares,
        device: torch.device,
    ) -> None:
        self.cache, self.tokeniser, self.times, self.seed, self.rank, self.shares = (
            cache,
            tokeniser,
            times,
            seed,
            rank,
            shares,
        )
        self.device = device
        captions = [caption for shard in cache.shards for four in shard.captions for caption in four]
        self.ids = tokeniser(captions).view(len(cache), -1, tokeniser.length).to(torch.int16)
        self.angles_deg = torch.from_numpy(
            np.stack(
                [
                    np.concatenate([getattr(shard, name) for shard in cache.shards])
                    for name in ("azimuth_deg", "elevation_deg")
                ]
            )
        )
        self.seeds = np.concatenate([shard.seeds for shard in cache.shards])
        self.resident = None
        if device.type == "cuda":
            self.resident = torch.cat(
                [torch.from_numpy(np.array(shard.images)).to(device) for shard in cache.shards]
            )

    def batch(self, step: int, images: int) -> TrainingBatch:
        """This process's batch of a step, with ``images`` pictures in all."""
        rng = np.random.default_rng([self.seed, step, self.rank])
        views = views_of_step(self.seed, step, self.shares)
        count = max(1, images // views)
        objects = rng.integers(0, len(self.cache), count)
        picks = choose_views(rng, count, views, 2 * GROUP, self.shares.orthogonal)
        clean = draw_given(rng, count, views, self.shares)
        angles_deg = self.angles_deg[:, torch.from_numpy(objects)[:, None], torch.from_numpy(picks)]
        poses = self._poses(angles_deg, rng.random(count) >= self.shares.no_camera)
        ids = self._words(rng, objects, np.asarray(clean.any(1)))
        x = pixels_to_x(self._images(objects, picks))
        noise = torch.randn(
            x.shape,
            generator=torch.Generator(self.device).manual_seed(int(rng.integers(2**62))),
            device=self.device,
        )
        t = torch.from_numpy(draw_times(rng, count, self.times, self.shares.noise_lean))
        clean = torch.from_numpy(clean).to(self.device)
        return TrainingBatch(
            x,
            ids.to(self.device),
            poses,
            clean,
            t.to(self.device),
            noise,
            self.seeds[objects],
            angles_deg.numpy(),
        )

    def _images(self, objects: np.ndarray, picks: np.ndarray) -> Tensor:
        if self.resident is None:
            return torch.from_numpy(self.cache.gather(objects, picks).images).to(self.device)
        rows, columns = (torch.from_numpy(part).to(self.device) for part in (objects[:, None], picks))
        return self.resident[rows, columns]

    def _poses(self, angles_deg: Tensor, known: np.ndarray) -> Poses:
        poses = orbit_poses(*angles_deg)
        return Poses(
            poses.c2w.to(self.device), poses.rays.to(self.device), torch.from_numpy(known).to(self.device)
        )

    def _words(self, rng: np.random.Generator, objects: np.ndarray, given: np.ndarray) -> Tensor:
        ids = self.ids[
            torch.from_numpy(objects), torch.from_numpy(rng.integers(0, self.ids.shape[1], len(objects)))
        ].long()
        words = (ids != self.tokeniser.pad) & (ids != self.tokeniser.start)
        ids[words & torch.from_numpy(rng.random(ids.shape) < self.shares.unknown_word)] = (
            self.tokeniser.unknown
        )
        silent = torch.from_numpy(
            rng.random(len(objects)) < np.where(given, self.shares.given_no_text, self.shares.no_text)
        )
        empty = torch.full_like(ids[0], self.tokeniser.pad)
        empty[0] = self.tokeniser.start
        return torch.where(silent[:, None], empty, ids)
