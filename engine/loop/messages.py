"""What goes into a run and what comes out of it: frozen dataclasses, numpy and opaque scene copies.

Commands go in through a ``CommandSource``, which keeps only the newest of each kind. Events come out of the
generator ``engine.loop.run.run``; the same events serve a thread, a worker process and the command line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np

from engine.loop.recipe import Recipe
from engine.loop.spec import Knobs
from engine.scene.base import Scene

Stage = Literal["draft", "fit", "refine", "sharpen"]


# Commands


@dataclass(frozen=True)
class SetKnobs:
    """Use these knobs from the next step on; ``revision`` comes back with everything that they shaped."""

    revision: int
    knobs: Knobs


@dataclass(frozen=True)
class Stop:
    """End within one step and keep the result."""


@dataclass(frozen=True)
class Watch:
    """Whether someone looks: only then does the run leave copies of the scene."""

    on: bool


Command = SetKnobs | Stop | Watch


class CommandSource(Protocol):
    """Where commands wait. A newer command replaces an unread older one of its type."""

    def take(self) -> Sequence[Command]:
        """Everything that waits, and empty the box; never blocks."""
        ...


class Unattended:
    """No commands: the run that nobody steers."""

    def take(self) -> list[Command]:
        return []


# Events


@dataclass(frozen=True)
class StageStarted:
    """A stage begins; ``steps`` is how many it will take."""

    stage: Stage
    steps: int


LOSS_PREFIX = "loss_"
"""How metrics begin that hold the weighted value of one loss term (`engine.loop.terms`)."""


@dataclass(frozen=True)
class Stepped:
    """One step is done. ``step`` counts within the stage, ``total_step`` over the run; ``seconds`` since the
    run began.
    """

    stage: Stage
    step: int
    steps: int
    total_step: int
    revision: int
    loss: float
    seconds: float
    eta_seconds: float
    steps_per_second: float
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class SceneCopy:
    """The scene as it was after ``total_step`` under knobs ``revision``; nobody writes to it any more.

    Give it to ``engine.loop.frames`` to get numpy pictures and arrays.
    """

    total_step: int
    revision: int
    scene: Scene
    backend: str
    fov_deg: float
    distance: float
    render_size: int = 0  # side in pixels of the pictures it was optimised in; 0: unknown


@dataclass(frozen=True, eq=False)
class Pictures:
    """What the prior sees: ``images`` (V,H,W,3) uint8, "draft" views while they are sampled, or "denoised"
    renders.

    With denoised ones come the ``renders`` (V,h,w,3) uint8 that they were made from, and the ``noise`` (t /
    T, 0..1) between.
    """

    kind: Literal["draft", "denoised"]
    total_step: int
    revision: int
    images: np.ndarray
    renders: np.ndarray | None = None
    noise: float | None = None


@dataclass(frozen=True)
class KnobsApplied:
    """``total_step`` is the first step that used ``revision``."""

    revision: int
    total_step: int
    knobs: Knobs


@dataclass(frozen=True)
class Warned:
    """Something a person should know, which does not end the run."""

    what: str
    remedy: str = ""


@dataclass(frozen=True)
class RolledBack:
    """The health check failed; the run went back to ``to_step`` with a smaller learning rate."""

    reason: str
    to_step: int


@dataclass(frozen=True)
class Checkpointed:
    """The run can be resumed from here after a crash."""

    total_step: int


@dataclass(frozen=True, eq=False)
class Finished:
    """The run is over: ``stopped`` early or done. ``seconds`` by stage, with "load", "total" and
    "to_first_view".

    ``skipped_steps`` are those that the prior spoilt; ``memory`` says what it took and what was given up;
    empty for small priors.
    """

    copy: SceneCopy
    stopped: bool
    seconds: Mapping[str, float]
    steps: int
    recipe: Recipe
    skipped_steps: int = 0
    memory: str = ""


Event = (
    StageStarted
    | Stepped
    | SceneCopy
    | Pictures
    | KnobsApplied
    | Warned
    | RolledBack
    | Checkpointed
    | Finished
)
