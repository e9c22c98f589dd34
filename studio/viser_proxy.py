"""The viewport under our own address: ``/viewport/{token}/{way}/`` is viser's page, without the last slash
its WebSocket.

A page that wants the camera of its viewport linked puts its name behind that,
``/viewport/{token}/{way}/{viewer}/``.

viser's client opens the WebSocket at its own address without the trailing slash, so it works below any prefix
and behind TLS. Browsers keep a page by its address, so that of each run would be fetched anew:
``/viewport/client/#{token}/{way}/{viewer}`` is one address for all runs, and takes the run's own before the
client looks at it. The page is served here, once compressed, with two repairs: it reconnects although nobody
clicked into the iframe, and it shows the scene without viser's panels.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from importlib import resources
from typing import get_args

import websockets
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets import Subprotocol
from websockets.asyncio.client import ClientConnection

from engine.errors import DeviceError, StudioError
from engine.session import Session
from studio.loopback_websocket import SECRET_HEADER, VIEWER_HEADER
from studio.page_links import NAME
from studio.viewport import Viewports, Way

RECEIVE_BUFFER_BYTES = 64 << 10  # pictures that wait in a kernel buffer cannot be superseded
OPEN_SECONDS = 5.0

_REPAIRS = """<script>
const here = location.href.split("#")[0];
if (location.hash) history.replaceState(null, "", new URL(`../${location.hash.slice(1)}/`, here));
const visible = function () { return this.visibilityState === "visible"; };
Object.defineProperty(Document.prototype, "hasFocus", {value: visible});
</script><style>
#webgl-software-rendering, [data-floating-window], [data-dock-region], .mantine-Paper-root,
.mantine-Notification-root
{ display: none !important; }
html, body { background: #f4f4f2 !important; }
</style>"""


def viewport_page() -> bytes:
    """viser's client with our repairs in its head."""
    html = resources.files("viser").joinpath("client/build/index.html").read_text(encoding="utf-8")
    return html.replace("<head>", "<head>" + _REPAIRS, 1).encode()


def viewport_routes(session: Session, viewports: Viewports) -> list[BaseRoute]:
    """The page and its WebSocket."""
    html = viewport_page()
    packed, etag = gzip.compress(html), f'"{hashlib.sha256(html).hexdigest()[:20]}"'

    def page(request: Request) -> Response:
        try:
            session.view(request.path_params["token"])
        except StudioError as error:
            return PlainTextResponse(str(error), 404)
        return client(request)

    def client(request: Request) -> Response:
        headers = {"ETag": etag, "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers=headers)
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(packed, media_type="text/html", headers={**headers, "Content-Encoding": "gzip"})
        return Response(html, media_type="text/html", headers=headers)

    def relay(way: Way) -> Callable[[WebSocket], Awaitable[None]]:
        async def endpoint(browser: WebSocket) -> None:
            try:
                viewport = await asyncio.to_thread(viewports.open, browser.path_params["token"], way)
            except StudioError as error:
                status = 503 if isinstance(error, DeviceError) else 404
                await browser.send_denial_response(PlainTextResponse(str(error), status))
                return
            name = browser.path_params.get("viewer", "")
            with viewport.watched():
                await relay_socket(
                    browser, viewport.port, viewport.secret, name if NAME.fullmatch(name) else ""
                )

        return endpoint

    places = [
        (f"/viewport/{{token}}/{way}{name}", way) for way in get_args(Way) for name in ("", "/{viewer}")
    ]
    pages = [Route("/viewport/client/", client), *[Route(f"{place}/", page) for place, _ in places]]
    return [*pages, *[WebSocketRoute(place, relay(way)) for place, way in places]]


async def relay_socket(browser: WebSocket, port: int, secret: str, viewer: str = "") -> None:
    """Carry messages both ways between a browser and the WebSocket server on our loopback ``port`` until one
    side leaves.

    ``viewer`` is the name of the page, whose cameras are linked.
    """
    try:
        upstream = await _connect(
            port, {SECRET_HEADER: secret, VIEWER_HEADER: viewer}, browser.scope["subprotocols"]
        )
    except (OSError, TimeoutError, websockets.WebSocketException):
        await browser.close(1013)  # try again later: the viewport has just closed
        return
    async with upstream:
        await browser.accept(subprotocol=upstream.subprotocol)
        pumps = [
            asyncio.create_task(_to_viser(browser, upstream)),
            asyncio.create_task(_to_browser(upstream, browser)),
        ]
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
    with suppress(WebSocketDisconnect, RuntimeError):  # the browser left first
        await browser.close(upstream.close_code or 1000)


async def _connect(port: int, headers: dict[str, str], subprotocols: list[str]) -> ClientConnection:
    wire = socket.socket()
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
    wire.setblocking(False)
    await asyncio.get_running_loop().sock_connect(wire, ("127.0.0.1", port))
    # proxy=None: HTTP_PROXY of the environment is not for our own loopback.
    return await websockets.connect(
        f"ws://127.0.0.1:{port}",
        sock=wire,
        additional_headers=headers,
        proxy=None,
        subprotocols=[Subprotocol(each) for each in subprotocols] or None,
        compression=None,
        max_size=None,
        max_queue=1,
        ping_interval=None,
        open_timeout=OPEN_SECONDS,
        close_timeout=1,
    )


async def _to_viser(browser: WebSocket, upstream: ClientConnection) -> None:
    while True:
        await upstream.send(await browser.receive_bytes())


async def _to_browser(upstream: ClientConnection, browser: WebSocket) -> None:
    async for message in upstream:
        await (browser.send_bytes(message) if isinstance(message, bytes) else browser.send_text(message))
