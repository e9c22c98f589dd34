"""A latent diffusion model behind the prior protocol (Stable Diffusion, arXiv 2112.10752)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from engine.math.noise import NoiseSchedule
from engine.math.views import Views
from engine.prior.base import Condition, Prediction, PriorInfo, TextEmbedding
from engine.prior.parametrisation import read_output
from engine.prior.resize import to_square

if TYPE_CHECKING:  # slow to import; whoever loads a model has done it
    from diffusers import AutoencoderKL, UNet2DConditionModel
    from transformers import CLIPTextModel, CLIPTokenizer

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class LatentParts:
    """The networks, frozen, on one device; each may have its own dtype."""

    unet: UNet2DConditionModel
    vae: AutoencoderKL
    text_encoder: CLIPTextModel
    tokenizer: CLIPTokenizer


class LatentPrior:
    """Takes ``Views`` rendered over a background; its space is the VAE's scaled latents (B,4,h/8,w/8).

    ``max_views_per_call`` bounds the memory of one network call: more views are worked off in turn.
    """

    def __init__(self, parts: LatentParts, info: PriorInfo, schedule: NoiseSchedule, prediction_type: str,
                 max_views_per_call: int = 8) -> None:
        self.parts = parts
        self.info = info
        self.schedule = schedule
        self.prediction_type = prediction_type
        self.max_views_per_call = max_views_per_call
        self.device = next(parts.unet.parameters()).device

    @property
    def network(self) -> UNet2DConditionModel:
        return self.parts.unet

    def encode(self, views: Views) -> Tensor:
        """The mean of the VAE's latents, scaled to about unit variance, in the dtype of the pictures."""
        vae = self.parts.vae
        pictures = 2 * to_square(views.rgb, self.info.resolution).to(self.device) - 1
        latents = self._in_turn(lambda part: vae.encode(part.to(vae.dtype)).latent_dist.mode(), pictures)
        return ((latents - self._shift) * vae.config.scaling_factor).to(views.rgb.dtype)

    def decode(self, x: Tensor) -> Views:
        """Latents back to opaque pictures."""
        vae = self.parts.vae
        latents = x / vae.config.scaling_factor + self._shift
        pictures = self._in_turn(lambda part: vae.decode(part.to(vae.dtype)).sample, latents)
        rgb = (pictures / 2 + 0.5).clamp(0, 1).permute(0, 2, 3, 1).to(x.dtype)
        return Views(rgb, torch.ones_like(rgb[..., :1]), torch.zeros_like(rgb[..., :1]))

    @torch.no_grad()
    def embed(self, prompt: str) -> TextEmbedding:
        """CLIP's last hidden states (1,L,D), all L of which the network reads; says in the log what did not fit."""
        cut = self.unread(prompt)
        if cut:
            log.warning("The prompt is too long for %s; it does not read: %s", self.info.title, cut)
        words = self.parts.tokenizer(prompt, padding="max_length", max_length=self._length, truncation=True, return_tensors="pt")
        return TextEmbedding(self.parts.text_encoder(words.input_ids.to(self.device))[0].float())

    def unread(self, prompt: str) -> str:
        """The end of a prompt that is cut off because it has too many tokens; empty if all of it is read."""
        tokens = self.parts.tokenizer(prompt, truncation=False, verbose=False).input_ids
        return self.parts.tokenizer.decode(tokens[self._length - 1:-1]).strip()

    def predict(self, x_t: Tensor, t: Tensor, condition: Condition) -> Prediction:
        """One call of the UNet, in its own dtype; the algebra around it is in the dtype of ``x_t``."""
        t = t.to(x_t.device)
        text = condition.text.expand(len(x_t)).tokens
        output = self._in_turn(self._denoise, x_t, t, text)
        return read_output(output, x_t, t, self.schedule, self.prediction_type)

    def _denoise(self, x_t: Tensor, t: Tensor, text: Tensor) -> Tensor:
        dtype = self.parts.unet.dtype
        return self.parts.unet(x_t.to(dtype), t, encoder_hidden_states=text.to(self.device, dtype)).sample

    def _in_turn(self, network: Callable[..., Tensor], *batches: Tensor) -> Tensor:
        chunks = zip(*(batch.split(self.max_views_per_call) for batch in batches), strict=True)
        return torch.cat([network(*chunk) for chunk in chunks])

    @property
    def _length(self) -> int:
        return self.parts.text_encoder.config.max_position_embeddings

    @property
    def _shift(self) -> float:
        return getattr(self.parts.vae.config, "shift_factor", None) or 0.0
