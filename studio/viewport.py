"""The 3D viewport of one run: a viser server on the loopback, followed by a thread that keeps its scene up to
date.

The server answers our relay alone.

There are two ways to show a run. "splats" go to the browser and are updated in place, at most twice a second.
"pictures" are drawn here and follow each browser's camera: the way for fields, and for browsers that would
have to draw splats without a GPU, on the very cores that the engine needs. A viewport that nobody looks at
ends itself after ``IDLE_SECONDS``.
"""

from __future__ import annotations

import math
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import numpy as np
import rich
from viser import ClientHandle, GaussianSplatHandle, ViserServer

from engine.core.camera import orbit_position
from engine.errors import DeviceError, StudioError
from engine.session import Session
from engine.session.limits import Limits
from studio.eye import DISTANCE, FOV_DEG
from studio.loopback_websocket import answering_only
from studio.page_links import PageLinks
from studio.viewport_camera import picture_camera
from studio.viewport_crop import ANYTHING, extent_of
from studio.viewport_links import link_pages

SPLATS_SECONDS = 0.5
PICTURE_SECONDS = 0.1
SPLATS_WHILE_RUNNING, ALL_SPLATS = 20_000, 200_000
IDLE_SECONDS = 60.0
OPEN_SECONDS = 2.0  # from when a viewport is opened until somebody is there
PAPER_RGB = (244, 244, 242)  # --mq-paper of the page, and the ground of rendered pictures


Way = Literal["splats", "pictures"]


class Viewport:
    """What one run's viewers see in 3D, the same scene for all of them."""

    def __init__(
        self,
        session: Session,
        token: str,
        way: Way = "splats",
        idle_seconds: float = IDLE_SECONDS,
        links: PageLinks | None = None,
    ) -> None:
        self.session, self.token, self.idle_seconds = session, token, idle_seconds
        self.of_splats = session.settings(token).spec.scene == "splats"
        self.drawn_here = way == "pictures" or not self.of_splats
        self.secret = secrets.token_urlsafe(32)
        self.extent, viewers = ANYTHING, dict[int, str]()
        self.server = _viser_server(self.secret, viewers)
        link_pages(self.server, viewers, links or PageLinks(), lambda: self.extent)
        self.port: int = self.server.get_port()
        self.closed = False
        self._lock = threading.Lock()
        self._watchers, self._idle_since = 0, time.monotonic()
        self._splats: GaussianSplatHandle | None = None
        self._shown = (-1, 0)  # (step, how many at most) of the splats on screen
        self._serials: dict[int, int] = {}
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._follow, name=f"viewport-{token[:6]}", daemon=True)
        self._thread.start()

    @contextmanager
    def watched(self) -> Iterator[None]:
        """While inside, somebody looks."""
        with self._lock:
            self._watchers += 1
        try:
            yield
        finally:
            with self._lock:
                self._watchers, self._idle_since = self._watchers - 1, time.monotonic()

    @property
    def is_watched(self) -> bool:
        """Whether somebody looks, or has only just been let in."""
        with self._lock:
            return self._watchers > 0 or time.monotonic() - self._idle_since < OPEN_SECONDS

    def close(self) -> None:
        """End the thread and the server; may be called twice."""
        self._end.set()
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout=5)

    def _follow(self) -> None:
        period = PICTURE_SECONDS if self.drawn_here else SPLATS_SECONDS
        try:
            while not self._end.wait(period) and not self._abandoned():
                if self._watchers:
                    self.refresh()
        except StudioError:
            pass  # the run was removed: there is nothing left to show
        finally:
            self.closed = True
            self.server.stop()

    def _abandoned(self) -> bool:
        with self._lock:
            self.closed = self._watchers == 0 and time.monotonic() - self._idle_since > self.idle_seconds
            return self.closed

    def refresh(self) -> None:
        """Bring the scene, or each client's picture, up to the newest step."""
        if not self.drawn_here:
            self._refresh_splats()
            return
        if self.of_splats and self.extent is ANYTHING:
            self.extent = extent_of(self.session.cloud(self.token, -1, SPLATS_WHILE_RUNNING))
        for client in self.server.get_clients().values():
            self._refresh_picture(client)

    def _refresh_splats(self) -> None:
        running = self.session.view(self.token).state == "running"
        limit = SPLATS_WHILE_RUNNING if running else ALL_SPLATS
        step, shown_limit = self._shown
        cloud = self.session.cloud(self.token, step if limit == shown_limit else -1, limit)
        if cloud is None or not len(cloud.centers):
            return
        arrays = (cloud.centers, cloud.covariances, cloud.rgbs, cloud.opacities)
        if self._splats is None:
            self._splats = self.server.scene.add_gaussian_splats("/splats", *arrays)
        else:
            self._splats.set_gaussians(*arrays)
        self._shown, self.extent = (cloud.total_step, limit), extent_of(cloud)

    def _refresh_picture(self, client: ClientHandle) -> None:
        watcher = f"viewport-{self.port}-{client.client_id}"
        after = self._serials.get(client.client_id, -1)
        frame = self.session.frame(self.token, watcher, picture_camera(client.camera), after, PICTURE_SECONDS)
        if frame is not None:
            self._serials[client.client_id] = frame.serial
            client.scene.set_background_image(frame.rgb, format="jpeg", jpeg_quality=86)


def _viser_server(secret: str, viewers: dict[int, str]) -> ViserServer:
    """A server that answers only who knows ``secret``; ``viewers`` are its clients' names by number."""
    console = rich.get_console()
    console.quiet, before = True, console.quiet  # viser announces an address that is not for people
    try:
        with answering_only(secret, viewers):
            server = ViserServer("127.0.0.1", 0, verbose=False)
    finally:
        console.quiet = before
    # A client may ask for a public tunnel whether or not a button for it is drawn.
    server.request_share_url = lambda verbose=True: None  # type: ignore[method-assign]
    server.gui.configure_theme(show_logo=False, show_share_button=False)
    server.initial_camera.position = orbit_position(35.0, 18.0, DISTANCE * 1.15)
    server.initial_camera.look_at = np.zeros(3)
    server.initial_camera.fov = math.radians(FOV_DEG)
    server.scene.set_background_image(np.full((8, 8, 3), PAPER_RGB, np.uint8), format="png")
    return server


class Viewports:
    """The open viewports, one a run and way at most, and ``most`` of them together."""

    def __init__(
        self,
        session: Session,
        idle_seconds: float = IDLE_SECONDS,
        most: int = Limits.viewports,
        links: PageLinks | None = None,
    ) -> None:
        self.session, self.idle_seconds, self.most = session, idle_seconds, most
        self.links = links or PageLinks()
        self._lock = threading.Lock()
        self._open: dict[tuple[str, Way], Viewport] = {}

    def open(self, token: str, way: Way = "splats") -> Viewport:
        """The viewport of a run, made now if it is not open.

        Raises InputError for an unknown run, and DeviceError while as many are open and watched as may be.
        """
        self.session.view(token)
        with self._lock:
            self._open = {key: viewport for key, viewport in self._open.items() if not viewport.closed}
            if (token, way) not in self._open:
                self._make_room()
                self._open[token, way] = Viewport(self.session, token, way, self.idle_seconds, self.links)
            return self._open[token, way]

    def _make_room(self) -> None:
        """Close one that nobody looks at, if there are too many."""
        if len(self._open) < self.most:
            return
        idle = next((key for key, viewport in self._open.items() if not viewport.is_watched), None)
        if idle is None:
            what = f"{self.most} 3D views are open, which is as many as this studio shows at once."
            raise DeviceError(what, "Close one in another tab, or look at the picture instead.")
        self._open.pop(idle).close()

    def close(self) -> None:
        """Close all of them."""
        with self._lock:
            for viewport in self._open.values():
                viewport.close()
            self._open = {}
