"""Who calls the API: a secret of the caller's own, and where the studio asks for a login, that login by HTTP Basic, too."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import Scope

from engine.errors import InputError
from studio.guard import user_of

OWNER_HEADER = "x-maquette-owner"
LOGIN = "login "
"""How owners begin that stand for a login; no secret of a caller may."""


def owner_of(request: Request) -> str:
    """The owner of a caller's runs: the secret in ``X-Maquette-Owner`` or behind ``Bearer``, or else the login; empty: none.

    Raises InputError for a secret that could be taken for a login.
    """
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    own = request.headers.get(OWNER_HEADER, "") or (secret.strip() if scheme.lower() == "bearer" else "")
    if own.startswith(LOGIN):
        raise InputError(f"An owner's secret does not begin with {LOGIN!r}.", "Choose a long random text.")
    user = login_of(request.scope)
    return own or ("" if user is None else f"{LOGIN}{user}")


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
