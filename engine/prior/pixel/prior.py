"""The first stage of DeepFloyd IF behind the prior protocol: a text-to-picture model of 64 x 64 pixels.

It follows Imagen (arXiv 2205.11487): a frozen T5 reads the words, and the UNet works on the picture itself.
Its output has six channels, the noise and, beside it, how far the variance lies between its bounds (arXiv
2102.09672, equation 15). Distillation needs the noise alone.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from engine.core.noise_schedule import NoiseSchedule
from engine.core.views import Views
from engine.errors import FileFormatError
from engine.prior.base import Condition, Prediction, PriorInfo, TextEmbedding
from engine.prior.chunked import chunked
from engine.prior.latent.loading import Layout, load_network, readable, square_side
from engine.prior.offload import Offload
from engine.prior.pixel.sentencepiece import END, PADDING, read_t5_tokenizer
from engine.prior.prediction_type import read_output
from engine.prior.resize import to_square

if TYPE_CHECKING:
    from diffusers import UNet2DConditionModel
    from tokenizers import Tokenizer
    from transformers import T5EncoderModel


LAYOUT = Layout(
    "IFPipeline",
    {"unet": "UNet2DConditionModel", "text_encoder": "T5EncoderModel", "tokenizer": "T5Tokenizer"},
    "Choose the first stage of DeepFloyd IF.",
)
ELEVATIONS_DEG = (-10.0, 80.0)  # threestudio's preset for this model goes on to 90, where no side is up
GUIDANCE = 20.0

log = logging.getLogger(__name__)

CHANNELS = 3
PROMPT_TOKENS = 77
"""T5 reads more, but IF was trained with prompts of this length."""


@dataclass(frozen=True, eq=False)
class PixelParts:
    """The networks, frozen, on one device; each may have its own dtype."""

    unet: UNet2DConditionModel
    text_encoder: T5EncoderModel
    tokenizer: Tokenizer

    @property
    def networks(self) -> dict[str, nn.Module]:
        """Every network: the denoiser, and the other by the name of its folder."""
        return {"denoiser": self.unet, "text_encoder": self.text_encoder}


class PixelPrior:
    """Takes ``Views`` rendered over a background; its space is the picture itself, (B,3,h,w) in -1..1.

    ``max_views_per_call`` bounds the memory of one network call: more views are worked off in turn.
    """

    def __init__(
        self,
        parts: PixelParts,
        info: PriorInfo,
        schedule: NoiseSchedule,
        prediction_type: str,
        max_views_per_call: int = 16,
    ) -> None:
        self.parts = parts
        self.info = info
        self.schedule = schedule
        self.prediction_type = prediction_type
        self.max_views_per_call = max_views_per_call
        self.device = next(parts.unet.parameters()).device
        self.offload: Offload | None = None

    @property
    def network(self) -> UNet2DConditionModel:
        return self.parts.unet

    def encode(self, views: Views) -> Tensor:
        """The pictures at the model's size, from 0..1 to -1..1."""
        return 2 * to_square(views.rgb, self.info.resolution).to(self.device) - 1

    def decode(self, x: Tensor) -> Views:
        """Back to opaque pictures."""
        rgb = (x / 2 + 0.5).clamp(0, 1).permute(0, 2, 3, 1)
        return Views(rgb, torch.ones_like(rgb[..., :1]), torch.zeros_like(rgb[..., :1]))

    @torch.no_grad()
    def embed(self, prompt: str) -> TextEmbedding:
        """T5's last hidden states (1,77,D), all of which the network reads; says in the log what did not
        fit.
        """
        cut = self.unread(prompt)
        if cut:
            log.warning("The prompt is too long for %s; it does not read: %s", self.info.title, cut)
        words = self.parts.tokenizer.encode(_plain(prompt))
        ids, mask = (torch.tensor([part], device=self.device) for part in (words.ids, words.attention_mask))
        return TextEmbedding(self.parts.text_encoder(input_ids=ids, attention_mask=mask)[0].float())

    def unread(self, prompt: str) -> str:
        """The end of a prompt that is cut off because it has too many tokens; empty if all of it is read."""
        rest = self.parts.tokenizer.encode(_plain(prompt)).overflowing
        ids = [
            token
            for part in rest
            for token, text in zip(part.ids, part.tokens, strict=True)
            if text not in (PADDING, END)
        ]
        return self.parts.tokenizer.decode(ids)

    def predict(self, x_t: Tensor, t: Tensor, condition: Condition) -> Prediction:
        """One call of the UNet, in its own dtype; the algebra around it is in the dtype of ``x_t``."""
        t = t.to(x_t.device)
        text = condition.text.expand(len(x_t)).tokens
        output = chunked(self._denoise, self.max_views_per_call, x_t, t, text)
        return read_output(output[:, :CHANNELS], x_t, t, self.schedule, self.prediction_type)

    def _denoise(self, x_t: Tensor, t: Tensor, text: Tensor) -> Tensor:
        dtype = self.parts.unet.dtype
        return self.parts.unet(x_t.to(dtype), t, encoder_hidden_states=text.to(self.device, dtype)).sample


def _plain(prompt: str) -> str:
    """As IF's captions were written in training."""
    return prompt.lower().strip()


def load_pixel(
    folder: Path,
    device: torch.device | str = "cpu",
    info: PriorInfo | None = None,
    max_views_per_call: int = 16,
) -> PixelPrior:
    """The model in ``folder``; ``info``'s resolution gives way to the model's own.

    Raises as `Layout.open` does, and DeviceError when it does not fit.
    """
    pipeline = LAYOUT.open(folder, device)
    folder, device = pipeline.folder, pipeline.device
    parts = _load_parts(folder, device)
    side = square_side(folder, "unet", parts.unet)
    info = PriorInfo(folder.name, folder.name, "rgb", side, GUIDANCE) if info is None else info
    info = replace(
        info, channels="rgb", resolution=side, elevation_range_deg=ELEVATIONS_DEG, wants_view_words=True
    )
    return PixelPrior(parts, info, pipeline.schedule, pipeline.prediction_type, max_views_per_call)


def _load_parts(folder: Path, device: torch.device) -> PixelParts:
    from diffusers import UNet2DConditionModel  # slow to import, so only when a model is loaded
    from transformers import T5EncoderModel

    unet = load_network(folder, "unet", UNet2DConditionModel.from_pretrained, device)
    takes, gives = unet.config.in_channels, unet.config.out_channels
    if takes != CHANNELS or gives not in (CHANNELS, 2 * CHANNELS):
        raise FileFormatError(
            f"The unet in {folder} takes {takes} channels and gives {gives}; a first stage takes "
            f"{CHANNELS} and gives "
            f"{CHANNELS}, or {2 * CHANNELS} with the variance: it is an upscaler or an editing model.",
            LAYOUT.remedy,
        )
    text_encoder = load_network(folder, "text_encoder", T5EncoderModel.from_pretrained, device)
    with readable(folder, "tokenizer"):
        tokenizer = read_t5_tokenizer(folder / "tokenizer", PROMPT_TOKENS)
    return PixelParts(unet, text_encoder, tokenizer)
