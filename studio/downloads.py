"""Plain HTTP beside the page: a run's files and its thumbnail. A run's token is the right to see it."""

from __future__ import annotations

import unicodedata

import numpy as np
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from engine.errors import StudioError
from engine.session import Session
from studio.pictures import jpeg

MOST_CHARACTERS = 60  # of a title in a file's name: scripts without spaces have long words


def download_routes(session: Session) -> list[BaseRoute]:
    """``/files/{token}/{name}`` and ``/thumb/{token}``."""

    def file(request: Request) -> Response:
        token, name = request.path_params["token"], request.path_params["name"]
        try:
            path = session.files(token).get(name)
        except StudioError as error:
            return PlainTextResponse(str(error), 404)
        if path is None or not path.is_file():
            return PlainTextResponse(f"This run has no file {name!r}.", 404)
        return FileResponse(path, filename=f"{slug(session.view(token).title)}-{path.name}")

    def thumb(request: Request) -> Response:
        kept = session.runs.thumbnail(request.path_params["token"])
        if kept is not None:
            return FileResponse(kept, media_type="image/jpeg", headers={"Cache-Control": "no-cache"})
        try:
            strip = session.strip(request.path_params["token"])
        except StudioError as error:
            return PlainTextResponse(str(error), 404)
        images = session.pictures(request.path_params["token"]) if strip is None else strip  # the prior's views, before a shape
        if images is None:
            return Response(status_code=204)
        view = images.images[1 % len(images.images)]
        return Response(jpeg(np.ascontiguousarray(view)), media_type="image/jpeg", headers={"Cache-Control": "no-cache"})

    return [
        Route("/files/{token}/{name}", file),
        Route("/thumb/{token}", thumb),
    ]


def slug(title: str) -> str:
    """The first words of a title, in any script, as the beginning of a file's name."""
    kept = (letter if unicodedata.category(letter)[0] in "LNM" else " " for letter in unicodedata.normalize("NFC", title.lower()))
    return "-".join("".join(kept).split()[:6])[:MOST_CHARACTERS] or "maquette"
