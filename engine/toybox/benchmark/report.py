"""The benchmark's numbers: gathered into one nested document, and printed as one table with the ceiling
beside it.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.loop.settings import Settings, flatten
from engine.toybox.benchmark.image import NOVEL_VIEWS, ImageResult
from engine.toybox.benchmark.text import TextResult
from engine.toybox.benchmark.verdicts import summarise

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
    ("mesh_genus_right", "mesh: genus right", "{:.0%}"),
    ("mesh_hidden", "mesh: area hidden", "{:.1%}"),
    ("mesh_normal_median_deg", "mesh: normals off", "{:.1f}°"),
    ("mesh_lit_psnr", "mesh: lit PSNR, dB", "{:.1f}"),
)
MESH_KEYS = ("genus_right", "hidden", "normal_median_deg", "lit_psnr")
TEXT_COLUMNS = (
    ("refined", "refined"),
    ("draft", "draft"),
    ("fit", "fit to truth"),
    ("true", "true views"),
    ("blob", "blob"),
)
IMAGE_ROWS = (
    ("psnr", "PSNR, dB", "{:.2f}"),
    ("ssim", "SSIM", "{:.3f}"),
    ("perceptual_distance", "perceptual distance", "{:.3f}"),
    ("gradient_distance", "gradient distance", "{:.3f}"),
    ("mask_iou", "mask IoU", "{:.3f}"),
    ("chamfer", "Chamfer distance", "{:.3f}"),
    ("f_score", "F-score at 0.05", "{:.3f}"),
)
IMAGE_COLUMNS = (
    ("generated", "generated"),
    ("referred", "+ reference"),
    ("copy", "copy of input"),
    ("ellipsoid", "ellipsoid"),
    ("text", "words alone"),
    ("fit", "fit to truth"),
)


@dataclass(frozen=True)
class Numbers:
    """Means by column of the tables, medians of seconds, and how much was measured under what; a half not
    asked for is empty.
    """

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
    """Average the results, of which there must be at least one."""
    columns = sorted({name for result in texts for name in result.verdicts})
    text = {
        name: summarise([result.verdicts[name] for result in texts if name in result.verdicts])
        for name in columns
    }
    text = {name: {**values, **_mesh_means(texts, name)} for name, values in text.items()}
    image = {
        name: _means([result.rows[name] for result in images]) for name in (images[0].rows if images else ())
    }
    conditions, pictured = (_listed(each) for each in (settings, image_settings))
    changed = {name: value for name, value in pictured.items() if conditions.get(name) != value}
    counts = {
        "prompts": len(texts),
        "pictures": len(images),
        "processes": processes,
        "wall_seconds": round(wall_seconds, 1),
    }
    seconds = _seconds(texts) if texts else {}
    seconds |= {"image": statistics.median(result.seconds["total"] for result in images)} if images else {}
    return Numbers(text, image, seconds, {**counts, "settings": conditions, "image_settings": changed})


def _listed(settings: Settings) -> dict[str, Any]:
    return {
        name: value
        for name, value in flatten(settings).items()
        if name not in ("prompt", "negative_prompt", "seed")
    }


def _means(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: statistics.fmean(row[name] for row in rows) for name in rows[0]}


def _mesh_means(texts: Sequence[TextResult], column: str) -> dict[str, float]:
    """Of the exported meshes of a column of the table; of metrics that none of them has, nothing."""
    meshes = [result.meshes[column] for result in texts if column in result.meshes]
    values = {key: [mesh[key] for mesh in meshes if key in mesh] for key in MESH_KEYS}
    return {f"mesh_{key}": statistics.fmean(numbers) for key, numbers in values.items() if numbers}


def _seconds(texts: Sequence[TextResult]) -> dict[str, float]:
    """Medians over prompts: until the draft is fitted, and of the whole run."""
    drafts = [sum(result.seconds.get(stage, 0.0) for stage in ("load", "draft", "fit")) for result in texts]
    return {
        "draft": statistics.median(drafts),
        "refined": statistics.median(result.seconds["total"] for result in texts),
    }


def document(numbers: Numbers) -> dict[str, Any]:
    """The numbers as they are stored.

    ``text``, ``image`` and ``seconds`` are the product's: means over assets, medians of seconds. In
    ``image``, names that begin with "referred_" are its own with a reference found for the picture, with
    "copy_" what a copy of the given picture would get, with "ellipsoid_" one that fills its outline, with
    "text_" the object's caption alone. To compare with: ``ceiling`` holds true objects ("text"), the fit
    given their true views ("fit"), and that of pictures ("image"); ``draft`` is the asset before it was
    refined, ``blob`` an ellipsoid of the true object's box. ``n`` says how much was measured under which
    settings. Shares: 0..1.
    """
    return _rounded({
        **(_text_document(numbers.text) if numbers.text else {}),
        **(_image_document(numbers.image) if numbers.image else {}),
        "seconds": dict(numbers.seconds),
        "ceiling": {
            **({"text": dict(numbers.text["true"]),
                "fit": dict(numbers.text["fit"])} if numbers.text else {}),
            **({"image": dict(numbers.image["fit"])} if numbers.image else {}),
        },
        "n": dict(numbers.conditions),
    })  # fmt: skip


def _text_document(text: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
    product, true = text["refined"], text["true"]
    share = product["colour_accuracy"] / true["colour_accuracy"] if true["colour_accuracy"] else 0.0
    return {
        "text": {**product, "colour_share_of_ceiling": share},
        "draft": dict(text.get("draft", {})),
        "blob": dict(text["blob"]),
    }


def _image_document(image: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
    others = {
        f"{row}_{name}": value
        for row in ("referred", "copy", "ellipsoid", "text")
        for name, value in image[row].items()
    }
    return {"image": {**image["generated"], **others}}


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _rounded(inner) for name, inner in value.items()}
    return round(value, 5) if isinstance(value, float) else value


def table(numbers: Numbers) -> str:
    """The same to read."""
    parts = ([_text_table(numbers)] if numbers.text else []) + (
        [_image_table(numbers)] if numbers.image else []
    )
    titles = {"draft": "draft", "refined": "refined", "image": "from a picture"}
    seconds = ", ".join(f"{titles[name]} {value:.1f}" for name, value in numbers.seconds.items())
    conditions = numbers.conditions
    whole = f"The whole benchmark took {conditions['wall_seconds']:.0f}."
    return "\n\n".join(
        [*parts, f"Seconds (median, {conditions['processes']} runs at once): {seconds}. {whole}"]
    )


def _text_table(numbers: Numbers) -> str:
    conditions = numbers.conditions
    lines = [
        f"Text to 3D: {conditions['prompts']} prompts, 8 azimuths each, "
        f"{conditions['settings']['refine_steps']} refine steps"
    ]
    lines += _grid(numbers.text, TEXT_ROWS, TEXT_COLUMNS)
    true, colour = numbers.text["true"]["colour_accuracy"], numbers.text["refined"]["colour_accuracy"]
    if true:
        lines.append(f"{'part colour, of ceiling':<24}{f'{colour / true:.1%}':>14}")
    return "\n".join(lines)


def _image_table(numbers: Numbers) -> str:
    head = (
        f"Image to 3D: {numbers.conditions['pictures']} objects from one picture, {NOVEL_VIEWS} other "
        "cameras each"
    )
    return "\n".join([head, *_grid(numbers.image, IMAGE_ROWS, IMAGE_COLUMNS)])


def _grid(
    columns: Mapping[str, Mapping[str, float]],
    rows: Sequence[tuple[str, str, str]],
    titles: Sequence[tuple[str, str]],
) -> list[str]:
    present = [(name, title) for name, title in titles if name in columns]
    lines = [f"{'':<24}" + "".join(f"{title:>14}" for _, title in present)]
    for key, label, form in rows:
        cells = (form.format(columns[name][key]) if key in columns[name] else "" for name, _ in present)
        lines.append(f"{label:<24}" + "".join(f"{cell:>14}" for cell in cells))
    return lines
