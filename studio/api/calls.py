"""How a client reaches its studio: over HTTP, or in this process. Both raise the StudioError that the studio
raises.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from engine.errors import StudioError, storage_errors
from studio.problems import STATUS

if TYPE_CHECKING:  # whoever calls over HTTP needs nothing of a session
    from studio.api.operations import Operations

Json = dict[str, Any]

ERRORS: Mapping[int, type[StudioError]] = {status: kind for kind, status in STATUS}


class Calls(Protocol):
    """How a client reaches its studio."""

    def get(self, path: str, **parameters: Any) -> Json: ...

    def send(self, method: str, path: str, body: Json | None = None, key: str = "") -> Json: ...

    def keep_file(self, name: str, content: bytes) -> str: ...

    def fetch(self, token: str, name: str, path: Path) -> None: ...

    def frame(self, token: str, azimuth_deg: float, elevation_deg: float, size: int) -> bytes | None: ...

    def close(self) -> None: ...


class HttpCalls:
    """Calls over HTTP, to a studio that runs in another process or on another machine."""

    def __init__(self, url: str, secret: str, login: tuple[str, str] | None, timeout_seconds: float) -> None:
        import httpx

        headers = {"x-maquette-owner": secret} if login else {"authorization": f"Bearer {secret}"}
        self._http = httpx.Client(
            base_url=url.rstrip("/") + "/api/v1", headers=headers, auth=login, timeout=timeout_seconds
        )
        self._failed = httpx.HTTPError

    def get(self, path: str, **parameters: Any) -> Json:
        return self._answer("GET", path, params=parameters).json()

    def send(self, method: str, path: str, body: Json | None = None, key: str = "") -> Json:
        headers = {"idempotency-key": key} if key else {}
        answer = self._answer(method, path, json=body, headers=headers)
        return answer.json() if answer.content else {}

    def keep_file(self, name: str, content: bytes) -> str:
        return self._answer("POST", "/files", params={"name": name}, content=content).json()["file"]

    def fetch(self, token: str, name: str, path: Path) -> None:
        content = self._answer("GET", f"/runs/{token}/files/{name}").content
        with storage_errors(path):
            path.write_bytes(content)

    def frame(self, token: str, azimuth_deg: float, elevation_deg: float, size: int) -> bytes | None:
        query = {"azimuth_deg": azimuth_deg, "elevation_deg": elevation_deg, "size": size}
        return self._answer("GET", f"/runs/{token}/frame.jpg", params=query).content or None

    def close(self) -> None:
        self._http.close()

    def _answer(self, method: str, path: str, **options: Any) -> Any:
        try:
            answer = self._http.request(method, path, **options)
        except self._failed as error:
            where = self._http.base_url
            raise StudioError(
                f"The studio at {where} cannot be reached ({error}).", "Check that it runs there."
            ) from error
        if answer.status_code < 400:
            return answer
        try:
            problem = answer.json()
            what, remedy = str(problem["title"]), str(problem.get("remedy", ""))
        except (json.JSONDecodeError, KeyError, TypeError):
            what, remedy = answer.text[:300] or f"The studio answered {answer.status_code}.", ""
        raise ERRORS.get(answer.status_code, StudioError)(what, remedy)


class LocalCalls:
    """Calls to a studio in this process. ``close`` ends it."""

    def __init__(self, operations: Operations, secret: str, close: Callable[[], Any]) -> None:
        self._operations, self._secret, self._close = operations, secret, close

    def get(self, path: str, **parameters: Any) -> Json:
        name, _, token = path.strip("/").partition("/")
        if token:
            return self._operations.run(token)
        if name == "runs":
            return self._operations.runs(self._secret, **parameters)
        return getattr(self._operations, name)()

    def send(self, method: str, path: str, body: Json | None = None, key: str = "") -> Json:
        _, token, action = (*path.strip("/").split("/"), "", "")[:3]
        if method == "DELETE":
            self._operations.delete(token, self._secret)
            return {}
        if method == "PATCH":
            return self._operations.steer(token, body or {})
        if action:
            return self._operations.act(token, action)
        return self._operations.submit(body or {}, self._secret, key)

    def keep_file(self, name: str, content: bytes) -> str:
        return self._operations.files.keep(name, content)

    def fetch(self, token: str, name: str, path: Path) -> None:
        with storage_errors(path):
            shutil.copyfile(self._operations.file(token, name), path)

    def frame(self, token: str, azimuth_deg: float, elevation_deg: float, size: int) -> bytes | None:
        return self._operations.frame(token, azimuth_deg, elevation_deg, size)

    def close(self) -> None:
        self._close()
