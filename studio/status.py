"""A run's state as JSON: what the page's status line, plot and lists are drawn from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from engine.assets.images.image_arguments import pictures_in
from engine.loop.plan import stages_of
from engine.session import JobView
from studio.metrics_text import read_outs
from studio.reference_status import reference_status
from studio.undo_words import undo_words

LIVE_STATES = ("queued", "running", "paused", "interrupted")
PLOT_POINTS = 160

FILE_TITLES = {
    ".toml": "Recipe",
    ".glb": "Mesh",
    ".ply": "Splats",
    ".mp4": "Turntable",
    ".png": "Contact sheet",
    ".json": "Result",
}


def status_of(view: JobView) -> dict[str, Any]:
    """Everything a browser shows of a run, JSON-safe (a number that is not finite becomes null)."""
    return {
        "token": view.token,
        "title": view.title,
        "state": view.state,
        "queue_position": view.queue_position,
        "stage": view.stage,
        "step": view.step,
        "steps": view.steps,
        "total_step": view.total_step,
        "total_steps": view.total_steps,
        "stages": [planned.name for planned in stages_of(view.settings.spec)],
        "steps_per_second": _number(view.steps_per_second),
        "eta_seconds": _number(view.eta_seconds),
        "seconds": _number(view.seconds),
        "seconds_to_first_picture": _number(view.seconds_to_first_picture),
        "revision": view.revision,
        "revision_applied": view.revision_applied,
        "applied_at_step": view.applied_at_step,
        "undo": undo_words(view),
        "two_faced": view.two_faced,
        "losses": thinned(view.losses),
        "metrics": {name: _number(value) for name, value in view.metrics.items()},
        "reference": reference_status(view),
        "read_outs": [asdict(each) for each in read_outs(_finite(view.metrics))],
        "warnings": [list(pair) for pair in view.warnings],
        "error": list(view.error) if view.error else None,
        "scene": view.settings.spec.scene,
        "prompt": view.settings.spec.prompt,
        "pictures": len(pictures_in(view.settings.spec.images)),
        "files": [file_of(name, path) for name, path in view.files.items() if path.is_file()],
    }


def _finite(metrics: Mapping[str, float]) -> dict[str, float]:
    return {name: value for name, value in metrics.items() if math.isfinite(value)}


def file_of(name: str, path: Path) -> dict[str, str | int]:
    """One download: its ``name`` in the address, what a person calls it, and its size in bytes."""
    return {
        "name": name,
        "title": FILE_TITLES.get(path.suffix, path.stem),
        "kind": path.suffix.lstrip(".").upper(),
        "bytes": path.stat().st_size,
    }


def thinned(losses: Sequence[tuple[int, float]], points: int = PLOT_POINTS) -> list[list[float]]:
    """At most ``points`` of the (step, loss) pairs, evenly spread; the last one is always among them."""
    finite = [[step, float(f"{loss:.4g}")] for step, loss in losses if math.isfinite(loss)]
    stride = max(1, math.ceil(len(finite) / points))
    return finite[::-1][::stride][::-1]


def _number(value: float | None) -> float | None:
    return round(value, 4) if value is not None and math.isfinite(value) else None
