"""Scripts and styles that are fetched when something is first opened, so that the page itself comes
sooner.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import cache

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from studio.theme import asset

GROUPS: Mapping[str, Sequence[str]] = {
    "export.js": ("camera_path.js", "trim.js", "export_options.js", "export.js"),
    "export.css": ("export.css",),
    "welcome.js": ("welcome.js",),
    "welcome.css": ("welcome.css",),
}
KINDS = {"js": "text/javascript", "css": "text/css"}


def later_routes() -> list[BaseRoute]:
    """``/later/{name}``: the files of a group, one after the other."""

    def group(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in GROUPS:
            return PlainTextResponse("There is no such file.", 404)
        text, tag = _joined(name)
        headers = {"ETag": tag, "Cache-Control": "no-cache"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(text, media_type=KINDS[name.rpartition(".")[2]], headers=headers)

    return [Route("/later/{name}", group)]


@cache
def _joined(name: str) -> tuple[str, str]:
    text = "\n".join(map(asset, GROUPS[name]))
    return text, f'"{hashlib.sha256(text.encode()).hexdigest()[:20]}"'
