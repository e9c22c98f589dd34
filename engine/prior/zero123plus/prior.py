"""Zero123++ behind the prior protocol (arXiv 2310.15110): six opaque views of the object in a picture, drawn
as one.

Their azimuths are fixed beside the picture's, and their heights are fixed: it drafts an object, and cannot be
asked for other views. It was taught without words. The picture is seen in two ways: through reference
attention, and as CLIP's embedding, of which each token of the empty prompt gets its share (the ramp). Without
a picture, guidance pushes off from a grey one and the empty prompt alone. Of several pictures, the first is
seen.

Load Zero123++ from a folder laid out like sudo-ai/zero123plus-v1.1 or -v1.2 on the Hub.

Its ``model_index.json`` names a pipeline class of the publisher's own and holds ``ramping_coefficients``, one
number for each token of a prompt. The publisher's code is neither fetched nor run.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from engine.core.cameras import Cameras
from engine.core.noise_schedule import NoiseSchedule, noise_like
from engine.errors import FileFormatError, InputError
from engine.prior.base import CleanViews, Condition, Prediction, PriorInfo
from engine.prior.image_prompt.capabilities import ZERO123PLUS
from engine.prior.image_prompt.clip_image_encoder import ClipImageEncoder, Preparation
from engine.prior.image_prompt.prior import EmptyTextEncoder, ImagePromptPrior
from engine.prior.latent.loading import Layout, Network, check_channels, load_network
from engine.prior.latent.prior import LatentParts
from engine.prior.latent.space import shrinkage
from engine.prior.latent.stable_diffusion import clip_tower, load_unet, load_vae
from engine.prior.latent.text_encoder import ClipWords
from engine.prior.latent.unet import UnetDenoiser
from engine.prior.pipeline_folder import INDEX, read_json
from engine.prior.prediction_type import read_output
from engine.prior.zero123plus.network import in_sight_of
from engine.prior.zero123plus.tiles import VIEWS, TileSpace, joined, parted

EYE = "vision_encoder"
LAYOUT = Layout(
    "Zero123PlusPipeline",
    {
        "unet": "UNet2DConditionModel",
        "vae": "AutoencoderKL",
        "text_encoder": "CLIPTextModel",
        "tokenizer": "CLIPTokenizer",
        EYE: "CLIPVisionModelWithProjection",
    },
    "Choose Zero123++, such as sudo-ai/zero123plus-v1.2.",
)
RAMP = "ramping_coefficients"
SIDE, GUIDANCE = 320, 4.0

GREY = 0.5
NEAR_DEG = 1.0  # cameras that are asked for may differ so much from the fixed ones


class Zero123PlusPrior(ImagePromptPrior):
    """Its space is the VAE's latents (6,4,h/8,w/8), shifted and scaled (`engine.prior.zero123plus.tiles`)."""

    behind = GREY

    def __init__(
        self,
        parts: LatentParts,
        info: PriorInfo,
        schedule: NoiseSchedule,
        prediction_type: str,
        eye: ClipImageEncoder,
        shown: Preparation,
        ramp: Tensor,
    ) -> None:
        super().__init__(parts, info, schedule, prediction_type, eye)
        self.shown, self.ramp = shown, ramp

    @property
    def _vae(self) -> Network:
        assert isinstance(self.parts.space, TileSpace), (
            "it is asked for drafts alone, which go through the VAE"
        )
        return self.parts.space.vae

    def latents(self, rgb: Tensor) -> Tensor:
        """Pictures as they are shown to reference attention: as the VAE gives them, neither shifted nor
        scaled.
        """
        vae = self._vae
        return vae.encode(self.shown(rgb).to(vae.dtype)).latent_dist.mode().to(rgb.dtype)

    def predict(self, x_t: Tensor, t: Tensor, condition: Condition) -> Prediction:
        """Two calls of the network for every six views. Raises InputError for other views than the fixed
        ones.
        """
        assert len(x_t) % VIEWS == 0, f"{len(x_t)} views, which make no whole set of {VIEWS}"
        clean, t = condition.clean_views, t.to(x_t.device)
        if clean is not None and condition.cameras is not None:
            self._check_views(condition.cameras, clean.cameras)
        tokens, picture = self._conditioning(condition, clean)
        sets = zip(joined(x_t).split(1), t[::VIEWS].split(1), strict=True)
        output = torch.cat([self._draw(grid, at, tokens.to(grid), picture.to(grid)) for grid, at in sets])
        return read_output(parted(output), x_t, t, self.schedule, self.prediction_type)

    def _conditioning(self, condition: Condition, clean: CleanViews | None) -> tuple[Tensor, Tensor]:
        """The tokens (1,L,D) and the latents of the picture (1,C,h,w)."""
        tokens = condition.text.tokens[:1].to(self.device)
        if clean is None:
            return tokens, self._grey
        assert clean.tokens is not None, "this prior's own clean views have them"
        return tokens + clean.tokens[:1].to(tokens) * self.ramp.to(tokens)[:, None], clean.x[:1].to(tokens)

    def _draw(self, grid: Tensor, t: Tensor, tokens: Tensor, picture: Tensor) -> Tensor:
        """The network's output for one picture of six views, in the dtype of ``grid``.

        The noise on the picture that it looks at is drawn from the time alone, so that the same question has
        the same answer.
        """
        eps = noise_like(picture, torch.Generator().manual_seed(int(t)))
        dtype = self.network.dtype
        noisy, tokens = self.schedule.add_noise(picture, eps, t).to(dtype), tokens.to(dtype)
        with in_sight_of(self.network, noisy, t, tokens):
            return self.network(grid.to(dtype), t, encoder_hidden_states=tokens).sample.to(grid.dtype)

    def _check_views(self, cameras: Cameras, given: Cameras) -> None:
        fixed = torch.tensor(self.info.fixed_views).repeat(len(cameras) // VIEWS, 1)
        turn = cameras.azimuths_deg().cpu() - given.azimuths_deg()[0].cpu() - fixed[:, 0]
        rise = cameras.elevations_deg().cpu() - fixed[:, 1]
        if max(float(((turn + 180) % 360 - 180).abs().max()), float(rise.abs().max())) > NEAR_DEG:
            raise InputError(
                f"{self.info.title} was asked for views from elsewhere than its fixed ones.",
                'Set start = "draft" and refine_steps = 0, or choose another prior.',
            )

    @cached_property
    def _grey(self) -> Tensor:
        with torch.no_grad():
            vae, crop = self._vae, self.shown.crop
            neutral = torch.zeros(1, 3, crop, crop, device=self.device, dtype=vae.dtype)
            return vae.encode(neutral).latent_dist.mode().float()


def load_zero123plus(
    folder: Path, device: torch.device | str = "cpu", info: PriorInfo | None = None, version: str = "v1.2"
) -> Zero123PlusPrior:
    """The model in ``folder``; its views have ``info``'s resolution.

    Files do not say which ``version`` they are, "v1.1" or "v1.2": their views have other heights and another
    field of view. Raises as `Layout.open` does, and DeviceError when it does not fit.
    """
    from transformers import CLIPVisionModelWithProjection  # slow to import, so only when a model is loaded

    from engine.prior.zero123plus.network import with_reference_attention

    pipeline = LAYOUT.open(folder, device)
    folder, device = pipeline.folder, pipeline.device
    encoder = load_network(folder, EYE, CLIPVisionModelWithProjection.from_pretrained, device)
    unet, vae = load_unet(folder, device), load_vae(folder, device)
    check_channels(folder, "unet", unet, vae)
    tower = clip_tower(folder, device)
    known = described(folder, info, version)
    if known.resolution % shrinkage(vae):
        raise FileFormatError(
            f"{known.resolution} is no multiple of the {shrinkage(vae)} pixels of a latent.", LAYOUT.remedy
        )
    denoiser = UnetDenoiser(with_reference_attention(unet))
    parts = LatentParts(
        denoiser, TileSpace(vae, known.resolution), EmptyTextEncoder(ClipWords(tower)), {EYE: encoder}
    )
    eye, shown = (Preparation.read(folder, f"feature_extractor_{name}") for name in ("clip", "vae"))
    ramp = _ramp(folder, tower.length)
    return Zero123PlusPrior(
        parts, known, pipeline.schedule, pipeline.prediction_type, ClipImageEncoder(encoder, eye), shown, ramp
    )


def described(folder: Path, info: PriorInfo | None, version: str) -> PriorInfo:
    """``info``, or the folder's name, with what holds for every model of this version."""
    known = info or PriorInfo(folder.name, folder.name, "rgb", SIDE, GUIDANCE)
    heights = [elevation for _, elevation in ZERO123PLUS[version]["fixed_views"]]
    return replace(
        known, channels="rgb", elevation_range_deg=(min(heights), max(heights)), **ZERO123PLUS[version]
    )


def _ramp(folder: Path, length: int) -> Tensor:
    """The share (L,) of CLIP's embedding for each token. Raises FileFormatError if there is not one number
    for each.
    """
    ramp = read_json(folder / INDEX).get(RAMP)
    if (
        not isinstance(ramp, list)
        or len(ramp) != length
        or not all(isinstance(part, int | float) for part in ramp)
    ):
        raise FileFormatError(f"{folder / INDEX} holds no {RAMP}, {length} numbers.", LAYOUT.remedy)
    return torch.tensor(ramp, dtype=torch.float32)
