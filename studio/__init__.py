"""Maquette's page, command line and Python client.

    import studio

    with studio.open() as here:  # the engine in this process, over the library that the page uses
        here.generate("a red mug", seed=3).wait()

Another studio is reached by ``studio.client.Client(url)``, with the same calls. Nothing is imported before it
is needed.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from studio.client import Client


def open(library: str | Path | None = None, *, shelf: str | Path | None = None, owner: str = "") -> Client:
    """A studio in this process, over the runs in ``library`` (by default where the page keeps them); close it
    at the end.

    ``shelf`` is a folder of models to take references from, ``owner`` the secret by which the runs are listed
    later. Raises StudioError if the library or the shelf cannot be used.
    """
    from engine.session import default_root
    from engine.session.reference_lookup import own_folder
    from studio.api.calls import LocalCalls
    from studio.api.kept_files import KeptFiles
    from studio.api.operations import Operations
    from studio.client import Client
    from studio.composition import open_catalogue, open_session

    root = Path(library) if library is not None else default_root(os.environ)
    session = open_session(root, Path(shelf) if shelf is not None else own_folder(os.environ))
    session.start()
    operations = Operations(
        session, open_catalogue(), KeptFiles(session.library.root / "uploads" / "api"), any_path=True
    )
    secret = owner or secrets.token_urlsafe(16)
    return Client(secret=secret, calls=LocalCalls(operations, secret, session.close))
