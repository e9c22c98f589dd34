"""The comparison's numbers: a line for each method, scene and pull, as Markdown and as JSON."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.guidance import methods
from engine.loop.settings import flatten_knobs
from engine.toybox.benchmark.metrics import halved, mean_pairwise_distance
from engine.toybox.benchmark.verdicts import summarise
from engine.toybox.method_sweep.cells import BALL, DRAFT, TRUE, Cell, Row
from engine.toybox.method_sweep.measure import Effort, Outcome

COLUMNS = (
    ("kind_accuracy", "kind", "{:.0%}"),
    ("colour_accuracy", "part colour", "{:.0%}"),
    ("body_colour_accuracy", "body colour", "{:.0%}"),
    ("worst_azimuth_accuracy", "worst azimuth", "{:.0%}"),
    ("shape_iou", "shape IoU", "{:.2f}"),
    ("colour_distance", "colour distance", "{:.3f}"),
    ("chroma_shift", "chroma shift", "{:+.2f}"),
    ("diversity", "diversity", "{:.2f}"),
    ("seconds", "s", "{:.1f}"),
)
REFERENCES = {TRUE: "*true renders*", DRAFT: "*draft only*", BALL: "*the ball*"}
NONE = "–"


@dataclass(frozen=True)
class Line:
    """A row with its numbers by name; None where there is nothing to measure. ``knobs`` are those of its
    method.
    """

    row: Row
    numbers: Mapping[str, float | None]
    knobs: Mapping[str, Any]
    errors: tuple[str, ...] = ()


def gather(cells: Sequence[Cell], outcomes: Mapping[str, Outcome]) -> tuple[Line, ...]:
    """A line for each row of ``cells``, whose outcomes are given by key; rows of which nothing is there are
    left out.
    """
    by_row: dict[Row, list[tuple[Cell, Outcome]]] = {}
    for cell in cells:
        if cell.key in outcomes:
            by_row.setdefault(cell.row, []).append((cell, outcomes[cell.key]))
    true_spread = _spreads(by_row.get(Row(TRUE), []))
    return tuple(_line(row, pairs, true_spread) for row, pairs in by_row.items())


def _line(row: Row, pairs: Sequence[tuple[Cell, Outcome]], true_spread: Mapping[int, float]) -> Line:
    made = [(cell, outcome) for cell, outcome in pairs if outcome.verdict is not None]
    settings = pairs[0][0].settings
    knobs = flatten_knobs(settings.knobs) if settings is not None and row.name not in REFERENCES else {}
    numbers: dict[str, float | None] = {"objects": len(made), "failed": len(pairs) - len(made)}
    if made:
        outcomes = [outcome for _, outcome in made]
        numbers |= summarise([outcome.verdict for outcome in outcomes if outcome.verdict is not None])
        numbers["colour_distance"] = statistics.fmean(outcome.colour_distance for outcome in outcomes)
        numbers["chroma_shift"] = statistics.fmean(outcome.chroma_shift for outcome in outcomes)
        numbers["diversity"] = diversity(_spreads(made), true_spread)
        numbers |= _effort([outcome.effort for outcome in outcomes])
    return Line(row, numbers, knobs, tuple(sorted({outcome.error for _, outcome in pairs if outcome.error})))


def _spreads(pairs: Sequence[tuple[Cell, Outcome]]) -> dict[int, float]:
    """How different the results of a prompt look, by prompt; prompts with fewer than two results are left
    out.
    """
    views: dict[int, list[np.ndarray]] = {}
    for cell, outcome in pairs:
        views.setdefault(cell.task.index, []).append(halved(outcome.views / 255))
    return {
        index: mean_pairwise_distance(np.stack(histograms))
        for index, histograms in views.items()
        if len(histograms) > 1
    }


def diversity(spread: Mapping[int, float], true_spread: Mapping[int, float]) -> float | None:
    """How different results of the same prompt look, in units of how different true objects do; None if
    nothing can be compared.

    Both are means over the prompts of the mean pairwise distance of views at half size. Noise counts as
    variety too.
    """
    shared = [index for index in spread if true_spread.get(index)]
    return sum(spread[i] for i in shared) / sum(true_spread[i] for i in shared) if shared else None


def _effort(efforts: Sequence[Effort]) -> dict[str, float | None]:
    steps = sum(effort.steps for effort in efforts)
    seconds = statistics.median(effort.seconds for effort in efforts)
    return {
        "seconds": seconds or None,
        "steps": steps / len(efforts),
        "forwards_per_step": sum(effort.forwards for effort in efforts) / steps if steps else None,
        "backwards_per_step": sum(effort.backwards for effort in efforts) / steps if steps else None,
        "roll_backs": sum(effort.roll_backs for effort in efforts),
        "ended_early": sum(effort.ended_early for effort in efforts),
    }


def markdown(lines: Sequence[Line]) -> str:
    """A table for each scene, with the true renders on top of each; what failed or was given up is told
    below.
    """
    scenes = list(dict.fromkeys(line.row.scene for line in lines if line.row.scene))
    blocks = [_block(scene, [line for line in lines if line.row.scene in ("", scene)]) for scene in scenes]
    failures = [
        f"{line.row.key}: {line.numbers['failed']} failed. {' '.join(line.errors)}"
        for line in lines
        if line.errors
    ]
    given_up = [
        f"{line.row.key}: {line.numbers['ended_early']} of {line.numbers['objects']} runs were ended by "
        "the health check."
        for line in lines
        if line.numbers.get("ended_early")
    ]
    return "\n\n".join([*blocks, *failures, *given_up])


def _block(scene: str, lines: Sequence[Line]) -> str:
    titles = [scene, "guidance", *(title for _, title, _ in COLUMNS), "passes a step"]
    table = [titles, ["---"] * len(titles), *map(_cells, lines)]
    return "\n".join(f"| {' | '.join(row)} |" for row in table)


def _cells(line: Line) -> list[str]:
    name, numbers = line.row.name, line.numbers
    title = REFERENCES[name] if name in REFERENCES else methods()[name].title
    pull = f"{line.knobs['guidance_scale']:g}" if line.knobs else NONE
    values = [NONE if numbers.get(key) is None else form.format(numbers[key]) for key, _, form in COLUMNS]
    return [title, pull, *values, _passes(numbers)]


def _passes(numbers: Mapping[str, float | None]) -> str:
    """Forward passes, and backward ones where there are any."""
    forwards, backwards = numbers.get("forwards_per_step"), numbers.get("backwards_per_step")
    if forwards is None:
        return NONE
    return f"{forwards:.3g} F" + (f" + {backwards:.3g} B" if backwards else "")


def document(lines: Sequence[Line], conditions: Mapping[str, Any]) -> dict[str, Any]:
    """The numbers as they are stored: the ``conditions`` and a list of ``rows``, each with its settings."""
    rows = [
        {
            "name": line.row.name,
            "scene": line.row.scene,
            "pull": line.row.pull,
            **_rounded(line.numbers),
            "settings": dict(line.knobs),
        }
        for line in lines
    ]
    return {"conditions": dict(conditions), "rows": rows}


def _rounded(numbers: Mapping[str, float | None]) -> dict[str, float | None]:
    return {name: value if value is None else round(value, 5) for name, value in numbers.items()}
