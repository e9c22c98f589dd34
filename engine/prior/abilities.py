"""What a prior may be able to do beside what every `Prior` does.

Who needs it asks by ``isinstance``, and a prior says it by having it. Small priors (toybox, closed forms)
have none of those that save memory, and stay as they are where others do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from engine.core.cameras import Cameras
from engine.core.views import Views
from engine.errors import InputError
from engine.lazy import torch
from engine.prior.base import CleanViews, Prediction, Prior, PriorInfo, Prompts

if TYPE_CHECKING:
    from torch import Tensor

    from engine.prior.offload import Offload

ADAPTER_STARTS = ("uniform", "normal")
"""How a LoRA's first matrix A (rank, inputs) is drawn: uniform within 1 / sqrt(inputs), as a linear layer of
torch starts, or normal with deviation 1 / rank, as in diffusers' layers on which ProlificDreamer and LODS
were published. At rank 4 the second is 8 times larger for 320 inputs, and the same learning rate moves the
weights so much further.
"""


class Parts(Protocol):
    """Networks by name, "denoiser" among them."""

    @property
    def networks(self) -> Mapping[str, torch.nn.Module]: ...


@runtime_checkable
class MadeOfParts(Protocol):
    """Its networks can be counted, turned to another precision, and moved, one by one."""

    @property
    def parts(self) -> Parts: ...


@runtime_checkable
class SplitsViews(Protocol):
    """It works off many views in several calls of the network."""

    max_views_per_call: int


@runtime_checkable
class SplitsPictures(Protocol):
    """It works off many pictures in several calls of the VAE."""

    max_pictures_per_call: int


@runtime_checkable
class CanWait(Protocol):
    """Its networks can wait in main memory; ``device`` is where they work. None: all are there."""

    device: torch.device
    offload: Offload | None


@runtime_checkable
class SlicesAttention(Protocol):
    """A network that can compute attention in slices (diffusers)."""

    def set_attention_slice(self, slice_size: str | None) -> None:
        """ "max": one slice after the other; None: all at once."""
        ...


@runtime_checkable
class DoesWithoutVae(Protocol):
    """It can do without its VAE."""

    def without_vae(self) -> Prior:
        """The same model with a coarse and nearly free map in place of the VAE."""
        ...


@runtime_checkable
class ShownPictures(Protocol):
    """It keeps more of a given picture than its place in the prior's space."""

    def clean_views(self, views: Views, cameras: Cameras) -> CleanViews:
        """What the network is shown of M pictures, premultiplied over black."""
        ...


@runtime_checkable
class GuidanceDistilled(Protocol):
    """A prior that was taught to answer in one pass as two and classifier-free guidance do (arXiv
    2210.03142).
    """

    def answers_guided(self, prompts: Prompts, guidance_scale: float) -> bool:
        """Whether it can for these branches and this scale: nothing but the empty words to be guided away
        from.
        """
        ...

    def predict_guided(
        self, x_t: torch.Tensor, t: torch.Tensor, prompts: Prompts, guidance_scale: float
    ) -> Prediction:
        """The guided prediction in one denoiser call, for what it ``answers_guided``."""
        ...

    def with_two_passes(self) -> Prior:
        """The same prior, guided exactly."""
        ...


def with_two_passes(prior: Prior) -> Prior:
    """``prior``, guided exactly; itself if it knows no other way."""
    return prior.with_two_passes() if isinstance(prior, GuidanceDistilled) else prior


@runtime_checkable
class LooksAlongSurfaces(Protocol):
    """A prior with an adapter by which views attend to each other along a surface (MVDiffusion, arXiv
    2307.01097).
    """

    def along_surface(self, points: Tensor, mask: Tensor, cameras: Cameras) -> Prior:
        """For V views that show ``points`` (V,S,S,3) of the world where ``mask`` (V,S,S). Raises
        MissingError.
        """
        ...


@runtime_checkable
class Sharpens(Protocol):
    """A prior with a second stage."""

    def sharpened(self, views: Views) -> Views:
        """Pictures of ``info.resolution``, cleaned and twice as fine, each by itself; ``depth`` is zero."""
        ...


def check_takes_adapters(info: PriorInfo) -> None:
    """Raises InputError if the prior has no network that an adapter could change."""
    if not info.takes_adapters:
        raise InputError(
            f"The prior {info.id!r} has no network in which an adapter (LoRA) could learn.",
            "Choose a method that learns no adapter, such as SDS or LODS, or another prior, such as toybox.",
        )
