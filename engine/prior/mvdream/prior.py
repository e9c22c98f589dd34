"""MVDream behind the prior protocol (arXiv 2308.16512): four opaque views of one object, 90 degrees apart at one height.

Words and pictures go the way of Stable Diffusion 2.1, on which it was trained further. The views of one call of the network see
each other, so more than four are worked off four at a time, each four by themselves.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from engine.errors import InputError
from engine.prior.base import Condition, Prediction
from engine.prior.latent.prior import LatentPrior
from engine.prior.mvdream.poses import camera_numbers
from engine.prior.prediction_type import read_output

VIEWS = 4
CAPTION_END = ", 3d asset"
FOV_DEG = 40.0
DISTANCE = 1 / math.tan(math.radians(FOV_DEG / 2))
"""The picture is then as high as the unit sphere is in its middle. Training kept the objects' size in the picture."""
ELEVATIONS_DEG = (0.0, 30.0)


class MvdreamPrior(LatentPrior):
    """Its space is the VAE's latents (B,4,h/8,w/8); the B views of a call are fours of one object, in order."""

    def predict(self, x_t: Tensor, t: Tensor, condition: Condition) -> Prediction:
        """One call of the network for every four views. Raises InputError if nobody says from where they are seen."""
        if condition.cameras is None:
            raise InputError(f"{self.info.title} has to know from where its views are seen.", "Give it their cameras.")
        cameras = camera_numbers(condition.cameras.to(x_t.device)).to(x_t.dtype)
        assert len(cameras) == len(x_t), f"{len(cameras)} cameras for {len(x_t)} views"
        tokens = condition.text.expand(len(x_t)).tokens.to(x_t.device)
        fours = zip(*(batch.split(VIEWS) for batch in (x_t, t.to(x_t.device), tokens, cameras)), strict=True)
        output = torch.cat([self._denoise(*four) for four in fours])
        return read_output(output, x_t, t.to(x_t.device), self.schedule, self.prediction_type)

    def _denoise(self, x_t: Tensor, t: Tensor, tokens: Tensor, cameras: Tensor) -> Tensor:
        dtype = self.network.dtype
        return self.network(x_t.to(dtype), t, encoder_hidden_states=tokens.to(dtype), class_labels=cameras.to(dtype)).sample
