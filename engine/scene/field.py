"""A radiance field on a voxel grid.

The field fills the cube [-1,1]^3. Its nodes are the corners of voxels: node (i,j,k) of R^3 stands at -1 + 2
(i,j,k) / (R - 1) on the x, y and z axes. Raw values are interpolated trilinearly and activated afterwards,
which keeps surfaces sharper than interpolating activated values (arXiv 2111.11215): density = softplus(raw),
colour = sigmoid(raw).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from engine.errors import FileFormatError, InputError
from engine.scene.occupancy import Occupancy, decayed_maximum, largest_in_cells, occupancy_from

LEARNING_RATES = {"raw_density": 1.0, "raw_colour": 0.1}
"""Adam's rates; densities have to travel from about 0 to about 100."""
OCCUPANCY_INTERVAL = 16  # steps between refreshes
BLOB_STRENGTH = 10.0


@dataclass(frozen=True, eq=False)
class Field:
    """``raw_density`` (R,R,R), ``raw_colour`` (R,R,R,3), indexed [x,y,z]; ``occupancy`` says which parts are
    empty, if known.
    """

    kind: ClassVar[str] = "field"

    raw_density: Tensor
    raw_colour: Tensor
    occupancy: Occupancy | None = None

    def __post_init__(self) -> None:
        size = len(self.raw_density)
        if (
            size < 2
            or self.raw_density.shape != (size,) * 3
            or self.raw_colour.shape != (size, size, size, 3)
        ):
            raise InputError(
                f"Field grids have shapes {tuple(self.raw_density.shape)} and "
                f"{tuple(self.raw_colour.shape)}.",
                "Give densities (R,R,R) and colours (R,R,R,3) with R at least 2.",
            )

    @property
    def resolution(self) -> int:
        """Nodes along an edge of the cube."""
        return len(self.raw_density)

    @property
    def voxel(self) -> float:
        """Edge of a voxel in world units: the longest step that a renderer may take."""
        return 2 / (self.resolution - 1)

    @property
    def device(self) -> torch.device:
        """Where the tensors live."""
        return self.raw_density.device

    def parameters(self) -> dict[str, Tensor]:
        """The raw tensors by name."""
        return {"raw_density": self.raw_density, "raw_colour": self.raw_colour}

    def learning_rates(self) -> dict[str, float]:
        """Adam's base rate for each raw tensor."""
        return dict(LEARNING_RATES)

    def query(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Density (M,) per unit length and colour (M,3) in 0..1 at points (M,3); beyond the cube, that of its
        nearest face.
        """
        raw = _interpolate(torch.cat([self.raw_density[..., None], self.raw_colour], dim=-1), points)
        return F.softplus(raw[:, 0]), raw[:, 1:].sigmoid()

    def normals(self, points: Tensor) -> Tensor:
        """Directions (M,3) towards lower density at points (M,3), by central differences over one voxel.

        Unit vectors, but shorter where the density is nearly flat, so that their gradient stays moderate.
        """
        half = 0.5 * self.voxel
        centres = points.clamp(half - 1, 1 - half)[:, None]  # both sides must lie in the cube
        offsets = half * torch.eye(3, dtype=points.dtype, device=points.device)
        beside = torch.stack([centres - offsets, centres + offsets])  # (2,M,3,3)
        lower, upper = _interpolate(self.raw_density[..., None], beside.reshape(-1, 3)).reshape(2, -1, 3)
        slope = lower - upper
        return slope / (slope.square().sum(dim=-1, keepdim=True) + 1e-4).sqrt()

    def upsampled(self, resolution: int) -> Field:
        """The same field, detached, on a grid of ``resolution`` nodes an edge; exact where it is linear."""
        raw = torch.cat([self.raw_density[..., None], self.raw_colour], dim=-1).detach().permute(3, 0, 1, 2)
        raw = F.interpolate(raw[None], size=(resolution,) * 3, mode="trilinear", align_corners=True)[0]
        finer = Field(raw[0].contiguous(), raw[1:].permute(1, 2, 3, 0).contiguous())
        return finer if self.occupancy is None else replace(finer, occupancy=update_occupancy(finer, None, 0))

    def frozen_copy(self) -> Field:
        """The field as it is now, in memory of its own and without history; occupancy is never written in
        place and is shared.
        """
        return Field(self.raw_density.detach().clone(), self.raw_colour.detach().clone(), self.occupancy)

    def to(self, device: torch.device | str) -> Field:
        """The same field on another device, as fresh leaves."""
        occupancy = None if self.occupancy is None else self.occupancy.to(device)
        return Field(self.raw_density.detach().to(device), self.raw_colour.detach().to(device), occupancy)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Copies of the raw tensors and of what is known to be empty, for checkpoints."""
        tensors = self.parameters() | ({} if self.occupancy is None else {"occupancy": self.occupancy.values})
        return {name: tensor.detach().cpu().numpy().copy() for name, tensor in tensors.items()}

    @staticmethod
    def from_arrays(arrays: Mapping[str, np.ndarray]) -> Field:
        """The inverse of ``to_arrays``; raises FileFormatError when arrays are missing or do not fit
        together.
        """
        missing = [name for name in LEARNING_RATES if name not in arrays]
        if missing:
            raise FileFormatError(
                f"A field checkpoint lacks {', '.join(missing)}.", "Load a checkpoint of a field."
            )
        tensors = {name: torch.from_numpy(np.array(array, np.float32)) for name, array in arrays.items()}
        occupancy = occupancy_from(tensors["occupancy"]) if "occupancy" in tensors else None
        try:
            return Field(tensors["raw_density"], tensors["raw_colour"], occupancy)
        except InputError as error:
            raise FileFormatError(
                f"This field checkpoint is broken. {error.what}", "Load another checkpoint."
            ) from error


def blob(resolution: int, radius: float, rng: torch.Generator) -> Field:
    """A soft, almost grey ball: raw density 10 (1 - |x| / radius), Magic3D's start (arXiv 2211.10440)."""
    raw_density = BLOB_STRENGTH * (1 - node_positions(resolution).norm(dim=-1) / radius)
    return Field(raw_density, 0.1 * torch.randn(resolution, resolution, resolution, 3, generator=rng))


def from_density(density: Tensor, rgb: Tensor | None = None) -> Field:
    """The field whose nodes have ``density`` (R,R,R) >= 0 and colour ``rgb`` (R,R,R,3) in 0..1 (grey unless
    given).
    """
    density = density.detach().clamp_min(1e-6)  # the inverse of softplus is not finite at 0
    raw_density = density + torch.log(-torch.expm1(-density))
    rgb = torch.full_like(density, 0.5)[..., None].repeat(1, 1, 1, 3) if rgb is None else rgb.detach()
    # where the logistic function still has a slope
    return Field(raw_density, torch.logit(rgb.clamp(0.01, 0.99)))


def node_positions(resolution: int) -> Tensor:
    """Where the nodes stand: (R,R,R,3), indexed [x,y,z]."""
    axis = torch.linspace(-1, 1, resolution)
    return torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"), dim=-1)


def update_occupancy(field: Field, occupancy: Occupancy | None, step: int) -> Occupancy:
    """The occupancy after optimisation step ``step``: refreshed every ``OCCUPANCY_INTERVAL`` steps, else the
    same object.

    The rule is nerfacc's (arXiv 2305.04966): values = max(0.95 values, density x step). It asks for the
    density at random points of some cells; in a voxel grid the corners of the voxels bound the density of a
    whole cell, and nothing is left to chance.
    """
    if occupancy is not None and step % OCCUPANCY_INTERVAL:
        return occupancy
    with torch.no_grad():
        values = F.softplus(largest_in_cells(field.raw_density)) * field.voxel
        return occupancy_from(decayed_maximum(values, occupancy))


def _interpolate(grid: Tensor, points: Tensor) -> Tensor:
    """Trilinear values (M,C) of ``grid`` (R,R,R,C), indexed [x,y,z], at ``points`` (M,3) of the cube."""
    volume = grid.permute(3, 2, 1, 0)[None]  # grid_sample reads (C,z,y,x)
    values = F.grid_sample(
        volume, points[None, :, None, None, :], mode="bilinear", padding_mode="border", align_corners=True
    )
    return values[0, :, :, 0, 0].T
