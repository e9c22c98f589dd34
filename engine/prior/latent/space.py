"""Between pictures and the scaled latents of a VAE: AutoencoderKL (arXiv 2112.10752) or AutoencoderDC (arXiv
2410.10733).

Colours as latents: what a VAE does to flat colours, as a linear map.

A render that is shrunk to the latents' size and mapped so is a rough latent for nearly nothing, good enough
to start from (Latent-NeRF, arXiv 2211.07600, and SJC, arXiv 2212.00774, which optimise such latents
themselves). The map is fitted to the VAE at hand: no table of numbers is needed, and a model with another VAE
has another map.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.core.views import Views
from engine.prior.chunked import chunked
from engine.prior.latent.loading import Network
from engine.prior.resize import to_square

LEVELS = (0.0, 0.5, 1.0)
"""Every mixture of these in red, green and blue is a colour that the map is fitted to."""
CELLS = 4  # latents a side of the flat pictures; their middle is far enough from the edges


@dataclass(frozen=True, eq=False)
class LatentSpace:
    """Latents (B,C,h,w) of pictures with ``side`` pixels, less the VAE's shift and times its scale: about
    unit variance.
    """

    vae: Network
    side: int

    @property
    def networks(self) -> dict[str, nn.Module]:
        return {"vae": self.vae}

    def encode(self, rgb: Tensor, most: int) -> Tensor:
        """The mean of the latents of pictures (B,H,W,3), in their dtype; ``most`` go through the VAE at
        once.
        """
        latents = chunked(self._mean, most, 2 * to_square(rgb, self.side) - 1, recompute=True)
        return (latents.to(rgb.dtype) - self.shift) * self.vae.config.scaling_factor

    def decode(self, x: Tensor, most: int) -> Views:
        """Latents back to opaque pictures, in the dtype of the latents."""
        latents = self.unscaled(x).to(self.vae.dtype)
        pictures = chunked(lambda part: self.vae.decode(part).sample, most, latents, recompute=True)
        return opaque((pictures / 2 + 0.5).to(x.dtype))

    def unscaled(self, x: Tensor) -> Tensor:
        """Latents as the VAE gives them."""
        return x / self.vae.config.scaling_factor + self.shift

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


def shrinkage(vae: Network) -> int:
    """How many pixels a side one latent stands for."""
    widths = getattr(vae.config, "block_out_channels", None) or vae.config.encoder_block_out_channels
    return 2 ** (len(widths) - 1)


@dataclass(frozen=True, eq=False)
class LinearSpace:
    """Latents (B,C,h,w), h = w = ``side``: ``matrix`` (C,3) times the colour of a cell of pixels, plus
    ``offset`` (C,).
    """

    matrix: Tensor
    offset: Tensor
    side: int
    cell: int  # pixels a side that one latent stands for
    scale: float = 1.0  # the VAE's
    shift: float = 0.0

    @staticmethod
    @torch.no_grad()
    def of(space: LatentSpace | LinearSpace) -> LinearSpace:
        """The map that comes nearest to what ``space`` makes of flat colours (least squares)."""
        if isinstance(space, LinearSpace):
            return space
        cell = shrinkage(space.vae)
        side = CELLS * cell
        colours = torch.cartesian_prod(*[torch.tensor(LEVELS)] * 3)
        flat = colours.to(next(space.vae.parameters()).device)[:, None, None].expand(-1, side, side, -1)
        latents = LatentSpace(space.vae, side).encode(flat, most=len(LEVELS))
        middle = latents[..., 1:-1, 1:-1].mean(dim=(2, 3)).double().cpu()
        solution = torch.linalg.lstsq(
            torch.cat([colours, torch.ones(len(colours), 1)], dim=1).double(), middle
        ).solution
        matrix, offset = solution[:3].T.to(latents), solution[3].to(latents)
        scale = float(space.vae.config.scaling_factor)
        return LinearSpace(matrix, offset, space.side // cell, cell, scale, space.shift)

    @property
    def networks(self) -> dict[str, nn.Module]:
        return {}

    def unscaled(self, x: Tensor) -> Tensor:
        """Latents as the VAE would give them."""
        return x / self.scale + self.shift

    def encode(self, rgb: Tensor, most: int) -> Tensor:
        """Each latent from the mean colour of the pixels (B,H,W,3) that it stands for."""
        colours = to_square(rgb, self.side)
        return (
            torch.einsum("cr,brhw->bchw", self.matrix.to(colours), colours)
            + self.offset.to(colours)[:, None, None]
        )

    def decode(self, x: Tensor, most: int) -> Views:
        """For each latent the colour that explains it best (least squares), on all pixels that it stands
        for.
        """
        inverse = torch.linalg.pinv(self.matrix.double()).to(x)
        colours = torch.einsum("rc,bchw->brhw", inverse, x - self.offset.to(x)[:, None, None])
        return opaque(F.interpolate(colours, scale_factor=self.cell, mode="nearest"))
