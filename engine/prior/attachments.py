"""What a latent prior wears for a run: a ControlNet, a style file, or both, each at a live strength.

The prior itself stays as it is, for other runs: ``Attachments.on`` gives a prior that shares its networks. At
strength 0 a part of them is not asked at all, and the prediction is the plain prior's to the bit. Where a
condition has a reference, the ControlNet sees that in place of the shape, as strongly as it acts at each
view's noise.

Cost: with a ControlNet every call of the UNet is preceded by one call of the ControlNet, which is its encoder
again. A style costs two small products a layer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import copy
from dataclasses import dataclass, replace
from itertools import repeat
from pathlib import Path

import torch
from torch import Tensor, nn

from engine.errors import InputError
from engine.prior.base import Condition, Prior, Reference, TextEmbedding
from engine.prior.control.control import Control, check_base
from engine.prior.control.entries import OFF
from engine.prior.latent.loading import Network
from engine.prior.latent.prior import LatentPrior
from engine.prior.latent.text_encoder import Words
from engine.prior.latent.unet import UnetDenoiser
from engine.prior.lora.lora import Lora, fitted
from engine.prior.lora.lora_files import read_lora

LoadControl = Callable[[str, torch.device], Control]
"""A ControlNet by its id, on a device."""

NO_LORA = Lora(())


@dataclass(frozen=True, eq=False)
class DenoiserWithAttachments:
    """The UNet of ``plain`` in a style, with what a ControlNet adds that sees the ``pictures`` (B,3,S,S) of
    this call's views.
    """

    plain: UnetDenoiser
    side: int  # S, in pixels
    style: Lora
    style_strength: float
    control: Control | None
    control_strength: float
    times: int  # of the prior's schedule
    pictures: Tensor | None = None
    reference: Reference | None = None

    @property
    def network(self) -> Network:
        return self.plain.network

    def for_turns(self, condition: Condition, most: int) -> Iterable[DenoiserWithAttachments]:
        """Itself for each turn of at most ``most`` views, whose pictures it then holds."""
        if self.control is None or self.control_strength == 0:
            return repeat(self)
        reference = condition.reference
        if reference is not None and reference.influence.silent:
            return repeat(self)
        pictures = self.control.pictures(condition, self.side)
        return tuple(replace(self, pictures=part, reference=reference) for part in pictures.split(most))

    def __call__(self, x_t: Tensor, t: Tensor, text: TextEmbedding) -> Tensor:
        x_t = x_t.to(self.network.dtype)
        named = self.plain.named(text)
        added = {}
        if (
            self.control is not None
            and self.pictures is not None
            and bool(torch.as_tensor(strength := self._strength(t, x_t)).any())
        ):
            added = self.control.residuals(x_t, t, named, self.pictures.to(x_t.device), strength)
        with self.style.worn(self.style_strength):
            return self.network(x_t, t, **named, **added).sample

    def _strength(self, t: Tensor, like: Tensor) -> float | Tensor:
        """The ControlNet's; times the reference's at each view's noise, (B,1,1,1), where it sees one."""
        if self.reference is None:
            return self.control_strength
        return self.control_strength * self.reference.strengths((t + 0.5) / self.times).to(like).view(
            -1, 1, 1, 1
        )


@dataclass(frozen=True, eq=False)
class LoraTextEncoder:
    """Text encoders in a style."""

    plain: Words
    style: Lora
    strength: float

    @property
    def networks(self) -> dict[str, nn.Module]:
        return self.plain.networks

    def embed(self, prompt: str, device: torch.device) -> TextEmbedding:
        with self.style.worn(self.strength):
            return self.plain.embed(prompt, device)

    def unread(self, prompt: str) -> str:
        return self.plain.unread(prompt)


@dataclass(frozen=True, eq=False)
class Attachments:
    """A ControlNet and a style that fit a prior; either may be missing."""

    control: Control | None = None
    style: Lora = NO_LORA

    def on(self, prior: LatentPrior, control_strength: float, style_strength: float) -> LatentPrior:
        """``prior`` as it predicts and reads with the attachments."""
        parts, dressed = prior.parts, copy(prior)
        assert isinstance(parts.denoiser, UnetDenoiser), "as `attachments_for` has checked"
        side = prior.info.resolution
        denoiser = DenoiserWithAttachments(
            parts.denoiser,
            side,
            self.style,
            style_strength,
            self.control,
            control_strength,
            len(prior.schedule),
        )
        words = (
            LoraTextEncoder(parts.words, self.style, style_strength) if self.style.rewords else parts.words
        )
        dressed.parts = replace(parts, denoiser=denoiser, words=words)
        return dressed


def attachments_for(
    prior: Prior, control_id: str, style_file: str, load_control: LoadControl
) -> Attachments | None:
    """The attachments for ``prior``; None for "off" and no file. A style's file is read, and the ControlNet
    loaded, here.

    Raises InputError for a prior that takes no such thing and for parts of another base, MissingError for a
    ControlNet that is not on this machine.
    """
    if control_id == OFF and not style_file:
        return None
    fitting = _that_takes(prior, control_id, style_file)
    style = _style(fitting, Path(style_file).expanduser()) if style_file else NO_LORA
    return Attachments(None if control_id == OFF else _control(fitting, control_id, load_control), style)


def _that_takes(prior: Prior, control_id: str, style_file: str) -> LatentPrior:
    """The prior, if it takes them."""
    if isinstance(prior, LatentPrior) and isinstance(prior.parts.denoiser, UnetDenoiser):
        return prior
    what = f"the ControlNet {control_id!r}" if control_id != OFF else f"the style file {style_file}"
    raise InputError(
        f"The prior {prior.info.id!r} cannot wear {what}: it has no UNet of Stable Diffusion's kind.",
        "Choose a Stable Diffusion prior, or leave control off and style_file empty.",
    )


def _style(prior: LatentPrior, path: Path) -> Lora:
    networks = {**prior.parts.words.networks, "unet": prior.network}
    return fitted(
        read_lora(path, prior.network.config), networks, f"The style file {path.name}", prior.device
    )


def _control(prior: LatentPrior, control_id: str, load_control: LoadControl) -> Control:
    control = load_control(control_id, prior.device)
    check_base(control, prior.network, prior.info.title)
    control.network.to(prior.device, prior.network.dtype)  # its residuals are added to the UNet's features
    return control
