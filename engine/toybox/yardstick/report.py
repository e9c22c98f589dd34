"""The benchmark's numbers: gathered into one nested document, and printed as one table with the ceiling beside it."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.loop.settings import Settings, flatten
from engine.toybox.yardstick.image import NOVEL_VIEWS, ImageResult
from engine.toybox.yardstick.text import TextResult
from engine.toybox.yardstick.verdicts import summarise

TEXT_ROWS = (
    ("kind_accuracy", "kind", "{:.1%}"),
    ("colour_accuracy", "part colour", "{:.1%}"),
    ("body_colour_accuracy", "colour of the body", "{:.1%}"),
    ("azimuth_accuracy", "azimuth within 45°", "{:.1%}"),
    ("worst_azimuth_accuracy", "kind, worst azimuth", "{:.1%}"),
    ("janus_rate", "Janus rate", "{:.1%}"),
    ("shape_iou", "shape IoU", "{:.3f}"),
    ("shape_psnr", "shape PSNR, dB", "{:.1f}"),
    ("border_touch", "border touched", "{:.1%}"),
    ("empty", "empty", "{:.1%}"),
)
TEXT_COLUMNS = (("refined", "refined"), ("draft", "draft"), ("fit", "fit to truth"), ("true", "true views"), ("blob", "blob"))
IMAGE_ROWS = (
    ("psnr", "PSNR, dB", "{:.2f}"),
    ("ssim", "SSIM", "{:.3f}"),
    ("gradient_distance", "gradient distance", "{:.3f}"),
    ("mask_iou", "mask IoU", "{:.3f}"),
    ("chamfer", "Chamfer distance", "{:.3f}"),
    ("f_score", "F-score at 0.05", "{:.3f}"),
)
IMAGE_COLUMNS = (
    ("generated", "generated"),
    ("copy", "copy of input"),
    ("ellipsoid", "ellipsoid"),
    ("text", "words alone"),
    ("fit", "fit to truth"),
)


@dataclass(frozen=True)
class Numbers:
    """Means by column of the tables, medians of seconds, and how much was measured under what."""

    text: Mapping[str, Mapping[str, float]]
    image: Mapping[str, Mapping[str, float]]
    seconds: Mapping[str, float]
    conditions: Mapping[str, Any]


def gather(
    texts: Sequence[TextResult],
    images: Sequence[ImageResult],
    settings: Settings,
    image_settings: Settings,
    processes: int,
    wall_seconds: float,
) -> Numbers:
    """Average the results, which must hold at least one of each kind."""
    columns = sorted({name for result in texts for name in result.verdicts})
    text = {name: summarise([result.verdicts[name] for result in texts if name in result.verdicts]) for name in columns}
    image = {name: _means([result.rows[name] for result in images]) for name in images[0].rows}
    asked, pictured = (_asked(each) for each in (settings, image_settings))
    changed = {name: value for name, value in pictured.items() if asked.get(name) != value}
    counts = {"prompts": len(texts), "pictures": len(images), "processes": processes, "wall_seconds": round(wall_seconds, 1)}
    seconds = {**_seconds(texts), "image": statistics.median(result.seconds["total"] for result in images)}
    return Numbers(text, image, seconds, {**counts, "settings": asked, "image_settings": changed})


def _asked(settings: Settings) -> dict[str, Any]:
    return {name: value for name, value in flatten(settings).items() if name not in ("prompt", "negative_prompt", "seed")}


def _means(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: statistics.fmean(row[name] for row in rows) for name in rows[0]}


def _seconds(texts: Sequence[TextResult]) -> dict[str, float]:
    """Medians over prompts: until the draft is fitted, and of the whole run."""
    drafts = [sum(result.seconds.get(stage, 0.0) for stage in ("load", "draft", "fit")) for result in texts]
    return {"draft": statistics.median(drafts), "refined": statistics.median(result.seconds["total"] for result in texts)}


def document(numbers: Numbers) -> dict[str, Any]:
    """The numbers as they are stored.

    ``text``, ``image`` and ``seconds`` are the product's: means over assets, medians of seconds. In ``image``, names that begin
    with "copy_" are what a copy of the given picture would get, with "ellipsoid_" one that fills its outline, with "text_" the
    object's caption alone. To compare with: ``ceiling`` holds true objects ("text"), the fit
    given their true views ("fit"), and that of pictures ("image"); ``draft`` is the asset before it was refined, ``blob`` an
    ellipsoid of the true object's box. ``n`` says how much was measured under which settings. Shares are 0..1.
    """
    text, true = numbers.text["refined"], numbers.text["true"]
    share = text["colour_accuracy"] / true["colour_accuracy"] if true["colour_accuracy"] else 0.0
    others = {f"{row}_{name}": value for row in ("copy", "ellipsoid", "text") for name, value in numbers.image[row].items()}
    return _rounded({
        "text": {**text, "colour_share_of_ceiling": share},
        "image": {**numbers.image["generated"], **others},
        "seconds": dict(numbers.seconds),
        "ceiling": {"text": dict(true), "fit": dict(numbers.text["fit"]), "image": dict(numbers.image["fit"])},
        "draft": dict(numbers.text.get("draft", {})),
        "blob": dict(numbers.text["blob"]),
        "n": dict(numbers.conditions),
    })  # fmt: skip


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _rounded(inner) for name, inner in value.items()}
    return round(value, 5) if isinstance(value, float) else value


def table(numbers: Numbers) -> str:
    """The same to read."""
    asked = numbers.conditions
    lines = [f"Text to 3D: {asked['prompts']} prompts, 8 azimuths each, {asked['settings']['refine_steps']} refine steps"]
    lines += _grid(numbers.text, TEXT_ROWS, TEXT_COLUMNS)
    true, colour = numbers.text["true"]["colour_accuracy"], numbers.text["refined"]["colour_accuracy"]
    if true:
        lines.append(f"{'part colour, of ceiling':<24}{f'{colour / true:.1%}':>14}")
    lines += ["", f"Image to 3D: {asked['pictures']} objects from one picture, {NOVEL_VIEWS} other cameras each"]
    lines += _grid(numbers.image, IMAGE_ROWS, IMAGE_COLUMNS)
    seconds = numbers.seconds
    lines += ["", f"Seconds (median, {asked['processes']} runs at once): draft {seconds['draft']:.1f}, refined "
              f"{seconds['refined']:.1f}, from a picture {seconds['image']:.1f}. "
              f"The whole benchmark took {asked['wall_seconds']:.0f}."]  # fmt: skip
    return "\n".join(lines)


def _grid(
    columns: Mapping[str, Mapping[str, float]], rows: Sequence[tuple[str, str, str]], titles: Sequence[tuple[str, str]]
) -> list[str]:
    present = [(name, title) for name, title in titles if name in columns]
    lines = [f"{'':<24}" + "".join(f"{title:>14}" for _, title in present)]
    for key, label, form in rows:
        cells = (form.format(columns[name][key]) if key in columns[name] else "" for name, _ in present)
        lines.append(f"{label:<24}" + "".join(f"{cell:>14}" for cell in cells))
    return lines
