"""What is compared: methods down, guidance scales across, one cell each."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.errors import InputError
from engine.guidance import methods
from engine.loop.settings import Settings, flatten, with_values
from engine.loop.spec import Knobs, RunSpec
from engine.prior.base import PriorInfo

GUIDANCE_SCALES = (1.0, 2.5, 7.5, 20.0)
STEPS = 100
FORMAT = 1  # of what is stored for a cell: raise it when the same settings mean something else


@dataclass(frozen=True)
class Cell:
    """A method at a guidance scale. ``settings`` is None where they are not allowed together, and ``trouble``
    says why.
    """

    method: str
    guidance_scale: float
    settings: Settings | None
    trouble: str = ""

    @property
    def key(self) -> str:
        """A name for files: the method, the scale, and a fingerprint of all settings."""
        values = {} if self.settings is None else flatten(self.settings)
        text = json.dumps([FORMAT, self.method, self.guidance_scale, values], sort_keys=True)
        return f"{self.method}-{self.guidance_scale:g}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


@dataclass(frozen=True)
class Grid:
    """One picture of ``base.spec.prompt`` for each of ``methods`` at each of ``guidance_scales``.

    ``changes`` are settings by name, each used by the methods that have it.
    """

    base: Settings
    methods: tuple[str, ...]
    guidance_scales: tuple[float, ...] = GUIDANCE_SCALES
    changes: Mapping[str, Any] = field(default_factory=dict)

    def cells(self) -> tuple[Cell, ...]:
        """All cells, row by row. Raises InputError if none of them can be run, or for a setting that no
        method has.
        """
        known = {
            name for method in self.methods for name in flatten(with_values(self.base, {"method": method}))
        }
        strange = sorted(set(self.changes) - known)
        if strange:
            raise InputError(
                f"No method of the grid has a setting named {strange[0]!r}.",
                f"Known are {', '.join(sorted(known))}.",
            )
        cells = tuple(self._cell(method, scale) for method in self.methods for scale in self.guidance_scales)
        if all(cell.settings is None for cell in cells):
            raise InputError("No cell of the grid can be run.", cells[0].trouble)
        return cells

    def _cell(self, method: str, guidance_scale: float) -> Cell:
        own = with_values(self.base, {"method": method})
        values = {name: value for name, value in self.changes.items() if name in flatten(own)}
        try:
            return Cell(
                method, guidance_scale, with_values(own, {**values, "guidance_scale": guidance_scale})
            )
        except InputError as error:
            return Cell(method, guidance_scale, None, error.what)


def canvas_settings(prompt: str, info: PriorInfo, *, seed: int = 0, steps: int = STEPS) -> Settings:
    """One picture of noise, at the size that the prior sees, and every knob at its default. Raises
    InputError.
    """
    if steps < 1:
        raise InputError(f"{steps} steps paint nothing.", f"Ask for 1 step or more; {STEPS} is usual.")
    spec = RunSpec(
        prompt=prompt, seed=seed, prior=info.id, scene="canvas", start="ball", draft_views=1,
        refine_steps=steps, render_size=info.resolution,
    )  # fmt: skip
    return Settings(spec, Knobs())


def chosen_methods(text: str) -> tuple[str, ...]:
    """Method keys from "sds,lods" or "all", each once and in the order given. Raises InputError that lists
    the known ones.
    """
    known = methods()
    keys = (
        tuple(known)
        if text.strip() == "all"
        else tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    )
    strange = [key for key in keys if key not in known]
    if strange or not keys:
        what = f"There is no guidance method {strange[0]!r}." if strange else "No guidance method was named."
        raise InputError(what, f"Choose from {', '.join(known)}, or all.")
    return keys


def chosen_scales(text: str) -> tuple[float, ...]:
    """Guidance scales from "1,2.5,7.5", each once. Raises InputError for what is no number."""
    parts: Sequence[str] = [part.strip() for part in text.split(",") if part.strip()]
    try:
        scales = tuple(dict.fromkeys(float(part) for part in parts))
    except ValueError:
        scales = ()
    if not scales:
        raise InputError(
            f"{text!r} is no list of guidance scales.",
            "Write numbers with commas between them, such as 1,2.5,7.5,20.",
        )
    return scales
