"""Plain HTTP behind the filmstrip: the moments of a run, their pictures, and going back. A run's token is the
right to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from engine.errors import InputError, StudioError
from engine.loop.settings import Value, flatten_knobs
from engine.session import Session
from engine.session.record import ENDED
from engine.session.timeline import Timeline
from studio.problems import problem_response
from studio.status import plain, title_in

FRESH, KEPT = {"Cache-Control": "no-store"}, {"Cache-Control": "private, max-age=60"}


def timeline_routes(session: Session) -> list[BaseRoute]:
    """``/timeline/{token}``, ``/timeline/{token}/{step}`` for its row of pictures, and POST to go back there;
    PUT holds a moment that is looked at, so that it is not thinned out; DELETE takes back the live change
    with a number, made from a step on.
    """

    def timeline(request: Request) -> Response:
        token = request.path_params["token"]
        try:
            return JSONResponse(described(session, token, session.branches.timeline(token)), headers=FRESH)
        except StudioError as error:
            return problem_response(error)

    def picture(request: Request) -> Response:
        try:
            path = session.branches.picture(request.path_params["token"], request.path_params["step"])
        except StudioError as error:
            return problem_response(error)
        return FileResponse(path, media_type="image/jpeg", headers=KEPT)

    def hold(request: Request) -> Response:
        try:
            session.branches.hold(request.path_params["token"], request.path_params["step"])
        except StudioError as error:
            return problem_response(error)
        return Response(status_code=204)

    def rewind(request: Request) -> Response:
        try:
            session.branches.rewind(request.path_params["token"], request.path_params["step"])
        except StudioError as error:
            return problem_response(error)
        return Response(status_code=204)

    def undo(request: Request) -> Response:
        token, step, number = (request.path_params[name] for name in ("token", "step", "number"))
        try:
            session.set_knobs(token, taken_back(session, token, step, number))
        except StudioError as error:
            return problem_response(error)
        return Response(status_code=204)

    return [
        Route("/timeline/{token}", timeline),
        Route("/timeline/{token}/{step:int}", picture),
        Route("/timeline/{token}/{step:int}", hold, methods=["PUT"]),
        Route("/timeline/{token}/{step:int}", rewind, methods=["POST"]),
        Route("/timeline/{token}/{step:int}/{number:int}", undo, methods=["DELETE"]),
    ]


def described(session: Session, token: str, timeline: Timeline) -> dict[str, Any]:
    """The moments, and each live change in words: what it set, what was there before, and whether that can be
    put back.
    """
    knobs, first = session.knobs(token), flatten_knobs(session.settings(token).knobs)
    moments = [
        {"total_step": each.total_step, "stage": each.stage, "step": each.step, "full": each.full}
        for each in timeline.moments
        if session.branches.has_picture(token, each.total_step)
    ]
    going = session.view(token).state not in ENDED

    def words(values: Mapping[str, Value]) -> str:
        return ", ".join(f"{title_in(knobs, name)} {plain(value)}" for name, value in values.items())

    changes = []
    for number, each in enumerate(timeline.changes):
        before = timeline.before(number, first)
        undo = {"before": words(before), "undo": going and bool(before)}
        changes.append({"total_step": each.total_step, "words": words(each.values), **undo})
    return {"moments": moments, "changes": changes}


def taken_back(session: Session, token: str, total_step: int, number: int) -> dict[str, Value]:
    """The values before a live change. Raises InputError where it is gone, or nothing of it is left to be
    taken back.
    """
    timeline = session.branches.timeline(token)
    if number >= len(timeline.changes) or timeline.changes[number].total_step != total_step:
        raise InputError("The list of changes is not what it was.", "Look at it again.")
    before = timeline.before(number, flatten_knobs(session.settings(token).knobs))
    if not before:
        raise InputError("A later change has moved the same setting.", "Take that one back first.")
    return before
