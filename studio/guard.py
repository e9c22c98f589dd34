"""Who is answered at all: the first thing that every request and every WebSocket meets, Gradio's and our own
alike.

A browser sends a foreign page's requests to this machine as readily as our own. So the name in ``Host`` must
be one that this studio goes by (or else any name that resolves to the loopback would do), whatever changes
something must come from our own page, and no other page may frame ours. With a login, our own routes ask for
it as Gradio's do.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import socket
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

LOOPBACK = ("localhost", "127.0.0.1", "::1")
EVERYWHERE = ("0.0.0.0", "::", "")
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
SPACE_FRAMES = ("https://huggingface.co", "https://*.hf.space")


class Access:
    """The names that a studio goes by, and the pages that may frame it. ``any_address``: any numeric address
    is one, too.

    ``trusted`` are the names whose pages are taken for our own whatever name they ask for us by, as behind a
    proxy.
    """

    def __init__(
        self,
        hosts: Iterable[str],
        trusted: Iterable[str] = (),
        *,
        any_address: bool = False,
        frames: Sequence[str] = (),
    ) -> None:
        self.trusted = {host.lower() for host in trusted}
        self.hosts = {host.lower() for host in hosts} | self.trusted
        self.any_address, self.frames = any_address, tuple(frames)

    def allow(self, host: str) -> None:
        """Trust one more name, such as that of a tunnel which has just been opened."""
        self.hosts.add(host.lower())
        self.trusted.add(host.lower())

    def knows(self, netloc: str) -> bool:
        """Whether ``netloc``, a name or address with or without a port, is ours."""
        name = host_of(netloc)
        return name in self.hosts or (self.any_address and is_address(name))

    def admits(self, origin: str, netloc: str) -> bool:
        """Whether a page of ``origin`` may change something at ``netloc``: our own may, at the same port."""
        theirs = origin.partition("://")[2].lower()
        if theirs == netloc.lower():
            return bool(theirs)
        return host_of(theirs) in self.trusted

    @property
    def policy(self) -> str:
        """The Content-Security-Policy that says who may frame the page."""
        return " ".join(("frame-ancestors", "'self'", *self.frames))


def access_for(host: str, allowed: Sequence[str], environment: Mapping[str, str]) -> Access:
    """What a studio that listens on ``host`` goes by: the loopback, that host, ``allowed``, and where it is a
    Space, its name.

    Who listens everywhere is reached by this machine's names and by any numeric address, which no foreign
    name can stand for.
    """
    space = [name for name in environment.get("SPACE_HOST", "").split(",") if name]
    own = (socket.gethostname(), socket.getfqdn()) if host in EVERYWHERE else (host,)
    frames = SPACE_FRAMES if space else ()
    return Access((*LOOPBACK, *own), (*allowed, *space), any_address=host in EVERYWHERE, frames=frames)


def host_of(netloc: str) -> str:
    """The name in a netloc, in small letters, without port and brackets; empty for one that is none."""
    try:
        return (urlsplit(f"//{netloc}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def is_address(name: str) -> bool:
    """Whether it is a numeric address."""
    try:
        return bool(ip_address(name))
    except ValueError:
        return False


def is_loopback(host: str) -> bool:
    """Whether who listens there is reached from this machine only."""
    return host == "localhost" or (is_address(host) and ip_address(host).is_loopback)


class Guard:
    """ASGI middleware. ``own`` are the routes that ask for the login themselves where there is one."""

    def __init__(
        self, app: ASGIApp, access: Access, own: Sequence[BaseRoute], sockets_per_client: int
    ) -> None:
        self.app, self.access, self.own, self.most_sockets = app, access, tuple(own), sockets_per_client
        self.sockets: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        refused = self.refusal(scope)
        if refused is not None:
            await _refuse(refused, scope, receive, send)
        elif scope["type"] == "websocket":
            await self._counted(scope, receive, send)
        else:
            await self.app(scope, receive, self._marked(send))

    def refusal(self, scope: Scope) -> tuple[int, str] | None:
        """Why a request is not answered, as a status and a sentence; None if it is."""
        headers = Headers(scope=scope)
        netloc, origin = headers.get("host", ""), headers.get("origin")
        if not self.access.knows(netloc):
            return (
                421,
                f"This studio does not go by the name {netloc[:100]!r}. Start it with --allow-host NAME if "
                "it should.",
            )
        changes = scope["type"] == "websocket" or scope["method"] not in SAFE_METHODS
        foreign = (
            headers.get("sec-fetch-site") == "cross-site"
            if origin is None
            else not self.access.admits(origin, netloc)
        )
        if changes and foreign:
            return (
                403,
                "Only the studio's own page may do that. Start the studio with --allow-host NAME to trust "
                "another one.",
            )
        if self._asks_login(scope) and login_of(scope) is None:
            return 401, "Log in first."
        return None

    def _asks_login(self, scope: Scope) -> bool:
        app = scope.get("app")
        if getattr(app, "auth", None) is None:
            return False
        return any(route.matches(scope)[0] is not Match.NONE for route in self.own)

    async def _counted(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A WebSocket, unless its client has too many."""
        client = client_of(scope)
        if self.sockets[client] >= self.most_sockets:
            reason = f"{self.most_sockets} connections from one address are open; close another tab first."
            await _refuse((429, reason), scope, receive, send)
            return
        self.sockets[client] += 1
        try:
            await self.app(scope, receive, send)
        finally:
            self.sockets[client] -= 1
            self.sockets += Counter()  # without those that have none left

    def _marked(self, send: Send) -> Send:
        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Content-Security-Policy"] = self.access.policy
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "same-origin"
            await send(message)

        return marked


def user_of(scope: Scope) -> Any | None:
    """Who is logged in at Gradio's page, by its cookie; None if nobody."""
    app, cookies = scope.get("app"), HTTPConnection(scope).cookies
    names = (
        f"access-token-{getattr(app, 'cookie_id', '')}",
        f"access-token-unsecure-{getattr(app, 'cookie_id', '')}",
    )
    known = getattr(app, "tokens", {})
    return next((known[cookies[name]] for name in names if cookies.get(name) in known), None)


def login_of(scope: Scope) -> str | None:
    """Who is logged in: by the page's cookie, or by HTTP Basic; None if nobody is."""
    user = user_of(scope)
    if user is not None:
        return str(user)
    scheme, _, packed = Headers(scope=scope).get("authorization", "").partition(" ")
    known = getattr(scope.get("app"), "auth", None)
    if scheme.lower() != "basic" or not isinstance(known, Mapping):
        return None
    try:
        name, _, password = base64.b64decode(packed, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    right = str(known.get(name, ""))
    return name if hmac.compare_digest(password.encode(), right.encode()) and right else None


def client_of(scope: Scope) -> str:
    """Whose request it is: a login, or an address."""
    user = login_of(scope)
    return f"user {user}" if user is not None else f"address {(scope.get('client') or ('nowhere', 0))[0]}"


async def _refuse(refused: tuple[int, str], scope: Scope, receive: Receive, send: Send) -> None:
    response = PlainTextResponse(refused[1], refused[0])
    if scope["type"] == "websocket":
        await WebSocket(scope, receive, send).send_denial_response(response)
    else:
        await response(scope, receive, send)
