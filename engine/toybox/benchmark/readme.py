"""The image half of the benchmark as a Markdown table."""

from __future__ import annotations

from engine.toybox.benchmark.image import NOVEL_VIEWS
from engine.toybox.benchmark.report import IMAGE_COLUMNS, IMAGE_ROWS, Numbers

NONE = "–"


def image_markdown(numbers: Numbers) -> str:
    """A row for each metric and a column for each way to make the object; below, how long the product took."""
    asked = numbers.conditions
    titles = [
        f"image to 3D, {asked['pictures']} objects, {NOVEL_VIEWS} other cameras each",
        *(title for _, title in IMAGE_COLUMNS),
    ]
    table = [titles, ["---"] * len(titles), *(_cells(numbers, *row) for row in IMAGE_ROWS)]
    runs = "one run at a time" if asked["processes"] == 1 else f"{asked['processes']} runs at once"
    steps = {**asked["settings"], **asked["image_settings"]}["refine_steps"]
    told = (
        f"{steps} refine steps. Median seconds from the picture to the finished object, {runs}: {numbers.seconds['image']:.1f}."
    )
    return "\n".join([*(f"| {' | '.join(row)} |" for row in table), "", told])


def _cells(numbers: Numbers, key: str, label: str, form: str) -> list[str]:
    values = [numbers.image[name].get(key) for name, _ in IMAGE_COLUMNS]
    return [label, *(NONE if value is None else form.format(value) for value in values)]
