"""Load a Sana pipeline folder (arXiv 2410.10629): a small linear transformer, 32 pixels a latent, words
through Gemma.
"""

from __future__ import annotations

import inspect
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from engine.core.noise_schedule import NoiseSchedule
from engine.prior.base import PriorInfo, TextEmbedding
from engine.prior.flow.schedule import flow_input, read_flow
from engine.prior.latent.loading import (
    Layout,
    Network,
    check_channels,
    half_for,
    load_network,
    load_tokenizer,
    square_side,
)
from engine.prior.latent.prior import LatentParts, LatentPrior
from engine.prior.latent.space import LatentSpace, shrinkage
from engine.prior.latent.stable_diffusion import described
from engine.prior.prediction_type import FLOW

if TYPE_CHECKING:  # slow to import; whoever loads a model has done it
    from transformers import Gemma2Model, PreTrainedTokenizerBase

LAYOUT = Layout(
    "SanaPipeline",
    {
        "transformer": "SanaTransformer2DModel",
        "vae": "AutoencoderDC",
        "text_encoder": "Gemma2",
        "tokenizer": "GemmaTokenizer",
    },
    "Choose a Sana model that is no distilled one (Sprint).",
)
TOKENS = 300


@dataclass(frozen=True, eq=False)
class GemmaWords:
    """A language model's last hidden states of the prompt, which follows an ``instruction`` to picture it in
    detail.

    The first token and the last 299 are kept, (1,300,D), with a mask. The unconditional prompt comes without
    the instruction.
    """

    tokenizer: PreTrainedTokenizerBase
    encoder: Gemma2Model
    instruction: str

    @property
    def networks(self) -> dict[str, nn.Module]:
        return {"text_encoder": self.encoder}

    def embed(self, prompt: str, device: torch.device) -> TextEmbedding:
        text, length = self._instructed(prompt)
        words = self.tokenizer(
            text, padding="max_length", max_length=length, truncation=True, return_tensors="pt"
        ).to(device)
        hidden = self.encoder(words.input_ids, attention_mask=words.attention_mask).last_hidden_state.float()
        kept = torch.tensor([0, *range(length - TOKENS + 1, length)], device=device)
        return TextEmbedding(hidden[:, kept], words.attention_mask[:, kept].bool())

    def unread(self, prompt: str) -> str:
        text, length = self._instructed(prompt)
        return str(
            self.tokenizer.decode(self.tokenizer(text, truncation=False, verbose=False).input_ids[length:])
        ).strip()

    def _instructed(self, prompt: str) -> tuple[str, int]:
        """What the language model is given, and how many tokens of it: as many words as without the
        instruction.
        """
        prompt = prompt.lower().strip()
        if not prompt:
            return prompt, TOKENS
        return self.instruction + prompt, len(self.tokenizer(self.instruction).input_ids) + TOKENS - 2


@dataclass(frozen=True, eq=False)
class SanaDenoiser:
    """Sana's transformer in its own dtype; it takes times 0..1000 times its ``timestep_scale`` and gives the
    velocity.
    """

    network: Network
    schedule: NoiseSchedule

    def __call__(self, x_t: Tensor, t: Tensor, text: TextEmbedding) -> Tensor:
        dtype, config = self.network.dtype, self.network.config
        x_s, time = flow_input(self.schedule, x_t, t)
        output = self.network(
            x_s.to(dtype),
            encoder_hidden_states=text.tokens.to(dtype),
            encoder_attention_mask=text.mask,
            timestep=time * config.timestep_scale,
        ).sample
        return output[:, : config.in_channels]  # networks that learned a variance give it in the other half


def load_sana(
    folder: Path,
    device: torch.device | str = "cpu",
    info: PriorInfo | None = None,
    max_views_per_call: int = 8,
    leave_out: Collection[str] = (),
) -> LatentPrior:
    """The model in ``folder``: half precision on a GPU, full on a CPU. ``info``'s resolution gives way to the
    model's own.

    Raises MissingError for an incomplete folder, FileFormatError for another kind of model or for files that
    cannot be read, DeviceError when it does not fit.
    """
    folder, device = Path(folder), torch.device(device)
    LAYOUT.check(folder, leave_out)
    parts, schedule = _load_parts(folder, device)
    info = described(folder, parts.space.side, info, has_unet=False)
    return LatentPrior(parts, info, schedule, FLOW, max_views_per_call)


def _load_parts(folder: Path, device: torch.device) -> tuple[LatentParts, NoiseSchedule]:
    # slow to import, so only when a model is loaded
    from diffusers import (
        AutoencoderDC,
        SanaTransformer2DModel,
    )
    from transformers import AutoTokenizer, Gemma2Model

    half = half_for(device)
    transformer = load_network(folder, "transformer", SanaTransformer2DModel.from_pretrained, device, half)
    vae = load_network(folder, "vae", AutoencoderDC.from_pretrained, device, half)
    check_channels(folder, "transformer", transformer, vae)
    side = square_side(folder, "transformer", transformer)
    schedule = read_flow(folder, (side // transformer.config.patch_size) ** 2)
    encoder = load_network(folder, "text_encoder", Gemma2Model.from_pretrained, device, half)
    tokenizer = load_tokenizer(folder, "tokenizer", AutoTokenizer.from_pretrained)
    tokenizer.padding_side = "right"
    words = GemmaWords(tokenizer, encoder, trained_instruction())
    return LatentParts(
        SanaDenoiser(transformer, schedule), LatentSpace(vae, side * shrinkage(vae)), words
    ), schedule


def trained_instruction() -> str:
    """The words that stood before every prompt in training, from diffusers' own pipeline."""
    from diffusers import SanaPipeline

    lines = inspect.signature(SanaPipeline.__call__).parameters["complex_human_instruction"].default
    return "\n".join(lines)
