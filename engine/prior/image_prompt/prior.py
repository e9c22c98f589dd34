"""Latent priors whose prompt is a picture of the object."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from engine.core.cameras import Cameras
from engine.core.noise_schedule import NoiseSchedule
from engine.core.views import Views, composite
from engine.prior.abilities import ShownPictures
from engine.prior.base import CleanViews, Prior, PriorInfo, TextEmbedding
from engine.prior.image_prompt.clip_image_encoder import ClipImageEncoder
from engine.prior.latent.prior import LatentParts, LatentPrior
from engine.prior.latent.text_encoder import Words


class ImagePromptPrior(LatentPrior):
    """Sees given pictures through ``eye`` and through its VAE, over a flat background. What it keeps is in
    ``CleanViews``.
    """

    behind: ClassVar[float] = 1.0
    """The grey level of the background of pictures that it was taught."""

    def __init__(
        self,
        parts: LatentParts,
        info: PriorInfo,
        schedule: NoiseSchedule,
        prediction_type: str,
        eye: ClipImageEncoder,
        max_views_per_call: int = 8,
    ) -> None:
        super().__init__(parts, info, schedule, prediction_type, max_views_per_call)
        self.eye = eye

    @torch.no_grad()
    def clean_views(self, views: Views, cameras: Cameras) -> CleanViews:
        """What the network is shown of M pictures, premultiplied over black with their alpha."""
        rgb = composite(views.rgb, views.alpha, torch.full((3,), self.behind, device=views.rgb.device)).to(
            self.device
        )
        return CleanViews(self.latents(rgb), cameras, self.tokens(rgb))

    def latents(self, rgb: Tensor) -> Tensor:
        """Opaque pictures (M,H,W,3) in the space of the prior (M,C,h,w)."""
        return self.parts.space.encode(rgb, self.max_pictures_per_call)

    def tokens(self, rgb: Tensor) -> Tensor:
        """What the image encoder reads of opaque pictures, (M,L,D)."""
        return self.eye.summary(rgb)


def clean_views_of(prior: Prior, views: Views, cameras: Cameras) -> CleanViews:
    """M given pictures, premultiplied over black, as ``prior`` is shown them."""
    if isinstance(prior, ShownPictures):
        return prior.clean_views(views, cameras)
    with torch.no_grad():
        return CleanViews(prior.encode(views), cameras)


@dataclass(frozen=True)
class NoWords:
    """Every prompt is one token of zeros (1,1,``width``), to which the picture's is added.

    So methods that learn an embedding in place of the empty prompt have one to learn.
    """

    width: int

    @property
    def networks(self) -> dict[str, nn.Module]:
        return {}

    def embed(self, prompt: str, device: torch.device) -> TextEmbedding:
        return TextEmbedding(torch.zeros(1, 1, self.width, device=device))

    def unread(self, prompt: str) -> str:
        return ""


@dataclass(frozen=True, eq=False)
class EmptyTextEncoder:
    """Every prompt is the empty one of ``words``, with which the prior was taught."""

    words: Words

    @property
    def networks(self) -> dict[str, nn.Module]:
        return self.words.networks

    def embed(self, prompt: str, device: torch.device) -> TextEmbedding:
        return self.words.embed("", device)

    def unread(self, prompt: str) -> str:
        return ""
