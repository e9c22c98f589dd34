"""A latent diffusion model behind the prior protocol (arXiv 2112.10752), put together from three parts.

``space`` takes pictures to latents and back, ``words`` reads prompts, ``denoiser`` is the network with all
that it wants to be told. A family (Stable Diffusion, SDXL, flow models) differs from the next in its parts,
and in what its network's output means.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import repeat
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from engine.core.noise_schedule import NoiseSchedule
from engine.core.views import Views
from engine.prior.abilities import DoesWithoutVae
from engine.prior.base import Condition, Prediction, Prior, PriorInfo, TextEmbedding
from engine.prior.latent.loading import Network
from engine.prior.latent.space import LatentSpace, LinearSpace
from engine.prior.latent.text_encoder import Words
from engine.prior.offload import Offload
from engine.prior.prediction_type import read_output

log = logging.getLogger(__name__)


class Denoiser(Protocol):
    """The network that ``predict`` calls, and how to call it."""

    @property
    def network(self) -> nn.Module: ...

    def __call__(self, x_t: Tensor, t: Tensor, text: TextEmbedding) -> Tensor:
        """The network's output for ``x_t`` (B,C,h,w) in our convention at times ``t`` (B,), with B
        prompts.
        """
        ...


@runtime_checkable
class LooksAtViews(Protocol):
    """A denoiser that looks at the condition's views, so that each call is made for its own."""

    def for_turns(self, condition: Condition, most: int) -> Iterable[Denoiser]:
        """One for each ``most`` views."""
        ...


@dataclass(frozen=True, eq=False)
class LatentParts:
    """The networks, frozen, on one device; each may have its own dtype. ``others`` go by the names of their
    folders.
    """

    denoiser: Denoiser
    space: LatentSpace | LinearSpace
    words: Words
    others: Mapping[str, nn.Module] = field(default_factory=dict)

    @property
    def networks(self) -> dict[str, nn.Module]:
        """Every network: the denoiser, and the others by the names of their folders."""
        return {
            "denoiser": self.denoiser.network,
            **self.space.networks,
            **self.words.networks,
            **self.others,
        }


class LatentPrior:
    """Takes ``Views`` rendered over a background; its space is the VAE's scaled latents (B,C,h,w).

    ``prediction_type`` says what the network's output means. ``max_views_per_call`` bounds the memory of one
    call of the network, ``max_pictures_per_call`` of one call of the VAE: more are worked off in turn.
    Networks may wait elsewhere, if they come to ``device`` when they are called.
    """

    def __init__(
        self,
        parts: LatentParts,
        info: PriorInfo,
        schedule: NoiseSchedule,
        prediction_type: str,
        max_views_per_call: int = 8,
    ) -> None:
        self.parts = parts
        self.info = info
        self.schedule = schedule
        self.prediction_type = prediction_type
        self.max_views_per_call = self.max_pictures_per_call = max_views_per_call
        self.device = next(self.network.parameters()).device
        self.offload: Offload | None = None

    @property
    def network(self) -> Network:
        return self.parts.denoiser.network

    def encode(self, views: Views) -> Tensor:
        """The mean of the VAE's latents, scaled to about unit variance, in the dtype of the pictures."""
        return self.parts.space.encode(views.rgb.to(self.device), self.max_pictures_per_call)

    def decode(self, x: Tensor) -> Views:
        """Latents back to opaque pictures."""
        return self.parts.space.decode(x.to(self.device), self.max_pictures_per_call)

    @torch.no_grad()
    def embed(self, prompt: str) -> TextEmbedding:
        """What the network reads of a prompt; says in the log what did not fit."""
        cut = self.unread(prompt)
        if cut:
            log.warning("The prompt is too long for %s; it does not read: %s", self.info.title, cut)
        return self.parts.words.embed(prompt, self.device)

    def unread(self, prompt: str) -> str:
        """The end of a prompt that is cut off because it has too many tokens; empty if all of it is read."""
        return self.parts.words.unread(prompt)

    def predict(self, x_t: Tensor, t: Tensor, condition: Condition) -> Prediction:
        """One call of the network, in its own dtype; the algebra around it is in the dtype of ``x_t``."""
        t, most = t.to(x_t.device), self.max_views_per_call
        text = condition.text.expand(len(x_t)).map(lambda part: part.to(x_t.device))
        turns = zip(x_t.split(most), t.split(most), text.split(most), strict=True)
        denoisers = _for_turns(self.parts.denoiser, condition, most)
        output = torch.cat([denoiser(*turn) for denoiser, turn in zip(denoisers, turns, strict=False)])
        return read_output(output, x_t, t, self.schedule, self.prediction_type)

    @cached_property
    def _linear(self) -> LinearSpace:
        return LinearSpace.of(self.parts.space)

    def without_vae(self) -> LatentPrior:
        """The same model, with a linear map between colours and latents in place of the VAE: coarse, and
        nearly free.
        """
        rough = copy(self)
        rough.parts = replace(self.parts, space=self._linear)
        return rough


def _for_turns(denoiser: Denoiser, condition: Condition, most: int) -> Iterable[Denoiser]:
    """``denoiser`` for each turn; one that looks at the condition's views is there for those of its turn."""
    return denoiser.for_turns(condition, most) if isinstance(denoiser, LooksAtViews) else repeat(denoiser)


def without_vae(prior: Prior) -> Prior:
    """``prior`` as it works without its VAE; itself if it has none."""
    return prior.without_vae() if isinstance(prior, DoesWithoutVae) else prior
