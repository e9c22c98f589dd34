"""Outcomes on disk as they are ready: a line of JSON and a picture each, so that a comparison that was ended
can go on.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from engine.errors import InputError, storage_errors
from engine.toybox.benchmark.shapes import ShapeScore
from engine.toybox.benchmark.verdicts import Verdict
from engine.toybox.method_sweep.measure import Effort, Outcome

LINES, PICTURES = "cells.jsonl", "views"


def begin(folder: Path, resume: bool) -> None:
    """Make the folder. Raises InputError if it holds outcomes that were not asked for, StorageError if it
    cannot be made.
    """
    lines = folder / LINES
    if not resume and lines.exists():
        raise InputError(
            f"{folder} holds an earlier comparison.", "Add --resume to go on with it, or give another --out."
        )
    with storage_errors(folder):
        (folder / PICTURES).mkdir(parents=True, exist_ok=True)
        if lines.exists() and not lines.read_bytes().endswith(b"\n"):  # ended in the middle of a line
            with lines.open("a", encoding="utf-8") as file:
                file.write("\n")


def add(folder: Path, outcome: Outcome) -> None:
    """Write one outcome. Raises StorageError."""
    write(folder, _as_line(outcome), Image.fromarray(np.concatenate(list(outcome.views), axis=1), "RGBA"))


def load(folder: Path, wanted: Mapping[str, str]) -> dict[str, Outcome]:
    """Outcomes by key of the cells in ``wanted`` (key -> digest), but those of other settings or weights, or
    that failed.
    """
    return {
        values["key"]: _from_line(values, views_in(folder, values["key"]))
        for values in stored_lines(folder, wanted)
    }


def write(folder: Path, values: Mapping[str, Any], row: Image.Image) -> None:
    """Write a line, and its picture first: a line means that all of it is there. Raises StorageError."""
    with storage_errors(folder):
        row.save(_picture(folder, values["key"]))
        with (folder / LINES).open("a", encoding="utf-8") as file:
            file.write(json.dumps(values) + "\n")


def stored_lines(folder: Path, wanted: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """The lines of cells in ``wanted``, as `load` takes it, that were not cut off when the program was
    ended.
    """
    path = folder / LINES
    with storage_errors(path):
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    for line in lines:
        try:
            values = json.loads(line)
        except json.JSONDecodeError:
            continue
        if (
            wanted.get(values["key"]) == values["digest"]
            and not values["error"]
            and _picture(folder, values["key"]).is_file()
        ):
            yield values


def views_in(folder: Path, key: str) -> np.ndarray:
    """The square pictures that lie side by side in a cell's picture."""
    with Image.open(_picture(folder, key)) as picture:
        row = np.asarray(picture)
    return np.stack(np.split(row, row.shape[1] // row.shape[0], axis=1))


def _picture(folder: Path, key: str) -> Path:
    return folder / PICTURES / f"{key}.png"


def _as_line(outcome: Outcome) -> dict[str, Any]:
    verdict = outcome.verdict
    return {
        "key": outcome.key,
        "digest": outcome.digest,
        "verdict": None if verdict is None else _verdict_values(verdict),
        "colour_distance": outcome.colour_distance,
        "chroma_shift": outcome.chroma_shift,
        "effort": asdict(outcome.effort),
        "error": outcome.error,
    }


def _verdict_values(verdict: Verdict) -> dict[str, Any]:
    shape = {name: value.tolist() for name, value in asdict(verdict.shape).items()}
    values = {
        name: getattr(verdict, name).tolist() for name in ("kind_right", "seen_azimuth_deg", "colours_right")
    }
    return {"kind": verdict.kind, **values, "shape": shape}


def _from_line(values: Mapping[str, Any], views: np.ndarray) -> Outcome:
    judged = values["verdict"]
    verdict = None
    if judged is not None:
        arrays = {
            name: np.array(judged[name]) for name in ("kind_right", "seen_azimuth_deg", "colours_right")
        }
        verdict = Verdict(
            judged["kind"],
            **arrays,
            shape=ShapeScore(**{name: np.array(v) for name, v in judged["shape"].items()}),
        )
    colours = (values["colour_distance"], values["chroma_shift"])
    return Outcome(
        values["key"], values["digest"], verdict, *colours, Effort(**values["effort"]), views, values["error"]
    )
