"""The pictures that a run was given, as it sees them, and where their cameras stood: shown beside the live picture."""

from __future__ import annotations

import asyncio
from concurrent.futures import Executor
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from engine.assets.images.image_arguments import Listed, ListedCrop, crops_in, pictures_in
from engine.assets.images.input_files import found
from engine.errors import StudioError
from engine.lazy import imported
from engine.loop.spec import RunSpec
from engine.session import Session
from studio.live import DISTANCE
from studio.preview import Cut, picture_address

SIDE = 384


def given_route(session: Session, cut: Cut, pool: Executor) -> Route:
    """``/given/{token}``: the pictures of a run, by its token; work is done in ``pool``."""

    async def given(request: Request) -> Response:
        try:
            spec = session.settings(request.path_params["token"]).spec
            loop = asyncio.get_running_loop()
            return JSONResponse(
                await loop.run_in_executor(pool, given_pictures, spec, cut), headers={"Cache-Control": "no-store"}
            )
        except StudioError as error:
            return JSONResponse({"what": error.what, "remedy": error.remedy}, 400)

    return Route("/given/{token}", given)


def given_pictures(spec: RunSpec, cut: Cut) -> list[dict[str, Any]]:
    """Of each picture its ``frame`` as a data address, and its camera: ``azimuth`` and ``elevation`` in degrees, ``distance``.

    Raises InputError or FileFormatError for one that is not there any more.
    """
    pictures = pictures_in(spec.images)
    crops = crops_in(spec.image_crops, len(pictures))
    return [_given(picture, crop, spec, cut) for picture, crop in zip(pictures, crops, strict=True)]


def _given(picture: Listed, crop: ListedCrop | str, spec: RunSpec, cut: Cut) -> dict[str, Any]:
    rgba = cut(found(picture, None), spec.image_cut_out).rgba
    square = imported("engine.assets.images.preprocessing").square_of(rgba, crop, spec.image_fill)
    frame = imported("engine.assets.images.crop").framed(rgba, square, SIDE)
    camera = {"azimuth": picture.azimuth_deg, "elevation": spec.image_elevation_deg, "distance": DISTANCE}
    return {"frame": picture_address(frame, SIDE), **camera}
