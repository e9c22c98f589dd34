"""The viewport's own port on the loopback answers our relay and nobody else."""

from __future__ import annotations

import urllib.error
import urllib.request

import pytest
import viser
from studio_serving import Served, free_port, until
from test_viser_proxy import open_socket, submit
from websockets.asyncio import server
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from engine.errors import DeviceError
from engine.session import Session
from studio.loopback_websocket import SECRET_HEADER
from studio.viewport import Viewport, Viewports


@pytest.mark.parametrize("headers", [
    {}, {SECRET_HEADER: ""}, {SECRET_HEADER: "guess"}, {SECRET_HEADER: "gu\u00e9ss"}, {"Origin": "https://evil.example"},
])  # fmt: skip
def test_nobody_without_the_secret_is_answered(session: Session, headers: dict[str, str]) -> None:
    viewport = Viewport(session, submit(session))
    try:
        with pytest.raises(InvalidStatus) as refusal:
            connect(
                f"ws://127.0.0.1:{viewport.port}",
                subprotocols=[f"viser-v{viser.__version__}"],
                additional_headers=headers,
            )
        assert refusal.value.response.status_code == 403 and not refusal.value.response.body
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(f"http://127.0.0.1:{viewport.port}/", timeout=60)
    finally:
        viewport.close()


def test_each_viewport_has_a_secret_of_its_own(session: Session) -> None:
    one, other = Viewport(session, submit(session)), Viewport(session, submit(session))
    try:
        assert one.secret != other.secret and len(one.secret) > 30
        with pytest.raises(InvalidStatus):
            connect(f"ws://127.0.0.1:{one.port}", additional_headers={SECRET_HEADER: other.secret})
        with connect(f"ws://127.0.0.1:{one.port}", subprotocols=[f"viser-v{viser.__version__}"],
                     additional_headers={SECRET_HEADER: one.secret}) as socket:  # fmt: skip
            assert isinstance(socket.recv(timeout=60), bytes)
    finally:
        one.close()
        other.close()


def test_other_servers_of_this_process_are_as_they_were(session: Session) -> None:
    before = server.serve
    Viewport(session, submit(session)).close()
    assert server.serve is before and free_port()


def test_so_many_views_are_open_at_once_and_idle_ones_make_room(session: Session) -> None:
    viewports = Viewports(session, most=2)
    try:
        first, second = (viewports.open(submit(session)) for _ in range(2))
        with pytest.raises(DeviceError, match="2 3D views are open"):
            viewports.open(submit(session))
        with first.watched():
            first._idle_since = second._idle_since = float("-inf")
            third = viewports.open(submit(session))
            assert second.closed or second._end.is_set()
            assert not first._end.is_set() and not third._end.is_set()
            with third.watched(), pytest.raises(DeviceError):
                viewports.open(submit(session))
    finally:
        viewports.close()


def test_a_browser_that_finds_no_room_is_told(served: Served) -> None:
    served.viewports.most = 1
    with open_socket(served, submit(served.session)):
        until(lambda: [viewport for viewport in served.viewports._open.values() if viewport._watchers])
        with pytest.raises(InvalidStatus) as refusal:
            open_socket(served, submit(served.session))
    assert refusal.value.response.status_code == 503
