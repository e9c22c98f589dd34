"""Plain HTTP behind the filmstrip: the moments of a run, their pictures, and going back. A run's token is the right to it."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from engine.errors import StudioError
from engine.session import Session
from engine.session.timeline import Change, Timeline
from studio.undo_words import plain, title_in

FRESH, KEPT = {"Cache-Control": "no-store"}, {"Cache-Control": "private, max-age=60"}


def timeline_routes(session: Session) -> list[BaseRoute]:
    """``/timeline/{token}``, ``/timeline/{token}/{step}`` for its row of pictures, and POST to go back there."""

    def timeline(request: Request) -> Response:
        token = request.path_params["token"]
        try:
            return JSONResponse(described(session, token, session.branches.timeline(token)), headers=FRESH)
        except StudioError as error:
            return _refusal(error)

    def picture(request: Request) -> Response:
        try:
            path = session.branches.picture(request.path_params["token"], request.path_params["step"])
        except StudioError as error:
            return _refusal(error)
        return FileResponse(path, media_type="image/jpeg", headers=KEPT)

    def rewind(request: Request) -> Response:
        try:
            session.branches.rewind(request.path_params["token"], request.path_params["step"])
        except StudioError as error:
            return _refusal(error)
        return Response(status_code=204)

    return [
        Route("/timeline/{token}", timeline),
        Route("/timeline/{token}/{step:int}", picture),
        Route("/timeline/{token}/{step:int}", rewind, methods=["POST"]),
    ]


def described(session: Session, token: str, timeline: Timeline) -> dict[str, Any]:
    """The moments, and each live change in words."""
    knobs = session.knobs(token)
    moments = [
        {"total_step": each.total_step, "stage": each.stage, "step": each.step, "full": each.full}
        for each in timeline.moments
        if session.branches.has_picture(token, each.total_step)
    ]

    def words(change: Change) -> str:
        return ", ".join(f"{title_in(knobs, name)} {plain(value)}" for name, value in change.values.items())

    changes = [{"total_step": each.total_step, "words": words(each)} for each in timeline.changes]
    return {"moments": moments, "changes": changes}


def _refusal(error: StudioError) -> Response:
    return JSONResponse({"what": error.what, "remedy": error.remedy}, 400, headers=FRESH)
