"""Where splats should be more, fewer or elsewhere: pure functions from one cloud to another.

Each returns a ``Rearranged``: the new cloud, and for every row the old row it came from, so that an optimiser can carry its
moments along. Two families: adaptive density control (arXiv 2308.04079, section 5.2) copies, splits and removes; Markov chain
Monte Carlo (arXiv 2404.09591, section 3.3) moves dead splats onto living ones and keeps the picture as it was.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from engine.scene.splats import Splats, rotation_matrices

DEAD = 0.005  # opacity at which a splat no longer counts
MAX_COPIES = 51  # of one splat in one move; more would be told apart by nothing but rounding
SPLIT_SHRINK = 1.6  # how much smaller the two halves of a split are


@dataclass(frozen=True, eq=False)
class Rearranged:
    """``splats`` with M rows, made from rows ``source`` (M,) of the old cloud; ``fresh`` (M,) rows are new or were changed."""

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


# ------------------------------------------------------------------------------------------ adaptive density control


def screen_gradients(means2d: Tensor, width: int, height: int) -> tuple[Tensor, Tensor]:
    """Sum (N,) over views of the length of the loss's gradient to ``means2d`` (B,N,2), and in how many it is not 0.

    Lengths are in halves of the image, times B, so that thresholds do not depend on resolution or batch. ``means2d`` is
    ``Views.means2d`` after ``backward``.
    """
    assert means2d.grad is not None, "call backward first"
    lengths = (means2d.grad * means2d.new_tensor([width / 2, height / 2]) * len(means2d)).norm(dim=-1)
    return lengths.sum(0), (lengths > 0).sum(0)


def refined(splats: Splats, gradients: Tensor, rng: torch.Generator, threshold: float, size: float) -> Rearranged:
    """Copy the small and split the large among the splats whose mean screen gradient (N,) exceeds ``threshold``; drop the dead.

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
    """Each splat of ``mask`` (N,) replaced by two smaller ones, drawn from its own Gaussian and put at the end."""
    parents = mask.nonzero()[:, 0].repeat(2)
    source = torch.cat([(~mask).nonzero()[:, 0], parents])
    new = _rows(splats, source)
    fresh = torch.arange(len(source), device=mask.device) >= len(source) - len(parents)
    axes = rotation_matrices(splats.unit_quats[parents]) * splats.scales[parents, None, :]
    new.means[fresh] += torch.einsum("nij,nj->ni", axes.detach(), torch.randn(len(parents), 3, generator=rng).to(axes))
    new.log_scales[fresh] -= math.log(SPLIT_SHRINK)
    return Rearranged(new, source, fresh)


def pruned(splats: Splats, keep: Tensor) -> Rearranged:
    """Only the splats of ``keep`` (N,)."""
    source = keep.nonzero()[:, 0]
    return Rearranged(_rows(splats, source), source, torch.zeros_like(source, dtype=torch.bool))


# ------------------------------------------------------------------------------------------ Markov chain Monte Carlo


def relocated(splats: Splats, rng: torch.Generator) -> Rearranged:
    """The same number of splats, with the dead ones moved onto living ones, which are drawn by opacity.

    A splat and the copies it gets share its opacity and size so that together they look as it did.
    """
    opacities = splats.opacities.detach()
    dead = (opacities <= DEAD).nonzero()[:, 0]
    hosts = _draw(torch.where(opacities > DEAD, opacities, 0), len(dead), rng)
    source = torch.arange(len(splats), device=opacities.device)
    source[dead[: len(hosts)]] = hosts
    return _shared(splats, source, hosts)


def grown(splats: Splats, cap: int, rng: torch.Generator, share: float = 0.05) -> Rearranged:
    """``share`` more splats, at most ``cap`` in all, as copies of ones drawn by opacity, each sharing with its copies."""
    count = max(min(math.ceil(len(splats) * (1 + share)), cap) - len(splats), 0)
    hosts = _draw(splats.opacities.detach(), count, rng)
    return _shared(splats, torch.cat([torch.arange(len(splats), device=hosts.device), hosts]), hosts)


def shared_opacity_and_shrink(opacities: Tensor, copies: Tensor) -> tuple[Tensor, Tensor]:
    """Opacity o' of each of N ``copies`` (M,) that replace a splat of opacity o (M,), and the factor s'/s of its size.

    arXiv 2404.09591 eq. 9: N copies on one spot compose to the same peak and the same integral along a line:
    ``o' = 1 - (1-o)^(1/N)`` and ``s'/s = o / sum_m C(N,m) (-1)^(m-1) o'^m / sqrt(m)``, m = 1..N (the paper's double sum with
    its inner binomials added up).
    """
    o, n = opacities.double(), copies.double()
    each = -torch.expm1(torch.log1p(-o) / n)
    m = torch.arange(1, int(copies.max()) + 1 if len(copies) else 1, device=o.device, dtype=torch.float64)
    beyond = m > n[:, None]
    log_binomial = (n[:, None] + 1).lgamma() - (m + 1).lgamma() - (n[:, None] - m + 1).clamp(min=1).lgamma()
    terms = torch.exp(log_binomial + m * each[:, None].log()) / m.sqrt() * torch.where(m % 2 == 1, 1.0, -1.0)
    return each, o / terms.masked_fill(beyond, 0).sum(dim=1)


def _shared(splats: Splats, source: Tensor, hosts: Tensor) -> Rearranged:
    """Rows ``source``, where each host and its new copies split its opacity and size among them."""
    copies = (torch.bincount(hosts, minlength=len(splats)) + 1).clamp(max=MAX_COPIES)
    opacities = splats.opacities.detach().double().clamp(max=1 - 1e-6)
    each, shrink = shared_opacity_and_shrink(opacities, copies)
    changed = copies > 1
    fresh = changed[source]
    new = _rows(splats, source)
    new.logit_opacities[fresh] = torch.logit(each.clamp(min=DEAD))[source][fresh].to(new.means)
    new.log_scales[fresh] += shrink.log()[source][fresh, None].to(new.means)
    return Rearranged(new, source, fresh)


# ---------------------------------------------------------------------------------------------------------- opacity mass


def opacity_mass(splats: Splats) -> Tensor:
    """About the area, in square world units, that the splats would cover if none hid another: sum of 2 pi o s1 s2.

    s1, s2 are the two longer axes; a splat that faces the camera has about this integral of alpha.
    """
    return (2 * math.pi * splats.opacities * splats.scales.topk(2, dim=1).values.prod(dim=1)).sum()


def capped(splats: Splats, limit: float) -> Splats:
    """The splats, all faded by one factor if their ``opacity_mass`` exceeds ``limit``; a guard against runaway growth."""
    factor = (limit / opacity_mass(splats).detach()).clamp(max=1)
    if factor == 1:
        return splats
    return replace(splats, logit_opacities=torch.logit(splats.opacities.detach() * factor, eps=1e-6))


def _draw(weights: Tensor, count: int, rng: torch.Generator) -> Tensor:
    """``count`` indices drawn by weight; none if all weights are 0."""
    if count == 0 or not weights.sum() > 0:
        return torch.zeros(0, dtype=torch.long, device=weights.device)
    return torch.multinomial(weights.cpu(), count, replacement=True, generator=rng).to(weights.device)


def _rows(splats: Splats, source: Tensor) -> Splats:
    """Copies of rows, without history."""
    return Splats(**{name: tensor.detach()[source] for name, tensor in splats.parameters().items()})
