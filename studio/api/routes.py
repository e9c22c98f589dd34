"""The API over HTTP: ``/api/v1/...``, in JSON, described by ``/api/v1/openapi.json``.

Handlers read a request, ask `Operations` in a thread, and answer; every refusal is a problem document.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from engine.errors import InputError, StudioError
from engine.session.record import ENDED
from studio.api.callers import owner_of
from studio.api.openapi import document
from studio.api.operations import Json, Operations
from studio.problems import problem_response
from studio.uploads import bounded_body

ROOT = "/api/v1"
BODY_BYTES = 1 << 20
EVENT_SECONDS = 0.25  # between two looks at a run whose events are followed
KEEP_ALIVE_SECONDS = 10.0

Handler = Callable[[Request], Awaitable[Response]]


def api_routes(operations: Operations) -> list[BaseRoute]:
    """All routes of the API."""
    handlers = ApiHandlers(operations)
    table: tuple[tuple[str, str, Handler], ...] = (
        ("GET", "/", handlers.about),
        ("GET", "/openapi.json", handlers.openapi),
        ("GET", "/presets", handlers.presets),
        ("GET", "/priors", handlers.priors),
        ("GET", "/settings", handlers.settings),
        ("POST", "/files", handlers.keep_file),
        ("GET", "/runs", handlers.runs),
        ("POST", "/runs", handlers.submit),
        ("GET", "/runs/{token}", handlers.run),
        ("PATCH", "/runs/{token}", handlers.steer),
        ("DELETE", "/runs/{token}", handlers.delete),
        ("GET", "/runs/{token}/files", handlers.files),
        ("GET", "/runs/{token}/files/{name}", handlers.file),
        ("GET", "/runs/{token}/frame.jpg", handlers.frame),
        ("GET", "/runs/{token}/events", handlers.events),
        ("POST", "/runs/{token}/{action}", handlers.act),
    )
    return [Route(ROOT + path, _with_problems(handler), methods=[method]) for method, path, handler in table]


class ApiHandlers:
    """One handler a route."""

    def __init__(self, operations: Operations) -> None:
        self.operations = operations

    async def about(self, request: Request) -> Response:
        return JSONResponse(self.operations.about())

    async def openapi(self, request: Request) -> Response:
        return JSONResponse(document(self.operations.about()["version"]))

    async def presets(self, request: Request) -> Response:
        return JSONResponse(await run_in_threadpool(self.operations.presets))

    async def priors(self, request: Request) -> Response:
        return JSONResponse(await run_in_threadpool(self.operations.priors))

    async def settings(self, request: Request) -> Response:
        return JSONResponse(await run_in_threadpool(self.operations.settings))

    async def keep_file(self, request: Request) -> Response:
        most = self.operations.session.limits.upload_bytes
        content = await bounded_body(request, most)
        kept = await run_in_threadpool(
            self.operations.files.keep, request.query_params.get("name", ""), content
        )
        return JSONResponse({"file": kept}, 201)

    async def runs(self, request: Request) -> Response:
        state, limit = request.query_params.get("state", ""), _number(request, "limit", 100)
        return JSONResponse(
            await run_in_threadpool(self.operations.runs, owner_of(request), state, int(limit))
        )

    async def submit(self, request: Request) -> Response:
        key = request.headers.get("idempotency-key", "")
        if len(key) > 200:
            raise InputError("The Idempotency-Key is longer than 200 characters.", "Choose a shorter one.")
        run = await run_in_threadpool(self.operations.submit, await _json(request), owner_of(request), key)
        return JSONResponse(run, 201, headers={"Location": f"{ROOT}/runs/{run['token']}"})

    async def run(self, request: Request) -> Response:
        return JSONResponse(await run_in_threadpool(self.operations.run, request.path_params["token"]))

    async def steer(self, request: Request) -> Response:
        return JSONResponse(
            await run_in_threadpool(self.operations.steer, request.path_params["token"], await _json(request))
        )

    async def delete(self, request: Request) -> Response:
        await run_in_threadpool(self.operations.delete, request.path_params["token"], owner_of(request))
        return Response(status_code=204)

    async def act(self, request: Request) -> Response:
        token, action = request.path_params["token"], request.path_params["action"]
        return JSONResponse(await run_in_threadpool(self.operations.act, token, action))

    async def files(self, request: Request) -> Response:
        run = await run_in_threadpool(self.operations.run, request.path_params["token"])
        return JSONResponse({"files": run["files"]})

    async def file(self, request: Request) -> Response:
        token, name = request.path_params["token"], request.path_params["name"]
        path = await run_in_threadpool(self.operations.file, token, name)
        return FileResponse(path, filename=path.name)

    async def frame(self, request: Request) -> Response:
        """A picture of the shape as it is now."""
        sides = (_number(request, "azimuth_deg", 35.0), _number(request, "elevation_deg", 18.0))
        size = int(_number(request, "size", 384))
        picture = await run_in_threadpool(self.operations.frame, request.path_params["token"], *sides, size)
        if picture is None:
            return Response(status_code=204)
        return Response(picture, media_type="image/jpeg", headers={"Cache-Control": "no-store"})

    async def events(self, request: Request) -> Response:
        """Server-sent events: ``run`` whenever it has changed, until it has ended."""
        first = await run_in_threadpool(self.operations.run, request.path_params["token"])
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(self._followed(first), media_type="text/event-stream", headers=headers)

    async def _followed(self, run: Json) -> AsyncIterator[str]:
        sent, quiet = None, 0.0
        while True:
            if run != sent:
                yield f"event: run\ndata: {json.dumps(run)}\n\n"
                sent, quiet = run, 0.0
            elif quiet >= KEEP_ALIVE_SECONDS:
                yield ": still here\n\n"
                quiet = 0.0
            if run["state"] in ENDED:
                return
            await asyncio.sleep(EVENT_SECONDS)
            quiet += EVENT_SECONDS
            try:
                run = await run_in_threadpool(self.operations.run, run["token"])
            except StudioError:  # it was deleted meanwhile
                return


def _with_problems(handler: Handler) -> Handler:
    async def answered(request: Request) -> Response:
        try:
            return await handler(request)
        except StudioError as error:
            return problem_response(error)

    return answered


async def _json(request: Request) -> Any:
    body = await bounded_body(request, BODY_BYTES)
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InputError(f"The body is not JSON ({error}).", "Send a JSON object, in UTF-8.") from error


def _number(request: Request, name: str, default: float) -> float:
    text = request.query_params.get(name)
    try:
        number = default if text is None else float(text)
    except ValueError as error:
        raise InputError(f"{name} is {text!r}; it must be a number.", f"Write {name}={default:g}.") from error
    if not abs(number) < 1e6:
        raise InputError(
            f"{name} is {text!r}; it must be a number below a million.", f"Write {name}={default:g}."
        )
    return number
