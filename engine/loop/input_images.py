"""Pictures of the object that an artist gives: what they show, from where, and how far a scene is from
them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.assets.images.camera_pose import can_estimate, estimated_elevation_deg, estimated_turn_deg
from engine.assets.images.crop import framed
from engine.assets.images.image_arguments import Listed, ListedCrop, crops_in, pictures_in
from engine.assets.images.input_files import existing_file
from engine.assets.images.mono_depth import relief_loss
from engine.assets.images.mono_normals import facing_loss
from engine.assets.images.preprocessing import cut_photo, square_of
from engine.core.cameras import Cameras, orbit_cameras
from engine.core.views import Views, composite
from engine.loop.image_settings import AUTO, OFF
from engine.loop.spec import RunSpec
from engine.prior.base import CleanViews, Prior, PriorInfo
from engine.prior.image_prompt.prior import clean_views_of
from engine.prior.vision.depth_estimator import load_estimator
from engine.prior.vision.normal_estimator import load_normal_estimator

RELIEF_SIDE = 256
"""Pixels a side of the pictures that estimators of relief and normals are shown."""


@dataclass(frozen=True, eq=False)
class GivenViews:
    """M given pictures: ``rgba`` (M,S,S,4) premultiplied, seen from ``cameras``, each counting by ``weights``
    (M,).

    ``notes`` say in words what was done to them. ``nearness`` (M,S,S,1) is their relief up to scale and
    shift, larger where nearer, and ``normals`` (M,S,S,3) are unit vectors in each camera's axes, where
    estimators were asked.
    """

    rgba: Tensor
    cameras: Cameras
    weights: Tensor
    notes: tuple[str, ...] = ()
    nearness: Tensor | None = None
    normals: Tensor | None = None

    def __len__(self) -> int:
        return len(self.rgba)

    def __getitem__(self, chosen: Tensor) -> GivenViews:
        """Those at an index tensor."""
        return self._each(lambda part: part[chosen])

    def to(self, device: torch.device | str) -> GivenViews:
        """The same pictures on another device."""
        return self._each(lambda part: part.to(device))

    def resized(self, size: int) -> GivenViews:
        """The same pictures at ``size`` pixels a side, averaged."""
        if self.rgba.shape[1] == size:
            return self
        return replace(
            self,
            rgba=_averaged(self.rgba, size),
            cameras=self.cameras.resized(size),
            nearness=None if self.nearness is None else _averaged(self.nearness, size),
            normals=None if self.normals is None else _averaged_normals(self.normals, size),
        )

    def _each(self, change: Callable[[Any], Any]) -> GivenViews:
        """With all that there is once a picture changed."""
        names = ("rgba", "cameras", "weights", "nearness", "normals")
        parts = {name: getattr(self, name) for name in names}
        return replace(self, **{name: None if part is None else change(part) for name, part in parts.items()})


def _averaged(pictures: Tensor, size: int) -> Tensor:
    """Pictures (M,S,S,C) at ``size`` pixels a side."""
    planes = torch.nn.functional.interpolate(pictures.permute(0, 3, 1, 2), (size, size), mode="area")
    return planes.permute(0, 2, 3, 1)


def _averaged_normals(normals: Tensor, size: int) -> Tensor:
    """Unit vectors (M,S,S,3) at ``size`` pixels a side."""
    return torch.nn.functional.normalize(_averaged(normals, size), dim=-1)


def given_views(spec: RunSpec, info: PriorInfo, folder: Path | None = None) -> GivenViews | None:
    """The pictures of ``spec``, cut out and framed, by cameras as the prior's; None if there are none.

    Relative paths are looked for in ``folder`` first. Raises InputError, MissingError or FileFormatError for
    one that cannot be used.
    """
    pictures = pictures_in(spec.images)
    if not pictures:
        return None
    size = max(spec.render_size, info.resolution) if info.takes_images else spec.render_size
    shown, notes = _all_shown(spec, size, folder)
    azimuths = [picture.azimuth_deg for picture in pictures]
    cameras = orbit_cameras(azimuths, spec.image_elevation_deg, info.distance, info.fov_deg, size)
    weights = torch.tensor([picture.weight for picture in pictures])
    given = GivenViews(torch.from_numpy(shown), cameras, weights, notes)
    return _estimated(given, spec, folder, size)


def stood(given: GivenViews, spec: RunSpec, prior: Prior) -> GivenViews:
    """The same pictures by cameras where ``prior`` knows them best from, in what ``spec`` wants estimated,
    and notes of it.

    Where the prior cannot say, the cameras stay and a note tells so.
    """
    info = prior.info
    if AUTO not in (spec.image_azimuth, spec.image_elevation):
        return given
    if not can_estimate(info):
        note = f"The prior {info.id} cannot tell where the camera stood; the place that was set is used."
        return replace(given, notes=(*given.notes, note))
    small = given.to(prior.device).resized(info.resolution).rgba
    with torch.no_grad():
        x = prior.encode(Views(small[..., :3], small[..., 3:], torch.zeros_like(small[..., 3:])))
    azimuths, elevation, notes = given.cameras.azimuths_deg().tolist(), spec.image_elevation_deg, given.notes
    if spec.image_azimuth == AUTO:
        turn = estimated_turn_deg(x, azimuths, prior)
        azimuths = [azimuth + turn for azimuth in azimuths]
        notes += (
            f"The side of the camera was estimated: {(azimuths[0] + 180) % 360 - 180:.0f}° beside the front.",
        )
    if spec.image_elevation == AUTO:
        elevation = estimated_elevation_deg(x, azimuths, prior)
        notes += (f"The height of the camera was estimated: {elevation:.0f}°.",)
    cameras = orbit_cameras(azimuths, elevation, info.distance, info.fov_deg, given.cameras.width)
    return replace(given, cameras=cameras, notes=notes)


def _estimated(given: GivenViews, spec: RunSpec, folder: Path | None, size: int) -> GivenViews:
    """With what the estimators of ``spec`` say of each picture over white, at ``size`` pixels a side."""
    if spec.image_relief == spec.image_normals == OFF:
        return given
    shown, _ = _all_shown(spec, RELIEF_SIDE, folder)
    over_white = shown[..., :3] + 1 - shown[..., 3:]
    if spec.image_relief != OFF:
        relief = load_estimator(spec.image_relief)
        nearness = np.stack([relief.nearness(picture) for picture in over_white])[..., None]
        given = replace(given, nearness=_averaged(torch.from_numpy(nearness), size))
    if spec.image_normals != OFF:
        facing = load_normal_estimator(spec.image_normals)
        normals = np.stack([facing.normals(picture) for picture in over_white])
        given = replace(given, normals=_averaged_normals(torch.from_numpy(normals), size))
    return given


def shown_pictures(spec: RunSpec, size: int) -> tuple[np.ndarray, list[float]]:
    """The pictures (M,size,size,4) of ``spec``, cut out and framed, premultiplied, and what each counts; at
    least one.

    Raises as `given_views`.
    """
    return _all_shown(spec, size, None)[0], [picture.weight for picture in pictures_in(spec.images)]


def _all_shown(spec: RunSpec, size: int, folder: Path | None) -> tuple[np.ndarray, tuple[str, ...]]:
    """The pictures (M,size,size,4), of which there is at least one, and what was done to them in words."""
    pictures = pictures_in(spec.images)
    crops = crops_in(spec.image_crops, len(pictures))
    each = [_shown(picture, crop, spec, size, folder) for picture, crop in zip(pictures, crops, strict=True)]
    return np.stack([rgba for rgba, _ in each]), tuple(note for _, notes in each for note in notes)


def _shown(
    picture: Listed, crop: ListedCrop | str, spec: RunSpec, size: int, folder: Path | None
) -> tuple[np.ndarray, tuple[str, ...]]:
    """One picture (size,size,4), and what was done to it."""
    path = existing_file(picture, folder)
    cut = cut_photo(path, spec.image_cut_out)
    return framed(cut.rgba, square_of(cut.rgba, crop, spec.image_fill), size), tuple(
        f"{path.name}: {note}" for note in cut.notes
    )


def clean_views(given: GivenViews | None, prior: Prior) -> CleanViews | None:
    """The given pictures as a condition; None if there are none, or for a prior that takes no pictures."""
    if given is None or not prior.info.takes_images:
        return None
    small = given.resized(prior.info.resolution)
    views = Views(small.rgba[..., :3], small.rgba[..., 3:], torch.zeros_like(small.rgba[..., 3:]))
    return clean_views_of(prior, views, small.cameras)


def given_loss(
    given: GivenViews,
    views: Views,
    background: Tensor | None,
    relief_weight: float = 0.0,
    normals_weight: float = 0.0,
) -> Tensor:
    """How far ``views``, rendered from the given cameras over ``background``, are from the pictures: a mean
    by their weights.

    Mean squared errors of colour, the picture laid over the same background, and of alpha (the reference
    view's losses of Magic123, arXiv 2306.17843), and ``relief_weight`` and ``normals_weight`` times how far
    relief and normals are from the estimates, where there are any.
    """
    alpha = given.rgba[..., 3:]
    colour = (views.rgb - composite(given.rgba[..., :3], alpha, background)).square().mean((1, 2, 3))
    mask = (views.alpha - alpha).square().mean((1, 2, 3))
    far = colour + mask
    if given.nearness is not None and relief_weight:
        far = far + relief_weight * relief_loss(views, given.cameras, given.nearness, alpha)
    if given.normals is not None and normals_weight:
        far = far + normals_weight * facing_loss(views, given.cameras, given.normals, alpha)
    return (given.weights * far).sum() / given.weights.sum()


def balance(fidelity: float, given: GivenViews | None) -> tuple[float, float]:
    """What the given pictures and the prior count, each in 0..1: both in full at 0.5, one of them nothing at
    either end.
    """
    return (0.0, 1.0) if given is None else (min(1.0, 2 * fidelity), min(1.0, 2 * (1 - fidelity)))
