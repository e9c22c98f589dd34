"""Refusals of the page's routes and of the API: ``application/problem+json`` (RFC 9457), in the errors' own
words.
"""

from __future__ import annotations

from starlette.responses import JSONResponse

from engine.errors import (
    DeviceError,
    InputError,
    LimitError,
    MissingError,
    RunError,
    StateError,
    StorageError,
    StudioError,
    UnknownError,
)


class TooLargeError(InputError):
    """More was sent than makes sense."""


STATUS: tuple[tuple[type[StudioError], int], ...] = (
    (UnknownError, 404),
    (StateError, 409),
    (LimitError, 429),
    (TooLargeError, 413),
    (InputError, 422),
    (MissingError, 424),
    (DeviceError, 503),
    (StorageError, 507),
    (RunError, 500),
)
"""The first kind that an error is of decides; more special ones stand first."""

MEDIA_TYPE = "application/problem+json"
FRESH = {"Cache-Control": "no-store"}


def status_of_error(error: StudioError) -> int:
    """The HTTP status that says what kind of refusal it is."""
    return next((status for kind, status in STATUS if isinstance(error, kind)), 500)


def problem_response(error: StudioError, status: int | None = None) -> JSONResponse:
    """``error`` as a problem document."""
    return problem(status or status_of_error(error), error.what, error.remedy)


def problem(status: int, what: str, remedy: str = "") -> JSONResponse:
    """A problem document: ``status``, the fact as ``title``, and the ``remedy``."""
    document = {"type": "about:blank", "status": status, "title": what, "remedy": remedy}
    return JSONResponse(document, status, media_type=MEDIA_TYPE, headers=FRESH)
