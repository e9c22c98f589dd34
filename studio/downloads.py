"""Plain HTTP beside the page: a run's files, its thumbnail, and the pictures it was given. Its token is the
right to see them.
"""

from __future__ import annotations

import asyncio
import unicodedata
from concurrent.futures import Executor
from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from engine.assets.images.image_arguments import Listed, ListedCrop, crops_in, pictures_in
from engine.assets.images.input_files import existing_file
from engine.errors import StudioError
from engine.lazy import imported
from engine.loop.spec import RunSpec
from engine.session import Session
from studio.eye import DISTANCE
from studio.pictures import jpeg
from studio.preview import Cut, picture_address
from studio.problems import problem_response

SIDE = 384

MOST_CHARACTERS = 60  # of a title in a file's name: scripts without spaces have long words


def download_routes(session: Session) -> list[BaseRoute]:
    """``/files/{token}/{name}`` and ``/thumb/{token}``."""

    def file(request: Request) -> Response:
        token, name = request.path_params["token"], request.path_params["name"]
        try:
            path = session.file(token, name)
        except StudioError as error:
            return problem_response(error)
        return FileResponse(path, filename=f"{slug(session.view(token).title)}-{path.name}")

    def thumb(request: Request) -> Response:
        kept = session.runs.thumbnail(request.path_params["token"])
        if kept is not None:
            return FileResponse(kept, media_type="image/jpeg", headers={"Cache-Control": "no-cache"})
        try:
            strip = session.strip(request.path_params["token"])
        except StudioError as error:
            return problem_response(error)
        # the prior's views, before a shape
        images = session.pictures(request.path_params["token"]) if strip is None else strip
        if images is None:
            return Response(status_code=204)
        view = images.images[1 % len(images.images)]
        return Response(
            jpeg(np.ascontiguousarray(view)), media_type="image/jpeg", headers={"Cache-Control": "no-cache"}
        )

    return [
        Route("/files/{token}/{name}", file),
        Route("/thumb/{token}", thumb),
    ]


def slug(title: str) -> str:
    """The first words of a title, in any script, as the beginning of a file's name."""
    kept = (
        letter if unicodedata.category(letter)[0] in "LNM" else " "
        for letter in unicodedata.normalize("NFC", title.lower())
    )
    return "-".join("".join(kept).split()[:6])[:MOST_CHARACTERS] or "maquette"


def given_route(session: Session, cut: Cut, pool: Executor) -> Route:
    """``/given/{token}``: the pictures of a run, by its token; work is done in ``pool``."""

    async def given(request: Request) -> Response:
        try:
            spec = session.settings(request.path_params["token"]).spec
            loop = asyncio.get_running_loop()
            return JSONResponse(
                await loop.run_in_executor(pool, given_pictures, spec, cut),
                headers={"Cache-Control": "no-store"},
            )
        except StudioError as error:
            return problem_response(error)

    return Route("/given/{token}", given)


def given_pictures(spec: RunSpec, cut: Cut) -> list[dict[str, Any]]:
    """Of each picture its ``frame`` as a data address, and its camera: ``azimuth`` and ``elevation`` in
    degrees, ``distance``.

    Raises InputError or FileFormatError for one that is not there any more.
    """
    pictures = pictures_in(spec.images)
    crops = crops_in(spec.image_crops, len(pictures))
    return [_given(picture, crop, spec, cut) for picture, crop in zip(pictures, crops, strict=True)]


def _given(picture: Listed, crop: ListedCrop | str, spec: RunSpec, cut: Cut) -> dict[str, Any]:
    rgba = cut(existing_file(picture, None), spec.image_cut_out).rgba
    square = imported("engine.assets.images.preprocessing").square_of(rgba, crop, spec.image_fill)
    frame = imported("engine.assets.images.crop").framed(rgba, square, SIDE)
    camera = {"azimuth": picture.azimuth_deg, "elevation": spec.image_elevation_deg, "distance": DISTANCE}
    return {"frame": picture_address(frame, SIDE), **camera}
