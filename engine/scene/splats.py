"""3D Gaussian splats (arXiv 2308.04079): a cloud of soft coloured ellipsoids.

The optimiser moves raw numbers; renderers see them activated: scales by exp, opacities and colours by the
logistic function. Colour is one bounded value a splat and does not depend on the view (spherical harmonics of
degree 0): guidance methods push colours hard, and a bounded one cannot run away.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from engine.errors import FileFormatError, InputError

LEARNING_RATES = {"means": 0.008, "log_scales": 0.02, "quats": 0.02, "logit_opacities": 0.06, "colours": 0.04}
"""Adam's rates for objects that fill a unit sphere."""


@dataclass(frozen=True, eq=False)
class Splats:
    """N raw Gaussians.

    ``means`` (N,3) in the world, ``log_scales`` (N,3), ``quats`` (N,4) w,x,y,z of any length,
    ``logit_opacities`` (N,), ``colours`` (N,3) logits of RGB.
    """

    kind: ClassVar[str] = "splats"

    means: Tensor
    log_scales: Tensor
    quats: Tensor
    logit_opacities: Tensor
    colours: Tensor

    def __post_init__(self) -> None:
        n = len(self.means)
        shapes = {name: tuple(tensor.shape) for name, tensor in self.parameters().items()}
        wanted = {
            "means": (n, 3),
            "log_scales": (n, 3),
            "quats": (n, 4),
            "logit_opacities": (n,),
            "colours": (n, 3),
        }
        if shapes != wanted:
            raise InputError(
                f"Splat tensors have shapes {shapes}, not {wanted}.", "Give one row of each for every splat."
            )

    def __len__(self) -> int:
        return len(self.means)

    @property
    def device(self) -> torch.device:
        """Where the tensors live."""
        return self.means.device

    @property
    def scales(self) -> Tensor:
        """Standard deviations (N,3) along the splat's own axes, in world units."""
        return self.log_scales.exp()

    @property
    def opacities(self) -> Tensor:
        """Peak opacities (N,) in 0..1."""
        return self.logit_opacities.sigmoid()

    @property
    def rgb(self) -> Tensor:
        """Colours (N,3) in 0..1."""
        return self.colours.sigmoid()

    @property
    def unit_quats(self) -> Tensor:
        """Rotations (N,4) as unit quaternions w,x,y,z."""
        return torch.nn.functional.normalize(self.quats, dim=-1)

    def parameters(self) -> dict[str, Tensor]:
        """The raw tensors by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def learning_rates(self) -> dict[str, float]:
        """Adam's base rate for each raw tensor."""
        return dict(LEARNING_RATES)

    def frozen_copy(self) -> Splats:
        """The splats as they are now, in memory of their own and without history."""
        return Splats(**{name: tensor.detach().clone() for name, tensor in self.parameters().items()})

    def to(self, device: torch.device | str) -> Splats:
        """The same splats on another device, as fresh leaves."""
        return Splats(**{name: tensor.detach().to(device) for name, tensor in self.parameters().items()})

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Copies of the raw tensors, for checkpoints."""
        return {name: tensor.detach().cpu().numpy().copy() for name, tensor in self.parameters().items()}

    @staticmethod
    def from_arrays(arrays: dict[str, np.ndarray]) -> Splats:
        """The inverse of ``to_arrays``; raises FileFormatError when arrays are missing or do not fit
        together.
        """
        missing = [field.name for field in fields(Splats) if field.name not in arrays]
        if missing:
            raise FileFormatError(
                f"A splat checkpoint lacks {', '.join(missing)}.", "Load a checkpoint of a splat scene."
            )
        try:
            return Splats(
                **{
                    field.name: torch.from_numpy(np.array(arrays[field.name], np.float32))
                    for field in fields(Splats)
                }
            )
        except InputError as error:
            raise FileFormatError(
                f"This splat checkpoint is broken. {error.what}", "Load another checkpoint."
            ) from error


def random_ball(n: int, radius: float, scale: float, rng: torch.Generator, opacity: float = 0.1) -> Splats:
    """``n`` grey isotropic splats of size ``scale``, spread evenly through a ball round the origin."""
    directions = torch.nn.functional.normalize(torch.randn(n, 3, generator=rng), dim=1)
    distances = radius * torch.rand(n, 1, generator=rng) ** (1 / 3)
    return from_points(directions * distances, torch.full((n, 3), 0.5), scale, opacity)


def from_points(points: Tensor, colours: Tensor, scale: float | Tensor, opacity: float) -> Splats:
    """Isotropic splats at ``points`` (N,3) with ``colours`` (N,3) in 0..1; ``scale`` is one size or (N,)
    sizes.

    Colours are drawn in to 0.01..0.99, where the logistic function still has a slope. Raises InputError if
    ``scale`` is not positive or ``opacity`` not strictly between 0 and 1.
    """
    scales = torch.as_tensor(scale, dtype=torch.float32).expand(len(points))
    if not (scales > 0).all() or not 0 < opacity < 1:
        raise InputError(
            f"Splats were asked for with scale {scale} and opacity {opacity}.",
            "Give a positive scale and an opacity strictly between 0 and 1.",
        )
    points = points.detach().to(torch.float32)
    return Splats(
        means=points.clone(),
        log_scales=scales.to(points.device).log()[:, None].repeat(1, 3),
        quats=points.new_tensor([1.0, 0, 0, 0]).repeat(len(points), 1),
        logit_opacities=torch.logit(points.new_full((len(points),), opacity)),
        colours=torch.logit(colours.detach().to(points).clamp(0.01, 0.99)),
    )


def covariances(splats: Splats) -> Tensor:
    """Covariance matrices (N,3,3): R S S^T R^T."""
    axes = rotation_matrices(splats.unit_quats) * splats.scales[:, None, :]
    return axes @ axes.transpose(1, 2)


def rotation_matrices(unit_quats: Tensor) -> Tensor:
    """Rotations (N,3,3) of unit quaternions (N,4) w,x,y,z."""
    w, x, y, z = unit_quats.unbind(-1)
    rows = [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y),
            2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
            2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)]  # fmt: skip
    return torch.stack(rows, dim=-1).reshape(-1, 3, 3)


def smoothed(splats: Splats, sigma: float) -> Splats:
    """Each splat convolved with a round Gaussian of standard deviation ``sigma`` in world units."""
    return replace(splats, log_scales=0.5 * torch.log(splats.scales.square() + sigma**2))
