"""A WebSocket server on the loopback that answers only who knows its secret.

Every account on this machine reaches its loopback, and so does every page in its browsers. viser takes no
check of its own; it asks ``websockets`` to serve, and that is where one is put in.
"""

from __future__ import annotations

import hmac
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from itertools import count
from typing import Any

from websockets.asyncio import server
from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response

SECRET_HEADER, VIEWER_HEADER = "X-Maquette-Secret", "X-Maquette-Viewer"
_one_at_a_time = threading.Lock()


@contextmanager
def answering_only(secret: str, viewers: dict[int, str]) -> Iterator[None]:
    """Servers that begin inside answer only requests with this ``secret`` in their header; pages cannot set
    that of a socket.

    ``viewers`` gets what the viewer's header says of each connection, by its number: viser numbers its
    clients so, too.
    """
    with _one_at_a_time:
        serve = server.serve
        server.serve = partial(_guarded, serve, secret, viewers)  # type: ignore[misc, assignment]
        try:
            yield
        finally:
            server.serve = serve  # type: ignore[misc]


def _guarded(
    serve: Any,
    secret: str,
    viewers: dict[int, str],
    handler: Any,
    *arguments: Any,
    process_request: Any = None,
    **options: Any,
) -> Any:
    numbers = count()

    async def named(connection: ServerConnection) -> None:
        number = next(numbers)  # and the handler counts at once: nothing is awaited in between
        viewers[number] = (
            connection.request.headers.get(VIEWER_HEADER, "") if connection.request is not None else ""
        )
        try:
            await handler(connection)
        finally:
            del viewers[number]

    def checked(connection: ServerConnection, request: Request) -> Response | Any | None:
        given = request.headers.get_all(SECRET_HEADER)
        if len(given) != 1 or not hmac.compare_digest(given[0].encode(errors="replace"), secret.encode()):
            return connection.respond(HTTPStatus.FORBIDDEN, "")
        return process_request(connection, request) if process_request is not None else None

    return serve(named, *arguments, process_request=checked, **options)
