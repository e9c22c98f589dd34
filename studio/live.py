"""The live stream of one run to one browser: a WebSocket at ``/live/{token}``.

Out go pictures (binary) and the run's status (JSON text). A picture is ``HEADER`` and a JPEG; what the prior
sees is one JPEG of two rows, the renders above what became of them, where there are renders. The browser
starts with ``CREDITS`` and earns one back with each picture that it has drawn, so a slow reader sees fewer
pictures, never old ones. In come ``{"ack": n}``, ``{"camera": [azimuth_deg, elevation_deg, distance]}``,
``{"size": [width, height]}``, and ``{"viewer": name}``: the camera is linked with that of this page's 3D
viewport, whose turns go out as ``{"turned": [...]}``. ``{"layer": name}`` chooses what the pictures show,
``{"crop": [...]}`` (low x y z, high x y z) puts a box with grips into the viewport, and ``[]`` takes it away;
where it is dragged to goes out the same way.
"""

from __future__ import annotations

import asyncio
import json
import math
import struct
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import count
from typing import Any, TypeVar

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from engine.core.camera import Camera
from engine.errors import StudioError
from engine.session import Frame, Pictures, Session, Strip
from studio.eye import Eye
from studio.linked_cameras import Orbit
from studio.page_links import NAME, Box, PageLinks, box_of
from studio.pictures import contact_row, contact_rows, jpeg
from studio.shared_frames import STATUS_SECONDS, Shared

# kind, serial (of a strip and of pictures: how many views), total_step, revision (of pictures: the noise
# level in thousandths)
HEADER = struct.Struct("<4I")
FRAME, STRIP, PICTURES = 0, 1, 2
CREDITS = 2
UNKNOWN_RUN = 4404  # close code: browsers cannot see the HTTP status of a refused WebSocket
MALFORMED = 1007
KEEP_ALIVE_SECONDS = 10.0
SIDE_SECONDS = 1.0  # the strip and the prior's pictures are sent at most this often
FRAMES_A_SIDE = 4  # between two of them, where messages are few
FRAME_WAIT_SECONDS = 0.5

Thing = TypeVar("Thing")


class LiveStream:
    """One socket's conversation: one task reads, one sends pictures, one sends the status."""

    def __init__(
        self,
        shared: Shared,
        token: str,
        watcher: str,
        socket: WebSocket,
        pool: ThreadPoolExecutor,
        links: PageLinks,
    ) -> None:
        self.session, self.shared, self.token, self.watcher = shared.session, shared, token, watcher
        self.socket, self.pool, self.links = socket, pool, links
        self.viewer, self.link = "", ExitStack()
        self.turned: asyncio.Queue[Orbit] = asyncio.Queue()
        self.cropped: asyncio.Queue[Box] = asyncio.Queue()
        self.eye = Eye()
        self.credits = asyncio.Semaphore(CREDITS)
        self.unpaid = 0  # pictures sent and not acknowledged
        self.serials = {FRAME: -1, STRIP: -1, PICTURES: -1}
        self.side_due = {STRIP: 0.0, PICTURES: 0.0}

    async def run(self) -> None:
        """Until the browser leaves."""
        parts = (
            self._read(),
            self._send_pictures(),
            self._send_status(),
            self._send_turns(),
            self._send_crops(),
        )
        tasks = [asyncio.create_task(part) for part in parts]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        except (WebSocketDisconnect, StudioError):
            pass  # the browser left in the middle of a message, or the run was removed
        except (ValueError, TypeError, RecursionError):
            await self.socket.close(MALFORMED)
        except RuntimeError:
            pass  # the browser left while a message was sent
        finally:
            self.link.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _read(self) -> None:
        while True:
            self.receive(json.loads(await self.socket.receive_text()))

    def receive(self, message: Any) -> None:
        """One message from the browser. Raises ValueError or TypeError if it is malformed, which ends this
        connection alone.
        """
        if not isinstance(message, dict):
            raise TypeError(f"expected an object, got {message!r}")
        if "viewer" in message:
            self.join(str(message["viewer"]))
        if "camera" in message:
            azimuth_deg, elevation_deg, distance = _finite(message["camera"], 3)
            self.eye.turn(azimuth_deg, elevation_deg, distance, time.monotonic())
            self.links.cameras.move(self.viewer, "picture", Orbit(azimuth_deg, elevation_deg, distance))
        if "size" in message:
            self.eye.resize(*_finite(message["size"], 2))
        if "layer" in message:
            self.eye.show(str(message["layer"]))
        if "crop" in message:
            self.links.crops.move(self.viewer, "picture", box_of(message["crop"]))
        if {
            "camera",
            "size",
            "layer",
        } & message.keys():  # whoever waits for a picture shall wait for this one
            self.session.aim(self.token, self.watcher, self._camera(time.monotonic()))
        if "ack" in message and self.unpaid > 0:
            self.unpaid -= 1
            self.credits.release()

    def join(self, viewer: str) -> None:
        """Link camera and crop with those of the viewport of the page with this name."""
        self.link.close()
        if NAME.fullmatch(viewer):
            # listeners are called in viser's thread
            self.viewer, call = viewer, asyncio.get_running_loop().call_soon_threadsafe
            turn, crop = self.turned.put_nowait, self.cropped.put_nowait
            self.link.enter_context(
                self.links.cameras.joined(viewer, "picture", lambda orbit: call(turn, orbit))
            )
            self.link.enter_context(self.links.crops.joined(viewer, "picture", lambda box: call(crop, box)))

    async def _send_turns(self) -> None:
        """Follow the viewport, and tell the page, which follows, too."""
        while True:
            orbit = await newest(self.turned)
            self.eye.turn(orbit.azimuth_deg, orbit.elevation_deg, orbit.distance, time.monotonic())
            self.session.aim(self.token, self.watcher, self._camera(time.monotonic()))
            turned = [self.eye.azimuth_deg, self.eye.elevation_deg, self.eye.distance]
            await self.socket.send_text(json.dumps({"turned": turned}))

    async def _send_crops(self) -> None:
        """Tell the page where its box was dragged to in the viewport."""
        while True:
            await self.socket.send_text(json.dumps({"crop": await newest(self.cropped)}))

    async def _send_pictures(self) -> None:
        while True:
            await self.credits.acquire()
            began, message = time.monotonic(), None
            while message is None:
                message = await self._in_thread(self.next_picture)
                if message is None:
                    await asyncio.sleep(self.shared.poll_seconds())
            self.unpaid += 1
            await self.socket.send_bytes(message)
            await asyncio.sleep(max(0.0, began + self.shared.pause_seconds() - time.monotonic()))

    def next_picture(self) -> bytes | None:
        """Wait a moment for the next picture that this browser has not seen; runs in a thread."""
        now = time.monotonic()
        for kind, fetch in ((STRIP, self.session.strip), (PICTURES, self.session.pictures)):
            if now >= self.side_due[kind]:
                self.side_due[kind] = now + SIDE_SECONDS + FRAMES_A_SIDE * self.shared.pause_seconds()
                picture = fetch(self.token)
                if picture is not None and picture.total_step != self.serials[kind]:
                    self.serials[kind] = picture.total_step
                    key = (self.token, kind, picture.total_step, id(picture.images))
                    return self.shared.message(key, lambda picture=picture: _side_message(picture))
        keep, settling = self.shared.crowded, self.eye.blurred_seconds(now)
        wait_seconds = 0.0 if keep else min(FRAME_WAIT_SECONDS, settling or FRAME_WAIT_SECONDS)
        frame = self.session.frame(
            self.token, self.watcher, self._camera(now), self.serials[FRAME], wait_seconds, keep
        )
        if frame is None:
            return None
        self.serials[FRAME] = frame.serial
        return self.shared.message(frame.serial, lambda: _frame_message(frame))

    def _camera(self, now: float) -> Camera:
        return self.eye.camera(now, running=self.session.view(self.token).state == "running")

    async def _send_status(self) -> None:
        last, sent_at = None, -math.inf
        while True:
            status = self.shared.status(self.token)
            now = time.monotonic()
            if status != last or now - sent_at > KEEP_ALIVE_SECONDS:
                await self.socket.send_text(status)
                last, sent_at = status, now
            await asyncio.sleep(max(STATUS_SECONDS, self.shared.pause_seconds()))

    async def _in_thread(self, work: Callable[[], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self.pool, work)


def live_route(session: Session, pool: ThreadPoolExecutor, links: PageLinks | None = None) -> WebSocketRoute:
    """The WebSocket ``/live/{token}``; each connection is a watcher of its own. ``links`` are those of the
    viewports.
    """
    numbers, shared = count(), Shared(session, session.limits.watched_messages)
    links = links or PageLinks()

    async def live(socket: WebSocket) -> None:
        token = socket.path_params["token"]
        await socket.accept()
        try:
            session.view(token)
        except StudioError as error:
            await socket.close(UNKNOWN_RUN, error.what[:100])
            return
        with shared.watching():
            await LiveStream(shared, token, f"live-{next(numbers)}", socket, pool, links).run()

    return WebSocketRoute("/live/{token}", live)


async def newest(queue: asyncio.Queue[Thing]) -> Thing:
    """What came last of all that waits; waits for something."""
    newer = await queue.get()
    while not queue.empty():
        newer = queue.get_nowait()
    return newer


def _finite(values: Any, length: int) -> list[float]:
    numbers = [float(value) for value in values]
    if len(numbers) != length or not all(map(math.isfinite, numbers)):
        raise ValueError(f"expected {length} finite numbers, got {values!r}")
    return numbers


def _frame_message(frame: Frame) -> bytes:
    return HEADER.pack(FRAME, frame.serial % 2**32, frame.total_step, frame.revision) + jpeg(frame.rgb)


def _side_message(message: Strip | Pictures) -> bytes:
    if isinstance(message, Strip):
        return HEADER.pack(STRIP, len(message.images), message.total_step, 0) + jpeg(
            contact_row(message.images)
        )
    sheet = (
        contact_row(message.images)
        if message.renders is None
        else contact_rows(message.renders, message.images)
    )
    return HEADER.pack(
        PICTURES, len(message.images), message.total_step, round(1000 * (message.noise or 0))
    ) + jpeg(sheet)
