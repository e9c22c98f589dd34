"""The one port: taken ports and addresses, compression, our routes before Gradio's, and what is switched
off.
"""

from __future__ import annotations

import gzip
import json
import socket
import urllib.request
from collections.abc import Iterator

import gradio as gr
import pytest
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from websockets.sync.client import connect

from engine.errors import InputError
from studio.server import MAX_MESSAGE_BYTES, QUEUE_POLL_SECONDS, Serving, open_port, usable_port


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_taken_port_is_named_with_one_that_is_free(taken: int) -> None:
    with pytest.raises(InputError, match=f"Port {taken} on 127.0.0.1 is in use") as refusal:
        usable_port("127.0.0.1", taken)
    suggested = int(refusal.value.remedy.split("--port ")[1].split()[0])
    assert usable_port("127.0.0.1", suggested) == suggested != taken


def test_a_machine_too_busy_to_answer_at_once_keeps_no_studio_from_starting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gradio.networking.url_ok", lambda url: False)
    with gr.Blocks() as page:
        gr.Markdown("the page")
    serving = open_port(page, [], host="127.0.0.1", port=0, share=False)
    serving.close()


def test_port_zero_is_any_free_one() -> None:
    assert usable_port("127.0.0.1", 0) > 1024


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(InputError, match=r"192\.0\.2\.1") as refusal:
        usable_port("192.0.2.1", 0)
    assert "--host 127.0.0.1" in refusal.value.remedy


async def echo(browser: WebSocket) -> None:
    await browser.accept()
    await browser.send_bytes(await browser.receive_bytes())
    await browser.close()


@pytest.fixture
def serving(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serving]:
    monkeypatch.setenv("GRADIO_SSR_MODE", "True")  # as on a Space: Node would take the port
    with gr.Blocks(analytics_enabled=False) as page:
        gr.Markdown("hello")
    routes = [Route("/config", lambda request: PlainTextResponse("ours")), WebSocketRoute("/echo", echo)]
    gradios_own = page._queue.sleep_when_free
    opened = open_port(page, routes, host="127.0.0.1", port=0, share=False)
    assert gradios_own < page._queue.sleep_when_free == QUEUE_POLL_SECONDS, (
        "an idle page leaves the processor to the run"
    )
    yield opened
    opened.close()


def test_one_server_answers_for_gradio_and_for_us(serving: Serving) -> None:
    assert serving.share_url is None
    with urllib.request.urlopen(f"{serving.url}config", timeout=60) as answer:
        assert answer.read() == b"ours", "our routes come first"
    with urllib.request.urlopen(serving.url, timeout=60) as answer:
        html = answer.read().decode()
    config = json.JSONDecoder().raw_decode(html.split("window.gradio_config = ")[1])[0]
    assert not config["analytics_enabled"] and config["footer_links"] == [] and not config.get("run_history")
    assert "maquette" in config["head"], "our scripts and styles travel with the page"


def test_the_document_is_packed_for_who_takes_that(serving: Serving) -> None:
    asking = urllib.request.Request(serving.url, headers={"Accept-Encoding": "gzip"})
    with urllib.request.urlopen(asking, timeout=60) as answer:
        packed, encoding = answer.read(), answer.headers["Content-Encoding"]
    with urllib.request.urlopen(serving.url, timeout=60) as answer:
        plain = answer.read()
    assert encoding == "gzip" and len(packed) < len(plain) / 3 and b"maquette" in gzip.decompress(packed)


def test_sockets_are_not_compressed_and_take_large_messages(serving: Serving) -> None:
    payload = bytes(17 << 20)  # more than uvicorn's own limit
    assert len(payload) < MAX_MESSAGE_BYTES
    with connect(serving.url.replace("http", "ws") + "echo", max_size=None, compression="deflate") as browser:
        assert "Sec-WebSocket-Extensions" not in browser.response.headers
        browser.send(payload)
        assert browser.recv(timeout=60) == payload
