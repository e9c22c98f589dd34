"""A Hub of one process: serves folders as repositories over loopback HTTP, with the answers that the real
client reads.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class FakeHub:
    """``repositories`` by id; those in ``gated`` answer 403; ``requests`` is a log of what was asked.

    A connection breaks after ``break_after`` bytes of a file, once; ``damaged`` files arrive with another
    last byte; the server rests ``pace`` seconds after each 4096 bytes of a large file.
    """

    address: str = ""
    repositories: dict[str, Path] = field(default_factory=dict)
    gated: set[str] = field(default_factory=set)
    requests: list[str] = field(default_factory=list)
    ranges: list[str] = field(default_factory=list)
    damaged: set[str] = field(default_factory=set)
    break_after: int | None = None
    pace: float = 0.0


@contextmanager
def serve_hub() -> Iterator[FakeHub]:
    """Run the server for as long as the block."""
    hub = FakeHub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(hub))
    hub.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)


def _handler(hub: FakeHub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            path = unquote(urlsplit(self.path).path).strip("/")
            hub.requests.append(f"{self.command} {path}")
            words = path.removeprefix("api/models/").split("/")
            repo, rest = "/".join(words[:2]), words[2:]
            if repo in hub.gated:
                self._answer(403, b"{}", {"X-Error-Code": "GatedRepo"})
            elif repo not in hub.repositories:
                self._answer(404, b"{}", {"X-Error-Code": "RepoNotFound"})
            elif path.startswith("api/models/"):
                listing = json.dumps(_listing(repo, hub.repositories[repo], rest))
                self._answer(200, listing.encode(), {"Content-Type": "application/json"})
            else:
                self._file(hub.repositories[repo] / "/".join(rest[2:]))

        def _file(self, path: Path) -> None:
            if not path.is_file():
                self._answer(404, b"", {"X-Error-Code": "EntryNotFound"})
                return
            content = path.read_bytes()
            headers = {"ETag": f'"{_oid(path, content)}"', "X-Repo-Commit": COMMIT}
            if path.name in hub.damaged:
                content = content[:-1] + bytes([content[-1] ^ 1])
            asked = self.headers.get("Range", "")
            if not asked:
                self._answer(200, content, headers)
                return
            hub.ranges.append(asked)
            begin = int(asked.removeprefix("bytes=").split("-")[0])
            span = f"bytes {begin}-{len(content) - 1}/{len(content)}"
            self._answer(206, content[begin:], {**headers, "Content-Range": span})

        def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command == "GET":
                self._send(body)

        def _send(self, body: bytes) -> None:
            if hub.break_after is not None and len(body) > hub.break_after:
                self.wfile.write(body[: hub.break_after])
                hub.break_after = None
                self.close_connection = True
                return
            for start in range(0, len(body), 4096):
                self.wfile.write(body[start : start + 4096])
                if hub.pace and len(body) > 4096:
                    time.sleep(hub.pace)

    return Handler


def _listing(repo: str, folder: Path, rest: list[str]) -> object:
    """What the API says of a repository: its commit and files, or (``tree``) the files with their sizes."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    names = [path.relative_to(folder).as_posix() for path in files]
    if rest[:1] == ["tree"]:
        return [_announced(path, name) for path, name in zip(files, names)]
    return {
        "id": repo,
        "modelId": repo,
        "sha": COMMIT,
        "private": False,
        "tags": [],
        "downloads": 0,
        "likes": 0,
        "siblings": [{"rfilename": name} for name in names],
    }


def _announced(path: Path, name: str) -> dict[str, object]:
    content = path.read_bytes()
    large = (
        {"lfs": {"oid": _oid(path, content), "size": len(content), "pointerSize": 134}}
        if _is_large(path)
        else {}
    )
    return {"type": "file", "path": name, "size": len(content), "oid": _git_oid(content), **large}


def _is_large(path: Path) -> bool:
    return path.suffix in (".safetensors", ".bin")


def _oid(path: Path, content: bytes) -> str:
    return hashlib.sha256(content).hexdigest() if _is_large(path) else _git_oid(content)


def _git_oid(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
