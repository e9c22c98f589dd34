"""Plain HTTP behind the export sheet: the formats, estimates and previews, exports and their files. A run's
token is the right to it, as it is to the run's own files.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from engine.assets.export.formats import export_formats
from engine.assets.export.formats.base import ExportFormat, ExportOptions
from engine.assets.export.option_values import options_of
from engine.core.camera import Camera, orbit_camera
from engine.errors import InputError, StudioError
from engine.session import Session
from engine.session.exports import Export, Exports
from studio.downloads import slug
from studio.eye import vertical_fov_deg
from studio.pictures import jpeg
from studio.problems import problem_response
from studio.uploads import bounded_body

MOST_BYTES = 100_000
FRESH, KEPT = {"Cache-Control": "no-store"}, {"Cache-Control": "no-cache"}
SIDES = (32, 768)


class Previewing(Protocol):
    """``engine.loop.export_preview.Previews``, or a double of it."""

    def facts(self, folder: Path) -> Any: ...

    def estimate(self, folder: Path, key: str, options: ExportOptions) -> dict[str, int]: ...

    def picture(self, folder: Path, key: str, options: ExportOptions, camera: Camera) -> np.ndarray: ...


def export_routes(session: Session, exports: Exports, previews: Callable[[], Previewing]) -> list[BaseRoute]:
    """``/exports/formats``; ``/exports/{token}`` to look and (POST) to begin; estimates, pictures and files
    below it.
    """
    # a mesh is carved once, whoever waits for it
    pool = ThreadPoolExecutor(1, thread_name_prefix="export-previews")

    def formats(request: Request) -> Response:
        return JSONResponse([_described(key, each) for key, each in export_formats().items()], headers=FRESH)

    def listing(request: Request) -> Response:
        token = request.path_params["token"]
        return answered(lambda: JSONResponse(_listed(exports, previews(), token), headers=FRESH))

    async def begin(request: Request) -> Response:
        return await _with_body(request, lambda body: _begun(exports, request.path_params["token"], body))

    async def estimate(request: Request) -> Response:
        def answer(body: dict[str, Any]) -> Response:
            folder = exports.source(request.path_params["token"])
            return JSONResponse(previews().estimate(folder, *_chosen(body)), headers=FRESH)

        return await _with_body(request, answer)

    async def picture(request: Request) -> Response:
        def answer(body: dict[str, Any]) -> Response:
            folder, camera = exports.source(request.path_params["token"]), _camera(body)
            drawn = previews().picture(folder, *_chosen(body), camera)
            return Response(jpeg(drawn), media_type="image/jpeg", headers=FRESH)

        return await _with_body(request, answer, pool)

    def file(request: Request) -> Response:
        token, key = request.path_params["token"], request.path_params["key"]

        def answer() -> Response:
            path = exports.file(token, key)
            suffix = export_formats()[key].suffix if key in export_formats() else path.suffix
            return FileResponse(path, filename=f"{slug(session.view(token).title)}{suffix}", headers=KEPT)

        return answered(answer)

    def beside(request: Request) -> Response:
        token, key = request.path_params["token"], request.path_params["key"]
        return answered(
            lambda: FileResponse(exports.picture(token, key), media_type="image/jpeg", headers=KEPT)
        )

    return [
        Route("/exports/formats", formats),
        Route("/exports/{token}", listing),
        Route("/exports/{token}", begin, methods=["POST"]),
        Route("/exports/{token}/estimate", estimate, methods=["POST"]),
        Route("/exports/{token}/picture", picture, methods=["POST"]),
        Route("/exports/{token}/{key}/file", file),
        Route("/exports/{token}/{key}/picture", beside),
    ]


def answered(act: Callable[[], Response]) -> Response:
    """The answer, or what was wrong and what to do."""
    try:
        return act()
    except StudioError as error:
        return problem_response(error)


async def _with_body(
    request: Request, act: Callable[[dict[str, Any]], Response], pool: ThreadPoolExecutor | None = None
) -> Response:
    """The answer to a JSON object that was sent."""
    try:
        body = json.loads(await bounded_body(request, MOST_BYTES))
    except InputError as error:
        return problem_response(error)
    except (ValueError, RecursionError):
        body = None
    body = body if isinstance(body, dict) else {}
    if pool is None:
        return await run_in_threadpool(answered, lambda: act(body))
    return await asyncio.get_running_loop().run_in_executor(pool, lambda: answered(lambda: act(body)))


def _described(key: str, each: ExportFormat) -> dict[str, Any]:
    plain = ("title", "suffix", "content", "help", "options", "up", "available", "remedy")
    return {"key": key, **{name: getattr(each, name) for name in plain}}


def _listed(exports: Exports, previews: Previewing, token: str) -> dict[str, Any]:
    facts = previews.facts(exports.source(token))
    return {
        "splats": facts.splats,
        "histograms": facts.histograms,
        "exports": list(map(_export_json, exports.listing(token))),
    }


def _export_json(export: Export) -> dict[str, Any]:
    chosen = export_formats().get(export.key)
    return {**vars(export), "title": export.key if chosen is None else chosen.title}


def _chosen(body: dict[str, Any]) -> tuple[str, ExportOptions]:
    return str(body.get("format", ""))[:60], options_of(body.get("options", {}))


def _begun(exports: Exports, token: str, body: dict[str, Any]) -> Response:
    exports.begin(token, *_chosen(body))
    return Response(status_code=202)


def _camera(body: dict[str, Any]) -> Camera:
    """Raises InputError for what is no camera."""
    try:
        azimuth_deg, elevation_deg, distance = map(float, body["camera"])
        width, height = (min(max(round(float(side)), SIDES[0]), SIDES[1]) for side in body["size"])
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise InputError("The picture's camera or size is none.", "Reload the page.") from error
    if not all(map(math.isfinite, (azimuth_deg, elevation_deg, distance))):
        raise InputError("The picture's camera is nowhere.", "Reload the page.")
    look = (azimuth_deg, min(max(elevation_deg, -89.0), 89.0), min(max(distance, 1.2), 12.0))
    return orbit_camera(*look, vertical_fov_deg(width / height), width, height)
