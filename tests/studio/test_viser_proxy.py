"""The viewport behind our port: its page, its socket, who may open it, and when it ends."""

from __future__ import annotations

import gzip
import math
import urllib.error
import urllib.request
from types import SimpleNamespace

import numpy as np
import pytest
import viser
from studio_serving import PATIENCE_SECONDS, Served, until
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from engine.core.camera import orbit_c2w, orbit_position
from engine.errors import InputError
from engine.loop.settings import Settings
from engine.loop.spec import Knobs, RunSpec
from engine.session import Session
from studio.viewport import Viewport, Viewports
from studio.viewport_camera import picture_camera

VISER = f"viser-v{viser.__version__}"


def submit(session: Session, **values: object) -> str:
    return session.submit(Settings(RunSpec("a red mug", refine_steps=2000, **values), Knobs()), "ada")


def get(url: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    try:
        with urllib.request.urlopen(
            urllib.request.Request(url, headers=headers), timeout=PATIENCE_SECONDS
        ) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers), error.read()


def open_socket(served: Served, token: str) -> ClientConnection:
    return connect(f"{served.ws}/viewport/{token}/splats", subprotocols=[VISER], max_size=None)


def test_the_page_is_visers_own_with_our_repairs(served: Served) -> None:
    url = f"{served.http}/viewport/{submit(served.session)}/splats/"
    status, headers, packed = get(url, **{"Accept-Encoding": "gzip"})
    html = gzip.decompress(packed).decode()
    assert status == 200 and headers["content-encoding"] == "gzip" and len(packed) < len(html)
    assert "hasFocus" in html and html.index("hasFocus") < html.index("</head>")
    assert get(url)[2].decode() == html
    assert get(url, **{"If-None-Match": headers["etag"]})[0] == 304


def test_one_address_serves_the_viewports_of_all_runs(served: Served) -> None:
    """Browsers keep what it sends, which was fetched anew for each run."""
    status, headers, body = get(f"{served.http}/viewport/client/")
    assert status == 200 and b"location.hash" in body
    assert get(f"{served.http}/viewport/client/", **{"If-None-Match": headers["etag"]})[0] == 304


def test_an_unknown_run_has_no_viewport(served: Served) -> None:
    assert get(f"{served.http}/viewport/nobody-knows-this/splats/")[0] == 404
    assert get(f"{served.http}/viewport/{submit(served.session)}/otherwise/")[0] == 404
    with pytest.raises(InvalidStatus) as refusal:
        open_socket(served, "nobody-knows-this")
    assert refusal.value.response.status_code == 404
    with pytest.raises(InputError):
        served.viewports.open("nobody-knows-this")


def test_the_socket_reaches_viser_uncompressed_with_its_subprotocol(served: Served) -> None:
    with open_socket(served, submit(served.session)) as socket:
        assert socket.subprotocol == VISER
        assert "Sec-WebSocket-Extensions" not in socket.response.headers
        assert isinstance(socket.recv(timeout=PATIENCE_SECONDS), bytes)


def test_splats_arrive_and_are_updated_in_place(served: Served) -> None:
    token = submit(served.session)
    with open_socket(served, token) as socket:
        viewport = served.viewports.open(token)
        until(lambda: viewport._splats is not None)
        handle, buffer = viewport._splats, viewport._splats.buffer.copy()
        while sum(len(socket.recv(timeout=PATIENCE_SECONDS)) for _ in range(1)) < 32:
            pass
        until(lambda: not np.array_equal(viewport._splats.buffer, buffer))
        assert viewport._splats is handle, "removing and adding would flash"


def test_two_viewers_share_one_viewport_and_two_runs_do_not(served: Served) -> None:
    one, other = submit(served.session), submit(served.session)
    with open_socket(served, one), open_socket(served, one), open_socket(served, other):
        assert len(served.viewports._open) == 2
        assert served.viewports.open(one).port != served.viewports.open(other).port


def test_a_viewport_that_nobody_watches_ends_and_opens_again(served: Served) -> None:
    token = submit(served.session)
    with open_socket(served, token):
        first = served.viewports.open(token)
    until(lambda: first.closed)
    with open_socket(served, token) as socket:
        assert isinstance(socket.recv(timeout=PATIENCE_SECONDS), bytes)
        assert served.viewports.open(token) is not first


def test_no_client_can_open_a_public_tunnel(session: Session) -> None:
    viewport = Viewport(session, submit(session))
    try:
        assert viewport.server.request_share_url() is None
        assert viewport.server.get_host() == "127.0.0.1"
    finally:
        viewport.close()


def test_closing_all_ends_their_threads(session: Session) -> None:
    viewports = Viewports(session)
    opened = [viewports.open(submit(session)) for _ in range(2)]
    viewports.close()
    assert all(viewport.closed and not viewport._thread.is_alive() for viewport in opened)


@pytest.mark.parametrize(("scene", "way"), [("field", "splats"), ("splats", "pictures")])
def test_pictures_are_drawn_for_each_viewers_camera(session: Session, scene: str, way: str) -> None:
    viewport = Viewport(session, submit(session, scene=scene), way)  # type: ignore[arg-type]
    shown: list[np.ndarray] = []
    scene = SimpleNamespace(set_background_image=lambda rgb, **_: shown.append(rgb))
    client = SimpleNamespace(client_id=7, camera=camera_handle(30, 20, 640, 480), scene=scene)
    try:
        until(lambda: viewport._refresh_picture(client) or len(shown) >= 2)  # type: ignore[arg-type, func-returns-value]
    finally:
        viewport.close()
    assert shown[0].shape == (288, 384, 3) and viewport._splats is None
    assert (shown[0] != 244).any(), "something is drawn"


def camera_handle(azimuth_deg: float, elevation_deg: float, width: int, height: int) -> viser.CameraHandle:
    """viser's camera as it would report an orbit camera: position, and the quaternion of its OpenCV axes."""
    rotation = orbit_c2w(azimuth_deg, elevation_deg, 3.0)[:3, :3]
    wxyz = viser.transforms.SO3.from_matrix(rotation.astype(float)).wxyz
    position = orbit_position(azimuth_deg, elevation_deg, 3.0)
    return SimpleNamespace(
        wxyz=wxyz, position=position, fov=math.radians(40), image_width=width, image_height=height
    )  # type: ignore[return-value]


@pytest.mark.parametrize(("azimuth_deg", "elevation_deg"), [(0, 0), (35, 18), (200, -60)])
def test_visers_camera_is_ours(azimuth_deg: float, elevation_deg: float) -> None:
    camera = picture_camera(camera_handle(azimuth_deg, elevation_deg, 300, 600))
    assert np.allclose(camera.c2w, orbit_c2w(azimuth_deg, elevation_deg, 3.0), atol=1e-5)
    assert (camera.width, camera.height) == (192, 384)
    assert camera.K[1, 1] == pytest.approx(0.5 * 384 / math.tan(math.radians(20)))
