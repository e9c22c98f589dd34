"""Uploads: how much one client may send, and what is left of those that were cut short."""

from __future__ import annotations

import os
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import gradio as gr
import pytest
from studio_serving import until

from engine.session.limits import Limits
from studio.server import Serving, open_port
from studio.upload_limits import Sent, bytes_in, clear_parts, clear_uploads

LIMITS = Limits(upload_bytes=60_000, upload_bytes_per_client=200_000, uploads_bytes=250_000)


@pytest.fixture
def uploads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))
    return tmp_path / "uploads"


@pytest.fixture
def serving(uploads: Path) -> Iterator[Serving]:
    uploads.mkdir()
    with gr.Blocks(analytics_enabled=False) as page:
        gr.File()
    opened = open_port(page, [], host="127.0.0.1", port=0, share=False, limits=LIMITS)
    yield opened
    opened.close()


def form(content: bytes) -> tuple[bytes, dict[str, str]]:
    head = b'--edge\r\nContent-Disposition: form-data; name="files"; filename="a.glb"\r\n\r\n'
    return head + content + b"\r\n--edge--\r\n", {"Content-Type": "multipart/form-data; boundary=edge"}


def upload(serving: Serving, content: bytes) -> int:
    body, headers = form(content)
    try:
        request = urllib.request.Request(serving.url + "gradio_api/upload", data=body, headers=headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def test_one_client_may_send_so_much(serving: Serving, uploads: Path) -> None:
    assert [upload(serving, bytes([i]) * 50_000) for i in range(5)] == [200, 200, 200, 413, 413]
    assert 150_000 <= bytes_in(uploads) < 160_000 and not list(uploads.glob("tmp*"))


def test_a_file_that_is_too_large_leaves_nothing(serving: Serving, uploads: Path) -> None:
    assert upload(serving, bytes(70_000)) == 413
    until(lambda: not list(uploads.glob("tmp*")))


def test_uploads_together_take_so_much_and_no_more(serving: Serving, uploads: Path) -> None:
    (uploads / "earlier").mkdir()
    (uploads / "earlier" / "a.glb").write_bytes(bytes(220_000))
    assert upload(serving, bytes(50_000)) == 413 and upload(serving, bytes(10_000)) == 200


def test_a_cut_connection_leaves_nothing(serving: Serving, uploads: Path) -> None:
    body, headers = form(bytes(50_000))
    address = serving.url.split("//")[1].strip("/")
    head = (
        f"POST /gradio_api/upload HTTP/1.1\r\nHost: {address}\r\nContent-Type: {headers['Content-Type']}\r\n"
    )
    with socket.create_connection(("127.0.0.1", int(address.split(":")[1]))) as wire:
        wire.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[:30_000])
        until(lambda: list(uploads.glob("tmp*")))
    until(lambda: not list(uploads.glob("tmp*")))


def test_more_than_was_announced_is_not_taken(serving: Serving, uploads: Path) -> None:
    """Without a length nothing is known beforehand, and it is counted as it comes."""
    body, headers = form(bytes(50_000))
    for _ in range(3):
        upload(serving, bytes(50_000))
    request = urllib.request.Request(
        serving.url + "gradio_api/upload",
        data=iter([body[i : i + 4096] for i in range(0, len(body), 4096)]),
        headers=headers,
    )
    with pytest.raises((urllib.error.HTTPError, ConnectionError)) as refusal:
        urllib.request.urlopen(request, timeout=60)
    assert getattr(refusal.value, "code", 413) == 413
    until(lambda: not list(uploads.glob("tmp*")))


def aged(path: Path, seconds: float) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    for each in (path, path.parent):
        os.utime(each, (time.time() - seconds,) * 2)
    return path


def test_what_a_killed_studio_left_is_gone_at_the_next_start(tmp_path: Path) -> None:
    part, fresh = aged(tmp_path / "u" / "tmpabc", 120), aged(tmp_path / "u" / "tmpdef", 1)
    old, kept = aged(tmp_path / "u" / "aa" / "a.glb", 9000), aged(tmp_path / "u" / "bb" / "b.glb", 100)
    clear_uploads(tmp_path / "u", keep_seconds=3600)
    assert [path.exists() for path in (part, fresh, old, kept)] == [False, True, False, True], (
        "somebody may write the fresh one"
    )


def test_parts_of_others_are_left_while_they_are_being_received(tmp_path: Path) -> None:
    part = aged(tmp_path / "tmpabc", 5)
    clear_parts(tmp_path)
    clear_parts(tmp_path, since=time.time())
    assert part.exists()
    clear_parts(tmp_path, since=time.time() - 10)
    assert not part.exists()


def test_what_was_sent_is_forgotten_after_the_window() -> None:
    now = [0.0]
    sent = Sent(100, 60.0, lambda: now[0])
    sent.add("ada", 70)
    sent.add("ada", 20)
    assert sent.left("ada") == 10 and sent.left("bob") == 100
    now[0] = 61.0
    assert sent.left("ada") == 100 and not sent._parts, "nobody is remembered for ever"
