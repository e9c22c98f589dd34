"""The course of the prior itself: a denoiser of toy objects, and the tokeniser it reads with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from engine.core.cameras import orbit_cameras
from engine.errors import storage_errors
from engine.prior.base import Condition, Prior, Prompts
from engine.prior.sampling import ddim, sampling_times
from engine.prior.toybox.info import TOYBOX_INFO
from engine.prior.toybox.network import ToyboxDenoiser
from engine.prior.toybox.pipeline_files import load_parts
from engine.prior.toybox.prior import ToyboxPrior
from engine.prior.toybox.schedule import TIMES, shifted_cosine
from engine.prior.toybox.tokeniser import Tokeniser, build_tokenizer
from engine.toybox.dataset import ShardCache
from engine.toybox.training.batches import BatchSource, Shares
from engine.toybox.training.evaluation import Evaluation
from engine.toybox.training.loop import Plan
from engine.toybox.training.objective import training_loss
from engine.toybox.vocabulary import VOCABULARY

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
AZIMUTHS_DEG = (30.0, 120.0, 210.0, 300.0)
COLUMNS = 2

TAUGHT = "text_encoder.pt"
"""File in the run's folder: the text encoder after it learned to read, with which the first step begins."""


EMBEDDING = "text.embedding.weight"


def write_samples(
    prior: Prior, prompts: Sequence[str], path: Path, steps: int = 6, elevation_deg: float = 15.0
) -> None:
    """Write a PNG with a strip of four views over white for each prompt, two prompts a row. Raises
    `StorageError`.
    """
    strips = [_strip(prior, prompt, steps, elevation_deg) for prompt in prompts]
    strips += [np.full_like(strips[0], 255)] * (-len(strips) % COLUMNS)
    rows = [np.concatenate(strips[i : i + COLUMNS], axis=1) for i in range(0, len(strips), COLUMNS)]
    with storage_errors(path):
        Image.fromarray(np.concatenate(rows)).save(path)


def _strip(prior: Prior, prompt: str, steps: int, elevation_deg: float) -> np.ndarray:
    """Four views (64, 256, 3) uint8 of one prompt; the noise is the same for each prompt."""
    info, count = prior.info, len(AZIMUTHS_DEG)
    cameras = orbit_cameras(AZIMUTHS_DEG, elevation_deg, info.distance, info.fov_deg, info.resolution)
    prompts = Prompts(Condition(prior.embed(prompt), cameras), Condition(prior.embed(""), cameras))
    noise = torch.randn(
        count, 4, info.resolution, info.resolution, generator=torch.Generator().manual_seed(1)
    )
    *_, sample = ddim(
        prior,
        prompts,
        noise.to(prior.device),
        sampling_times(prior.schedule, steps),
        info.default_guidance_scale,
    )
    views = prior.decode(sample)
    pictures = (views.rgb + 1 - views.alpha).mul(255).round().byte().cpu().numpy()
    return np.concatenate(list(pictures), axis=1)


@dataclass(frozen=True)
class Sizes:
    """How large the denoiser is, how its text encoder is taught, and how much an examination looks at."""

    width: int = 192
    depth: int = 7
    heads: int = 4
    length: int = 16
    text_depth: int = 3
    words: int = 1024  # rows of the embedding: numbers that the vocabulary may still grow into
    reading_steps: int = 2500  # of teaching the text encoder to read, where it starts anew,
    reading_objects: int = 20_000  # with captions of so many objects
    examined_objects: int = 16
    examined_prompts: int = 16
    shares: Shares = field(default_factory=Shares)
    vocabulary: tuple[str, ...] = VOCABULARY

    def network(self) -> ToyboxDenoiser:
        """A new network of these sizes."""
        return ToyboxDenoiser(
            width=self.width,
            depth=self.depth,
            heads=self.heads,
            words=self.words,
            length=self.length,
            text_depth=self.text_depth,
        )


class DenoisingCourse:
    """Train every weight of a `ToyboxDenoiser` on the objects of a cache."""

    def __init__(self, sizes: Sizes, plan: Plan, rank: int, state: Mapping[str, Any] | None) -> None:
        self.sizes, self.device = sizes, torch.device(plan.device)
        self.vocabulary = joined(tuple(state["vocabulary"]), sizes.vocabulary) if state else sizes.vocabulary
        self.net = sizes.network().to(self.device)
        if state is None:
            self._begin(plan)
        self.tokeniser = Tokeniser(build_tokenizer(self.vocabulary), sizes.length)
        self.schedule = shifted_cosine()
        assert plan.cache is not None, "this course learns from a cache"
        cache = ShardCache.open(plan.cache)
        self.source = BatchSource(cache, self.tokeniser, TIMES, plan.seed, rank, sizes.shares, self.device)
        self.forward = cast(ToyboxDenoiser, torch.compile(self.net)) if plan.compiled else self.net
        self.examination: Evaluation | None = None

    def _begin(self, plan: Plan) -> None:
        """Shipped weights and the numbers of their words, or a text encoder that has been taught to read."""
        if plan.init is not None:
            parts = load_parts(plan.init)
            self.net.load_state_dict(with_more_words(parts.net.state_dict(), self.net.text.embedding.weight))
            numbers = parts.tokeniser.tokenizer.get_vocab()
            self.vocabulary = joined(
                tuple(sorted(parts.tokeniser.vocabulary, key=numbers.__getitem__)), self.vocabulary
            )
        elif (plan.out / TAUGHT).exists():
            self.net.text.load_state_dict(
                torch.load(plan.out / TAUGHT, map_location=self.device, weights_only=True)
            )

    def loss(self, step: int, images: int, progress: float) -> Tensor:
        """The denoising loss of a step's batch."""
        return training_loss(self.forward, self.schedule, self.source.batch(step, images))

    def state(self) -> dict[str, Any]:
        """The words and the sizes."""
        return {"vocabulary": list(self.vocabulary), "config": dict(self.net.config)}

    def with_weights(self, weights: Mapping[str, Tensor]) -> ToyboxDenoiser:
        """A frozen denoiser."""
        net = ToyboxDenoiser(**self.net.config).to(self.device)
        net.load_state_dict(weights)
        return net.eval().requires_grad_(False)

    def examine(self, net: ToyboxDenoiser, sheet: Path) -> dict[str, list[float]]:
        """Errors under right and wrong conditions; samples of fixed prompts."""
        if self.examination is None:
            self.examination = Evaluation(
                self.tokeniser, self.schedule, self.device, self.sizes.examined_objects
            )
        prior = ToyboxPrior(net, self.tokeniser, self.schedule, TOYBOX_INFO, self.device)
        write_samples(prior, PROMPTS[: self.sizes.examined_prompts], sheet)
        return self.examination.errors(net)


def with_more_words(weights: Mapping[str, Tensor], fresh: Tensor) -> dict[str, Tensor]:
    """Weights whose embedding has as many rows as ``fresh`` (W,D): known words keep theirs, new ones begin as
    ``fresh``.
    """
    known = weights[EMBEDDING]
    grown = torch.cat([known, fresh.detach()[len(known) :].to(known)]) if len(fresh) > len(known) else known
    return {**weights, EMBEDDING: grown}


def joined(old: tuple[str, ...], new: tuple[str, ...]) -> tuple[str, ...]:
    """Old words keep their numbers; new ones come after."""
    return tuple(dict.fromkeys((*old, *new)))
