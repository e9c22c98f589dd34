"""ImageDream behind the prior protocol (arXiv 2312.02201): four opaque views of the object in a picture, at one height.

Words are read as by MVDream, and may be missing. The picture is a fifth view of every four, clean and without a camera, and a
few tokens behind the words. Without it, both are made of zeros: the branch that guidance pushes off from. Of several pictures,
the first is seen.
"""

from __future__ import annotations

import torch
from torch import Tensor

from engine.errors import InputError
from engine.prior.base import CleanViews, Condition, Prediction
from engine.prior.image_prompt.prior import ImagePromptPrior
from engine.prior.imagedream.poses import camera_numbers
from engine.prior.mvdream.prior import VIEWS
from engine.prior.prediction_type import read_output


class ImageDreamPrior(ImagePromptPrior):
    """Its space is the VAE's latents (B,4,h/8,w/8); the B views of a call are fours of one object, in order."""

    def tokens(self, rgb: Tensor) -> Tensor:
        """What the image encoder sees patch by patch."""
        return self.eye.patches(rgb)

    def predict(self, x_t: Tensor, t: Tensor, condition: Condition) -> Prediction:
        """One call of the network for every four views. Raises InputError if nobody says from where they are seen."""
        if condition.cameras is None:
            raise InputError(f"{self.info.title} has to know from where its views are seen.", "Give it their cameras.")
        assert len(condition.cameras) == len(x_t), f"{len(condition.cameras)} cameras for {len(x_t)} views"
        clean, t = condition.clean_views, t.to(x_t.device)
        front = 0.0 if clean is None else float(clean.cameras.azimuths_deg()[0])
        cameras = camera_numbers(condition.cameras.to(x_t.device), front).to(x_t)
        words = condition.text.expand(len(x_t)).tokens.to(x_t.device)
        picture, tokens = self._seen(x_t, clean)
        fours = zip(*(batch.split(VIEWS) for batch in (x_t, t, words, cameras)), strict=True)
        output = torch.cat([self._denoise(*four, picture, tokens) for four in fours])
        return read_output(output, x_t, t, self.schedule, self.prediction_type)

    def _seen(self, x_t: Tensor, clean: CleanViews | None) -> tuple[Tensor, Tensor]:
        """The latents of the picture (1,4,h,w) and its tokens (1,n,D)."""
        if clean is None:
            config = self.eye.encoder.config
            patches = x_t.new_zeros(1, 1 + (config.image_size // config.patch_size) ** 2, config.hidden_size)
            return torch.zeros_like(x_t[:1]), self._tokens_of(patches)
        return clean.x[:1].to(x_t), self._tokens_of(clean.tokens[:1].to(x_t))

    def _tokens_of(self, patches: Tensor) -> Tensor:
        return self.network.image_embed(patches.to(self.network.dtype))

    def _denoise(self, x_t: Tensor, t: Tensor, words: Tensor, cameras: Tensor, picture: Tensor, tokens: Tensor) -> Tensor:
        """The network's output for the views of one object (V,4,h,w); what it says of the picture is left out."""
        dtype = self.network.dtype
        views = torch.cat([x_t, picture]).to(dtype)
        cameras = torch.cat([cameras, torch.zeros_like(cameras[:1])]).to(dtype)
        words = torch.cat([words, words[:1]]).to(dtype)
        told = torch.cat([words, tokens.to(words.device).expand(len(words), -1, -1)], dim=1)
        output = self.network(views, torch.cat([t, t[:1]]), encoder_hidden_states=told, class_labels=cameras).sample
        return output[: len(x_t)]
