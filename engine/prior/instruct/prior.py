"""InstructPix2Pix behind the prior protocol (arXiv 2211.09800): it is told how a picture shall change.

The network sees the noisy latents and, in four more channels, those of the picture as it was. Guidance has
two scales, one for the picture I and one for the words T (equation 3):

    e = e(0,0) + s_I (e(I,0) - e(0,0)) + s_T (e(I,T) - e(I,0))

Guidance methods know one scale and two branches. So every branch is given the same drift towards the picture,

    e'(T) = e(I,T) + (s_I - 1) (e(I,0) - e(0,0)),

and then e'(0) + s_T (e'(T) - e'(0)) is the equation above. Each branch is complete by itself, which costs
three passes of the network for words, and two for none; with s_I = 1 it is one each.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from engine.errors import FileFormatError, InputError
from engine.prior.base import Condition, Prediction, PriorInfo, TextEmbedding
from engine.prior.latent.loading import Layout
from engine.prior.latent.prior import LatentParts, LatentPrior
from engine.prior.latent.stable_diffusion import described, load_unet, load_vae, one_tower_parts
from engine.prior.prediction_type import read_output

LAYOUT = Layout(
    "StableDiffusionInstructPix2PixPipeline",
    {
        "unet": "UNet2DConditionModel",
        "vae": "AutoencoderKL",
        "text_encoder": "CLIPTextModel",
        "tokenizer": "CLIPTokenizer",
    },
    "Choose an InstructPix2Pix model.",
)


class InstructPrior(LatentPrior):
    """Its space is the VAE's latents (B,4,h/8,w/8). Every condition needs a ``source``; the words are an
    instruction.
    """

    def predict(self, x_t: Tensor, t: Tensor, condition: Condition) -> Prediction:
        """The network's noise with the drift towards the picture. Raises InputError if there is no picture to
        edit.
        """
        source = condition.source
        if source is None:
            raise InputError(
                f"{self.info.title} edits pictures and was given none.",
                'Start from a finished result: start = "file".',
            )
        assert source.x.shape == x_t.shape, (
            f"pictures {tuple(source.x.shape)} to edit for views {tuple(x_t.shape)}"
        )
        t, picture = t.to(x_t.device), self._unscaled(source.x).to(x_t)
        output = self._output(x_t, t, condition.text, picture)
        if source.guidance_scale != 1:
            output = output + (source.guidance_scale - 1) * self._drift(
                x_t, t, condition.text, picture, output
            )
        return read_output(output, x_t, t, self.schedule, self.prediction_type)

    def _drift(self, x_t: Tensor, t: Tensor, text: TextEmbedding, picture: Tensor, output: Tensor) -> Tensor:
        """e(I,0) - e(0,0); the first is ``output`` already where the words are none."""
        silent = not text.tokens.requires_grad and text.tokens.shape == self._empty.tokens.shape
        if not silent or not torch.equal(text.tokens, self._empty.tokens):
            output = self._output(x_t, t, self._empty, picture)
        return output - self._output(x_t, t, self._empty, torch.zeros_like(picture))

    def _output(self, x_t: Tensor, t: Tensor, text: TextEmbedding, picture: Tensor) -> Tensor:
        """What the network says, in the dtype of ``x_t``."""
        most, x_in = self.max_views_per_call, torch.cat([x_t, picture], dim=1)
        text = text.expand(len(x_t)).map(lambda part: part.to(x_t.device))
        turns = zip(x_in.split(most), t.split(most), text.split(most), strict=True)
        return torch.cat([self.parts.denoiser(*turn) for turn in turns]).to(x_t.dtype)

    def _unscaled(self, x: Tensor) -> Tensor:
        """Latents as the VAE gives them, which is how this network was shown the picture."""
        return self.parts.space.unscaled(x)

    @cached_property
    def _empty(self) -> TextEmbedding:
        return self.embed("")


def load_instruct(
    folder: Path,
    device: torch.device | str = "cpu",
    info: PriorInfo | None = None,
    max_views_per_call: int = 8,
) -> InstructPrior:
    """The model in ``folder``; ``info``'s resolution gives way to the model's own.

    Raises as `Layout.open` does, and DeviceError when it does not fit.
    """
    pipeline = LAYOUT.open(folder, device)
    folder, device = pipeline.folder, pipeline.device
    parts = _load_parts(folder, device)
    known = described(folder, parts.space.side, info)
    known = replace(
        known, takes_source=True, wants_view_words=False, takes_controls=False, takes_styles=False
    )
    return InstructPrior(parts, known, pipeline.schedule, pipeline.prediction_type, max_views_per_call)


def _load_parts(folder: Path, device: torch.device) -> LatentParts:
    unet, vae = load_unet(folder, device), load_vae(folder, device)
    takes, latent = unet.config.in_channels, vae.config.latent_channels
    if takes != 2 * latent:
        raise FileFormatError(
            f"The unet in {folder} takes {takes} channels; one that edits takes {2 * latent}, of the noise "
            "and of the picture.",
            LAYOUT.remedy,
        )
    return one_tower_parts(folder, unet, vae, device)
