"""Some of a mesh's colours change by words, and the rest stays: *the same mug, but with a green handle*.

The mesh's own pictures are noised and denoised twice with the same noise, under the new words and under the
old ones. Where the two differ is what the words are about, found as DiffEdit finds it (arXiv 2210.11427);
only there the new colours are taken. Where whole patches of one colour differ (a handle, a rim), they are
what is meant, and what spills beyond them is left alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from engine.assets.meshes.mesh_shape import ReferenceShape
from engine.core.views import Views
from engine.editing.colour_patches import colour_patches, decided_by_patch
from engine.editing.mesh_views import work_texels
from engine.editing.texturing import Paint, Painted, Painting, Studio, finished, prepared, sampled
from engine.errors import InputError
from engine.loop.reference.guide import MeshModel
from engine.prior.base import Prior
from engine.prior.sampling import sampling_times
from engine.synchronisation.space import initial_noise

CHANGED = 0.002  # share of the texels under which nothing is said to have changed
NOTHING = (
    "The words changed nothing: they name no part of it that looks different by them. Name a part and its "
    "colour: "
    "a mug with a red handle."
)
# difference of colour under which a texel is left alone, and from which on it is new
LEAST, MOST = 0.12, 0.25


@dataclass(frozen=True, kw_only=True)
class Restyle:
    """``was`` are the words for what the mesh shows now; ``strength`` the share of the noise that its
    pictures get.
    """

    paint: Paint
    was: str
    strength: float = 0.98

    def __post_init__(self) -> None:
        if not self.was.strip():
            raise InputError(
                "There are no words for what the mesh is now.",
                'Say it: --was "a red mug with a blue handle".',
            )
        if not 0.1 <= self.strength <= 1:
            raise InputError(
                f"strength is {self.strength}; it must be 0.1 to 1.",
                "Less keeps more of what is there.",
            )


def restyle(shape: ReferenceShape, how: Restyle, prior: Prior) -> Iterator[Painting | Painted]:
    """`Painting` after each step of both passes, and `Painted` at the end. Raises InputError as
    `texturing.paint` does.
    """
    texels = work_texels(shape)
    new = prepared(shape, how.paint, prior, texels=texels)
    old = prepared(shape, replace(how.paint, prompt=how.was), prior, texels=texels)
    pictures = MeshModel(shape).pictures(new.cameras).to(prior.device)
    times = sampling_times(new.prior.schedule, how.paint.steps, start=how.strength)
    drawn: list[Views] = []
    for number, studio in enumerate((old, new)):
        views = None
        x = _noised(studio, pictures, times[0], how.paint.seed)
        for step, x0 in enumerate(sampled(studio, x, times, how.paint), 1):
            views = studio.prior.decode(x0)
            yield Painting(number * len(times) + step, 2 * len(times), views)
        assert views is not None, "there is at least one step"
        drawn.append(views)
    yield _merged(shape, new, drawn[0], drawn[1], how.paint)


def _noised(studio: Studio, pictures: Tensor, time: int, seed: int) -> tuple[Tensor, Tensor]:
    """The mesh's own pictures under common noise: canonical and of the instances."""
    z, noise = initial_noise(studio.space, studio.background.shape[1], torch.Generator().manual_seed(seed))
    clean = studio.prior.encode(_over_background(studio.prior, pictures))
    t = torch.full((len(clean),), time, device=clean.device)
    schedule = studio.prior.schedule
    canonical = schedule.add_noise(studio.space.unproject(clean.cpu())[None], z[None], t[:1].cpu())[0]
    return canonical.to(clean), schedule.add_noise(clean, noise.to(clean), t)


def _over_background(prior: Prior, pictures: Tensor) -> Views:
    """Premultiplied pictures (N,S,S,4) as the prior knows them: with their alpha, or over white."""
    rgb, alpha = pictures[..., :3], pictures[..., 3:]
    empty = torch.zeros_like(alpha)
    return (
        Views(rgb, alpha, empty)
        if prior.info.channels == "rgba"
        else Views(rgb + 1 - alpha, empty + 1, empty)
    )


def _merged(shape: ReferenceShape, studio: Studio, old: Views, new: Views, how: Paint) -> Painted:
    """The mesh's own colours, and the new ones where the two passes differ."""
    texels, space = studio.final(shape, how, new.rgb.shape[1])
    before, after = (space.unproject(_plain(views)).T.numpy() for views in (old, new))
    own = shape.face_colours[texels.owners]
    share = np.clip((np.abs(after - before).max(1) - LEAST) / (MOST - LEAST), 0, 1)
    share = decided_by_patch(share, colour_patches(shape)[texels.owners])
    changed = float((share > 0.5).mean())
    done = finished(shape, texels, own + share[:, None] * (after - own))
    return replace(
        done, notes=(NOTHING,) if changed < CHANGED else (f"{changed:.0%} of the surface has new colours.",)
    )


def _plain(views: Views) -> Tensor:
    return (views.rgb / views.alpha.clamp(min=0.05)).clamp(0, 1).movedim(-1, 1).cpu()
