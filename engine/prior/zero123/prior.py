"""Zero123 behind the prior protocol (arXiv 2303.11328): novel views of the object in a picture.

The network sees the noisy latents and, in as many more channels, those of the picture; its words are one
token, made of CLIP's embedding of the picture and the way between the cameras. Without a picture both are
zeros: the branch that guidance pushes off from. With several pictures, each view is drawn from the one that
was taken from nearest to its side.

The way from a picture's camera to a new one, as Zero123 is told it (arXiv 2303.11328, section 3.2).

| number | Zero123, Zero123-XL | Stable Zero123 |
|---|---|---|
| 0 | difference of the polar angles from the top, radians: negative for a higher camera | the same |
| 1, 2 | sine and cosine of the difference of the azimuths | the same |
| 3 | difference of the distances | polar angle of the picture's camera, radians |

Only differences of azimuth count, and both worlds have +z up with azimuth from +x towards +y: nothing has to
be turned.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import linear

from engine.core.cameras import Cameras
from engine.core.noise_schedule import NoiseSchedule
from engine.errors import InputError
from engine.prior.base import CleanViews, Condition, Prediction, PriorInfo, TextEmbedding
from engine.prior.image_prompt.clip_image_encoder import ClipImageEncoder
from engine.prior.image_prompt.prior import ImagePromptPrior
from engine.prior.latent.prior import LatentParts
from engine.prior.prediction_type import read_output


def camera_difference(cameras: Cameras, given: Cameras, *, stable: bool = False) -> Tensor:
    """The four numbers (B,4) for each of B cameras beside its picture's, all looking at the origin."""
    polar, given_polar = (torch.deg2rad(90 - each.elevations_deg()) for each in (cameras, given))
    azimuth = torch.deg2rad(cameras.azimuths_deg() - given.azimuths_deg())
    distance = cameras.positions.norm(dim=1) - given.positions.norm(dim=1)
    return torch.stack(
        [polar - given_polar, azimuth.sin(), azimuth.cos(), given_polar if stable else distance], dim=1
    )


def nearest(cameras: Cameras, given: Cameras) -> Tensor:
    """For each of B cameras the index (B,) of the one of M given ones that looks at the origin from nearest
    to its side.
    """
    sides, given_sides = (torch.nn.functional.normalize(each.positions, dim=1) for each in (cameras, given))
    return (sides @ given_sides.T).argmax(dim=1)


@dataclass(frozen=True, eq=False)
class Projection:
    """The linear layer from CLIP's embedding and a camera difference (D+4) to a token of the network (D), in
    float32.
    """

    weight: Tensor
    bias: Tensor
    stable: bool = False  # Stable Zero123 is told the picture's height in place of a distance

    def __call__(self, embedding: Tensor, cameras: Cameras, given: Cameras) -> Tensor:
        """Tokens (B,1,D) of embeddings (B,1,D) and the cameras of the views and of the pictures, B each."""
        difference = camera_difference(cameras, given, stable=self.stable).to(embedding)
        relative = torch.cat([embedding, difference[:, None]], dim=-1)
        return linear(relative, self.weight.to(relative), self.bias.to(relative))


class Zero123Prior(ImagePromptPrior):
    """Its space is the VAE's latents (B,4,h/8,w/8); each view is drawn by itself, from its own camera."""

    def __init__(
        self,
        parts: LatentParts,
        info: PriorInfo,
        schedule: NoiseSchedule,
        prediction_type: str,
        eye: ClipImageEncoder,
        projection: Projection,
        max_views_per_call: int = 8,
    ) -> None:
        super().__init__(parts, info, schedule, prediction_type, eye, max_views_per_call)
        self.projection = projection

    def predict(self, x_t: Tensor, t: Tensor, condition: Condition) -> Prediction:
        """One call of the network. Raises InputError if there is a picture and nobody says from where the
        views are seen.
        """
        t, most = t.to(x_t.device), self.max_views_per_call
        token = condition.text.expand(len(x_t)).tokens.to(x_t.device)
        picture = torch.zeros_like(x_t)
        if condition.clean_views is not None:
            picture, embedding = self._conditioning(x_t, condition.cameras, condition.clean_views)
            token = token + embedding
        x_in, text = torch.cat([x_t, picture], dim=1), TextEmbedding(token)
        turns = zip(x_in.split(most), t.split(most), text.split(most), strict=True)
        output = torch.cat([self.parts.denoiser(*turn) for turn in turns])
        return read_output(output, x_t, t, self.schedule, self.prediction_type)

    def _conditioning(self, x_t: Tensor, cameras: Cameras | None, clean: CleanViews) -> tuple[Tensor, Tensor]:
        """For each view the latents of its picture as the VAE gives them, unscaled, and the token."""
        if cameras is None:
            raise InputError(
                f"{self.info.title} has to know from where its views are seen.", "Give it their cameras."
            )
        assert len(cameras) == len(x_t), f"{len(cameras)} cameras for {len(x_t)} views"
        cameras, given = cameras.to(x_t.device), clean.cameras.to(x_t.device)
        chosen = nearest(cameras, given)
        latents = self.unscaled(clean.x.to(x_t))[chosen]
        assert clean.tokens is not None, "this prior's own clean views have them"
        return latents, self.projection(clean.tokens.to(x_t.device)[chosen], cameras, given[chosen]).to(x_t)

    def unscaled(self, x: Tensor) -> Tensor:
        """Latents as the VAE gives them, which is how this network was shown the picture."""
        return self.parts.space.unscaled(x)
