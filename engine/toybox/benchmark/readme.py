"""The image half of the benchmark as a Markdown table.

Tables that a command writes into a Markdown file, between two comments that name them.
"""

from __future__ import annotations

from pathlib import Path

from engine.errors import InputError, storage_errors
from engine.toybox.benchmark.image import NOVEL_VIEWS
from engine.toybox.benchmark.report import IMAGE_COLUMNS, IMAGE_ROWS, Numbers

NONE = "–"


def put_between_markers(path: Path, name: str, text: str) -> None:
    """Replace what stands between ``<!-- name -->`` and ``<!-- /name -->``. Raises InputError without them,
    StorageError.
    """
    opening, closing = f"<!-- {name} -->", f"<!-- /{name} -->"
    with storage_errors(path):
        before, begin, rest = path.read_text(encoding="utf-8").partition(opening)
        _, end, after = rest.partition(closing)
        if not begin or not end:
            remedy = f"Put the lines {opening} and {closing} where it should stand."
            raise InputError(f"{path} has no place for the table.", remedy)
        path.write_text(f"{before}{opening}\n{text}\n{closing}{after}", encoding="utf-8")


def image_markdown(numbers: Numbers) -> str:
    """A row for each metric and a column for each way to make the object; below, how long the product
    took.
    """
    conditions = numbers.conditions
    titles = [
        f"image to 3D, {conditions['pictures']} objects, {NOVEL_VIEWS} other cameras each",
        *(title for _, title in IMAGE_COLUMNS),
    ]
    table = [titles, ["---"] * len(titles), *(_cells(numbers, *row) for row in IMAGE_ROWS)]
    runs = "one run at a time" if conditions["processes"] == 1 else f"{conditions['processes']} runs at once"
    steps = {**conditions["settings"], **conditions["image_settings"]}["refine_steps"]
    caption = (
        f"{steps} refine steps. Median seconds from the picture to the finished object, {runs}: "
        f"{numbers.seconds['image']:.1f}."
    )
    return "\n".join([*(f"| {' | '.join(row)} |" for row in table), "", caption])


def _cells(numbers: Numbers, key: str, label: str, form: str) -> list[str]:
    values = [numbers.image[name].get(key) for name, _ in IMAGE_COLUMNS]
    return [label, *(NONE if value is None else form.format(value) for value in values)]
