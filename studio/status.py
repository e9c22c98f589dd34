"""A run's state as JSON: what the page's status line, plot and lists are drawn from."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from engine.assets.images.image_arguments import pictures_in
from engine.core.fields import marked_fields
from engine.loop.messages import LOSS_PREFIX as PREFIX
from engine.loop.plan import stages_of
from engine.loop.settings import Value
from engine.loop.spec import Knobs
from engine.session import JobView
from studio.reference_status import reference_status

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


def undo_words(view: JobView) -> str:
    """What would be taken back, such as "Guidance back to 2.5"; empty where there is nothing."""
    values = dict(view.undoable)
    if "method" in values:
        return f"Method back to {str(values['method']).upper()}"
    if not values:
        return ""
    name, value = next(iter(values.items()))
    title = title_in(view.knobs, name)
    return f"{title} and {len(values) - 1} more" if len(values) > 1 else f"{title} back to {plain(value)}"


def title_in(knobs: Knobs, name: str) -> str:
    """What the page calls a live setting."""
    marked = (*marked_fields(knobs.guidance), *marked_fields(knobs.timesteps), *marked_fields(knobs))
    label = next((knob.mark.label for knob in marked if knob.name == name), "")
    return label or name.replace("_", " ").capitalize()


def plain(value: Value) -> str:
    """A setting's value for people."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, int | float) else str(value) or "none"


@dataclass(frozen=True)
class ReadOut:
    """A ``share`` 0..1 under a ``title``, what it means in ``words``, and whether it is a ``warning``."""

    name: str
    title: str
    share: float
    words: str
    warning: bool = False


def read_outs(metrics: Mapping[str, float]) -> list[ReadOut]:
    """The read-outs for the metrics of one step; metrics that mean nothing to an artist are left out."""
    singles = [tell(metrics[name]) for name, tell in TELLERS.items() if name in metrics]
    return [*loss_shares(metrics), *singles]


def loss_shares(metrics: Mapping[str, float]) -> list[ReadOut]:
    """What the loss of a step is made of: the share of each term, the largest first. Empty where there is
    only one.
    """
    values = {
        name.removeprefix(PREFIX): abs(value) for name, value in metrics.items() if name.startswith(PREFIX)
    }
    total = sum(values.values())
    if len(values) < 2 or total <= 0:
        return []
    (largest, value), *others = sorted(values.items(), key=lambda item: -item[1])
    rest = ", ".join(f"{TERMS.get(name, name)} {other / total:.0%}" for name, other in others)
    return [
        ReadOut(
            "loss",
            f"Loss: {TERMS.get(largest, largest)}",
            value / total,
            f"of the step's loss. The rest: {rest}.",
        )
    ]


def _convergence(value: float) -> ReadOut:
    """``value`` is 1 - (error of the learned null branch / of the plain one); see
    ``engine.guidance.learned.null_branch``.
    """
    share = min(max(value, 0.0), 1.0)
    words = next(words_there for above, words_there in CONVERGENCE if share >= above)
    return ReadOut(
        "null_convergence", "Shape learned by the null branch", share, words, warning=share >= PALE
    )


def _clipped(value: float) -> ReadOut:
    share = min(max(value, 0.0), 1.0)
    words = (
        "of the pixels are pushed less than the method asks."
        if share
        else "No pixel is pushed harder than the limit."
    )
    return ReadOut("clipped", "Clipped pixels", share, words)


PALE = 0.9
CONVERGENCE = (
    (
        PALE,
        "Nearly all of it: the shape is about to turn pale. Lower the prior learning rate, or let it forget.",
    ),
    (0.5, "Most of it: the push is calm now and keeps to what the prompt still lacks."),
    (0.15, "Part of it: the push goes from what is there towards the prompt."),
    (0.0, "Hardly any yet: it pushes like SDS."),
)
TERMS = {
    "distillation": "the prior's push",
    "anchor": "draft anchor",
    "draft": "draft views",
    "pictures": "given pictures",
    "reference": "3D reference",
    "surface": "even surface",
    "density": "clear space",
    "distortion": "one depth a pixel",
    "outside": "what lies outside the box",
    "region_fill": "something in the box",
    "energy": "energies",
}
TELLERS: Mapping[str, Callable[[float], ReadOut]] = {"null_convergence": _convergence, "clipped": _clipped}


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
