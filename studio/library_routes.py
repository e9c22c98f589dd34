"""Plain HTTP behind the library: a browser's runs, found and listed, named and starred, thrown away and taken
back.

The owner's secret, in a header and never in an address, is the right to all of this.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from engine.errors import InputError, StudioError
from engine.session import Session
from engine.session.library_index import Entry, Search
from studio.api.callers import OWNER_HEADER
from studio.open_folder import open_folder, sits_here
from studio.problems import problem_response
from studio.uploads import bounded_body

RECENT, PAGE, LONGEST = 24, 48, 400
MOST_BYTES, MOST_DRAFTS = 50_000, 16
ROOMY = 0.8  # share of what one person may have on disk
FRESH = {"Cache-Control": "no-store"}


def library_routes(session: Session) -> list[BaseRoute]:
    """``/runs``, the newest; ``/library``, all and the trash, and ``/library/room``, what would go first;
    ``/runs/{token}`` to change (PATCH) and to delete for ever, and its ``folder`` to open; ``/drafts`` to
    choose one.
    """
    runs = session.runs

    def recent(request: Request) -> Response:
        owner = _owner(request)
        entries = runs.search(owner, Search(most=RECENT)).entries if owner else ()
        return JSONResponse([_summary(session, entry) for entry in entries], headers=FRESH)

    def library(request: Request) -> Response:
        return _answer(lambda: _listed(session, _owner(request), _search(request)))

    async def change(request: Request) -> Response:
        return await _with_body(
            request, lambda body: _changed(session, request.path_params["token"], _owner(request), body)
        )

    async def choose(request: Request) -> Response:
        return await _with_body(request, lambda body: _chosen(session, _owner(request), body))

    def delete(request: Request) -> Response:
        return _answer(lambda: runs.delete(request.path_params["token"], _owner(request)))

    def empty(request: Request) -> Response:
        return _answer(lambda: {"deleted": runs.empty_trash(_owner(request))})

    def room(request: Request) -> Response:
        return _answer(lambda: _room(session, _owner(request)))

    def folder(request: Request) -> Response:
        return _answer(lambda: _opened(session, request.path_params["token"], request))

    return [
        Route("/runs", recent),
        Route("/runs/{token}", change, methods=["PATCH"]),
        Route("/runs/{token}", delete, methods=["DELETE"]),
        Route("/drafts", choose, methods=["POST"]),
        Route("/runs/{token}/folder", folder, methods=["POST"]),
        Route("/library", library),
        Route("/library/room", room),
        Route("/library/trash", empty, methods=["DELETE"]),
    ]


async def _with_body(request: Request, act: Callable[[Any], dict[str, Any] | None]) -> Response:
    """The answer to what was sent as JSON, or to None for what is none."""
    try:
        body = json.loads(await bounded_body(request, MOST_BYTES))
    except InputError as error:
        return problem_response(error)
    except (ValueError, RecursionError):
        body = None
    return await run_in_threadpool(_answer, lambda: act(body))


def _answer(act: Callable[[], dict[str, Any] | None]) -> Response:
    try:
        answer = act()
    except StudioError as error:
        return problem_response(error)
    return Response(status_code=204) if answer is None else JSONResponse(answer, headers=FRESH)


def _owner(request: Request) -> str:
    return request.headers.get(OWNER_HEADER, "")


def _search(request: Request) -> Search:
    """Raises InputError for a place in the list that is none."""
    query = request.query_params
    first = query.get("first", "") or "0"
    if not (first.isascii() and first.isdigit() and len(first) < 10):
        raise InputError(f"The list begins at {first[:40]!r}, which is no number.", "Reload the page.")
    starred, trashed = (bool(query.get(name)) for name in ("starred", "trashed"))
    return Search(
        words=query.get("words", "")[:LONGEST], starred=starred, trashed=trashed, first=int(first), most=PAGE
    )


def _listed(session: Session, owner: str, search: Search) -> dict[str, Any]:
    """A page of the owner's runs, how many there are, and what all of them take of what they may."""
    if not owner:
        return {
            "runs": [],
            "count": 0,
            "bytes": 0,
            "most_bytes": session.limits.bytes_per_owner,
            "trashed": 0,
        }
    page = session.runs.search(owner, search)
    trash = session.runs.search(owner, Search(trashed=True, most=0))
    return {
        "runs": [_described(session, entry) for entry in page.entries],
        "count": page.count,
        "bytes": session.runs.indexed_bytes(owner),
        "most_bytes": session.limits.bytes_per_owner,
        "trashed": trash.count,
    }


def _changed(session: Session, token: str, owner: str, body: Any) -> dict[str, Any]:
    """Move a run to or from the trash (``trashed``), to another ``place`` of the owner's that wait, or write
    on it. Raises StudioError for what cannot be done.
    """
    if not isinstance(body, dict) or not body:
        raise InputError("Nothing that can be changed was sent.", "Reload the page.")
    place = body.pop("place", None)
    if place is not None and (not isinstance(place, int) or isinstance(place, bool)):
        raise InputError("place is a whole number.", "Reload the page.")
    if place is not None:
        session.runs.reorder(token, owner, place)
    trashed = body.pop("trashed", None)
    if trashed is not None and not isinstance(trashed, bool):
        raise InputError("trashed is yes or no.", "Reload the page.")
    if trashed is not None:
        (session.runs.trash if trashed else session.runs.restore)(token, owner)
    return vars(session.runs.relabel(token, owner, body)) if body else {}


def _chosen(session: Session, owner: str, body: Any) -> None:
    """Let the draft ``keep`` go on, if one is named, and throw away those of ``others``. Raises
    StudioError.
    """
    keep, others = (body.get("keep", ""), body.get("others", [])) if isinstance(body, dict) else (None, None)
    if (
        not isinstance(keep, str)
        or not isinstance(others, list)
        or not all(isinstance(each, str) for each in others)
    ):
        raise InputError("Nothing that can be chosen was sent.", "Reload the page.")
    for token in others[:MOST_DRAFTS]:
        if not session.runs.discard(token, owner):
            session.stop(token)
    if keep:
        session.resume(keep)


def _room(session: Session, owner: str) -> dict[str, Any]:
    """What would go first to bring the owner to `ROOMY` of what they may have, or to free a tenth of what
    they have.
    """
    held, most = session.runs.indexed_bytes(owner), session.limits.bytes_per_owner
    first = session.runs.to_free(owner, round(max(held - ROOMY * most, 0.1 * held))) if owner else []
    return {
        "runs": [_described(session, entry) for entry in first],
        "bytes": sum(entry.bytes for entry in first),
    }


def _opened(session: Session, token: str, request: Request) -> dict[str, Any]:
    """Open a run's folder; its path, where whoever asks sits at this machine. Raises InputError for
    others.
    """
    if session.runs.owner(token) != _owner(request) or not sits_here(request):
        raise InputError(
            "Only who sits at the studio's own machine can open folders there.", "Download the files instead."
        )
    folder = session.library.folder(token)
    return {"path": str(folder), "opened": open_folder(folder)}


def _described(session: Session, entry: Entry) -> dict[str, Any]:
    shown = ("token", "created", "state", "title", "step", "bytes", "starred", "tags", "notes", "trashed")
    described = {name: value for name, value in vars(entry).items() if name in shown}
    if entry.state == "queued":
        described |= {"queue_position": session.runs.queue_position(entry.token)}
        described |= {
            "place": session.runs.waiting(entry.owner).index(entry.token)
            if described["queue_position"]
            else 0
        }
    if entry.state == "running":
        described |= {"eta_seconds": session.view(entry.token).eta_seconds}
    return described


def _summary(session: Session, entry: Entry) -> dict[str, Any]:
    place = session.runs.queue_position(entry.token)
    return {
        "token": entry.token,
        "title": entry.title,
        "state": entry.state,
        "queue_position": place,
        "step": entry.step,
    }
