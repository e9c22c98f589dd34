"""How long someone waits: from Generate to the first picture, on a server that is warm, and from a slider to
the first picture that its value shaped.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from engine.benchmark.driving import guided_call
from engine.benchmark.report import Goal, Row
from engine.benchmark.sessions import (
    PATIENCE_SECONDS,
    REMEDY,
    begin_refining,
    hasty,
    open_session,
    page_camera,
    seconds_of_steps,
    until,
)
from engine.benchmark.timing import Comparison, interleaved, seconds_of
from engine.core.camera import Camera
from engine.errors import RunError
from engine.loop.settings import Settings
from engine.loop.state import Context
from engine.loop.viewpoints import draft_cameras
from engine.prior.base import Prior
from engine.session import Frame, Session

SLIDER_GOAL = Goal("<=", 1.0)
ALLOWED_STEPS, ALLOWED_SECONDS = 2, 0.1
PACE_STEPS = 4
RATES = (0.9, 1.0)  # the slider goes to and fro

FIRST_PICTURE_GOAL = Goal("<=", 2.0, of="value")


@dataclass(frozen=True)
class FirstPicture:
    """Seconds until something can be seen; the reference is the one denoiser call that the first draft
    picture takes.
    """

    seconds: Comparison

    def rows(self) -> tuple[Row, ...]:
        pair = self.seconds
        row = Row("first_picture", "Generate to first picture", pair.value, "s", pair.reference,
                  "the bare denoiser call", pair.share, FIRST_PICTURE_GOAL)  # fmt: skip
        return (row,)


def measure_first_picture(settings: Settings, prior: Prior, repeats: int) -> FirstPicture:
    """Submit, wait for the first picture, stop; after one time that does not count."""
    spec = settings.spec
    context = Context.of(spec, prior)
    cameras = draft_cameras(prior.info, spec.draft_views, prior.info.resolution).to(prior.device)
    denoise = guided_call(context, cameras, spec.draft_guidance_scale)
    with open_session(prior) as session:
        _seconds_to_picture(session, settings, prior)
        seconds = interleaved(
            (lambda: _seconds_to_picture(session, settings, prior), lambda: seconds_of(denoise)), repeats
        )
    return FirstPicture(Comparison(*seconds))


def _seconds_to_picture(session: Session, settings: Settings, prior: Prior) -> float:
    began = time.perf_counter()
    token = session.submit(settings, "benchmark")
    until(session, token, lambda: _something_to_see(session, token, settings, prior))
    seconds = time.perf_counter() - began
    session.stop(token)
    session.wait(token)
    return seconds


def _something_to_see(session: Session, token: str, settings: Settings, prior: Prior) -> bool:
    """Draft views while they are sampled; without a draft, the scene itself."""
    if settings.spec.start == "draft":
        return session.pictures(token) is not None
    return session.frame(token, "benchmark", page_camera(prior), -1, 0.1) is not None


@dataclass(frozen=True)
class Slider:
    """Seconds from setting a knob to the picture with its revision; the references are two steps and 100
    ms.
    """

    seconds: Comparison

    def rows(self) -> tuple[Row, ...]:
        pair = self.seconds
        row = Row("slider", "slider to picture", 1e3 * pair.value, "ms", 1e3 * pair.reference,
                  "2 steps + 100 ms", pair.share, SLIDER_GOAL)  # fmt: skip
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


def _seconds_to_revision(
    session: Session, token: str, camera: Camera, frame: Frame, rate: float
) -> tuple[float, Frame]:
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
