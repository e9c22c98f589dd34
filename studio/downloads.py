"""Plain HTTP beside the page: a run's files, its thumbnail, and the list of a browser's runs.

A run's token is the right to see it; the owner's secret, in a header and never in an address, is the right to list runs.
"""

from __future__ import annotations

import unicodedata
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from engine.errors import StudioError
from engine.session import JobView, Session
from studio.pictures import jpeg

OWNER_HEADER = "x-maquette-owner"
MOST_CHARACTERS = 60  # of a title in a file's name: scripts without spaces have long words


def download_routes(session: Session) -> list[BaseRoute]:
    """``/files/{token}/{name}``, ``/thumb/{token}``, ``/runs``, and ``/runs/{token}`` to delete one."""

    def file(request: Request) -> Response:
        token, name = request.path_params["token"], request.path_params["name"]
        try:
            path = session.files(token).get(name)
        except StudioError as error:
            return PlainTextResponse(str(error), 404)
        if path is None or not path.is_file():
            return PlainTextResponse(f"This run has no file {name!r}.", 404)
        return FileResponse(path, filename=f"{_slug(session.view(token).title)}-{path.name}")

    def thumb(request: Request) -> Response:
        try:
            strip = session.strip(request.path_params["token"])
        except StudioError as error:
            return PlainTextResponse(str(error), 404)
        if strip is None:
            return Response(status_code=204)
        return Response(jpeg(strip.images[1]), media_type="image/jpeg", headers={"Cache-Control": "no-cache"})

    def runs(request: Request) -> Response:
        owner = request.headers.get(OWNER_HEADER, "")
        return JSONResponse([_summary(view) for view in session.jobs(owner)] if owner else [])

    def delete(request: Request) -> Response:
        try:
            session.delete(request.path_params["token"], request.headers.get(OWNER_HEADER, ""))
        except StudioError as error:
            return JSONResponse({"what": error.what, "remedy": error.remedy}, 400)
        return Response(status_code=204)

    return [
        Route("/files/{token}/{name}", file),
        Route("/thumb/{token}", thumb),
        Route("/runs", runs),
        Route("/runs/{token}", delete, methods=["DELETE"]),
    ]


def _summary(view: JobView) -> dict[str, Any]:
    return {
        "token": view.token,
        "title": view.title,
        "state": view.state,
        "queue_position": view.queue_position,
        "step": view.total_step,
    }


def _slug(title: str) -> str:
    """The first words of a title, in any script, as the beginning of a file's name."""
    kept = (letter if unicodedata.category(letter)[0] in "LNM" else " " for letter in unicodedata.normalize("NFC", title.lower()))
    return "-".join("".join(kept).split()[:6])[:MOST_CHARACTERS] or "maquette"
