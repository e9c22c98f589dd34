"""From a slider to the first picture that its value shaped."""

from __future__ import annotations

import time
from dataclasses import dataclass

from engine.benchmark.rows import Goal, Row
from engine.benchmark.sessions import PATIENCE_SECONDS, REMEDY, begin_refining, hasty, open_session, page_camera, seconds_of_steps
from engine.benchmark.timing import Comparison
from engine.core.camera import Camera
from engine.errors import RunError
from engine.loop.settings import Settings
from engine.prior.base import Prior
from engine.session import Frame, Session

GOAL = Goal("<=", 1.0)
ALLOWED_STEPS, ALLOWED_SECONDS = 2, 0.1
PACE_STEPS = 4
RATES = (0.9, 1.0)  # the slider goes to and fro


@dataclass(frozen=True)
class Slider:
    """Seconds from setting a knob to the picture with its revision; the references are two steps and 100 ms."""

    seconds: Comparison

    def rows(self) -> tuple[Row, ...]:
        pair = self.seconds
        row = Row("slider", "slider to picture", 1e3 * pair.value, "ms", 1e3 * pair.reference,
                  "2 steps + 100 ms", pair.share, GOAL)  # fmt: skip
        return (row,)


def measure_slider(settings: Settings, prior: Prior, repeats: int) -> Slider:
    """Move a slider of a run that goes and is watched, ``repeats`` times."""
    camera, values, references = page_camera(prior), [], []
    with open_session(prior) as session:
        token = begin_refining(session, hasty(settings))
        frame = _next_frame(session, token, camera, -1)
        for repeat in range(repeats):
            step = seconds_of_steps(session, token, PACE_STEPS)
            references.append(ALLOWED_STEPS * step + ALLOWED_SECONDS)
            frame = _next_frame(session, token, camera, frame.serial)
            seconds, frame = _seconds_to_revision(session, token, camera, frame, RATES[repeat % 2])
            values.append(seconds)
    return Slider(Comparison(tuple(values), tuple(references)))


def _seconds_to_revision(session: Session, token: str, camera: Camera, frame: Frame, rate: float) -> tuple[float, Frame]:
    began = time.perf_counter()
    revision = session.set_knobs(token, {"learning_rate": rate})
    while frame.revision < revision:
        frame = _next_frame(session, token, camera, frame.serial)
    return time.perf_counter() - began, frame


def _next_frame(session: Session, token: str, camera: Camera, after: int) -> Frame:
    frame = session.frame(token, "benchmark", camera, after, PATIENCE_SECONDS)
    if frame is None:
        raise RunError(f"A run of the benchmark showed nothing for {PATIENCE_SECONDS:g} s.", REMEDY)
    return frame
