"""The colours of splats as a canonical space: a picture is a linear map of them (SyncTweedies, arXiv
2403.14370, section 5.3).

A renderer composes colours z with weights that do not depend on them, W z. What pictures v say of the colours
is found by a few steps of SIRT, z <- z + C W^T R (v - W z), where R and C divide by the row and column sums
of W: the first step alone is their weighted mean, and what it blurs the others bring back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from engine.core.cameras import Cameras
from engine.errors import InputError
from engine.render import Renderer
from engine.scene.splats import Splats

STEPS = 4
SEEN = 1e-3  # weight from which on a splat is seen at all
RGB = 3


@dataclass(frozen=True, eq=False)
class SplatColours:
    """The colours (C,N) of N splats, whose shape does not change, seen by ``cameras``. With ``solid_only``
    pictures say nothing where more than half of the ground shows through. Raises InputError if none is seen.
    """

    splats: Splats
    renderer: Renderer
    cameras: Cameras
    solid_only: bool = False

    def __post_init__(self) -> None:
        if not bool((self.columns > SEEN).any()):
            raise InputError("No camera sees the splats.", "Choose a scene that fills the unit sphere.")

    @property
    def count(self) -> int:
        return len(self.cameras)

    def shape(self, channels: int) -> tuple[int, ...]:
        return channels, len(self.splats)

    @cached_property
    def alpha(self) -> Tensor:
        """The row sums of W: how opaque each pixel is (V,1,h,w)."""
        with torch.no_grad():
            return self.renderer.render(self.splats, self.cameras, None).alpha.movedim(-1, 1)

    @cached_property
    def mask(self) -> Tensor:
        """Where there is anything to see (V,1,h,w), 0 or 1."""
        return (self.alpha > 0.5).to(self.alpha)

    @cached_property
    def columns(self) -> Tensor:
        """The column sums of W: how much each splat is seen (N,)."""
        return self._transposed(self.counts)[0]

    @cached_property
    def counts(self) -> Tensor:
        """Of which pixels pictures say something (V,1,h,w), 0 or 1."""
        return self.mask if self.solid_only else torch.ones_like(self.alpha)

    def project(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """W z, as it would be of an opaque scene, and where there is anything to see."""
        mask = self.mask.to(z)
        return mask * self._composed(z) / self.alpha.clamp(min=0.05), mask

    def unproject(self, instances: Tensor) -> Tensor:
        pictures = instances * self.alpha  # as the renderer composes them
        z = torch.zeros(instances.shape[1], len(self.splats), device=instances.device)
        for _ in range(STEPS):
            missing = self.counts * (pictures - self._composed(z)) / self.alpha.clamp(min=0.05)
            z = z + self._transposed(missing) / self.columns.clamp(min=SEEN)
        return torch.where(self.columns > SEEN, z, self._mean(z))

    def _mean(self, z: Tensor) -> Tensor:
        """For splats that nobody sees."""
        return (z * self.columns).sum(-1, keepdim=True) / self.columns.sum()

    def _composed(self, z: Tensor) -> Tensor:
        """W z (V,C,h,w): as many colours at a time as a renderer draws, each brought into the range that
        splats can have.
        """
        low, high = z.min() - 1, z.max() + 1
        shares = ((z - low) / (high - low)).T
        with torch.no_grad():
            pictures = [self._drawn(part) for part in shares.split(RGB, dim=1)]
        return (high - low) * torch.cat(pictures, dim=1) + low * self.alpha

    def _drawn(self, shares: Tensor) -> Tensor:
        """Pictures (V,c,h,w) of c <= 3 colours (N,c) in 0..1."""
        filled = torch.cat([shares, shares[:, :1].expand(-1, RGB - shares.shape[1])], dim=1)
        scene = replace(self.splats, colours=torch.logit(filled))
        return self.renderer.render(scene, self.cameras, None).rgb[..., : shares.shape[1]].movedim(-1, 1)

    def _transposed(self, pictures: Tensor) -> Tensor:
        """W^T v (C,N), as the gradient of <v, W z>; at grey the colours' slope is 1/4."""
        products = []
        for part in pictures.split(RGB, dim=1):
            colours = torch.zeros(len(self.splats), RGB, device=pictures.device, requires_grad=True)
            with torch.enable_grad():
                drawn = self.renderer.render(replace(self.splats, colours=colours), self.cameras, None).rgb
                product = (drawn[..., : part.shape[1]].movedim(-1, 1) * part).sum()
                (gradient,) = torch.autograd.grad(product, colours)
            products.append(4 * gradient[:, : part.shape[1]].T)
        return torch.cat(products)
