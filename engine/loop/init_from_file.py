"""What a run sets out from when that is a finished result: a splat file, and its pictures for priors that
edit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from engine.assets.export.splat_cloud import SplatCloud, rgb_from_sh0
from engine.assets.export.splat_files import read_splats
from engine.assets.meshes.splats_to_mesh import is_ours, upright
from engine.core.cameras import Cameras
from engine.errors import FileFormatError
from engine.loop.clipping import bounded
from engine.loop.spec import Knobs
from engine.loop.state import Context, RunState
from engine.prior.base import Prompts, Source
from engine.scene.splats import Splats

MOST_SPLATS = 2_000_000
REACH, OUTLIERS = 1.5, 0.02  # a cloud of which more than this share is further out does not fit the cameras
LEAST_REACH = 0.25  # a cloud that reaches less far is in other units
MARGIN = 1e-3  # opacities and colours are kept this far from 0 and 1, where the logistic function is flat
SMALLEST = 1e-5


@dataclass(frozen=True, eq=False)
class StartFile:
    """The ``splats`` of a file, and in words what was done to them."""

    splats: Splats
    notes: tuple[str, ...]


def read_start_file(path: str | Path) -> StartFile:
    """The splats of a file (`read_splats`), with one colour each, brought to the size of the unit sphere if
    they are not of it.

    Those of a file that is not ours, which does not say what is up, are turned upright.

    Raises InputError for a file that is not there or cannot be read, FileFormatError for one that holds no
    splats, or too many.
    """
    cloud = read_splats(path, most=MOST_SPLATS)
    if len(cloud.means) == 0:
        raise FileFormatError(f"{path} holds no splats.", "Choose a file of a finished result.")
    cloud = cloud if is_ours(path, cloud) else upright(cloud)
    means, scale = framed(cloud)

    def logit(values: np.ndarray) -> Tensor:
        return torch.logit(torch.from_numpy(np.clip(values, MARGIN, 1 - MARGIN).astype(np.float32)))

    splats = Splats(
        means=torch.from_numpy(means.astype(np.float32)),
        log_scales=torch.from_numpy(np.log(np.maximum(cloud.scales * scale, SMALLEST)).astype(np.float32)),
        quats=torch.from_numpy(cloud.quats.astype(np.float32)),
        logit_opacities=logit(cloud.opacities),
        colours=logit(rgb_from_sh0(cloud.sh0)),
    )
    return StartFile(splats, tuple(f"{Path(path).name}: {note}" for note in cloud.notes))


def framed(cloud: SplatCloud) -> tuple[np.ndarray, float]:
    """Positions (N,3) and a factor for sizes. A cloud that fits stays where it is; another is centred and
    brought to radius 1.
    """
    distance = np.linalg.norm(cloud.means, axis=1)
    if (distance > REACH).mean() <= OUTLIERS and np.quantile(distance, 1 - OUTLIERS) >= LEAST_REACH:
        return cloud.means, 1.0
    centred = cloud.means - np.median(cloud.means, axis=0)
    radius = float(np.quantile(np.linalg.norm(centred, axis=1), 1 - OUTLIERS))
    radius = radius or 1.0  # all in one point
    return centred / radius, 1 / radius


def keep_source(context: Context, state: RunState) -> None:
    """Remember the scene as it is, for a prior that edits; where only a region changes, it is known
    already.
    """
    if context.prior.info.takes_source and state.source is None:
        state.source = state.scene.frozen_copy()


def with_source(
    prompts: Prompts, cameras: Cameras, behind: Tensor | None, context: Context, state: RunState, knobs: Knobs
) -> Prompts:
    """``prompts`` with pictures of the scene as it was, from ``cameras`` over the background ``behind``, if
    it was kept.
    """
    if state.source is None or not context.prior.info.takes_source:
        return prompts
    with torch.no_grad():
        views = state.renderer.render(state.source, cameras, behind)
        source = Source(context.prior.encode(bounded(views, knobs)), knobs.image_guidance_scale)
    return prompts.map(lambda condition: replace(condition, source=source))
