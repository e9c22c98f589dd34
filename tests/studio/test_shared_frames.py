"""What watchers share: one status and one encoded picture for all, at a pace that the run can bear."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from studio_serving import Served, until
from test_viser_proxy import submit
from websockets.sync.client import connect

from engine.errors import InputError
from engine.session import Session
from studio import shared_frames
from studio.live import FRAME, HEADER
from studio.shared_frames import KEPT_MESSAGES, STATUS_SECONDS, Shared


def test_a_status_is_made_once_for_all_who_ask_within_a_moment(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, made = [0.0], []
    status_of = shared_frames.status_of
    monkeypatch.setattr(shared_frames, "status_of", lambda view: made.append(view.token) or status_of(view))
    shared, token = Shared(session, 60, lambda: now[0]), submit(session)
    assert json.loads(shared.status(token))["token"] == token
    assert [shared.status(token) for _ in range(50)] and len(made) == 1
    now[0] += STATUS_SECONDS
    shared.status(token)
    assert len(made) == 2
    with pytest.raises(InputError):
        shared.status("unknown")


def test_a_picture_is_encoded_once_and_old_ones_are_forgotten(session: Session) -> None:
    shared, made = Shared(session, 60), []
    for _ in range(50):
        assert shared.message(1, lambda: made.append(1) or b"picture") == b"picture"
    assert len(made) == 1
    for key in range(2, 3 * KEPT_MESSAGES):
        shared.message(key, lambda: b"other")
    assert len(shared._messages) == KEPT_MESSAGES


def test_the_more_watch_the_slower_each_is_served_while_a_run_goes(session: Session) -> None:
    shared = Shared(session, 60)
    with shared.watching(), shared.watching(), shared.watching():
        assert shared.pause_seconds() == 0.0, "nothing goes"
        token = submit(session)
        until(session.busy)
        assert shared.pause_seconds() == pytest.approx(3 / 60)
        session.stop(token)
        until(lambda: not session.busy())
        assert shared.pause_seconds() == 0.0
    assert shared._watchers == 0


def frames_of(served: Served, token: str, seconds: float) -> int:
    """How many live pictures one browser gets."""
    number, until_ = 0, time.monotonic() + seconds
    with connect(f"{served.ws}/live/{token}", max_size=None) as socket:
        while time.monotonic() < until_:
            try:
                message = socket.recv(timeout=0.2)
            except TimeoutError:
                continue
            if isinstance(message, bytes):
                number += HEADER.unpack_from(message)[0] == FRAME
                socket.send(json.dumps({"ack": 1}))
    return number


def test_thirty_browsers_get_no_more_together_than_is_allowed(served: Served) -> None:
    token, seconds = submit(served.session), 3.0
    with ThreadPoolExecutor(30) as pool:
        numbers = list(pool.map(lambda _: frames_of(served, token, seconds), range(30)))
    allowed = served.session.limits.watched_messages * seconds
    assert min(numbers) >= 1, "everybody sees the shape"
    assert sum(numbers) <= 1.5 * allowed + 2 * 30
    assert threading.active_count() < 200
