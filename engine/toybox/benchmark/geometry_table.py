"""The geometry table: Markdown to read, and numbers to store."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.toybox.benchmark.geometry import FACES, FAR, GeometryResult

NONE = "–"
COLUMNS = {"words": "from words", "fit": "fit to true views"}


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
    """By column the medians, means, shares and sums of `ROWS`; columns of settings beside the first carry their name."""
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
        [row.label, *(row.form.format(values[row.key]) if row.key in values else NONE for values in columns.values())]
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
