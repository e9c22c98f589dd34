"""Prompts as a latent model reads them: through one CLIP text encoder (Stable Diffusion), or two (SDXL)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor, nn

from engine.prior.base import TextEmbedding

if TYPE_CHECKING:  # slow to import; whoever loads a model has done it
    from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer


class Words(Protocol):
    """Reads prompts for one model."""

    @property
    def networks(self) -> dict[str, nn.Module]:
        """The text encoders by the names of their folders."""
        ...

    def embed(self, prompt: str, device: torch.device) -> TextEmbedding:
        """One prompt, float32, batch 1, on ``device``; the empty string is the unconditional prompt."""
        ...

    def unread(self, prompt: str) -> str:
        """The end of a prompt that has too many tokens; empty if all of it is read."""
        ...


@dataclass(frozen=True, eq=False)
class ClipTower:
    """A CLIP text encoder and its tokenizer; all of its ``length`` tokens are read, with the padding."""

    tokenizer: CLIPTokenizer
    encoder: CLIPTextModel | CLIPTextModelWithProjection

    @property
    def length(self) -> int:
        return self.encoder.config.max_position_embeddings

    def output(self, prompt: str, device: torch.device) -> Any:
        """The encoder's output for one prompt, with the hidden states of all layers."""
        ids = self.tokenizer(
            prompt, padding="max_length", max_length=self.length, truncation=True, return_tensors="pt"
        ).input_ids
        return self.encoder(ids.to(device), output_hidden_states=True)

    def unread(self, prompt: str) -> str:
        return unread(self.tokenizer, prompt, self.length)


def unread(tokenizer: Any, prompt: str, length: int) -> str:
    """What ``tokenizer`` would leave of a prompt beyond ``length`` tokens, of which the last is an end
    mark.
    """
    tokens = tokenizer(prompt, truncation=False, verbose=False).input_ids
    return tokenizer.decode(tokens[length - 1 : -1]).strip()


@dataclass(frozen=True, eq=False)
class ClipWords:
    """Stable Diffusion 1.x and 2.x: CLIP's last hidden states (1,L,D)."""

    tower: ClipTower

    @property
    def networks(self) -> dict[str, nn.Module]:
        return {"text_encoder": self.tower.encoder}

    def embed(self, prompt: str, device: torch.device) -> TextEmbedding:
        return TextEmbedding(self.tower.output(prompt, device).last_hidden_state.float())

    def unread(self, prompt: str) -> str:
        return self.tower.unread(prompt)


@dataclass(frozen=True, eq=False)
class TwinClipWords:
    """SDXL (arXiv 2307.01952): two encoders' hidden states before the last layer, side by side, and the
    second's projection.

    With ``zero_empty``, as the base model was trained, the unconditional prompt is zeros and not the words of
    an empty text.
    """

    first: ClipTower
    second: ClipTower
    zero_empty: bool

    @property
    def networks(self) -> dict[str, nn.Module]:
        return {"text_encoder": self.first.encoder, "text_encoder_2": self.second.encoder}

    def embed(self, prompt: str, device: torch.device) -> TextEmbedding:
        outputs = [tower.output(prompt, device) for tower in (self.first, self.second)]
        text = TextEmbedding(side_by_side(outputs), pooled=outputs[1].text_embeds.float())
        return text.map(torch.zeros_like) if self.zero_empty and not prompt else text

    def unread(self, prompt: str) -> str:
        """Both read alike."""
        return self.first.unread(prompt)


def side_by_side(outputs: list[Any]) -> Tensor:
    """The hidden states before the last layer of several encoders, as one row of tokens (1,L,sum of D)."""
    return torch.cat([output.hidden_states[-2].float() for output in outputs], dim=-1)
