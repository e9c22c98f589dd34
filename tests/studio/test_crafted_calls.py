"""Every handler of the page, called with values that no page sends: an answer in words, and no traceback on
the server.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from studio_serving import free_port, serve

ODD: tuple[Any, ...] = (None, True, 10**30, "", "no such thing", [[]], {"a": {"b": []}},
    {"__type__": "update"},
                        {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}})  # fmt: skip

CRAFTED = (b"", b"[]", b"{", b"null", b"[" * 5000, {"data": []}, {"data": None}, {"data": {}},
    {"fn_index": 0},
           {"data": [], "fn_index": 10**6}, {"data": [], "fn_index": -1}, {"data": [], "fn_index": "a"},
           {"data": [], "fn_index": 0, "event_data": 7, "trigger_id": 10**9, "session_hash": []})  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The page's address, and the file that the server's output goes to."""
    port, library = free_port(), tmp_path_factory.mktemp("library")
    program = str(Path(__file__).parent / "studio_doubles.py")
    for url in serve([program, str(library), str(port)], port, library):
        yield url, library / "server.log"


def called(url: str, path: str, body: object) -> tuple[int, str]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(f"{url}/gradio_api/{path}", data, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def handlers(url: str) -> dict[int, int]:
    """How many values each handler takes, by its number."""
    with urllib.request.urlopen(f"{url}/config", timeout=60) as answer:
        page = json.load(answer)
    return {each["id"]: len(each["inputs"]) for each in page["dependencies"] if each["backend_fn"]}


def without_traceback(log: Path) -> bool:
    text = log.read_text()
    return "Traceback" not in text and "Exception in ASGI" not in text


def test_no_handler_breaks_on_wrong_types(place: tuple[str, Path]) -> None:
    url, log = place
    known = handlers(url)
    assert len(known) > 40
    for number, count in known.items():
        for odd in ODD:
            status, text = called(
                url, "run/predict", {"data": [odd] * count, "fn_index": number, "session_hash": "a"}
            )
            assert status == 200 or json.loads(text)["error"], (number, odd, text)
            assert without_traceback(log), (number, odd, log.read_text()[-3000:])


@pytest.mark.parametrize("body", CRAFTED)
@pytest.mark.parametrize("path", ["run/predict", "run/no-such-name", "queue/join"])
def test_crafted_calls_are_refused(place: tuple[str, Path], path: str, body: object) -> None:
    url, log = place
    status, text = called(url, path, body)
    assert status >= 400 or path == "queue/join", text
    assert without_traceback(log), log.read_text()[-3000:]


def test_too_few_values_are_refused(place: tuple[str, Path]) -> None:
    url, log = place
    for number in handlers(url):
        status, _ = called(url, "run/predict", {"data": [], "fn_index": number, "session_hash": "b"})
        assert status in (200, 500) and without_traceback(log), log.read_text()[-3000:]
