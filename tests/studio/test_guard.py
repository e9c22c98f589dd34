"""Who is answered at all: names, foreign pages, frames, logins, on Gradio's routes and our own alike."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator

import gradio as gr
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from engine.errors import InputError
from engine.session.limits import Limits
from studio.app import open_to_all
from studio.commands.serving import logins_in
from studio.guard import Access, access_for, host_of
from studio.server import Serving, open_port


async def echo(browser: WebSocket) -> None:
    await browser.accept()
    await browser.send_text(await browser.receive_text())
    await browser.close()


def posted(request: Request) -> PlainTextResponse:
    return PlainTextResponse("done")


def open_page(**options: object) -> Serving:
    with gr.Blocks(analytics_enabled=False) as page:
        gr.Markdown("hello")
    routes = [Route("/ours", posted, methods=["GET", "POST"]), WebSocketRoute("/echo", echo)]
    return open_port(page, routes, host="127.0.0.1", port=0, share=False, **options)


@pytest.fixture(scope="module")
def serving() -> Iterator[Serving]:
    opened = open_page(
        access=access_for("127.0.0.1", ["maquette.example"], {}), limits=Limits(sockets_per_client=2)
    )
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def locked() -> Iterator[Serving]:
    opened = open_page(logins=[("ada", "lovelace")])
    yield opened
    opened.close()


def ask(url: str, body: bytes | None = None, **headers: str) -> tuple[int, dict[str, str], bytes]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        with urllib.request.urlopen(
            urllib.request.Request(url, data=body, headers=named), timeout=60
        ) as answer:
            return (
                answer.status,
                {name.lower(): value for name, value in answer.headers.items()},
                answer.read(),
            )
    except urllib.error.HTTPError as error:
        return error.code, {name.lower(): value for name, value in error.headers.items()}, error.read()


def socket_status(url: str, **options: object) -> int:
    """101 where a WebSocket is opened, else the status of the refusal."""
    try:
        with connect(url.replace("http", "ws") + "echo", **options) as socket:
            socket.send("hello")
            assert socket.recv(timeout=60) == "hello"
            return 101
    except InvalidStatus as refusal:
        return refusal.response.status_code


@pytest.mark.parametrize("path", ["", "config", "ours", "gradio_api/info", "nothing-here"])
@pytest.mark.parametrize(
    "name", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "2130706433"]
)
def test_a_name_that_is_not_ours_is_not_answered(serving: Serving, path: str, name: str) -> None:
    status, _, body = ask(serving.url + path, Host=name)
    assert status == 421 and b"--allow-host" in body


@pytest.mark.parametrize(
    "name", ["localhost", "localhost:7860", "127.0.0.1", "[::1]:80", "LOCALHOST", "maquette.example"]
)
def test_our_names_are_answered(serving: Serving, name: str) -> None:
    assert ask(serving.url + "ours", Host=name)[0] == 200


@pytest.mark.parametrize(
    "path", ["ours", "gradio_api/upload", "gradio_api/queue/join", "gradio_api/run/predict"]
)
@pytest.mark.parametrize("headers", [
    {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": "http://127.0.0.1:9"}, {"Origin": "http://localhost:3000"},
    {"Sec_Fetch_Site": "cross-site"}, {"Origin": "http://["}, {"Origin": ""},
])  # fmt: skip
def test_a_foreign_page_can_change_nothing(serving: Serving, path: str, headers: dict[str, str]) -> None:
    assert ask(serving.url + path, b"x=1", **headers)[0] == 403


def test_our_own_page_and_a_trusted_one_can(serving: Serving) -> None:
    own = serving.url.rstrip("/")
    assert ask(serving.url + "ours", b"x=1", Origin=own)[0] == 200
    assert ask(serving.url + "ours", b"x=1", Origin="https://maquette.example")[0] == 200
    assert ask(serving.url + "ours", b"x=1")[0] == 200, "no browser sends a form without saying where from"
    assert ask(serving.url + "ours", Origin="https://evil.example")[0] == 200, (
        "looking changes nothing, and no page can read it"
    )


def test_a_foreign_page_opens_no_socket(serving: Serving) -> None:
    own = serving.url.rstrip("/")
    assert socket_status(serving.url, origin="https://evil.example") == 403
    assert socket_status(serving.url, origin="http://localhost:3000") == 403
    assert socket_status(serving.url, additional_headers={"Host": "evil.example"}) in (400, 421)
    assert socket_status(serving.url, origin=own) == 101 and socket_status(serving.url) == 101


def test_one_address_has_so_many_sockets_and_no_more(serving: Serving) -> None:
    url = serving.url.replace("http", "ws") + "echo"
    with connect(url), connect(url):
        assert socket_status(serving.url) == 429
    assert socket_status(serving.url) == 101


@pytest.mark.parametrize("path", ["", "ours", "config", "nothing-here"])
def test_no_other_page_may_frame_ours(serving: Serving, path: str) -> None:
    _, headers, _ = ask(serving.url + path)
    assert headers["content-security-policy"] == "frame-ancestors 'self'"
    assert headers["x-content-type-options"] == "nosniff" and headers["referrer-policy"] == "same-origin"


def test_without_the_login_nothing_of_ours_is_answered(locked: Serving) -> None:
    assert ask(locked.url + "ours")[0] == 401 and ask(locked.url + "ours", b"x=1")[0] == 401
    assert socket_status(locked.url) == 401
    assert ask(locked.url + "gradio_api/upload", b"x=1")[0] == 401
    assert ask(locked.url + "ours", Cookie="access-token-unsecure-x=guess")[0] == 401
    assert (
        ask(locked.url + "login", urllib.parse.urlencode({"username": "ada", "password": "wrong"}).encode())[
            0
        ]
        == 400
    )


def test_with_the_login_everything_is(locked: Serving) -> None:
    told = urllib.parse.urlencode({"username": "ada", "password": "lovelace"}).encode()
    status, _, body = ask(locked.url + "login", told)
    assert status == 200 and json.loads(body)["success"]
    with urllib.request.urlopen(
        urllib.request.Request(locked.url + "login", data=told), timeout=60
    ) as answer:
        cookies = answer.headers.get_all("set-cookie")
    cookie = next(each.split(";")[0] for each in cookies if "unsecure" in each)
    assert ask(locked.url + "ours", Cookie=cookie)[0] == 200
    assert socket_status(locked.url, additional_headers={"Cookie": cookie}) == 101


def test_what_a_studio_goes_by_follows_from_where_it_listens() -> None:
    here = access_for("127.0.0.1", [], {})
    assert not here.knows("192.168.1.7") and here.knows("localhost:1")
    there = access_for("192.168.1.7", [], {})
    assert there.knows("192.168.1.7:7860") and not there.knows("192.168.1.8")
    everywhere = access_for("0.0.0.0", ["box.example"], {})
    assert (
        everywhere.knows("192.168.1.8:7860")
        and everywhere.knows("[fe80::1]:80")
        and everywhere.knows("BOX.example")
    )
    assert not everywhere.knows("evil.example") and not everywhere.knows("")
    space = access_for("0.0.0.0", [], {"SPACE_HOST": "ada-maquette.hf.space"})
    assert space.knows("ada-maquette.hf.space") and "https://huggingface.co" in space.policy
    assert "huggingface" not in here.policy


def test_a_tunnel_is_trusted_once_it_is_open() -> None:
    access = Access(["localhost"])
    assert not access.knows("abc.gradio.live")
    access.allow("abc.gradio.live")
    assert access.knows("abc.gradio.live") and access.admits("https://abc.gradio.live", "localhost:7860")
    assert not access.admits("https://other.gradio.live", "localhost:7860")


@pytest.mark.parametrize("netloc", ["[", "a b", "@", "x@localhost@evil", "\x00", "::::"])
def test_a_malformed_name_is_nobodys(netloc: str) -> None:
    assert not access_for("127.0.0.1", [], {}).knows(netloc) and isinstance(host_of(netloc), str)


def test_who_lets_everybody_in_is_warned() -> None:
    assert open_to_all("127.0.0.1", False, [], {}) == "" == open_to_all("localhost", False, [], {})
    assert "--auth" in open_to_all("0.0.0.0", False, [], {}) and "--auth" in open_to_all(
        "192.168.1.7", False, [], {}
    )
    assert "public link" in open_to_all("127.0.0.1", True, [], {})
    assert (
        open_to_all("0.0.0.0", False, [("ada", "x")], {})
        == ""
        == open_to_all("0.0.0.0", False, [], {"SPACE_ID": "a/b"})
    )


def test_logins_are_read_and_never_repeated_in_a_refusal() -> None:
    assert logins_in(["ada:a:b", "bob:c"]) == [("ada", "a:b"), ("bob", "c")]
    for text in ("secret", ":secret", "secret:"):
        with pytest.raises(InputError) as refusal:
            logins_in([text])
        assert "secret" not in str(refusal.value)
