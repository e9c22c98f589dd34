"""The one HTTP port: Gradio's page, with our own routes in front of it.

The server is uvicorn, started by ``Blocks.launch``. Server-side rendering stays off whatever the environment
says: with it a Node process would own the port, and that process cannot upgrade a request to a WebSocket.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import gradio as gr
from gradio.utils import get_upload_folder
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from engine.errors import InputError
from engine.session.limits import Limits
from studio.call_errors import CallErrors
from studio.guard import Access, Guard, access_for, host_of
from studio.theme import favicon, head, theme
from studio.upload_limits import Receiving

MAX_MESSAGE_BYTES = 64 << 20  # a scene with 200 000 splats in one message is 6.4 MB
PACKED_BYTES = 10_000  # shorter answers are sent as they are
SEND_BUFFER_BYTES = 128 << 10  # a kernel buffer is a queue of old pictures: keep it short
QUEUE_POLL_SECONDS = (
    0.02  # Gradio's queue looks for work a thousand times a second: 7 % of a core while nobody does anything
)


class Packed:
    """ASGI middleware that packs the page's document, which is text that repeats itself, and leaves all else
    as it is.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app, self.packing = app, GZipMiddleware(app, minimum_size=PACKED_BYTES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_page = scope["type"] == "http" and scope["path"].removeprefix(scope.get("root_path", "")) in (
            "",
            "/",
            "/config",
        )
        await (self.packing if is_page else self.app)(scope, receive, send)


@dataclass(frozen=True)
class Serving:
    """A running server: the ``url`` to open, the public ``share_url`` if one was asked for, and how to end
    it.
    """

    url: str
    share_url: str | None
    close: Callable[[], None]


def open_port(
    page: gr.Blocks,
    routes: Sequence[BaseRoute],
    *,
    host: str,
    port: int,
    share: bool,
    access: Access | None = None,
    logins: Sequence[tuple[str, str]] = (),
    limits: Limits | None = None,
) -> Serving:
    """Serve ``page`` and ``routes`` on ``host:port`` (0: any free port); returns at once. InputError if the
    port is taken.

    ``access`` are the names that are answered to, by default the loopback's and ``host``. With ``logins``,
    (user, password), the page and the routes ask for one.
    """
    port = usable_port(host, port)
    access, limits = access or access_for(host, (), {}), limits or Limits()
    _, url, share_url = page.launch(
        server_name=host,
        server_port=port,
        share=share,
        auth=list(logins) or None,
        app_kwargs={
            "routes": list(routes),
            "middleware": [
                Middleware(Guard, access=access, own=routes, sockets_per_client=limits.sockets_per_client),
                Middleware(Receiving, folder=Path(get_upload_folder()), limits=limits),
                Middleware(Packed),
                Middleware(CallErrors),
            ],
        },
        ssr_mode=False,
        prevent_thread_lock=True,
        quiet=True,
        footer_links=[],
        run_history=False,
        enable_monitoring=False,
        pwa=False,
        mcp_server=False,
        max_file_size=limits.upload_bytes,
        theme=theme(),
        head=head(),
        favicon_path=favicon(),
        show_error=False,
        # its own look at the page gives up after three seconds, and on a busy machine nothing would start
        _frontend=False,
    )
    _tune(page)
    if share_url:
        access.allow(host_of(urlsplit(share_url).netloc))
    return Serving(url, share_url, lambda: page.close(verbose=False))


def usable_port(host: str, port: int) -> int:
    """``port`` if it can be listened on, or a free one if it is 0; InputError that names the next free port
    otherwise.
    """
    try:
        return _bind(host, port)
    except OSError as error:
        if port == 0 or not _can_bind(host, 0):
            raise InputError(
                f"The address {host} cannot be listened on ({error.strerror or error}).",
                "Use --host 127.0.0.1 for this machine only, or --host 0.0.0.0 for every network it is in.",
            ) from error
        free = next(
            (p for p in range(port + 1, min(port + 200, 65536)) if _can_bind(host, p)), None
        ) or _bind(host, 0)
        raise InputError(
            f"Port {port} on {host} is in use or not allowed ({error.strerror or error}).",
            f"Choose another one: --port {free} is free.",
        ) from error


def _bind(host: str, port: int) -> int:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))
        return probe.getsockname()[1]


def _can_bind(host: str, port: int) -> bool:
    try:
        return bool(_bind(host, port))
    except OSError:
        return False


def _tune(page: gr.Blocks) -> None:
    """Options that ``launch`` cannot pass on; uvicorn reads them again for each connection.

    Compressing pictures that are compressed already costs the event loop 0.2 s per megabyte.
    """
    page._queue.sleep_when_free, page._queue.progress_update_sleep_when_free = (
        QUEUE_POLL_SECONDS,
        5 * QUEUE_POLL_SECONDS,
    )
    config = page.server.config
    config.ws_per_message_deflate = False
    config.ws_max_size = MAX_MESSAGE_BYTES
    for server in page.server.servers:
        for listener in server.sockets:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
