"""The shipped folder as a diffusers pipeline, for people who want pictures and no 3D."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from diffusers import ConfigMixin, DDIMScheduler, DiffusionPipeline, ModelMixin
from diffusers.configuration_utils import register_to_config
from PIL import Image
from transformers import PreTrainedTokenizerFast

from engine.core.cameras import orbit_cameras
from engine.prior.toybox import network
from engine.prior.toybox.info import DISTANCE, FOV_DEG, RESOLUTION
from engine.prior.toybox.poses import Poses, poses_from_cameras
from engine.prior.toybox.schedule import time_fraction
from engine.prior.toybox.text_encoder import Words


class ToyboxDenoiser(network.ToyboxDenoiser, ModelMixin, ConfigMixin):
    """The denoiser as diffusers loads and saves it."""

    __init__ = register_to_config(network.ToyboxDenoiser.__init__)


class ToyboxPipeline(DiffusionPipeline):
    """``ToyboxPipeline.from_pretrained(folder)("a red mug")`` draws one object from four sides."""

    def __init__(
        self, unet: ToyboxDenoiser, tokenizer: PreTrainedTokenizerFast, scheduler: DDIMScheduler
    ) -> None:
        super().__init__()
        self.register_modules(unet=unet, tokenizer=tokenizer, scheduler=scheduler)

    @torch.no_grad()
    def __call__(
        self,
        prompt: str,
        azimuths_deg: Sequence[float] = (0.0, 90.0, 180.0, 270.0),
        elevation_deg: float = 15.0,
        guidance_scale: float = 2.5,
        num_inference_steps: int = 12,
        generator: torch.Generator | None = None,
    ) -> list[Image.Image]:
        """One RGBA picture for each azimuth."""
        poses = poses_from_cameras(
            orbit_cameras(azimuths_deg, elevation_deg, DISTANCE, FOV_DEG, RESOLUTION).to(self.device)
        )
        words, empty = self._encode(prompt), self._encode("")
        x = torch.randn(1, len(azimuths_deg), 4, RESOLUTION, RESOLUTION, generator=generator).to(self.device)
        self.scheduler.set_timesteps(num_inference_steps, device=self.device)
        for t in self.scheduler.timesteps:
            clean = torch.lerp(
                self._clean(x, t, empty, poses), self._clean(x, t, words, poses), guidance_scale
            )
            x = self.scheduler.step(clean, t, x).prev_sample
        return [_picture(view) for view in x[0]]

    def _encode(self, prompt: str) -> Words:
        ids = [self.tokenizer.bos_token_id, *self.tokenizer(prompt, add_special_tokens=False).input_ids][
            : self.unet.config.length
        ]
        ids += [self.tokenizer.pad_token_id] * (self.unet.config.length - len(ids))
        return self.unet.text(torch.tensor([ids], device=self.device))

    def _clean(self, x: torch.Tensor, t: torch.Tensor, words: Words, poses: Poses) -> torch.Tensor:
        at = time_fraction(t, len(self.scheduler)).expand(x.shape[:2])
        return self.unet(
            x, at, words, poses, torch.zeros(x.shape[:2], dtype=torch.bool, device=x.device)
        ).clamp(-1, 1)


def _picture(view: torch.Tensor) -> Image.Image:
    """Network channels (4,S,S) to straight (not premultiplied) RGBA."""
    alpha = ((view[3:] + 1) / 2).clamp(0, 1)
    rgb = ((view[:3] + alpha) / 2 / alpha.clamp(min=1e-3)).clamp(0, 1)
    pixels = (torch.cat([rgb, alpha]) * 255).round().byte().permute(1, 2, 0).cpu().numpy()
    return Image.fromarray(pixels, "RGBA")
