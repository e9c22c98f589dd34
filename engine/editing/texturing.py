"""A mesh gets a texture from words: views of it are denoised together, held to one texture (SyncTweedies,
arXiv 2403.14370).

The geometry is told to the prior by what it takes: toybox's reference controller sees the mesh's canonical
coordinates, a latent prior its depth through a ControlNet. The mesh itself does not change.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from engine.assets.export.bake import Baked, TexelMap, texels_of
from engine.assets.meshes.mesh_shape import ReferenceShape
from engine.core.cameras import Cameras
from engine.core.views import Views
from engine.editing.mesh_checks import check_mesh, check_room
from engine.editing.mesh_views import mesh_space, rendered, sheet_cameras, work_texels
from engine.errors import InputError
from engine.loop.reference.guide import Guide, MeshModel, guide_by, with_reference
from engine.loop.spec import Knobs, RunSpec
from engine.loop.state import Context
from engine.loop.viewpoints import draft_cameras, draft_count
from engine.prior.abilities import LooksAlongSurfaces
from engine.prior.attachments import attachments_for
from engine.prior.base import Prediction, Prior, Prompts
from engine.prior.control.control import load_control
from engine.prior.sampling import sampling_times
from engine.synchronisation.sampler import synchronised
from engine.synchronisation.space import initial_noise
from engine.synchronisation.splat_colours import SplatColours
from engine.synchronisation.texture import TextureSpace

STRATEGIES = ("together", "in turn", "distilled")
"""All views at once; one view after the other, each keeping what the ones before painted; or by score
distillation.
"""


@dataclass(frozen=True, kw_only=True)
class Paint:
    """How to paint. ``strategy`` is one of `STRATEGIES`.

    Together: ``case`` is one of `synchronisation.cases`; ``until`` is the share of the steps that are held
    together. ``control`` names a ControlNet, ``control_strengths`` its scale at full noise and at none, with
    a straight ramp between. With ``correspondence`` views attend to each other along the surface, for priors
    that can (`LooksAlongSurfaces`). ``consistent_noise``: together, views of one texel begin with the same
    noise there; else each with its own.
    """

    prompt: str
    views: int = 8
    steps: int = 30
    guidance_scale: float = 3.0
    case: int = 2
    until: float = 0.8
    seed: int = 0
    texture_size: int = 512
    cosine_power: float = 2.0
    control: str = "off"
    control_strengths: tuple[float, float] = (0.9, 0.7)
    correspondence: bool = False
    consistent_noise: bool = True
    strategy: str = "together"

    def __post_init__(self) -> None:
        allowed = {
            "views": (1, 32),
            "steps": (2, 1000),
            "texture_size": (64, 4096),
            "until": (0, 1),
            "guidance_scale": (1, 100),
        }
        for name, (low, high) in allowed.items():
            if not low <= getattr(self, name) <= high:
                raise InputError(
                    f"{name} is {getattr(self, name)}; it must be {low} to {high}.",
                    "Give a value in that range.",
                )
        if not all(0 <= strength <= 2 for strength in self.control_strengths):
            what = f"control_strengths are {self.control_strengths}; each must be 0 to 2."
            raise InputError(what, "0.9 at first and 0.7 at last is usual.")
        if self.strategy not in STRATEGIES:
            raise InputError(f"strategy is {self.strategy!r}.", f"Choose one of {', '.join(STRATEGIES)}.")
        if not self.prompt.strip():
            raise InputError(
                "There are no words to paint by.", "Say what it shall look like: a red chair with blue legs."
            )


@dataclass(frozen=True, eq=False)
class Painting:
    """Underway: ``step`` of ``steps`` is done, and ``views`` (N,h,w,...) are what the prior sees now."""

    step: int
    steps: int
    views: Views


@dataclass(frozen=True, eq=False)
class Painted:
    """Done: the mesh with its texture, and ``pictures`` (8,S,S,4) uint8 premultiplied of it from all round.

    ``notes`` say what a person should know.
    """

    baked: Baked
    pictures: np.ndarray
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Studio:
    """All that painting one mesh by one prompt needs; ``prior`` as it works with its attachments."""

    prior: Prior
    prompts: Prompts
    cameras: Cameras
    space: TextureSpace | SplatColours
    background: Tensor
    alpha: Tensor | None

    def held(self, prediction: Prediction, x_t: Tensor, t: Tensor) -> Prediction:
        """A prediction with nothing beside the mesh, and all of the mesh opaque."""
        mask = self.space.mask.to(x_t)
        x0 = self.opaque(mask * prediction.x0 + (1 - mask) * self.background)
        a, sig = self.prior.schedule.signal_and_noise(t, x_t)
        return Prediction((x_t - a * x0) / sig, x0)

    def opaque(self, x0: Tensor) -> Tensor:
        """Clean views with the mesh's own alpha, for priors that see one."""
        return x0 if self.alpha is None else torch.cat([x0[:, :3], self.alpha.to(x0), x0[:, 4:]], dim=1)

    def painted(self, shape: ReferenceShape, how: Paint, x0: Tensor) -> Painted:
        """The result, of clean views (N,C,h,w)."""
        views = self.prior.decode(x0)
        texels, space = self.final(shape, how, views.rgb.shape[1])
        plain = (views.rgb / views.alpha.clamp(min=0.05)).clamp(0, 1).movedim(-1, 1)
        return finished(shape, texels, space.unproject(plain.cpu()).T.numpy())

    def final(self, shape: ReferenceShape, how: Paint, side: int) -> tuple[TexelMap, TextureSpace]:
        """The texture of the result, and how views of ``side`` pixels see it."""
        texels = texels_of(shape.vertices.astype(np.float64), shape.faces, how.texture_size)
        return texels, mesh_space(shape, texels, self.cameras.resized(side), 2 * how.cosine_power)


def paint(shape: ReferenceShape, how: Paint, prior: Prior) -> Iterator[Painting | Painted]:
    """`Painting` after each step, and `Painted` at the end, in the canonical pose.

    Raises InputError for a mesh without faces, and for a prior that cannot be told of a shape.
    """
    studio = prepared(shape, how, prior)
    rng = torch.Generator().manual_seed(how.seed)
    z, x = initial_noise(studio.space, studio.background.shape[1], rng, consistent=how.consistent_noise)
    noise = z.to(prior.device), x.to(prior.device)
    times, drawn = sampling_times(studio.prior.schedule, how.steps), studio.background
    for step, drawn in enumerate(sampled(studio, noise, times, how), 1):
        yield Painting(step, len(times), studio.prior.decode(drawn))
    yield studio.painted(shape, how, drawn)


def sampled(studio: Studio, noise: tuple[Tensor, Tensor], times: list[int], how: Paint) -> Iterator[Tensor]:
    """The clean views (N,C,h,w) at each time, held together and to the shape."""
    return synchronised(
        studio.prior,
        studio.prompts,
        studio.space,
        noise,
        times,
        how.guidance_scale,
        case=how.case,
        until=how.until,
        corrected=studio.held,
    )


def prepared(
    shape: ReferenceShape,
    how: Paint,
    prior: Prior,
    cameras: Cameras | None = None,
    texels: TexelMap | None = None,
) -> Studio:
    """What is opened and asked once; ``cameras`` and ``texels`` are chosen where none are given. Raises
    InputError as `paint`.
    """
    check_mesh(shape)
    check_room(how.texture_size, how.views)
    spec = RunSpec(how.prompt, reference="mesh", seed=how.seed, control=how.control)
    context, guide = _context(shape, spec, prior)
    count = draft_count(prior.info, how.views)
    cameras = (
        draft_cameras(prior.info, count, prior.info.resolution).to(prior.device)
        if cameras is None
        else cameras
    )
    knobs = _ramp(how) if guide.way == "controlnet" else Knobs()
    context = context.at(knobs, 0)
    prompts = with_reference(context.prompts(cameras), cameras, guide, knobs)
    background = _background(context.prior, cameras)
    texels = texels or work_texels(shape)
    space = mesh_space(shape, texels, cameras.resized(background.shape[-1]), how.cosine_power)
    alpha = alpha_target(context.prior, space) if prior.info.channels == "rgba" else None
    working = joined(context.prior, shape, cameras) if how.correspondence else context.prior
    return Studio(working, prompts, cameras, space, background, alpha)


def joined(prior: Prior, shape: ReferenceShape, cameras: Cameras) -> Prior:
    """``prior`` with views that attend to each other along the mesh. Raises InputError for one that
    cannot.
    """
    if not isinstance(prior, LooksAlongSurfaces):
        raise InputError(
            f"Views of {prior.info.title} cannot attend along a surface.",
            "Paint all views together without it, or with toybox.",
        )
    maps = rendered(shape, cameras.resized(prior.info.resolution))
    points, mask = torch.from_numpy(2 * maps.ccm - 1), torch.from_numpy(maps.rgba[..., 3] > 0.5)
    return prior.along_surface(points, mask, cameras.resized(prior.info.resolution))


def _ramp(how: Paint) -> Knobs:
    """A ControlNet's scale, which follows the noise as a reference's influence does."""
    early, late = how.control_strengths
    return Knobs(control_strength=1.0, reference_early=early, reference_late=late)


def finished(shape: ReferenceShape, texels: TexelMap, colours: np.ndarray) -> Painted:
    """The mesh with display ``colours`` (T,3) in 0..1 on its texels."""
    z = torch.from_numpy(np.ascontiguousarray(colours.T, np.float32))
    shown, mask = mesh_space(shape, texels, sheet_cameras(), 1.0).project(z)
    pictures = (torch.cat([shown, mask], dim=1).movedim(1, -1).clamp(0, 1) * 255 + 0.5).to(torch.uint8)
    return Painted(texels.baked(colours), pictures.numpy())


def _context(shape: ReferenceShape, spec: RunSpec, prior: Prior) -> tuple[Context, Guide]:
    attachments = attachments_for(prior, spec.control, "", load_control)
    guide = replace(guide_by(MeshModel(shape), spec, prior, None), chosen=True)
    if guide.way == "shape":
        raise InputError(
            f"{prior.info.title} cannot be told of a shape, so it would not fit its paint.",
            "Use toybox, or a Stable Diffusion prior with a depth ControlNet (--control).",
        )
    return Context.of(spec, prior, attachments, None, guide), guide


def _background(prior: Prior, cameras: Cameras) -> Tensor:
    """What the prior reads of an empty picture, for each camera (N,C,h,w)."""
    side = prior.info.resolution
    empty = torch.zeros(len(cameras), side, side, 1, device=prior.device)
    shade = 0.0 if prior.info.channels == "rgba" else 1.0
    with torch.no_grad():
        return prior.encode(Views((empty + shade).expand(-1, -1, -1, 3), empty, empty))


def alpha_target(prior: Prior, space: TextureSpace | SplatColours) -> Tensor:
    """The alpha channel (N,1,h,w) of the mesh's outlines, as the prior reads it."""
    mask = space.mask.movedim(1, -1).to(prior.device)
    return prior.encode(Views(mask.expand(-1, -1, -1, 3), mask, mask))[:, 3:4]
