"""The live stream: who may watch, what comes first, credits, the camera, and what a malformed message
does.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image
from studio_serving import PATIENCE_SECONDS, Served, until
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from engine.core.camera import LayerCamera
from engine.loop.settings import Settings
from engine.loop.spec import Knobs, RunSpec
from engine.session.frame_requests import frame_request
from studio.eye import Eye, vertical_fov_deg
from studio.live import (
    CREDITS,
    FRAME,
    FRAME_WAIT_SECONDS,
    HEADER,
    KEEP_ALIVE_SECONDS,
    MALFORMED,
    PICTURES,
    STRIP,
    UNKNOWN_RUN,
)


def submit(served: Served, steps: int = 2000, prompt: str = "a red mug") -> str:
    return served.session.submit(Settings(RunSpec(prompt, refine_steps=steps), Knobs()), "ada")


@contextmanager
def watching(served: Served, token: str) -> Iterator[ClientConnection]:
    with connect(f"{served.ws}/live/{token}", compression="deflate") as socket:
        yield socket


def messages(
    socket: ClientConnection, seconds: float
) -> Iterator[dict | tuple[int, int, int, int, np.ndarray]]:
    """What arrives in ``seconds``: the status, or (kind, serial, step, revision, picture)."""
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        try:
            message = socket.recv(timeout=left)
        except TimeoutError:
            return
        yield json.loads(message) if isinstance(message, str) else parsed(message)


def parsed(message: bytes) -> tuple[int, int, int, int, np.ndarray]:
    kind, serial, step, revision = HEADER.unpack_from(message)
    return kind, serial, step, revision, np.asarray(Image.open(BytesIO(message[HEADER.size :])))


def pictures(socket: ClientConnection, seconds: float) -> list[tuple[int, int, int, int, np.ndarray]]:
    return [message for message in messages(socket, seconds) if isinstance(message, tuple)]


def next_frame(socket: ClientConnection) -> tuple[int, int, int, int, np.ndarray]:
    """The next rendered frame; everything is acknowledged."""
    for message in messages(socket, PATIENCE_SECONDS):
        if isinstance(message, tuple):
            socket.send(json.dumps({"ack": message[1]}))
            if message[0] == FRAME:
                return message
    raise AssertionError("no frame came")


def test_an_unknown_run_is_told_apart_from_a_lost_connection(served: Served) -> None:
    with connect(f"{served.ws}/live/nobody-knows-this") as socket, pytest.raises(ConnectionClosed):
        socket.recv(timeout=PATIENCE_SECONDS)
    assert socket.close_code == UNKNOWN_RUN


def test_the_status_comes_first_and_at_once(served: Served) -> None:
    token = submit(served)
    began = time.monotonic()
    with watching(served, token) as socket:
        first = next(m for m in messages(socket, PATIENCE_SECONDS) if isinstance(m, dict))
    assert time.monotonic() - began < KEEP_ALIVE_SECONDS / 2
    assert (
        first["token"] == token and first["state"] in ("queued", "running") and first["prompt"] == "a red mug"
    )


def test_messages_are_not_compressed_again(served: Served) -> None:
    with watching(served, submit(served)) as socket:
        assert "Sec-WebSocket-Extensions" not in socket.response.headers


def test_a_reader_that_does_not_answer_gets_its_credits_and_no_more(served: Served) -> None:
    token = submit(served)
    with watching(served, token) as socket:
        early = pictures(socket, 3.0)
        assert len(early) == CREDITS
        missed_until = served.session.view(token).total_step
        socket.send(json.dumps({"ack": 0}))
        late = pictures(socket, 1.0)
        assert len(late) == 1, "one credit, one picture"
        socket.send(json.dumps({"ack": 0}))
        frame = late[0] if late[0][0] == FRAME else next_frame(socket)
    assert frame[2] > (early[-1][2] + missed_until) / 2, "what was missed is not sent afterwards"


def test_acknowledging_twice_earns_nothing(served: Served) -> None:
    with watching(served, submit(served)) as socket:
        for _ in range(20):
            socket.send(json.dumps({"ack": 0}))
        assert len(pictures(socket, 3.0)) <= 2 * CREDITS


def test_frames_follow_the_run_and_the_strip_comes_too(served: Served) -> None:
    with watching(served, submit(served)) as socket:
        seen = []
        for message in messages(socket, PATIENCE_SECONDS):
            if isinstance(message, tuple):
                seen.append(message)
                socket.send(json.dumps({"ack": message[1]}))
            if {FRAME, STRIP, PICTURES} <= {m[0] for m in seen} and sum(m[0] == FRAME for m in seen) >= 5:
                break
    frames = [m for m in seen if m[0] == FRAME]
    assert all(later[1] > earlier[1] and later[2] >= earlier[2] for earlier, later in pairwise(frames))
    strip = next(m for m in seen if m[0] == STRIP)
    assert strip[1] == 8 and strip[4].shape[1] == 8 * strip[4].shape[0]


def test_the_camera_and_the_canvas_shape_the_picture(served: Served) -> None:
    token = submit(served, steps=120)
    served.session.wait(token, PATIENCE_SECONDS)
    with watching(served, token) as socket:
        socket.send(json.dumps({"size": [200, 100], "camera": [0, 0, 3.05]}))
        side = settled(socket, (100, 200))
        socket.send(json.dumps({"camera": [0, 89, 3.05]}))
        above = settled(socket, (100, 200), unlike=side)
    assert inked_height(above) > 1.5 * inked_height(side), "a flat ring is taller from above"


def test_a_resting_object_turns_at_once(served: Served) -> None:
    """No camera message waits until a wait with the old camera is over, which was half a second for each."""
    token = submit(served)
    with watching(served, token) as socket:
        socket.send(json.dumps({"size": [128, 128]}))
        next_frame(socket)
        served.session.pause(token)
        until(lambda: served.session.view(token).state == "paused")
        list(messages(socket, 1.0))  # what is under way; not acknowledged
        for _ in range(CREDITS):
            socket.send(json.dumps({"ack": 0}))
        waits = []
        for turn in range(1, 21):
            began = time.monotonic()
            socket.send(json.dumps({"camera": [turn * 9, 10, 3.05]}))
            next_frame(socket)
            waits.append(time.monotonic() - began)
    assert sorted(waits)[len(waits) // 2] < FRAME_WAIT_SECONDS / 4


def settled(socket: ClientConnection, shape: tuple[int, int], unlike: np.ndarray | None = None) -> np.ndarray:
    """The first full-size picture that is not ``unlike``."""
    while True:
        picture = next_frame(socket)[4]
        if picture.shape[:2] == shape and (unlike is None or np.abs(picture.astype(int) - unlike).max() > 60):
            return picture


def inked_height(picture: np.ndarray) -> int:
    rows = np.flatnonzero((np.abs(picture.astype(int) - 244).max(axis=2) > 60).any(axis=1))
    return int(rows[-1] - rows[0])


MALFORMED_MESSAGES = ["no json", "[1]", '{"camera": [0, 0]}', '{"camera": [NaN, 0, '
                                                              '3]}', '{"camera": 3}', '{"size": "large"}',
                      '{"layer": "heat"}', '{"crop": [1, 2]}']  # fmt: skip


@pytest.mark.parametrize("bad", MALFORMED_MESSAGES)
def test_a_malformed_message_ends_its_own_connection_only(served: Served, bad: str) -> None:
    token = submit(served)
    with watching(served, token) as socket:
        socket.send(bad)
        with pytest.raises(ConnectionClosed):
            pictures(socket, PATIENCE_SECONDS)
        assert socket.close_code == MALFORMED
    with watching(served, token) as socket:
        next_frame(socket)


def test_a_run_that_is_removed_while_it_is_watched_is_nobodys_malformed_message(served: Served) -> None:
    token = submit(served, steps=3)
    until(lambda: served.session.view(token).state == "done")
    with watching(served, token) as socket:
        next_frame(socket)
        served.session.runs.delete(token, "ada")
        with pytest.raises(ConnectionClosed):
            pictures(socket, PATIENCE_SECONDS)
            socket.recv(timeout=PATIENCE_SECONDS)
        assert socket.close_code != MALFORMED


def test_watchers_come_and_go_and_the_run_goes_on(served: Served) -> None:
    token = submit(served)
    with watching(served, token) as one, watching(served, token) as two:
        next_frame(one), next_frame(two)
    before = served.session.view(token).total_step
    until(lambda: served.session.view(token).total_step > before + 3)


def test_a_moving_camera_gets_smaller_pictures() -> None:
    eye = Eye(width=400, height=300)
    eye.turn(10, 20, 3, now=100.0)
    moving, still = eye.camera(100.1, running=False), eye.camera(101.0, running=False)
    assert (moving.width, moving.height, still.width, still.height) == (200, 150, 400, 300)
    assert moving.K[0, 0] / moving.width == pytest.approx(still.K[0, 0] / still.width)


def test_another_layer_is_another_picture_of_the_same_camera() -> None:
    eye = Eye(width=64, height=64)
    plain = eye.camera(0.0, running=False)
    eye.show("depth")
    deep = eye.camera(0.0, running=False)
    assert isinstance(deep, LayerCamera) and deep.layer == "depth" and np.array_equal(deep.c2w, plain.c2w)
    keys = {frame_request(None, camera).key for camera in (plain, deep, LayerCamera(**vars(plain)))}  # type: ignore[arg-type]
    assert len(keys) == 2, "colour is colour, however it was asked for"


def test_a_run_that_goes_is_drawn_smaller_and_sharp_again_when_it_rests(served: Served) -> None:
    token = submit(served)
    with watching(served, token) as socket:
        socket.send(json.dumps({"size": [320, 240]}))
        going = until_size(socket, (120, 160))
        served.session.pause(token)
        resting = until_size(socket, (240, 320))
    assert going.shape == (120, 160, 3) and resting.shape == (240, 320, 3)


def until_size(socket: ClientConnection, size: tuple[int, int]) -> np.ndarray:
    """The first frame of a size (height, width)."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        picture = next_frame(socket)[-1]
        if picture.shape[:2] == size:
            return picture
    raise AssertionError(f"no frame of {size} came")


def test_what_comes_from_outside_is_brought_into_range() -> None:
    eye = Eye()
    eye.turn(-30, 400, 1e9, now=0)
    eye.resize(100_000, 50_000)
    assert eye.azimuth_deg == 330 and eye.elevation_deg == 89 and eye.distance == 12
    assert (eye.width, eye.height) == (768, 384)


@pytest.mark.parametrize("aspect", [0.5, 1.0, 2.0])
def test_the_shorter_side_always_spans_forty_degrees(aspect: float) -> None:
    vertical = math.tan(math.radians(vertical_fov_deg(aspect)) / 2)
    assert min(vertical, vertical * aspect) == pytest.approx(math.tan(math.radians(20)))
