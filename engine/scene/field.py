"""A radiance field on a voxel grid, and the coarse grid that remembers which parts of it are empty.

The field fills the cube [-1,1]^3. Its nodes are the corners of voxels: node (i,j,k) of R^3 stands at -1 + 2 (i,j,k) / (R - 1) on
the x, y and z axes. Raw values are interpolated trilinearly and activated afterwards, which keeps surfaces sharper than
interpolating activated values (arXiv 2111.11215, section 5): density = softplus(raw), colour = sigmoid(raw).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

OCCUPANCY_RESOLUTION = 32
OCCUPANCY_INTERVAL = 16  # steps between refreshes
OCCUPANCY_DECAY = 0.95
OCCUPANCY_THRESHOLD = 0.01  # in units of alpha per step
FARTHEST = 8  # distances to occupied cells are not told apart beyond this many cells


@dataclass(frozen=True, eq=False)
class Occupancy:
    """Which cells of a G^3 grid over the cube hold matter.

    ``values`` (G,G,G) is a decaying maximum of density x step. ``distance`` (G,G,G) uint8 is the number of cells, diagonals
    included, to the nearest occupied one, at most ``FARTHEST``: it tells a marcher how far it may leap.
    """

    values: Tensor
    distance: Tensor

    def contains(self, points: Tensor) -> Tensor:
        """Whether points (...,3) in the cube lie in an occupied cell (...)."""
        size = len(self.distance)
        i, j, k = ((points + 1) * (size / 2)).long().clamp(0, size - 1).unbind(-1)
        return self.distance[i, j, k] == 0


@dataclass(frozen=True, eq=False)
class Field:
    """``raw_density`` (R,R,R) and ``raw_colour`` (R,R,R,3), indexed [x,y,z]; without ``occupancy`` no part is known to be empty."""

    raw_density: Tensor
    raw_colour: Tensor
    occupancy: Occupancy | None = None

    def __post_init__(self) -> None:
        size = len(self.raw_density)
        assert size >= 2 and self.raw_density.shape == (size, size, size), self.raw_density.shape
        assert self.raw_colour.shape == (size, size, size, 3), self.raw_colour.shape

    @property
    def resolution(self) -> int:
        """Nodes along an edge of the cube."""
        return len(self.raw_density)

    @property
    def voxel(self) -> float:
        """Edge of a voxel in world units: the longest step that a renderer may take."""
        return 2 / (self.resolution - 1)

    def parameters(self) -> dict[str, Tensor]:
        """The tensors that are optimised, by name."""
        return {"raw_density": self.raw_density, "raw_colour": self.raw_colour}

    def learning_rates(self) -> dict[str, float]:
        """A rate for Adam for each parameter; densities have to travel from about 0 to about 100."""
        return {"raw_density": 0.3, "raw_colour": 0.05}

    def query(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Density (M,) per unit length and colour (M,3) in 0..1 at points (M,3); beyond the cube, that of its nearest face."""
        raw = _interpolate(torch.cat([self.raw_density[..., None], self.raw_colour], dim=-1), points)
        return F.softplus(raw[:, 0]), raw[:, 1:].sigmoid()

    def normals(self, points: Tensor) -> Tensor:
        """Unit vectors (M,3) towards lower density, by central differences over one voxel; 0 where the density is flat."""
        offsets = torch.eye(3, dtype=points.dtype, device=points.device) * (0.5 * self.voxel)
        beside = torch.stack([points[:, None] - offsets, points[:, None] + offsets])  # (2,M,3,3)
        lower, upper = _interpolate(self.raw_density[..., None], beside.reshape(-1, 3)).reshape(2, -1, 3)
        slope = lower - upper
        return slope / (slope.square().sum(dim=-1, keepdim=True) + 1e-6).sqrt()  # flat places must not have steep gradients

    def upsampled(self, resolution: int) -> Field:
        """The same field, detached, on a grid of ``resolution`` nodes an edge; exact where it is linear."""
        raw = torch.cat([self.raw_density[..., None], self.raw_colour], dim=-1).detach().permute(3, 0, 1, 2)
        raw = F.interpolate(raw[None], size=(resolution,) * 3, mode="trilinear", align_corners=True)[0]
        finer = Field(raw[0].contiguous(), raw[1:].permute(1, 2, 3, 0).contiguous())
        return finer if self.occupancy is None else replace(finer, occupancy=update_occupancy(finer, None, 0))

    def frozen_copy(self) -> Field:
        """A copy that later steps do not touch, for viewers and snapshots; occupancy is never written in place and is shared."""
        return Field(self.raw_density.detach().clone(), self.raw_colour.detach().clone(), self.occupancy)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Everything needed to build the field again, for a checkpoint."""
        arrays = {name: value.detach().cpu().numpy() for name, value in self.parameters().items()}
        return arrays if self.occupancy is None else arrays | {"occupancy": self.occupancy.values.cpu().numpy()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Field:
        """The field that ``to_arrays`` described."""
        tensors = {name: torch.from_numpy(np.array(value)) for name, value in arrays.items()}
        occupancy = _occupancy_from(tensors["occupancy"]) if "occupancy" in tensors else None
        return cls(tensors["raw_density"], tensors["raw_colour"], occupancy)


def blob(resolution: int, radius: float, rng: torch.Generator) -> Field:
    """A soft grey ball round the origin: raw density 10 (1 - |x| / radius), as Magic3D starts (arXiv 2211.10440)."""
    raw_density = 10 * (1 - node_positions(resolution).norm(dim=-1) / radius)
    return Field(raw_density, 0.1 * torch.randn(resolution, resolution, resolution, 3, generator=rng))


def from_density(density: Tensor, rgb: Tensor | None = None) -> Field:
    """The field whose nodes have ``density`` (R,R,R) >= 0 and colour ``rgb`` (R,R,R,3) in 0..1 (grey unless given)."""
    density = density.clamp_min(1e-6)  # the inverse of softplus is not finite at 0
    raw_density = density + torch.log(-torch.expm1(-density))
    rgb = torch.full((*density.shape, 3), 0.5, dtype=density.dtype) if rgb is None else rgb
    return Field(raw_density, torch.logit(rgb, eps=1e-4))


def node_positions(resolution: int) -> Tensor:
    """Where the nodes stand: (R,R,R,3), indexed [x,y,z]."""
    axis = torch.linspace(-1, 1, resolution)
    return torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"), dim=-1)


def update_occupancy(field: Field, occupancy: Occupancy | None, step: int) -> Occupancy:
    """The occupancy after optimisation step ``step``: refreshed each ``OCCUPANCY_INTERVAL`` steps, else the same object.

    The rule is nerfacc's (arXiv 2305.04966): values = max(0.95 values, density x step), occupied where values exceed
    min(their mean, 0.01). It asks for densities at random points of each cell; in a voxel grid the corners of the voxels
    bound the density of a whole cell, so that nothing is left to chance and no cell needs to be left out.
    """
    if occupancy is not None and step % OCCUPANCY_INTERVAL:
        return occupancy
    with torch.no_grad():
        voxel_max = F.max_pool3d(field.raw_density[None, None], kernel_size=2, stride=1)
        cell_max = F.adaptive_max_pool3d(voxel_max, OCCUPANCY_RESOLUTION)[0, 0]  # its bins are the voxels that meet a cell
        values = F.softplus(cell_max) * field.voxel
        return _occupancy_from(values if occupancy is None else torch.maximum(OCCUPANCY_DECAY * occupancy.values, values))


def _occupancy_from(values: Tensor) -> Occupancy:
    """Threshold the values and measure distances by growing the occupied set one cell at a time."""
    occupied = (values > values.mean().clamp(max=OCCUPANCY_THRESHOLD)).float()[None, None]
    distance = torch.zeros_like(occupied)
    for _ in range(FARTHEST):
        distance += 1 - occupied
        occupied = F.max_pool3d(occupied, kernel_size=3, stride=1, padding=1)
    return Occupancy(values, distance[0, 0].to(torch.uint8))


def _interpolate(grid: Tensor, points: Tensor) -> Tensor:
    """Trilinear values (M,C) of ``grid`` (R,R,R,C), indexed [x,y,z], at ``points`` (M,3) of the cube."""
    volume = grid.permute(3, 2, 1, 0)[None]  # grid_sample reads (C,z,y,x)
    values = F.grid_sample(volume, points[None, :, None, None, :], mode="bilinear", padding_mode="border", align_corners=True)
    return values[0, :, :, 0, 0].T
