"""Splats are restyled by an instruction and keep their shape to the bit: the dataset update of
Instruct-NeRF2NeRF (arXiv 2303.12789) on their colours.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch

from engine.editing.dataset_update import DatasetUpdate, opaque, update_cameras, updates
from engine.editing.painting_splats import PaintedSplats, recoloured
from engine.editing.texturing import Painting
from engine.loop.messages import SceneCopy
from engine.prior.base import Prior
from engine.render import choose
from engine.scene.splats import Splats
from engine.synchronisation.splat_colours import SEEN, SplatColours


def restyle_splats(copy: SceneCopy, how: DatasetUpdate, prior: Prior) -> Iterator[Painting | PaintedSplats]:
    """`Painting` after each replaced view, and `PaintedSplats` at the end; splats that no view shows keep
    their colours.

    Raises InputError for a prior that does not edit pictures, and for splats that no camera sees.
    """
    scene = copy.scene
    assert isinstance(scene, Splats)
    space = SplatColours(scene, choose(scene, copy.backend), update_cameras(how, prior), solid_only=True)
    before = scene.rgb.detach().T
    after, total = before, how.rounds * space.count
    for step, now in enumerate(updates(space, before, how, prior), 1):
        after = now.canonical
        yield Painting(step, total, opaque(now.dataset))
    yield recoloured(scene, torch.where(space.columns > SEEN, after, before).T)
