"""Plain HTTP behind the reference card: matches, facts and pictures. Two workers of its own serve all
browsers.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from engine.assets.meshes.canonical_pose import Orientation
from engine.errors import InputError, StudioError
from engine.session import Session
from studio.problems import problem_response
from studio.reference_queries import SHOWN, Query, ReferenceDesk
from studio.uploads import bounded_body

WORKERS = 2
KEPT = {"Cache-Control": "private, max-age=300"}
FRESH = {"Cache-Control": "no-store"}
LONGEST, MOST_BYTES = 4000, 100_000
Answer = TypeVar("Answer")


def reference_routes(session: Session) -> list[BaseRoute]:
    """``/reference/matches`` (POST), ``/reference/facts``, ``/reference/picture``, ``/reference/sides``,
    ``/reference/taken``.
    """
    desk = ReferenceDesk(session)
    pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="reference")

    async def matches(request: Request) -> Response:
        try:
            body = await _body(request)
        except StudioError as error:
            return problem_response(error)
        return await _json(pool, lambda: desk.matches(_query(body), _count(body)))

    async def facts(request: Request) -> Response:
        return await _json(pool, lambda: desk.facts(_named(request, "of"), _orientation(request)))

    async def taken(request: Request) -> Response:
        return await _json(pool, lambda: desk.taken(_named(request, "token")))

    async def picture(request: Request) -> Response:
        return await _webp(pool, lambda: desk.picture(_named(request, "of")))

    async def sides(request: Request) -> Response:
        return await _webp(pool, lambda: desk.sides(_named(request, "of"), _orientation(request)))

    return [
        Route("/reference/matches", matches, methods=["POST"]),
        Route("/reference/facts", facts),
        Route("/reference/taken", taken),
        Route("/reference/picture", picture),
        Route("/reference/sides", sides),
    ]


async def _json(pool: ThreadPoolExecutor, work: Callable[[], Any]) -> Response:
    try:
        return JSONResponse(await _in_pool(pool, work), headers=FRESH)
    except StudioError as error:
        return problem_response(error)


async def _webp(pool: ThreadPoolExecutor, work: Callable[[], bytes]) -> Response:
    try:
        return Response(await _in_pool(pool, work), media_type="image/webp", headers=KEPT)
    except StudioError as error:
        return problem_response(error)


async def _in_pool(pool: ThreadPoolExecutor, work: Callable[[], Answer]) -> Answer:
    return await asyncio.get_running_loop().run_in_executor(pool, work)


async def _body(request: Request) -> dict[str, Any]:
    """The JSON object that was posted; an empty one for anything else. Raises InputError for far too much."""
    try:
        body = json.loads(await bounded_body(request, MOST_BYTES))
    except InputError:
        raise
    except (ValueError, RecursionError):
        body = None
    return body if isinstance(body, dict) else {}


def _query(body: dict[str, Any]) -> Query:
    """Raises InputError for settings that are none."""
    words, images, search = (str(body.get(name, ""))[:LONGEST] for name in ("words", "images", "search"))
    framing = body.get("framing", {})
    if not isinstance(framing, dict) or not all(
        isinstance(value, str | int | float) for value in framing.values()
    ):
        raise InputError("The framing of the pictures is not a list of settings.", "Reload the page.")
    return Query(words, images, search, {name: str(value)[:LONGEST] for name, value in framing.items()})


def _count(body: dict[str, Any]) -> int:
    count = body.get("count", SHOWN)
    return count if isinstance(count, int) else SHOWN


def _named(request: Request, name: str) -> str:
    value = request.query_params.get(name, "")[:LONGEST]
    if not value.strip():
        raise InputError(f"The address lacks {name}.", "Reload the page.")
    return value


def _orientation(request: Request) -> Orientation:
    """As the query says. Raises InputError."""
    turn = request.query_params.get("turn", "0")
    try:
        turn_deg = float(turn)
    except ValueError as error:
        raise InputError(f"The turn is {turn!r}, which is no number.", "Give degrees, such as 90.") from error
    return Orientation(request.query_params.get("up", "auto"), turn_deg)  # type: ignore[arg-type]
