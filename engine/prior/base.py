"""The one protocol behind which every diffusion model looks the same.

A prior maps pictures to its own space (``encode``: pixels for toybox, VAE latents for Stable Diffusion), says
what it was told (``Condition``), and answers one question: given a noisy ``x_t`` at time ``t``, what is the
noise and what is the clean picture (``Prediction``)? eps-, v-, x0- and flow-models are converted at this
border. Times ``t`` are integer indices 0..T-1 into ``schedule.alphas_cumprod``; ``x_t = sqrt(abar) x + sqrt(1
- abar) eps``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, Protocol

from engine.core.cameras import Cameras
from engine.core.noise_schedule import NoiseSchedule
from engine.core.views import Views
from engine.lazy import torch
from engine.prior.reference.maps import Reading, ReferenceMaps
from engine.prior.reference.strength import Influence

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class PriorInfo:
    """What the studio must know of a prior before it asks it anything; stored with its weights or in its
    registry entry.
    """

    id: str
    title: str
    channels: Literal["rgb", "rgba"]  # rgba priors take premultiplied colour over black, and alpha
    resolution: int  # side in pixels of the square pictures that ``encode`` takes
    default_guidance_scale: float  # in diffusers' meaning: 1 = off
    time_range: tuple[float, float] = (0.02, 0.98)  # useful t / T for distillation
    takes_cameras: bool = False  # the camera is an input: no view words are needed
    joint_views: bool = False  # the views of one object attend to each other
    orbit_views: int = (
        0  # it was taught this many views at once, evenly round the object at one height; 0: any
    )
    fixed_views: tuple[
        tuple[float, float], ...
    ] = ()  # azimuth from the first picture's, and elevation: all that it can draw
    takes_images: bool = False  # clean views can be a condition
    needs_images: bool = (
        False  # a clean view is its prompt: it is lost without, and guidance pushes off from none
    )
    reads_words: bool = True
    taught_words: bool = (
        False  # it reads those alone that it was taught, and others are read as the nearest of them
    )
    implies_noise: bool = (
        False  # its eps is what a predicted picture leaves: where there is little noise, of any length
    )
    takes_references: bool = False  # it has a controller that reads the maps of a 3D reference
    reference_note: str = ""  # what has to be told to who gives it a reference
    takes_source: bool = False  # it edits: the picture as it was is a condition
    has_vae: bool = False  # pictures go through a VAE; a rough start can do without
    takes_controls: bool = (
        False  # ControlNets can be attached, which see the depth or the normals of the views
    )
    guidance_distilled: bool = False  # one pass answers as two and guidance: it is a ``GuidanceDistilled``
    sharpens: bool = (
        False  # it has a second stage that draws views finer: it is a ``Sharpens`` (`engine.prior.abilities`)
    )
    takes_styles: bool = False  # LoRA files can be worn
    wants_view_words: bool = False  # without cameras, "back view" in the prompt helps
    prompt_suffix: str = ""  # what stood behind every caption that it was taught
    takes_adapters: bool = True  # it has a network in which an adapter (LoRA) can learn
    fov_deg: float = 40.0  # cameras the model is at home with: vertical field of view,
    distance: float = 3.05  # distance from the centre of a unit-sphere object,
    elevation_range_deg: tuple[float, float] = (-5.0, 35.0)  # and elevations
    vocabulary: frozenset[str] | None = field(default=None, repr=False)  # words it was taught; None: open

    def worded(self, prompt: str) -> str:
        """``prompt`` as the captions were that it was taught; an empty one stays so."""
        complete = not prompt.strip() or prompt.rstrip().endswith(self.prompt_suffix.lstrip(", "))
        return prompt if complete else prompt + self.prompt_suffix


@dataclass(frozen=True, eq=False)
class TextEmbedding:
    """A prompt as the model reads it: ``tokens`` (B,L,D), ``mask`` (B,L) of those that count, ``pooled``
    (B,P); B may be 1.
    """

    tokens: Tensor
    mask: Tensor | None = None
    pooled: Tensor | None = None

    def expand(self, batch: int) -> TextEmbedding:
        """The same prompt for each of ``batch`` views; only a single prompt can be repeated."""
        if len(self.tokens) == batch:
            return self
        assert len(self.tokens) == 1, f"{len(self.tokens)} prompts for {batch} views"
        return self.map(lambda part: part.expand(batch, *part.shape[1:]))

    def map(self, change: Callable[[Tensor], Tensor]) -> TextEmbedding:
        """``change`` made to each part that is there."""
        mask, pooled = (None if part is None else change(part) for part in (self.mask, self.pooled))
        return TextEmbedding(change(self.tokens), mask, pooled)

    def split(self, most: int) -> tuple[TextEmbedding, ...]:
        """Its prompts in order, ``most`` at a time."""
        starts = range(0, len(self.tokens), most)
        return tuple(self.map(lambda part, start=start: part[start : start + most]) for start in starts)


@dataclass(frozen=True, eq=False)
class CleanViews:
    """Pictures of the object that are given, in the prior's space: ``x`` (M,C,h,w) and their ``cameras`` (M).

    ``tokens`` (M,L,D) are what an image encoder reads of them, for priors with one.
    """

    x: Tensor
    cameras: Cameras
    tokens: Tensor | None = None


@dataclass(frozen=True, eq=False)
class Source:
    """The pictures that are edited, in the prior's space: ``x`` (B,C,h,w), seen from the same cameras as the
    noisy ones.

    ``guidance_scale`` says how much of them shall stay: s_I of InstructPix2Pix (arXiv 2211.09800, equation
    3), where 1 is off.
    """

    x: Tensor
    guidance_scale: float = 1.5


@dataclass(frozen=True, eq=False)
class Reference:
    """A 3D reference, and how strongly it acts at each noise time.

    ``maps`` from the cameras of the B noisy views, and ``clean_maps`` from those of the M given ones, are for
    priors with a controller, at their resolution; ``reading`` says how their own resolution follows the
    noise. ``views`` are renders of it for ControlNets.
    """

    influence: Influence
    maps: ReferenceMaps | None = None
    clean_maps: ReferenceMaps | None = None
    views: Views | None = None
    reading: Reading = "progress"

    def strengths(self, times: Tensor) -> Tensor:
        """One for each of the noise times (B,), 1: all noise."""
        return torch.tensor([self.influence.at(time) for time in times.tolist()], device=times.device)


@dataclass(frozen=True, eq=False)
class Condition:
    """Everything one prediction is conditioned on. ``cameras`` (B) belong to the B noisy views, which show
    one object.
    """

    text: TextEmbedding
    cameras: Cameras | None = None
    clean_views: CleanViews | None = None
    source: Source | None = None  # for priors that take one
    views: Views | None = None  # the B renders, without gradients, for what sees their depth
    reference: Reference | None = None

    def with_text(self, text: TextEmbedding) -> Condition:
        """The same condition with other words (the empty prompt, a negative one, a learned embedding)."""
        return replace(self, text=text)


@dataclass(frozen=True, eq=False)
class Unwanted:
    """A prompt that views are pushed away from by Perp-Neg; ``weights`` (B,), at most 0, say how hard for
    each view.
    """

    condition: Condition
    weights: Tensor


@dataclass(frozen=True, eq=False)
class Overlap:
    """The words of a scene as it is; what the prompt shares with them is divided by ``suppression``
    (`engine.prior.overlap`).
    """

    condition: Condition
    suppression: float


@dataclass(frozen=True, eq=False)
class Prompts:
    """The three branches that guidance methods combine: ``positive`` prompt, ``negative`` prompt, ``empty``
    prompt.

    The unconditional branch of classifier-free guidance is ``unconditional``: the negative prompt where one
    was given. What ``engine.prior.perp_neg`` shall push away from is ``unwanted``; ``overlap`` is what is
    changed.
    """

    positive: Condition
    empty: Condition
    negative: Condition | None = None
    unwanted: tuple[Unwanted, ...] = ()
    overlap: Overlap | None = None

    @property
    def unconditional(self) -> Condition:
        return self.empty if self.negative is None else self.negative

    def map(self, change: Callable[[Condition], Condition]) -> Prompts:
        """``change`` made to every branch."""
        negative = None if self.negative is None else change(self.negative)
        unwanted = tuple(replace(view, condition=change(view.condition)) for view in self.unwanted)
        overlap = (
            None if self.overlap is None else replace(self.overlap, condition=change(self.overlap.condition))
        )
        return Prompts(change(self.positive), change(self.empty), negative, unwanted, overlap)


@dataclass(frozen=True, eq=False)
class Prediction:
    """Two readings of one denoiser call, both (B,C,h,w): the noise ``eps`` and the clean picture ``x0``."""

    eps: Tensor
    x0: Tensor


class Prior(Protocol):
    """A diffusion model. Weights are frozen; ``predict`` may be differentiated with respect to ``x_t`` and
    the text tokens.
    """

    @property
    def info(self) -> PriorInfo:
        """What it is and can do."""
        ...

    @property
    def schedule(self) -> NoiseSchedule:
        """How noise is mixed in."""
        ...

    @property
    def device(self) -> torch.device:
        """Where its weights lie."""
        ...

    @property
    def network(self) -> torch.nn.Module | None:
        """The denoiser that ``predict`` calls, for adapters; None: there is none."""
        ...

    def encode(self, views: Views) -> Tensor:
        """Pictures (B,H,W,3) 0..1 to the model's space (B,C,h,w), differentiably; resizes to
        ``info.resolution``.
        """
        ...

    def decode(self, x: Tensor) -> Views:
        """The model's space (B,C,h,w) back to pictures; ``depth`` is zero."""
        ...

    def embed(self, prompt: str) -> TextEmbedding:
        """Words to an embedding with batch 1; the empty string is the unconditional prompt."""
        ...

    def predict(self, x_t: Tensor, t: Tensor, condition: Condition) -> Prediction:
        """One denoiser call on ``x_t`` (B,C,h,w) at integer times ``t`` (B,)."""
        ...


def guided(unconditional: Prediction, conditional: Prediction, guidance_scale: float) -> Prediction:
    """Classifier-free guidance as diffusers means it (arXiv 2207.12598): u + s (c - u); 1 = off, 0 =
    unconditional.
    """
    return Prediction(
        torch.lerp(unconditional.eps, conditional.eps, guidance_scale),
        torch.lerp(unconditional.x0, conditional.x0, guidance_scale),
    )
