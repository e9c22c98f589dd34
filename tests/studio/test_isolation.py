"""Every address of the studio, and that none of them shows one person's things to another or breaks on
crafted requests.

A new route has to be put into ``ROUTES`` with the key that it asks for, and then is tried with everything
below.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect
from studio_doubles import catalogue, open_double
from studio_serving import PATIENCE_SECONDS, Served
from test_viser_proxy import submit
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from engine.core.camera import orbit_camera
from engine.errors import InputError
from engine.loop.settings import Settings
from engine.loop.spec import Knobs, RunSpec
from engine.session import Session
from engine.session.exports import Exports
from studio.api.callers import OWNER_HEADER
from studio.app import own_routes
from studio.live import MALFORMED, UNKNOWN_RUN
from studio.problems import MEDIA_TYPE
from studio.viewport import Viewports

TOKEN, OWNER, FILE, NOBODYS = (
    "a run's token",
    "its owner's secret",
    "a file that was uploaded or is a run's",
    "shown to everybody",
)
ROUTES = {
    ("/viewport/{token}/splats/", "GET"): TOKEN,
    ("/viewport/{token}/pictures/", "GET"): TOKEN,
    ("/viewport/{token}/splats", "WebSocket"): TOKEN,
    ("/viewport/{token}/pictures", "WebSocket"): TOKEN,
    ("/viewport/{token}/splats/{viewer}/", "GET"): TOKEN,
    ("/viewport/{token}/pictures/{viewer}/", "GET"): TOKEN,
    ("/viewport/{token}/splats/{viewer}", "WebSocket"): TOKEN,
    ("/viewport/{token}/pictures/{viewer}", "WebSocket"): TOKEN,
    (
        "/viewport/client/",
        "GET",
    ): NOBODYS,  # one page for all runs; the token stays behind the # in the browser
    ("/live/{token}", "WebSocket"): TOKEN,
    ("/files/{token}/{name}", "GET"): TOKEN,
    ("/thumb/{token}", "GET"): TOKEN,
    ("/given/{token}", "GET"): TOKEN,
    ("/timeline/{token}", "GET"): TOKEN,
    ("/timeline/{token}/{step:int}", "GET"): TOKEN,
    ("/timeline/{token}/{step:int}", "PUT"): TOKEN,
    ("/timeline/{token}/{step:int}", "POST"): TOKEN,
    ("/timeline/{token}/{step:int}/{number:int}", "DELETE"): TOKEN,
    ("/exports/formats", "GET"): NOBODYS,
    ("/exports/{token}", "GET"): TOKEN,
    ("/exports/{token}", "POST"): TOKEN,
    ("/exports/{token}/estimate", "POST"): TOKEN,
    ("/exports/{token}/picture", "POST"): TOKEN,
    ("/exports/{token}/{key}/file", "GET"): TOKEN,
    ("/exports/{token}/{key}/picture", "GET"): TOKEN,
    ("/later/{name}", "GET"): NOBODYS,
    ("/reference/taken", "GET"): TOKEN,
    ("/runs", "GET"): OWNER,
    ("/runs/{token}/folder", "POST"): OWNER,
    ("/library/room", "GET"): OWNER,
    ("/runs/{token}", "DELETE"): OWNER,
    ("/runs/{token}", "PATCH"): OWNER,
    ("/drafts", "POST"): OWNER,
    ("/library", "GET"): OWNER,
    ("/library/trash", "DELETE"): OWNER,
    ("/pictures/look", "GET"): FILE,
    ("/pictures/outline", "GET"): FILE,
    ("/reference/matches", "POST"): FILE,
    ("/reference/facts", "GET"): FILE,
    ("/reference/picture", "GET"): FILE,
    ("/reference/sides", "GET"): FILE,
    ("/reference/blocks", "GET"): FILE,
    ("/reference/blocks.glb", "GET"): FILE,
    ("/reference/ghost", "GET"): FILE,
    ("/reference/blocks", "POST"): NOBODYS,  # keeps what was sent, and tells whoever sent it where
    ("/pictures/samples/{name}", "GET"): NOBODYS,
    ("/api/v1/", "GET"): NOBODYS,
    ("/api/v1/openapi.json", "GET"): NOBODYS,
    ("/api/v1/presets", "GET"): NOBODYS,
    ("/api/v1/priors", "GET"): NOBODYS,
    ("/api/v1/settings", "GET"): NOBODYS,
    ("/api/v1/files", "POST"): NOBODYS,  # keeps what was sent, and tells whoever sent it where
    ("/api/v1/runs", "GET"): OWNER,
    ("/api/v1/runs", "POST"): NOBODYS,  # a new run, whose token is told to whoever asked for it
    ("/api/v1/runs/{token}", "GET"): TOKEN,
    ("/api/v1/runs/{token}", "PATCH"): TOKEN,
    ("/api/v1/runs/{token}", "DELETE"): OWNER,
    ("/api/v1/runs/{token}/files", "GET"): TOKEN,
    ("/api/v1/runs/{token}/files/{name}", "GET"): TOKEN,
    ("/api/v1/runs/{token}/frame.jpg", "GET"): TOKEN,
    ("/api/v1/runs/{token}/events", "GET"): TOKEN,
    ("/api/v1/runs/{token}/{action}", "POST"): TOKEN,
}
STRANGE = (
    "",
    " ",
    "none",
    "..",
    "../..",
    "%00",
    "\u202e",
    "x" * 5000,
    "1e999",
    "[]",
    "{}",
    "null",
    "-1",
    "run:",
    "shelf:",
    "auto:0",
)
GUESSES = ("nobody-knows-this", "..", ".sessions", "uploads", "%2e%2e", "x" * 300, "\u00e9", "*")


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    with open_double(tmp_path_factory.mktemp("library")) as opened:
        yield opened


@pytest.fixture(scope="module")
def token(session: Session) -> str:
    """A run of ada's."""
    return submit(session)


@pytest.fixture(scope="module")
def routes(session: Session) -> Iterator[list]:
    viewports, pool = Viewports(session), ThreadPoolExecutor(4)
    exports = Exports(session, lambda *given: None)  # type: ignore[arg-type, return-value]
    yield own_routes(session, catalogue(), viewports, pool, pool, exports)
    exports.close()
    viewports.close()
    pool.shutdown(wait=False, cancel_futures=True)


@pytest.fixture(scope="module")
def client(routes: list) -> Iterator[TestClient]:
    """A browser to whom an exception on the server is one in the test."""
    with TestClient(Starlette(routes=routes), raise_server_exceptions=True) as opened:
        yield opened


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    """A picture, and a model, of somebody else on this machine."""
    path = tmp_path / "secret.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    (tmp_path / "secret.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    return path


def short(session: Session) -> str:
    """A run of ada's that ends at once."""
    return session.submit(Settings(RunSpec("a red mug", refine_steps=2), Knobs()), "ada")


def asked(kind: str, method: str | None = None) -> list[str]:
    return [path for (path, how), key in ROUTES.items() if key == kind and method in (None, how)]


def test_every_route_has_its_key(routes: list) -> None:
    found = set()
    for route in routes:
        assert isinstance(route, Route | WebSocketRoute)
        methods = {"WebSocket"} if isinstance(route, WebSocketRoute) else route.methods - {"HEAD"}
        found |= {(route.path, method) for method in methods}
    assert found == set(ROUTES)


@pytest.mark.parametrize("path", asked(TOKEN, "GET"))
@pytest.mark.parametrize("guess", GUESSES)
def test_a_guessed_token_opens_nothing(
    client: TestClient, session: Session, token: str, path: str, guess: str
) -> None:
    url = (
        path.replace("{token}", guess)
        .replace("{name}", "recipe")
        .replace("{step:int}", "3")
        .replace("{key}", "glb")
    )
    answer = client.get(url, params={} if "{token}" in path else {"token": guess}, follow_redirects=False)
    assert answer.status_code in (307, 400, 404, 405), "a redirect is to the same address with a slash"
    assert str(session.library.root) not in answer.text


@pytest.mark.parametrize("path", asked(TOKEN, "WebSocket"))
def test_a_guessed_token_opens_no_socket(client: TestClient, path: str) -> None:
    with (
        pytest.raises(WebSocketDisconnect) as refusal,
        client.websocket_connect(path.replace("{token}", "guess")) as socket,
    ):
        socket.receive_bytes()
    told = refusal.value
    assert getattr(told, "status_code", 0) == 404 or getattr(told, "code", 0) == UNKNOWN_RUN


@pytest.mark.parametrize(
    "name", ["job.json", "../job.json", "checkpoint.json", "..%2fjob.json", "given", "error.log", ""]
)
def test_of_a_run_only_its_results_are_given(client: TestClient, token: str, name: str) -> None:
    assert client.get(f"/files/{token}/{name}").status_code == 404


@pytest.mark.parametrize(
    "headers", [{}, {OWNER_HEADER: ""}, {OWNER_HEADER: "bob"}, {OWNER_HEADER: "ad"}, {OWNER_HEADER: "*"}]
)
def test_runs_are_listed_for_their_owner_alone(
    client: TestClient, token: str, headers: dict[str, str]
) -> None:
    assert client.get("/runs", headers=headers).json() == []
    assert client.get("/runs", params={"owner": "ada"}).json() == []
    assert token in [run["token"] for run in client.get("/runs", headers={OWNER_HEADER: "ada"}).json()]


@pytest.mark.parametrize(
    "headers", [{}, {OWNER_HEADER: ""}, {OWNER_HEADER: "bob"}, {OWNER_HEADER: "ad"}, {OWNER_HEADER: "*"}]
)
def test_a_run_is_deleted_by_its_owner_alone(
    client: TestClient, session: Session, headers: dict[str, str]
) -> None:
    ended = submit(session)
    session.stop(ended)
    session.wait(ended, PATIENCE_SECONDS)
    folder = session.library.folder(ended)
    (folder / "scene.ply").write_bytes(b"ply")
    answer = client.delete(f"/runs/{ended}", headers=headers)
    assert answer.status_code == 422 and answer.json()["remedy"]
    assert (folder / "scene.ply").is_file() and session.view(ended).state == "stopped"
    assert client.delete(f"/runs/{ended}", headers={OWNER_HEADER: "ada"}).status_code == 204
    assert not folder.exists() and client.get(f"/files/{ended}/recipe").status_code == 404
    assert ended not in [run["token"] for run in client.get("/runs", headers={OWNER_HEADER: "ada"}).json()]
    assert client.delete(f"/runs/{ended}", headers={OWNER_HEADER: "ada"}).status_code == 422, (
        "it is gone already"
    )


@pytest.mark.parametrize(
    "headers", [{}, {OWNER_HEADER: ""}, {OWNER_HEADER: "bob"}, {OWNER_HEADER: "ad"}, {OWNER_HEADER: "*"}]
)
def test_the_library_is_its_owners_alone(
    client: TestClient, session: Session, headers: dict[str, str]
) -> None:
    ended, own = short(session), {OWNER_HEADER: "ada"}
    session.stop(ended)  # it would wait for the others
    session.wait(ended, PATIENCE_SECONDS)
    listing = client.get("/library", headers=headers, params={"words": "mug"}).json()
    assert (listing["runs"], listing["count"], listing["bytes"]) == ([], 0, 0)
    for change in ({"name": "x"}, {"starred": True}, {"trashed": True}):
        assert client.patch(f"/runs/{ended}", json=change, headers=headers).status_code == 422
    assert client.patch(f"/runs/{ended}", json={"trashed": True}, headers=own).status_code == 200
    assert client.patch(f"/runs/{ended}", json={"trashed": False}, headers=headers).status_code == 422
    client.delete("/library/trash", headers=headers)
    assert (
        client.patch(f"/runs/{ended}", json={"trashed": False, "name": "Mine"}, headers=own).json()["name"]
        == "Mine"
    )
    found = client.get("/library", headers=own, params={"words": "mine"}).json()["runs"]
    assert ended in [run["token"] for run in found] and "owner" not in found[0]


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"keep": 3}', b'{"others": [3]}', b'{"others": ["nobody"]}', b'{"keep": "nobody"}']
)
def test_crafted_choices_among_drafts_are_refused_in_words(client: TestClient, body: bytes) -> None:
    answer = client.post("/drafts", content=body, headers={OWNER_HEADER: "ada"})
    assert answer.status_code == (404 if b"nobody" in body else 422) and answer.json()["remedy"]


def test_nobody_throws_away_the_drafts_of_others(client: TestClient, session: Session, token: str) -> None:
    session.stop(token)  # the engine works on one run at a time
    draft = session.submit(
        Settings(RunSpec("a red mug", refine_steps=4), Knobs()), "ada", waits_before="refine"
    )
    eventually_paused(session, draft)
    for headers in ({}, {OWNER_HEADER: "bob"}):
        assert client.post("/drafts", json={"others": [draft]}, headers=headers).status_code == 422
    assert session.view(draft).state == "paused"
    assert client.post("/drafts", json={"keep": draft}, headers={OWNER_HEADER: "ada"}).status_code == 204
    assert session.wait(draft, PATIENCE_SECONDS).state == "done"


def eventually_paused(session: Session, token: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while session.view(token).state != "paused":
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{", b"{}", b'{"owner": "bob"}', b'{"trashed": 3}', b'{"tags": {"a": 1}}', b"[" * 50_000],
)
def test_crafted_changes_of_a_run_are_refused_in_words(client: TestClient, token: str, body: bytes) -> None:
    answer = client.patch(f"/runs/{token}", content=body, headers={OWNER_HEADER: "ada"})
    assert answer.status_code == 422 and answer.json()["remedy"]
    for first in ("-1", "1e9", "x", "\u0663"):
        assert (
            client.get("/library", params={"first": first}, headers={OWNER_HEADER: "ada"}).status_code == 422
        )


def test_a_run_that_goes_is_not_deleted(client: TestClient, session: Session) -> None:
    going = submit(session)
    assert "Press Stop" in client.delete(f"/runs/{going}", headers={OWNER_HEADER: "ada"}).json()["remedy"]
    session.stop(going)
    assert session.wait(going, PATIENCE_SECONDS).state == "stopped"


@pytest.mark.parametrize("guess", ["nobody-knows-this", "..", ".sessions", "uploads", "%2e%2e", "*"])
def test_a_guessed_run_is_not_deleted(client: TestClient, session: Session, token: str, guess: str) -> None:
    assert client.delete(f"/runs/{guess}", headers={OWNER_HEADER: "ada"}).status_code in (404, 405, 422)
    assert session.library.folder(token).is_dir() and (session.library.root / ".sessions").is_dir()


def test_looking_goes_on_when_what_is_looked_at_is_deleted(tmp_path: Path) -> None:
    with open_double(tmp_path / "library") as session:
        look_on(session)


def look_on(session: Session) -> None:
    camera = orbit_camera(0.0, 10.0, 3.0, 40.0, 32, 32)
    gone, other = short(session), short(session)
    for each in (gone, other):
        session.wait(each, PATIENCE_SECONDS)
        assert session.frame(each, "eye", camera, 0, PATIENCE_SECONDS) is not None
    session.runs.delete(gone, "ada")
    with pytest.raises(InputError):
        session.frame(gone, "eye", camera, 0, 1.0)
    session._frame_renderer.clear_away()
    assert session.frame(other, "another", camera, 0, PATIENCE_SECONDS) is not None


@pytest.mark.parametrize("path", asked(FILE, "GET"))
@pytest.mark.parametrize("suffix", [".png", ".obj"])
def test_a_file_that_nobody_uploaded_is_not_looked_at(
    client: TestClient, path: str, suffix: str, secret_file: Path
) -> None:
    named = str(secret_file.with_suffix(suffix))
    for given in (named, f"file:{named}", f"{named}@90", f"/proc/self/root{named}"):
        answer = client.get(path, params={"of": given, "picture": given, "fill": "0.8", "way": "auto"})
        assert answer.status_code == 422 or "problem" in answer.json()


@pytest.mark.parametrize(
    "path", [each for kind in (FILE, TOKEN) for each in asked(kind, "GET") if "{" not in each]
)
@pytest.mark.parametrize("strange", STRANGE)
def test_strange_values_are_refused_in_words(client: TestClient, path: str, strange: str) -> None:
    names = ("of", "picture", "token", "up", "turn", "crop", "fill", "way")
    for name in names:
        answer = client.get(path, params={**dict.fromkeys(names, ""), name: strange})
        told = answer.json() if answer.headers["content-type"] in ("application/json", MEDIA_TYPE) else {}
        assert answer.status_code < 500 and "Traceback" not in answer.text
        assert answer.status_code == 200 or told.get("title"), (name, strange, answer.text)


ODD = (None, True, -1, 1e308, 10**30, "\ud800", "x" * 5000, [], [[]], {}, {"a": {"b": []}})


@pytest.mark.parametrize("field", ["words", "images", "search", "framing", "count"])
def test_crafted_types_are_refused_in_words(client: TestClient, field: str) -> None:
    import json

    for odd, inner in itertools.product(ODD, (False, True)):
        told = {"search": "a red chair", "count": 1} | {field: [odd] if inner else odd}
        answer = client.post("/reference/matches", content=json.dumps(told).encode())
        assert answer.status_code in (200, 422) and (answer.status_code == 200 or answer.json()["title"]), (
            field,
            odd,
        )


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"null", b"7", b"{", b"\xff\xfe", b"[" * 50_000, b'{"framing": {"image_fill": "NaN"}}'],
)
@pytest.mark.parametrize("path", ["/reference/matches", "/reference/blocks"])
def test_crafted_bodies_are_refused_in_words(client: TestClient, path: str, body: bytes) -> None:
    answer = client.post(path, content=body)
    assert answer.status_code in (200, 422) and (answer.status_code == 200 or answer.json()["title"])


@pytest.mark.parametrize("message", ['{"camera": null}', '{"camera": [1, 2]}', '{"size": ["a", 1]}', "[]",
    "{", "7",
                                     '{"camera": [1e999, 0, 1]}', '{"ack": []}', "[" * 50_000])  # fmt: skip
def test_crafted_messages_end_their_own_socket_alone(served: Served, token: str, message: str) -> None:
    with connect(f"{served.ws}/live/{token}") as socket, connect(f"{served.ws}/live/{token}") as other:
        socket.send(message)
        if message != '{"ack": []}':
            with pytest.raises(ConnectionClosed) as closed:
                while True:
                    socket.recv(timeout=30)
            assert closed.value.rcvd.code == MALFORMED
        other.send('{"camera": [10, 10, 3]}')
        assert other.recv(timeout=30)
