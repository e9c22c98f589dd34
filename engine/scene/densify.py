"""Where splats should be more, fewer or elsewhere: pure functions from one cloud to another.

Each returns a ``Rearranged``: the new cloud, and for every row the old row it came from, so that an optimiser
can carry its moments along. Adaptive density control (arXiv 2308.04079, section 5.2): copy the small, split
the large, remove the dead.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.scene.splats import Splats, rotation_matrices

DEAD = 0.005  # opacity at which a splat no longer counts
SPLIT_SHRINK = 1.6  # how much smaller the two halves of a split are


@dataclass(frozen=True, eq=False)
class Rearranged:
    """``splats`` with M rows, made from rows ``source`` (M,) of the old cloud; ``fresh`` (M,) rows are new or
    were changed.
    """

    splats: Splats
    source: Tensor
    fresh: Tensor

    def carry(self, moment: Tensor) -> Tensor:
        """An optimiser's moment (N,...) of the old rows for the new ones: 0 where fresh."""
        moved = moment[self.source]
        moved[self.fresh] = 0
        return moved

    def then(self, next: Rearranged) -> Rearranged:
        """One step for two: ``next`` was made from this one's splats."""
        return Rearranged(next.splats, self.source[next.source], self.fresh[next.source] | next.fresh)


def refined(
    splats: Splats, gradients: Tensor, rng: torch.Generator, threshold: float, size: float
) -> Rearranged:
    """Copy the small and split the large among the splats whose gradient (N,) exceeds ``threshold``; drop the
    dead.

    Large is a longest axis above ``size``, in world units.
    """
    moving = gradients > threshold
    large = splats.scales.amax(dim=1) > size
    copied = duplicated(splats, moving & ~large)
    halved = copied.then(split(copied.splats, (moving & large)[copied.source], rng))
    return halved.then(pruned(halved.splats, halved.splats.opacities >= DEAD))


def duplicated(splats: Splats, mask: Tensor) -> Rearranged:
    """A copy of each splat of ``mask`` (N,) appended; the originals stay as they are."""
    n, extra = len(splats), mask.nonzero()[:, 0]
    source = torch.cat([torch.arange(n, device=mask.device), extra])
    return Rearranged(_rows(splats, source), source, torch.arange(len(source), device=mask.device) >= n)


def split(splats: Splats, mask: Tensor, rng: torch.Generator) -> Rearranged:
    """Each splat of ``mask`` (N,) replaced by two smaller ones, drawn from its own Gaussian and put at the
    end.
    """
    parents = mask.nonzero()[:, 0].repeat(2)
    source = torch.cat([(~mask).nonzero()[:, 0], parents])
    new = _rows(splats, source)
    fresh = torch.arange(len(source), device=mask.device) >= len(source) - len(parents)
    axes = rotation_matrices(splats.unit_quats[parents]) * splats.scales[parents, None, :]
    new.means[fresh] += torch.einsum(
        "nij,nj->ni", axes.detach(), torch.randn(len(parents), 3, generator=rng).to(axes)
    )
    new.log_scales[fresh] -= math.log(SPLIT_SHRINK)
    return Rearranged(new, source, fresh)


def pruned(splats: Splats, keep: Tensor) -> Rearranged:
    """Only the splats of ``keep`` (N,)."""
    source = keep.nonzero()[:, 0]
    return Rearranged(_rows(splats, source), source, torch.zeros_like(source, dtype=torch.bool))


def _rows(splats: Splats, source: Tensor) -> Splats:
    """Copies of rows, without history."""
    return Splats(**{name: tensor.detach()[source] for name, tensor in splats.parameters().items()})
