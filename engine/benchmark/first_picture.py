"""From Generate to the first picture, on a server that is warm."""

from __future__ import annotations

import time
from dataclasses import dataclass

from engine.benchmark.driving import guided_call
from engine.benchmark.rows import Goal, Row
from engine.benchmark.sessions import open_session, page_camera, until
from engine.benchmark.timing import Comparison, interleaved, seconds_of
from engine.loop.settings import Settings
from engine.loop.state import Context
from engine.loop.viewpoints import draft_cameras
from engine.prior.base import Prior
from engine.session import Session

GOAL = Goal("<=", 2.0, of="value")


@dataclass(frozen=True)
class FirstPicture:
    """Seconds until something can be seen; the reference is the one denoiser call that the first draft picture takes."""

    seconds: Comparison

    def rows(self) -> tuple[Row, ...]:
        pair = self.seconds
        row = Row("first_picture", "Generate to first picture", pair.value, "s", pair.reference,
                  "the bare denoiser call", pair.share, GOAL)  # fmt: skip
        return (row,)


def measure_first_picture(settings: Settings, prior: Prior, repeats: int) -> FirstPicture:
    """Submit, wait for the first picture, stop; after one time that does not count."""
    spec = settings.spec
    context = Context.of(spec, prior)
    cameras = draft_cameras(prior.info, spec.draft_views, prior.info.resolution).to(prior.device)
    denoise = guided_call(context, cameras, spec.draft_guidance_scale)
    with open_session(prior) as session:
        _seconds_to_picture(session, settings, prior)
        found = interleaved((lambda: _seconds_to_picture(session, settings, prior), lambda: seconds_of(denoise)), repeats)
    return FirstPicture(Comparison(*found))


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
