"""Between pictures and the scaled latents of a VAE: AutoencoderKL (arXiv 2112.10752) or AutoencoderDC (arXiv 2410.10733)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from engine.core.views import Views
from engine.prior.chunked import chunked
from engine.prior.resize import to_square

if TYPE_CHECKING:  # slow to import; whoever loads a model has done it
    from diffusers import AutoencoderDC, AutoencoderKL


@dataclass(frozen=True, eq=False)
class LatentSpace:
    """Latents (B,C,h,w) of pictures with ``side`` pixels, less the VAE's shift and times its scale: about unit variance."""

    vae: AutoencoderKL | AutoencoderDC
    side: int

    @property
    def networks(self) -> dict[str, nn.Module]:
        return {"vae": self.vae}

    def encode(self, rgb: Tensor, most: int) -> Tensor:
        """The mean of the latents of pictures (B,H,W,3), in their dtype; ``most`` go through the VAE at once."""
        latents = chunked(self._mean, most, 2 * to_square(rgb, self.side) - 1, recompute=True)
        return (latents.to(rgb.dtype) - self.shift) * self.vae.config.scaling_factor

    def decode(self, x: Tensor, most: int) -> Views:
        """Latents back to opaque pictures, in the dtype of the latents."""
        latents = (x / self.vae.config.scaling_factor + self.shift).to(self.vae.dtype)
        pictures = chunked(lambda part: self.vae.decode(part).sample, most, latents, recompute=True)
        return opaque((pictures / 2 + 0.5).to(x.dtype))

    @property
    def shift(self) -> float:
        """What is taken away from the latents before they are scaled."""
        return getattr(self.vae.config, "shift_factor", None) or 0.0

    def _mean(self, pictures: Tensor) -> Tensor:
        encoded = self.vae.encode(pictures.to(self.vae.dtype))
        return encoded.latent_dist.mode() if hasattr(encoded, "latent_dist") else encoded.latent


def opaque(pictures: Tensor) -> Views:
    """Pictures (B,3,H,W), clamped to 0..1, as views without holes or depth."""
    rgb = pictures.clamp(0, 1).permute(0, 2, 3, 1)
    return Views(rgb, torch.ones_like(rgb[..., :1]), torch.zeros_like(rgb[..., :1]))


def shrinkage(vae: AutoencoderKL | AutoencoderDC) -> int:
    """How many pixels a side one latent stands for."""
    widths = getattr(vae.config, "block_out_channels", None) or vae.config.encoder_block_out_channels
    return 2 ** (len(widths) - 1)
