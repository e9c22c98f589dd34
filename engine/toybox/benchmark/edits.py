"""How well one part of an object is changed by words, and how well the rest stays: in a box, by restyling, or
made anew.

Held-out objects of two colours are given as a mesh (as splats, where a box changes them); the words give the
second part another colour. *Part right*: the classifier names the new colour, over eight sides. *Rest*: PSNR
to the object before, of eight pictures, where no box lies in front (in a box, and made anew) or where the
true objects before and after are alike (restyled).
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from engine.assets.export.bake import texels_of
from engine.assets.meshes.mesh_shape import ReferenceShape
from engine.core.boxes import Box, read_boxes
from engine.core.cameras import Cameras, orbit_cameras
from engine.core.views import Views
from engine.editing.mesh_to_splats import write_mesh_as_splats
from engine.editing.restyling import Restyle, restyle
from engine.editing.texturing import Paint, Painted, finished
from engine.loop.init_from_file import read_start_file
from engine.loop.messages import Finished, SceneCopy, Unattended
from engine.loop.region import editable
from engine.loop.run import run
from engine.loop.settings import Settings
from engine.prior.base import Prior
from engine.prior.toybox.info import DISTANCE, FOV_DEG
from engine.render import choose
from engine.toybox.benchmark.assets import generate
from engine.toybox.benchmark.tasks import AZIMUTHS_DEG, ELEVATIONS_DEG, TextTask
from engine.toybox.benchmark.texture import FINE, drawn_all_round, parts_right
from engine.toybox.captions import plain_caption
from engine.toybox.classifier import COLOUR_WORDS, ToyClassifier, base_colour
from engine.toybox.objects import ToyObject, draw_object

SIDE, MARGIN = 64, 0.05
IN_A_BOX, RESTYLED, ANEW = "changed in a box", "restyled", "made anew (baseline)"


@dataclass(frozen=True)
class EditTask:
    """The object of ``task``, whose ``part`` gets the base colour ``colour``."""

    task: TextTask
    part: str
    colour: str

    @staticmethod
    def of(task: TextTask) -> EditTask:
        """Its second part in the first colour, in the order of the words, that nothing of it has."""
        taken = {base_colour(words) for words in task.object.part_colours.values()}
        free = [word for word in COLOUR_WORDS if word not in taken]
        return EditTask(
            task, next(part for part in task.colours if part != "body"), free[task.index % len(free)]
        )

    @property
    def after(self) -> ToyObject:
        """The true object after."""
        return draw_object(self.task.seed, self.task.kind, {**self.task.colours, self.part: self.colour})

    @property
    def words(self) -> str:
        """What it is then."""
        return plain_caption(self.after)

    @property
    def box(self) -> Box:
        """Round the part, which is where the two objects' faces differ."""
        before, after = self.task.object.mesh, self.after.mesh
        faces = np.abs(before.face_colours - after.face_colours).max(1) > 0.1
        corners = before.vertices[before.faces[faces]].reshape(-1, 3)
        low, high = corners.min(0) - MARGIN, corners.max(0) + MARGIN
        (box,) = read_boxes(",".join(f"{axis}={a:.3f}:{b:.3f}" for axis, a, b in zip("xyz", low, high)))
        return box

    def right(self, pictures: np.ndarray, classifier: ToyClassifier) -> float:
        """Whether premultiplied pictures (8,S,S,4) show the part in its new colour, 0 or 1."""
        return parts_right(pictures, replace(self.task, colours={self.part: self.colour}), classifier)


@dataclass(frozen=True)
class EditResult:
    """One object, edited in one way."""

    row: str
    right: float
    rest_db: float
    seconds: float


def measure_edits(
    task: EditTask, region: Settings, anew: Settings, how: Paint, prior: Prior, classifier: ToyClassifier
) -> Iterator[EditResult]:
    """The three ways."""
    mesh = task.task.object.mesh
    shape = ReferenceShape(mesh.vertices, mesh.faces, mesh.face_colours, task.task.kind)
    with tempfile.TemporaryDirectory() as folder:
        start = Path(folder) / "before.ply"
        write_mesh_as_splats(shape, start)
        before = SceneCopy(0, 0, read_start_file(start).splats, "auto", FOV_DEG, DISTANCE)
        began = time.process_time()
        after = changed_in_box(task, region, start, prior)
        yield _judged(IN_A_BOX, task, before, after, classifier, time.process_time() - began)
        began = time.process_time()
        new = generate(task.words, task.task.index, anew, prior).refined
        yield _judged(ANEW, task, before, new, classifier, time.process_time() - began)
    began = time.process_time()
    *_, done = restyle(shape, Restyle(paint=replace(how, prompt=task.words), was=task.task.prompt), prior)
    assert isinstance(done, Painted)
    yield _restyled(task, shape, done, classifier, time.process_time() - began)


def changed_in_box(task: EditTask, settings: Settings, start: Path, prior: Prior) -> SceneCopy:
    """The scene after a run that may change the part's box alone."""
    spec = replace(
        settings.spec,
        prompt=task.words,
        region_was=task.task.prompt,
        region=str(task.box),
        start="file",
        start_file=str(start),
        seed=task.task.index,
    )
    finished = [
        event
        for event in run(spec, settings.knobs, Unattended(), lambda _: prior)
        if isinstance(event, Finished)
    ]
    return finished[0].copy


def _judged(
    row: str, task: EditTask, before: SceneCopy, after: SceneCopy, classifier: ToyClassifier, seconds: float
) -> EditResult:
    cameras = orbit_cameras(list(AZIMUTHS_DEG), list(ELEVATIONS_DEG), DISTANCE, FOV_DEG, SIDE)
    was, now = (_drawn(copy, cameras) for copy in (before, after))
    outside = (1 - editable(was, cameras, (task.box,)))[..., 0] > 0.5
    rest = decibels(now.rgba[outside].numpy(), was.rgba[outside].numpy())
    return EditResult(row, task.right(now.rgba.numpy(), classifier), rest, seconds)


def _drawn(copy: SceneCopy, cameras: Cameras) -> Views:
    with torch.no_grad():
        return choose(copy.scene, copy.backend).render(copy.scene, cameras, None)


def _restyled(
    task: EditTask, shape: ReferenceShape, done: Painted, classifier: ToyClassifier, seconds: float
) -> EditResult:
    # both without light
    was, now = (each.pictures.astype(np.float32) / 255 for each in (_baked(shape), done))
    same = np.abs(drawn_all_round(shape, FINE) - _true_after(task, shape)).max(-1) < 0.02
    both = (was[..., 3] > 0.9) & (now[..., 3] > 0.9) & same
    rest = decibels(now[..., :3][both], was[..., :3][both])
    return EditResult(RESTYLED, task.right(now, classifier), rest, seconds)


def _baked(shape: ReferenceShape) -> Painted:
    """The mesh in its own colours, as results are shown."""
    texels = texels_of(shape.vertices.astype(np.float64), shape.faces, Paint(prompt="-").texture_size)
    return finished(shape, texels, shape.face_colours[texels.owners])


def _true_after(task: EditTask, shape: ReferenceShape) -> np.ndarray:
    return drawn_all_round(replace(shape, face_colours=task.after.mesh.face_colours), FINE)


def decibels(a: np.ndarray, b: np.ndarray) -> float:
    """PSNR of numbers in 0..1."""
    return float(-10 * np.log10(max(float(np.square(a - b).mean()), 1e-9)))


def edits_table(results: Sequence[EditResult]) -> str:
    """Markdown, a row for each way; the rest as the mean of the objects, and the least of them."""
    lines = ["| edit | part right | rest (dB) | least | CPU seconds |", "| --- | --- | --- | --- | --- |"]
    for row in dict.fromkeys(result.row for result in results):
        group = [result for result in results if result.row == row]
        rest = [each.rest_db for each in group]
        means = (np.mean([getattr(each, name) for each in group]) for name in ("right", "seconds"))
        right, seconds = (float(mean) for mean in means)
        lines.append(f"| {row} | {right:.0%} | {np.mean(rest):.1f} | {min(rest):.1f} | {seconds:.1f} |")
    return "\n".join(lines)
