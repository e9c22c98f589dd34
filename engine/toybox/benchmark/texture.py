"""How well an object that was stripped of its colours gets them back from its caption, by each way of
painting.

*Part colour right*: the classifier names the colour of each part that the caption names, over eight sides.
*PSNR to truth*: of pictures from the same sides, where the object shows; the caption fixes the named parts
alone. *Agreement*: how far two views that see one texel differ there before they become a texture, in
levels of 255. *Seam*: how much more neighbouring texels differ where the view that shows them best changes
than where it stays, in levels of 255. *Seconds* are of processor time.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from scipy.spatial import KDTree

from engine.assets.meshes.mesh_shape import GRAY, ReferenceShape
from engine.assets.meshes.render_maps import DISTANCE, FOV_DEG, reference_pictures
from engine.core.cameras import orbit_cameras
from engine.editing.strategies import painted_by
from engine.editing.texturing import Paint, Painted, Painting, prepared, work_texels
from engine.errors import InputError, storage_errors
from engine.loop.devices import limit_threads
from engine.prior.base import Prior
from engine.prior.registry import load_prior
from engine.prior.toybox.correspondence import load_correspondence
from engine.prior.toybox.prior import ToyboxPrior
from engine.synchronisation.texture import TextureSpace
from engine.toybox.benchmark.readme import put_between_markers
from engine.toybox.benchmark.tasks import AZIMUTHS_DEG, ELEVATIONS_DEG, TextTask, text_tasks
from engine.toybox.classifier import COLOUR_WORDS, ToyClassifier, base_colour, load_classifier, read, slot_of

USUAL_OBJECTS = 12

SIDE, FINE = 64, 256
TRUTH = "true colours (ceiling)"
LEVELS = 255.0


@dataclass(frozen=True)
class TextureResult:
    """One object painted in one way; NaN where a number has no meaning."""

    row: str
    parts_right: float
    psnr: float
    agreement: float
    seam: float
    seconds: float


def ways_of(steps: int, views: int, *, correspondence: bool = False) -> dict[str, Paint]:
    """Every way that is compared, by its row; distillation gets three times the steps.

    With ``correspondence``, views that attend along the surface too: by themselves from noise of their own,
    and in case 2.
    """
    plain = Paint(prompt="-", steps=steps, views=views, texture_size=FINE)
    cases = {0: "independent views", 1: "case 1, eps", 2: "case 2, x0 (SyncTweedies)", 3: "case 3, next x",
             4: "case 4, canonical eps", 5: "case 5, canonical x0"}  # fmt: skip
    rows = {title: replace(plain, case=case) for case, title in cases.items()}
    if correspondence:
        joined = replace(plain, correspondence=True)
        rows["MVDiffusion, independent views"] = replace(joined, case=0, consistent_noise=False)
        rows["own noise, independent views"] = replace(plain, case=0, consistent_noise=False)
        rows["MVDiffusion and case 2"] = replace(joined, case=2)
    return {**rows, "in turn": replace(plain, strategy="in turn"),
            "distilled (SDS)": replace(plain, strategy="distilled", steps=3 * steps)}  # fmt: skip


def measure_texture(
    task: TextTask, ways: Mapping[str, Paint], prior: Prior, classifier: ToyClassifier
) -> Iterator[TextureResult]:
    """The ceiling, and the object painted in each way."""
    mesh = task.object.mesh
    true = ReferenceShape(mesh.vertices, mesh.faces, mesh.face_colours, task.kind)
    bare = replace(true, face_colours=np.full_like(true.face_colours, GRAY[0]))
    truth, texels = drawn_all_round(true, FINE), work_texels(bare)
    yield TextureResult(TRUTH, parts_right(truth, task, classifier), np.inf, np.nan, np.nan, np.nan)
    for row, way in ways.items():
        began = time.process_time()
        views, done = _painted(bare, replace(way, prompt=task.prompt), prior)
        seconds = time.process_time() - began
        pictures = done.pictures.astype(np.float32) / LEVELS
        space = prepared(bare, replace(way, prompt=task.prompt), prior, texels=texels).space
        assert isinstance(space, TextureSpace)
        agreement, seam = (
            (np.nan, np.nan) if views is None else agreement_and_seam(views, space, texels.points)
        )
        yield TextureResult(
            row,
            parts_right(pictures, task, classifier),
            psnr_inside(pictures, truth),
            agreement,
            seam,
            seconds,
        )


def _painted(bare: ReferenceShape, how: Paint, prior: Prior) -> tuple[torch.Tensor | None, Painted]:
    """The last clean views (N,3,h,w), not premultiplied, of what is painted by all views at once; and the
    result.
    """
    *steps, done = painted_by(bare, how, prior)
    assert isinstance(done, Painted)
    if how.strategy != "together":
        return None, done
    assert isinstance(steps[-1], Painting)
    last = steps[-1].views
    plain = (last.rgb / last.alpha.clamp(min=0.05)).clamp(0, 1)
    return plain.movedim(-1, 1).cpu(), done


def drawn_all_round(shape: ReferenceShape, side: int) -> np.ndarray:
    """(8,side,side,4) premultiplied in 0..1, from where the results are seen."""
    cameras = orbit_cameras(AZIMUTHS_DEG, ELEVATIONS_DEG, DISTANCE, FOV_DEG, side)
    return reference_pictures(shape, cameras).numpy()


def parts_right(pictures: np.ndarray, task: TextTask, classifier: ToyClassifier) -> float:
    """The share of the caption's parts whose colour the classifier names right, told of the kind."""
    small = torch.nn.functional.interpolate(
        torch.from_numpy(pictures).movedim(-1, 1), size=(SIDE, SIDE), mode="area"
    )
    colours = read(classifier, small.movedim(1, -1)).colour.exp().mean(0)
    named = [COLOUR_WORDS[int(colours[slot_of(task.kind, part)].argmax())] == base_colour(colour)
             for part, colour in task.colours.items()]  # fmt: skip
    return float(np.mean(named))


def psnr_inside(pictures: np.ndarray, truth: np.ndarray) -> float:
    """dB of colour where both show the object."""
    both = (pictures[..., 3] > 0.9) & (truth[..., 3] > 0.9)
    error = np.square(pictures[..., :3] - truth[..., :3])[both].mean()
    return float(-10 * np.log10(max(error, 1e-9)))


def agreement_and_seam(views: torch.Tensor, space: TextureSpace, points: np.ndarray) -> tuple[float, float]:
    """How far views (N,3,h,w) differ where they overlap, and how much more where the best view changes; in
    levels of 255.
    """
    values, weights = space.said(views)
    share = weights / weights.sum(0).clamp(min=1e-9)
    mean = (share[:, None] * values).sum(0)
    spread = (share[:, None] * (values - mean).square()).sum(0).mean(0).sqrt()
    overlapping = (weights > 0).sum(0) > 1
    agreement = LEVELS * float(spread[overlapping].mean())
    best = weights.argmax(0).numpy()
    shown = values.numpy()[best, :, np.arange(len(best))]
    known = np.flatnonzero((weights > 0).any(0).numpy())
    _, nearest = KDTree(points[known]).query(points[known], k=2)  # the first is the texel itself
    neighbour = known[np.asarray(nearest)[:, 1]]
    apart = np.abs(shown[known] - shown[neighbour]).mean(1)
    changes = best[known] != best[neighbour]
    return agreement, LEVELS * float(apart[changes].mean() - apart[~changes].mean()) if changes.any() else 0.0


def texture_table(results: Sequence[TextureResult]) -> str:
    """Markdown, a row for each way."""
    lines = ["| painting | part colour right | PSNR to truth (dB) | views differ | seam | CPU seconds |",
             "| --- | --- | --- | --- | --- | --- |"]  # fmt: skip
    for row in dict.fromkeys(result.row for result in results):
        group = [result for result in results if result.row == row]
        cells = [
            np.mean([getattr(each, name) for each in group])
            for name in ("psnr", "agreement", "seam", "seconds")
        ]
        shown = ["–" if not np.isfinite(cell) else f"{cell:.1f}" for cell in cells]
        lines.append(f"| {row} | {np.mean([each.parts_right for each in group]):.0%} | {' | '.join(shown)} |")
    return "\n".join(lines)


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of the texture table."""
    parser.add_argument("--texture", action="store_true", help="measure textures of bare objects instead")
    parser.add_argument(
        "--correspondence",
        type=Path,
        metavar="FOLDER",
        help="with --texture: rows of the correspondence adapter there",
    )
    parser.add_argument(
        "--painting-steps", type=int, default=16, metavar="N", help="with --texture (default %(default)s)"
    )
    parser.add_argument(
        "--painting-views", type=int, default=8, metavar="N", help="with --texture (default %(default)s)"
    )


def with_correspondence(prior: Prior, folder: Path) -> Prior:
    """Toybox with the adapter in ``folder``. Raises MissingError, FileFormatError."""
    assert isinstance(prior, ToyboxPrior), "the benchmark's prior"
    joined = copy(prior)
    joined.correspondence = load_correspondence(folder)
    return joined


def compare(options: argparse.Namespace, show_progress: Callable[[int, int, float], None]) -> None:
    """Measure, print the table, and write what was asked for."""
    count = USUAL_OBJECTS if options.objects is None else options.objects
    if count < 1:
        raise InputError("The benchmark was asked for fewer than one object.", "Give --objects 1 or more.")
    limit_threads()
    prior, classifier = load_prior("toybox"), load_classifier()
    if options.correspondence is not None:
        prior = with_correspondence(prior, options.correspondence)
    joins = getattr(prior, "correspondence", None) is not None
    ways = ways_of(options.painting_steps, options.painting_views, correspondence=joins)
    results: list[TextureResult] = []
    began = time.monotonic()
    for done, task in enumerate(text_tasks(count), 1):
        results += measure_texture(task, ways, prior, classifier)
        show_progress(done, count, time.monotonic() - began)
    conditions = (
        f"{count} held-out objects, {options.painting_steps} steps, {options.painting_views} views of "
        "64 pixels, seed 0."
    )
    table = f"{texture_table(results)}\n\n{conditions}"
    print(table)
    if options.json is not None:
        with storage_errors(options.json):
            options.json.write_text(
                json.dumps([asdict(each) for each in results], indent=2) + "\n", encoding="utf-8"
            )
    if options.readme is not None:
        put_between_markers(options.readme, "texture", table)
