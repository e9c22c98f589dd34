"""The OpenAPI 3.1 document of the API: what `studio.api.routes` serves, by hand, so that it says why and not
only what.
"""

from __future__ import annotations

from engine.session.record import STATES
from studio.api.schemas import Json, schema_of, schemas

TOKEN = {"$ref": "#/components/parameters/token"}
PROBLEMS = {
    401: "The studio asks for a login",
    404: "There is nothing with this name",
    409: "The run is in a state that does not allow it",
    413: "More was sent than makes sense",
    422: "What was sent cannot be used",
    424: "Something optional is not on this machine",
    429: "As much as one person may ask for has been asked for",
}


def document(version: str) -> Json:
    """The document, ready for JSON."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Maquette",
            "version": version,
            "description": "Submit, steer and download 3D generation runs. A run's token is the right to "
            "see and steer it; your "
            "own secret (Authorization: Bearer SECRET, of your choice) is the right to list and delete "
            "your runs.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/api/v1"}],
        "security": [{}, {"secret": []}, {"login": []}],
        "paths": _paths(),
        "components": {
            "securitySchemes": {
                "secret": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A secret of your own choice: it owns your runs.",
                },
                "login": {
                    "type": "http",
                    "scheme": "basic",
                    "description": "Where the studio was started with --auth.",
                },
            },
            "parameters": {"token": _parameter("token", "path", "A run's token.", {"type": "string"})},
            "responses": {str(status): _problem(said) for status, said in PROBLEMS.items()},
            "schemas": schemas(),
        },
    }


def _paths() -> Json:
    return {
        "/": {"get": _operation("about", "Which program this is", "About")},
        "/openapi.json": {"get": _operation("openapi", "This document", None)},
        "/presets": {"get": _operation("presets", "Settings to start from", "Presets")},
        "/priors": {
            "get": _operation(
                "priors", "Diffusion priors, and what to do for those that are not here", "Priors"
            )
        },
        "/settings": {
            "get": _operation(
                "settings", "Every setting: what is allowed, its default, what it does", "SettingList"
            )
        },
        "/files": {"post": _keep_file()},
        "/runs": {"get": _list_runs(), "post": _submit()},
        "/runs/{token}": {
            "parameters": [TOKEN],
            "get": _operation("run", "A run as it is now", "Run", problems=(404,)),
            "patch": _operation(
                "steer",
                "Change live settings while it goes",
                "Run",
                body="Steering",
                problems=(404, 409, 413, 422),
            ),
            "delete": {
                "operationId": "delete",
                "summary": "Delete a run that has ended, with its files; only its owner may",
                "responses": {"204": {"description": "It is gone"}, **_refusals((404, 409, 422))},
            },
        },
        "/runs/{token}/files": {
            "parameters": [TOKEN],
            "get": _operation("files", "The files of a result", "Files", problems=(404,)),
        },
        "/runs/{token}/files/{name}": {
            "parameters": [TOKEN, _name("name", "A file's name.")],
            "get": _download(),
        },
        "/runs/{token}/frame.jpg": {"parameters": [TOKEN], "get": _frame()},
        "/runs/{token}/events": {"parameters": [TOKEN], "get": _events()},
        "/runs/{token}/{action}": {
            "parameters": [TOKEN, _name("action", "What to do.", ("pause", "resume", "stop", "undo"))],
            "post": _operation(
                "act",
                "Pause, resume or stop a run, or undo its newest live change",
                "Run",
                problems=(404, 409, 422),
            ),
        },
    }


def _submit() -> Json:
    key = _parameter(
        "Idempotency-Key",
        "header",
        "The same key again gives the run that is there, so that a submission may be repeated.",
        {"type": "string", "maxLength": 200},
    )
    operation = _operation(
        "submit", "Queue a run", "Run", body="Submission", status=201, problems=(404, 409, 413, 422, 424, 429)
    )
    return {**operation, "parameters": [key]}


def _list_runs() -> Json:
    operation = _operation("runs", "Your runs, newest first", "Runs", problems=(422,))
    state = _parameter("state", "query", "Only those in this state.", {"enum": list(STATES)})
    limit = _parameter(
        "limit",
        "query",
        "At most so many.",
        {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100},
    )
    return {**operation, "parameters": [state, limit]}


def _keep_file() -> Json:
    operation = _operation(
        "keep_file",
        "Send a picture or a model for a run, kept for a day",
        "KeptFile",
        status=201,
        problems=(413, 422),
    )
    binary = {"content": {"application/octet-stream": {}}, "required": True}
    name = _parameter(
        "name", "query", "Its name, such as mug.png.", {"type": "string", "minLength": 1}, required=True
    )
    return {**operation, "parameters": [name], "requestBody": binary}


def _download() -> Json:
    answer = {"description": "Its bytes", "content": {"application/octet-stream": {}}}
    return {
        "operationId": "file",
        "summary": "Download a file",
        "responses": {"200": answer, **_refusals((404,))},
    }


def _frame() -> Json:
    degrees = {"type": "number"}
    parameters = [
        _parameter(
            "azimuth_deg", "query", "0 sees the front, 90 the object's own left.", {**degrees, "default": 35}
        ),
        _parameter("elevation_deg", "query", "Above the object.", {**degrees, "default": 18}),
        _parameter(
            "size", "query", "Pixels.", {"type": "integer", "minimum": 32, "maximum": 1024, "default": 384}
        ),
    ]
    responses = {
        "200": {"description": "A picture", "content": {"image/jpeg": {}}},
        "204": {"description": "There is no shape yet"},
        **_refusals((404, 422)),
    }
    summary = "The shape as it is now, from any side"
    return {"operationId": "frame", "summary": summary, "parameters": parameters, "responses": responses}


def _events() -> Json:
    described = "Server-sent events named `run`, each with a Run as its data, until the run has ended"
    answer = {"description": described, "content": {"text/event-stream": {"schema": {"type": "string"}}}}
    return {
        "operationId": "events",
        "summary": "Follow a run",
        "responses": {"200": answer, **_refusals((404,))},
    }


def _operation(
    name: str,
    summary: str,
    schema: str | None,
    *,
    body: str = "",
    status: int = 200,
    problems: tuple[int, ...] = (),
) -> Json:
    answer = {"schema": {"type": "object"} if schema is None else schema_of(schema)}
    described = {"description": summary, "content": {"application/json": answer}}
    operation: Json = {
        "operationId": name,
        "summary": summary,
        "responses": {str(status): described, **_refusals(problems)},
    }
    if body:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schema_of(body)}},
        }
    return operation


def _refusals(statuses: tuple[int, ...]) -> Json:
    return {str(status): {"$ref": f"#/components/responses/{status}"} for status in (401, *statuses)}


def _problem(description: str) -> Json:
    return {
        "description": description,
        "content": {"application/problem+json": {"schema": schema_of("Problem")}},
    }


def _parameter(name: str, place: str, description: str, schema: Json, *, required: bool = False) -> Json:
    return {
        "name": name,
        "in": place,
        "description": description,
        "required": required or place == "path",
        "schema": schema,
    }


def _name(name: str, description: str, allowed: tuple[str, ...] = ()) -> Json:
    return _parameter(name, "path", description, {"enum": list(allowed)} if allowed else {"type": "string"})
