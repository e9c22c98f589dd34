"""Colours as latents: what a VAE does to flat colours, as a linear map.

A render that is shrunk to the latents' size and mapped so is a rough latent for nearly nothing, good enough to start from
(Latent-NeRF, arXiv 2211.07600, and SJC, arXiv 2212.00774, which optimise such latents themselves). The map is fitted
to the VAE at hand: no table of numbers is needed, and a model with another VAE has another map.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.core.views import Views
from engine.prior.latent.space import LatentSpace, opaque, shrinkage
from engine.prior.resize import to_square

LEVELS = (0.0, 0.5, 1.0)
"""Every mixture of these in red, green and blue is a colour that the map is fitted to."""
CELLS = 4  # latents a side of the flat pictures; their middle is far enough from the edges


@dataclass(frozen=True, eq=False)
class LinearSpace:
    """Latents (B,C,h,w), h = w = ``side``: ``matrix`` (C,3) times the colour of a cell of pixels, plus ``offset`` (C,)."""

    matrix: Tensor
    offset: Tensor
    side: int
    cell: int  # pixels a side that one latent stands for

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
        solution = torch.linalg.lstsq(torch.cat([colours, torch.ones(len(colours), 1)], dim=1).double(), middle).solution
        matrix, offset = solution[:3].T.to(latents), solution[3].to(latents)
        return LinearSpace(matrix, offset, space.side // cell, cell)

    @property
    def networks(self) -> dict[str, nn.Module]:
        return {}

    def encode(self, rgb: Tensor, most: int) -> Tensor:
        """Each latent from the mean colour of the pixels (B,H,W,3) that it stands for."""
        colours = to_square(rgb, self.side)
        return torch.einsum("cr,brhw->bchw", self.matrix.to(colours), colours) + self.offset.to(colours)[:, None, None]

    def decode(self, x: Tensor, most: int) -> Views:
        """For each latent the colour that explains it best (least squares), on all pixels that it stands for."""
        inverse = torch.linalg.pinv(self.matrix.double()).to(x)
        colours = torch.einsum("rc,bchw->brhw", inverse, x - self.offset.to(x)[:, None, None])
        return opaque(F.interpolate(colours, scale_factor=self.cell, mode="nearest"))
