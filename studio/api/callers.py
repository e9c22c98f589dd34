"""Who calls the API: a secret of the caller's own, and where the studio asks for a login, that login by HTTP
Basic, too.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

from starlette.requests import Request

from engine.errors import InputError
from studio.guard import login_of

OWNER_HEADER = "x-maquette-owner"
ROUNDS = 100_000
LOGIN = "login "
"""How owners begin that stand for a login; no secret of a caller may."""


def owner_of(request: Request) -> str:
    """The owner of a caller's runs: the secret in ``X-Maquette-Owner`` or behind ``Bearer``, or else the
    login; empty: none.

    Raises InputError for a secret that could be taken for a login.
    """
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    own = request.headers.get(OWNER_HEADER, "") or (secret.strip() if scheme.lower() == "bearer" else "")
    if own.startswith(LOGIN):
        raise InputError(f"An owner's secret does not begin with {LOGIN!r}.", "Choose a long random text.")
    user = login_of(request.scope)
    return own or ("" if user is None else _owner_of_login(user, str(request.app.auth[user])))


@lru_cache(maxsize=256)
def _owner_of_login(user: str, password: str) -> str:
    """What nobody can name who does not know the password: owners are asked for in other places, too."""
    return LOGIN + hashlib.pbkdf2_hmac("sha256", password.encode(), user.encode(), ROUNDS).hex()
