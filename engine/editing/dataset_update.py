"""A mesh is restyled by an instruction, *make it red*: Instruct-NeRF2NeRF's dataset update (arXiv 2303.12789,
section 3.2).

Views of the mesh are the dataset. One after the other is drawn anew from what the texture shows now, by a
prior that edits pictures and is given the view as it was at first; then the texture is fitted to all views
again. The paper's scene takes gradient steps between two replacements; a texture's least-squares fit is
known, the weighted mean of what the views say of each texel. With Gaussian data each replacement contracts
the distance to the edit's own mean by ``a std / sqrt(a^2 std^2 + sig^2)``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from engine.assets.export.bake import texels_of
from engine.assets.meshes.mesh_shape import ReferenceShape
from engine.core.cameras import Cameras
from engine.core.views import Views
from engine.editing.mesh_checks import check_mesh, check_room
from engine.editing.mesh_views import mesh_space
from engine.editing.texturing import Paint, Painted, Painting, finished
from engine.errors import InputError
from engine.loop.viewpoints import draft_cameras, draft_count
from engine.prior.base import Condition, Prior, Prompts, Source
from engine.prior.sampling import ddim, empty_prompt, sampling_times
from engine.synchronisation.space import CanonicalSpace

PAPER = 1.0  # what rgb priors see beside the mesh


@dataclass(frozen=True, kw_only=True)
class DatasetUpdate:
    """``paint.prompt`` is the instruction, its ``guidance_scale`` s_T, its ``steps`` those of one
    replacement.

    ``image_guidance_scale`` is s_I, ``rounds`` how often each view is replaced, ``noise`` between which
    shares of the schedule a view is noised. Raises InputError for what is out of range.
    """

    paint: Paint
    image_guidance_scale: float = 1.5
    rounds: int = 3
    noise: tuple[float, float] = (0.02, 0.98)

    def __post_init__(self) -> None:
        if not 1 <= self.rounds <= 100:
            raise InputError(
                f"rounds is {self.rounds}; it must be 1 to 100.", "3 replace each view three times."
            )
        if not 1 <= self.image_guidance_scale <= 10:
            what = f"image_guidance_scale is {self.image_guidance_scale}; it must be 1 to 10."
            raise InputError(what, "1 switches it off; more keeps more of the pictures.")
        if not 0 < self.noise[0] <= self.noise[1] < 1:
            raise InputError(
                f"noise is {self.noise}; it must rise within 0 to 1.", "The usual is 0.02 to 0.98."
            )


def update_of(paint: Paint, image_guidance_scale: float | None) -> DatasetUpdate:
    """The usual update by an instruction; None is the usual s_I. Raises InputError."""
    usual = DatasetUpdate(paint=paint)
    if image_guidance_scale is None:
        return usual
    return replace(usual, image_guidance_scale=image_guidance_scale)


@dataclass(frozen=True, eq=False)
class Updated:
    """The canonical colours (3,...) in 0..1, and the views (N,3,h,w) that they were fitted to."""

    canonical: Tensor
    dataset: Tensor


def update_dataset(shape: ReferenceShape, how: DatasetUpdate, prior: Prior) -> Iterator[Painting | Painted]:
    """`Painting` after each replaced view, and `Painted` at the end, in the canonical pose.

    Raises InputError for a mesh without faces, and for a prior that does not edit pictures.
    """
    check_mesh(shape)
    check_room(how.paint.texture_size, how.paint.views)
    cameras = update_cameras(how, prior)
    texels = texels_of(shape.vertices.astype(np.float64), shape.faces, how.paint.texture_size)
    space = mesh_space(shape, texels, cameras, how.paint.cosine_power)
    z = torch.from_numpy(np.ascontiguousarray(shape.face_colours[texels.owners].T, np.float32))
    done, total = z, how.rounds * space.count
    for step, now in enumerate(updates(space, z, how, prior), 1):
        done = now.canonical
        yield Painting(step, total, opaque(now.dataset))
    yield finished(shape, texels, done.clamp(0, 1).T.numpy())


def update_cameras(how: DatasetUpdate, prior: Prior) -> Cameras:
    """From where the pictures are taken. Raises InputError for a prior that does not edit pictures."""
    if not prior.info.takes_source:
        raise InputError(
            f"{prior.info.title} edits no pictures.",
            "Choose an InstructPix2Pix prior, or toybox's own restyle.",
        )
    count = draft_count(prior.info, how.paint.views)
    return draft_cameras(prior.info, count, prior.info.resolution).to(prior.device)


def updates(space: CanonicalSpace, z: Tensor, how: DatasetUpdate, prior: Prior) -> Iterator[Updated]:
    """After each replaced view; ``z`` (3,...) in 0..1 are the colours before."""
    first = dataset = shown(space, z)
    rng = torch.Generator().manual_seed(how.paint.seed)
    words, nothing = prior.embed(prior.info.worded(how.paint.prompt)), empty_prompt(prior)
    mask = space.project(z)[1]
    for _ in range(how.rounds):
        for i in torch.randperm(space.count, generator=rng).tolist():
            source = Source(prior.encode(opaque(first[i : i + 1])).to(prior.device), how.image_guidance_scale)
            prompts = Prompts(Condition(words, source=source), Condition(nothing, source=source))
            drawn = _replaced(prior, prompts, shown(space, z)[i : i + 1], how, rng)
            dataset = dataset.clone()
            dataset[i] = torch.lerp(first[i], drawn[0], mask[i])
            z = space.unproject(dataset)
            yield Updated(z, dataset)


def _replaced(
    prior: Prior, prompts: Prompts, picture: Tensor, how: DatasetUpdate, rng: torch.Generator
) -> Tensor:
    """A picture (1,3,h,w) noised to a random time and denoised as it shall be."""
    low, high = how.noise
    start = low + (high - low) * float(torch.rand((), generator=rng))
    times = sampling_times(prior.schedule, how.paint.steps, start=start)
    x = prior.encode(opaque(picture)).to(prior.device)
    noise = torch.randn(x.shape, generator=rng).to(x)
    noised = prior.schedule.add_noise(x, noise, torch.full((1,), times[0], device=x.device))
    *_, x0 = ddim(prior, prompts, noised, times, how.paint.guidance_scale)
    return prior.decode(x0).rgb.movedim(-1, 1).to(picture)


def shown(space: CanonicalSpace, z: Tensor) -> Tensor:
    """What the cameras see of colours (3,...), over white (N,3,h,w)."""
    pictures, mask = space.project(z)
    return pictures + (1 - mask) * PAPER


def opaque(pictures: Tensor) -> Views:
    """Pictures (N,3,h,w) with nothing behind them."""
    rgb = pictures.movedim(1, -1)
    return Views(rgb, torch.ones_like(rgb[..., :1]), torch.zeros_like(rgb[..., :1]))
