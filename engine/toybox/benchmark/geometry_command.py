"""``python -m engine.toybox.benchmark --geometry``: which objects, under which settings, and where the table
goes.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import InputError, storage_errors
from engine.loop.settings import Settings, with_values
from engine.toybox.benchmark.checkout_geometry import check_checkout, measure_checkout
from engine.toybox.benchmark.geometry import FACES, FAR, GeometryResult, measure_geometry
from engine.toybox.benchmark.readme import put_between_markers
from engine.toybox.benchmark.tasks import TextTask, geometry_tasks
from engine.toybox.benchmark.workers import each_of, prior_of_process
from engine.toybox.generate_dataset import kinds_named
from engine.toybox.objects import FIRST_KINDS, KINDS

NONE = "–"
COLUMNS = {"words": "from words", "fit": "fit to true views"}


@dataclass(frozen=True)
class GeometryJob:
    """A task, the settings to do it with, and what they are called in the table; "" for the product's own.

    Where there is another ``checkout``, it does the task, with the ``changes`` of its settings.
    """

    task: TextTask
    settings: Settings
    variant: str
    columns: tuple[str, ...]
    checkout: Path | None = None
    changes: tuple[str, ...] = ()


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of the geometry table."""
    parser.add_argument(
        "--geometry", action="store_true", help="measure exported meshes under light instead (of --kinds)"
    )
    parser.add_argument(
        "--beside",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="with --geometry: measure under this change, too, in columns of its own; may be repeated",
    )
    parser.add_argument(
        "--beside-checkout",
        action="append",
        default=[],
        type=Path,
        metavar="FOLDER",
        help="with --geometry: judge the meshes of another checkout of the project, too; may be repeated",
    )
    parser.add_argument(
        "--columns", default="words,fit", help="with --geometry: words, fit or both (default %(default)s)"
    )


def compare(
    options: argparse.Namespace, settings: Settings, show_progress: Callable[[int, int, float], None]
) -> None:
    """Measure, print the table, and write what was asked for."""
    kinds, columns = _kinds(options), tuple(options.columns.split(","))
    if unknown := set(columns) - {"words", "fit"}:
        raise InputError(f"There is no column {unknown.pop()!r}.", "Choose among words and fit.")
    if options.processes < 1 or (options.objects is not None and options.objects < 1):
        raise InputError(
            "The benchmark was asked for fewer than one object or process.", "Give numbers of 1 or more."
        )
    variants = {"": settings, **{change: _changed(settings, change) for change in options.beside}}
    tasks = geometry_tasks(kinds, options.objects or len(kinds))
    jobs = [GeometryJob(task, each, name, columns) for name, each in variants.items() for task in tasks]
    jobs += [
        GeometryJob(task, settings, folder.name, columns, folder, tuple(options.set))
        for folder in map(check_checkout, options.beside_checkout)
        for task in tasks
    ]
    results: dict[str, list[GeometryResult]] = {job.variant: [] for job in jobs}
    began = time.monotonic()
    for done, (variant, result) in enumerate(
        each_of(measure_job, jobs, min(options.processes, len(jobs)), options.ray), 1
    ):
        results[variant].append(result)
        show_progress(done, len(jobs), time.monotonic() - began)
    table = geometry_table(gather_geometry(results), len(tasks))
    print(table)
    if options.json is not None:
        with storage_errors(options.json):
            options.json.write_text(json.dumps(geometry_document(results), indent=2) + "\n", encoding="utf-8")
    if options.readme is not None:
        put_between_markers(options.readme, "geometry", table)


def measure_job(job: GeometryJob) -> tuple[str, GeometryResult]:
    """One object in this process."""
    prior = prior_of_process(job.settings.spec.prior)
    if job.checkout is not None:
        return job.variant, measure_checkout(
            job.checkout, job.task, job.settings, prior.info, job.changes, job.columns
        )
    return job.variant, measure_geometry(job.task, job.settings, prior, job.columns)


def _kinds(options: argparse.Namespace) -> tuple[str, ...]:
    kinds = FIRST_KINDS if options.kinds is None else kinds_named(options.kinds)
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown or not kinds:
        raise InputError(f"There is no kind {(unknown or [''])[0]!r}.", f"Choose among: {', '.join(KINDS)}.")
    return kinds


def _changed(settings: Settings, change: str) -> Settings:
    name, equals, value = change.partition("=")
    if not equals:
        raise InputError("--beside needs NAME=VALUE.", "Write for example --beside surface_weight=0.")
    return with_values(settings, {name: value})


@dataclass(frozen=True)
class Row:
    """One line: what is averaged over objects, and how."""

    key: str
    label: str
    form: str
    over: Callable[[Sequence[float]], float] = statistics.median


ROWS = (
    Row("normal_median_deg", "normal angle, median", "{:.1f}°"),
    Row("normal_p95_deg", "normal angle, 95th percentile", "{:.1f}°"),
    Row("lit_psnr", "lit PSNR, dB", "{:.2f}"),
    Row("lit_ssim", "lit SSIM", "{:.3f}"),
    Row("depth_median", "depth error", "{:.4f}"),
    Row("depth_far", f"depth wrong by > {FAR}", "{:.1%}"),
    Row("mask_iou", "mask IoU with the truth", "{:.3f}"),
    Row("picture_iou", "mask IoU with its own pictures", "{:.3f}"),
    Row("picture_depth_far", f"depth > {2 * FAR} from its own", "{:.1%}"),
    Row("genus", "genus, mean", "{:.2f}", statistics.fmean),
    Row("genus_true", "true genus, mean", "{:.2f}", statistics.fmean),
    Row("genus_right", "genus right", "{:.0%}", statistics.fmean),
    Row("bodies", "bodies, mean", "{:.2f}", statistics.fmean),
    Row("bodies_true", "true bodies, mean", "{:.2f}", statistics.fmean),
    Row("holes_kept", "holes of silhouettes that survive", "{:.0f}", sum),
    Row("holes_true", "true holes", "{:.0f}", sum),
    Row("hidden", "area hidden", "{:.2%}"),
    Row("non_manifold_edges", "non-manifold edges", "{:.0f}", sum),
    Row("faces_off", f"faces beside {FACES:,} asked for", "{:.1%}"),
    Row("missing", "no mesh", "{:.0%}", statistics.fmean),
    Row("cpu_seconds", "CPU seconds of the mesh", "{:.2f}"),
)


def gather_geometry(results: Mapping[str, Sequence[GeometryResult]]) -> dict[str, dict[str, float]]:
    """By column the medians, means, shares and sums of `ROWS`; columns of settings beside the first carry
    their name.
    """
    columns = {}
    for variant, measured in results.items():
        for name in measured[0].rows:
            title = f"{COLUMNS[name]}, {variant}" if variant else COLUMNS[name]
            columns[title] = _combined([result.rows[name] for result in measured])
    return columns


def _combined(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    values = {row.key: [each[row.key] for each in rows if row.key in each] for row in ROWS}
    return {row.key: float(row.over(values[row.key])) for row in ROWS if values[row.key]}


def geometry_table(columns: Mapping[str, Mapping[str, float]], objects: int) -> str:
    """Markdown: a row a metric, a column a way to make the objects."""
    titles = [f"{objects} objects as exported meshes", *columns]
    cells = [
        [
            row.label,
            *(row.form.format(values[row.key]) if row.key in values else NONE for values in columns.values()),
        ]
        for row in ROWS
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in [titles, ["---"] * len(titles), *cells])


def geometry_document(results: Mapping[str, Sequence[GeometryResult]]) -> dict[str, Any]:
    """The same numbers, and those of each object."""
    each = [
        {"kind": result.task.kind, "seed": result.task.seed, "settings": variant, "column": name, **values}
        for variant, measured in results.items()
        for result in measured
        for name, values in result.rows.items()
    ]
    return {"geometry": gather_geometry(results), "objects": each}
