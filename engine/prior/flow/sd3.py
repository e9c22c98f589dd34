"""Load a Stable Diffusion 3 or 3.5 pipeline folder: an MMDiT and up to three text encoders (arXiv
2403.03206).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
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
from engine.prior.latent.stable_diffusion import clip_tower, described
from engine.prior.latent.text_encoder import ClipTower, side_by_side, unread
from engine.prior.pipeline_folder import parts_of
from engine.prior.prediction_type import FLOW

if TYPE_CHECKING:  # slow to import; whoever loads a model has done it
    from transformers import PreTrainedTokenizerBase, T5EncoderModel

PIPELINE = "StableDiffusion3Pipeline"
PARTS = {
    "transformer": "SD3Transformer2DModel",
    "vae": "AutoencoderKL",
    "text_encoder": "CLIPTextModelWithProjection",
    "text_encoder_2": "CLIPTextModelWithProjection",
    "text_encoder_3": "T5EncoderModel",
    "tokenizer": "CLIPTokenizer",
    "tokenizer_2": "CLIPTokenizer",
    "tokenizer_3": "T5Tokenizer",
}
T5 = ("text_encoder_3", "tokenizer_3")
"""The model was trained to do without them now and then; most of the download is theirs."""
T5_TOKENS = 256
REMEDY = "Choose a Stable Diffusion 3 or 3.5 model."


@dataclass(frozen=True, eq=False)
class T5Tower:
    """T5's encoder and its tokenizer."""

    tokenizer: PreTrainedTokenizerBase
    encoder: T5EncoderModel

    def tokens(self, prompt: str, device: torch.device) -> Tensor:
        """Its last hidden states (1,256,D), with the padding."""
        words = self.tokenizer(
            prompt, padding="max_length", max_length=T5_TOKENS, truncation=True, return_tensors="pt"
        )
        return self.encoder(words.input_ids.to(device)).last_hidden_state.float()

    def unread(self, prompt: str) -> str:
        return unread(self.tokenizer, prompt, T5_TOKENS)


@dataclass(frozen=True, eq=False)
class ThreeTowers:
    """Two CLIP encoders side by side, filled up with zeros to ``width``, then T5's tokens, or zeros where it
    is left out.
    """

    first: ClipTower
    second: ClipTower
    third: T5Tower | None
    width: int

    @property
    def networks(self) -> dict[str, nn.Module]:
        clips: dict[str, nn.Module] = {
            "text_encoder": self.first.encoder,
            "text_encoder_2": self.second.encoder,
        }
        return clips if self.third is None else {**clips, "text_encoder_3": self.third.encoder}

    def embed(self, prompt: str, device: torch.device) -> TextEmbedding:
        outputs = [tower.output(prompt, device) for tower in (self.first, self.second)]
        clip = side_by_side(outputs)
        clip = F.pad(clip, (0, self.width - clip.shape[-1]))
        rest = (
            clip.new_zeros(1, T5_TOKENS, self.width)
            if self.third is None
            else self.third.tokens(prompt, device)
        )
        pooled = torch.cat([output.text_embeds.float() for output in outputs], dim=-1)
        return TextEmbedding(torch.cat([clip, rest], dim=1), pooled=pooled)

    def unread(self, prompt: str) -> str:
        """T5 reads further than CLIP does."""
        return (self.first if self.third is None else self.third).unread(prompt)


@dataclass(frozen=True, eq=False)
class MmditDenoiser:
    """SD3's transformer in its own dtype; it takes times 0..1000 and gives the velocity."""

    network: Network
    schedule: NoiseSchedule

    def __call__(self, x_t: Tensor, t: Tensor, text: TextEmbedding) -> Tensor:
        dtype = self.network.dtype
        x_s, time = flow_input(self.schedule, x_t, t)
        assert text.pooled is not None, "its words are pooled, too"
        tokens, pooled = text.tokens.to(dtype), text.pooled.to(dtype)
        return self.network(
            x_s.to(dtype), encoder_hidden_states=tokens, pooled_projections=pooled, timestep=time
        ).sample


def load_sd3(
    folder: Path,
    device: torch.device | str = "cpu",
    info: PriorInfo | None = None,
    max_views_per_call: int = 2,
    leave_out: Collection[str] = (),
) -> LatentPrior:
    """The model in ``folder``: half precision on a GPU, full on a CPU. ``info``'s resolution gives way to the
    model's own.

    Without T5 (left out, or not named in the folder's index) its tokens are zeros. Raises MissingError for an
    incomplete folder, FileFormatError for another kind of model or for files that cannot be read, DeviceError
    when it does not fit.
    """
    folder, device = Path(folder), torch.device(device)
    without = {*leave_out, *(part for part in T5 if part not in parts_of(folder))}
    Layout(PIPELINE, PARTS, REMEDY).check(folder, without)
    parts, schedule = _load_parts(folder, device, with_t5=not without.intersection(T5))
    info = described(folder, parts.space.side, info, has_unet=False)
    return LatentPrior(parts, info, schedule, FLOW, max_views_per_call)


def _load_parts(folder: Path, device: torch.device, with_t5: bool) -> tuple[LatentParts, NoiseSchedule]:
    # slow to import, so only when a model is loaded
    from diffusers import (
        AutoencoderKL,
        SD3Transformer2DModel,
    )
    from transformers import CLIPTextModelWithProjection

    half = half_for(device)
    transformer = load_network(folder, "transformer", SD3Transformer2DModel.from_pretrained, device, half)
    vae = load_network(folder, "vae", AutoencoderKL.from_pretrained, device, half)
    check_channels(folder, "transformer", transformer, vae)
    side = square_side(folder, "transformer", transformer)
    schedule = read_flow(folder, (side // transformer.config.patch_size) ** 2)
    first, second = (
        clip_tower(folder, device, suffix, CLIPTextModelWithProjection, half) for suffix in ("", "_2")
    )
    third = _t5(folder, device, half) if with_t5 else None
    words = ThreeTowers(first, second, third, transformer.config.joint_attention_dim)
    return LatentParts(
        MmditDenoiser(transformer, schedule), LatentSpace(vae, side * shrinkage(vae)), words
    ), schedule


def _t5(folder: Path, device: torch.device, half: torch.dtype) -> T5Tower:
    from transformers import AutoTokenizer, T5EncoderModel

    encoder = load_network(folder, "text_encoder_3", T5EncoderModel.from_pretrained, device, half)
    return T5Tower(load_tokenizer(folder, "tokenizer_3", AutoTokenizer.from_pretrained), encoder)
