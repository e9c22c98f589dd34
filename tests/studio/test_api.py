"""The API over HTTP: honest states and refusals, described by a document that foreign validators accept."""

from __future__ import annotations

import base64
import io
import json
import time
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from openapi_spec_validator import validate
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient
from studio_doubles import catalogue, open_double
from studio_serving import PATIENCE_SECONDS

from engine.session import Session
from studio.api.kept_files import KEEP_SECONDS, KeptFiles
from studio.api.openapi import document
from studio.api.operations import Operations
from studio.api.routes import ROOT, api_routes
from studio.problems import MEDIA_TYPE

ADA, BOB = {"authorization": "Bearer ada's long secret"}, {"authorization": "Bearer bob's long secret"}
SHORT = {"prompt": "a red mug", "settings": {"refine_steps": 2}}
LONG = {"prompt": "a red mug", "settings": {"refine_steps": 5000}}


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    with open_double(tmp_path_factory.mktemp("library")) as opened:
        yield opened


@pytest.fixture(scope="module")
def client(session: Session) -> Iterator[TestClient]:
    files = KeptFiles(session.library.root / "uploads" / "api")
    with TestClient(Starlette(routes=api_routes(Operations(session, catalogue(), files)))) as opened:
        yield opened


def submitted(client: TestClient, body: dict, **headers: str) -> dict:
    answer = client.post(f"{ROOT}/runs", json=body, headers={**ADA, **headers})
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"{ROOT}/runs/{answer.json()['token']}"
    return answer.json()


def ended(client: TestClient, token: str) -> dict:
    limit = time.monotonic() + PATIENCE_SECONDS
    while (run := client.get(f"{ROOT}/runs/{token}").json())["state"] not in ("done", "failed", "stopped"):
        assert time.monotonic() < limit
        time.sleep(0.05)
    return run


def png(colour: tuple[int, int, int, int] = (200, 60, 40, 255)) -> bytes:
    rgba = np.zeros((64, 64, 4), np.uint8)
    rgba[16:48, 20:44] = colour
    kept = io.BytesIO()
    Image.fromarray(rgba).save(kept, "PNG")
    return kept.getvalue()


def conforms(value: object, schema: str) -> None:
    """``value`` is what the document says of ``schema``."""
    told = document("1")
    jsonschema.validate(value, {"$ref": f"#/components/schemas/{schema}", "components": told["components"]})


def test_a_foreign_validator_accepts_the_document_and_it_names_every_route(client: TestClient) -> None:
    told = client.get(f"{ROOT}/openapi.json").json()
    validate(told)
    said = {
        (path, method.upper())
        for path, item in told["paths"].items()
        for method in item
        if method != "parameters"
    }
    served = {
        (route.path.removeprefix(ROOT), method)
        for route in client.app.routes
        for method in route.methods
        if method != "HEAD"
    }
    assert said == served
    assert (
        len(
            {
                each["operationId"]
                for item in told["paths"].values()
                for each in item.values()
                if isinstance(each, dict)
            }
        )
        == 16
    )


def test_a_run_is_submitted_followed_and_downloaded(client: TestClient) -> None:
    begun = submitted(client, SHORT)
    conforms(begun, "Run")
    assert begun["state"] in ("queued", "running") and begun["settings"]["refine_steps"] == 2
    done = ended(client, begun["token"])
    conforms(done, "Run")
    assert done["state"] == "done" and done["files"]
    listed = client.get(f"{ROOT}/runs/{begun['token']}/files").json()
    conforms(listed, "Files")
    for file in listed["files"]:
        answer = client.get(ROOT + file["url"])
        assert answer.status_code == 200 and len(answer.content) == file["bytes"]
    mine, theirs = (client.get(f"{ROOT}/runs", headers=who).json() for who in (ADA, BOB))
    conforms(mine, "Runs")
    assert begun["token"] in [each["token"] for each in mine["runs"]] and theirs == {"runs": [], "total": 0}
    assert client.get(f"{ROOT}/runs").json() == {"runs": [], "total": 0}, "without a secret nothing is listed"


def test_a_run_is_steered_paused_undone_stopped_and_deleted(client: TestClient) -> None:
    url = f"{ROOT}/runs/{submitted(client, LONG)['token']}"
    steered = client.patch(url, json={"settings": {"guidance_scale": 12.5}})
    assert steered.status_code == 200 and steered.json()["live_settings"]["guidance_scale"] == 12.5
    assert steered.json()["revision"] == 1
    undone = client.post(f"{url}/undo").json()
    assert undone["live_settings"]["guidance_scale"] != 12.5
    assert client.post(f"{url}/undo").status_code == 409, "there is nothing left to take back"
    assert client.post(f"{url}/pause").json()["state"] == "paused"
    assert client.delete(url, headers=ADA).status_code == 409, "it has not ended"
    assert client.post(f"{url}/resume").json()["state"] in ("queued", "running")
    assert client.post(f"{url}/stop").status_code == 200
    assert ended(client, url.rsplit("/", 1)[1])["state"] == "stopped"
    assert client.post(f"{url}/resume").status_code == 409
    assert client.patch(url, json={"settings": {"guidance_scale": 5}}).status_code == 409
    assert client.delete(url, headers=BOB).status_code == 422, "only its owner may"
    assert client.delete(url, headers=ADA).status_code == 204 and client.get(url).status_code == 404


def test_the_same_key_gives_the_same_run_and_no_other_owners(client: TestClient) -> None:
    first = submitted(client, SHORT, **{"idempotency-key": "batch-7"})
    again = submitted(client, SHORT, **{"idempotency-key": "batch-7"})
    assert again["token"] == first["token"]
    clash = client.post(f"{ROOT}/runs", json=LONG, headers={**ADA, "idempotency-key": "batch-7"})
    assert clash.status_code == 409 and "other settings" in clash.json()["title"]
    other = client.post(f"{ROOT}/runs", json=SHORT, headers={**BOB, "idempotency-key": "batch-7"})
    assert other.status_code == 201 and other.json()["token"] != first["token"]


def test_a_picture_is_sent_and_becomes_a_runs_own(client: TestClient, session: Session) -> None:
    sent = client.post(f"{ROOT}/files", params={"name": "front.png"}, content=png())
    assert sent.status_code == 201
    conforms(sent.json(), "KeptFile")
    run = submitted(
        client, {"prompt": "", "images": [f"{sent.json()['file']}@30*0.5"], "settings": {"refine_steps": 2}}
    )
    kept = run["settings"]["images"]
    assert (
        "@30" in kept
        and str(session.library.folder(run["token"])) in kept
        and ended(client, run["token"])["state"] == "done"
    )


def test_files_that_were_not_sent_are_not_read(client: TestClient, tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(png())
    for named in (str(tmp_path / "secret.png"), "file:nothing", "file:../..", "file:" + "x" * 22):
        for body in ({"prompt": "a mug", "images": [named]}, {"prompt": "a mug", "reference": named}):
            answer = client.post(f"{ROOT}/runs", json=body, headers=ADA)
            assert answer.status_code in (404, 422), (named, answer.text)
    sent = {"prompt": "a mug", "settings": {"reference": str(tmp_path / "secret.png")}}
    assert client.post(f"{ROOT}/runs", json=sent, headers=ADA).status_code == 422


def test_kept_files_are_forgotten_after_a_day(tmp_path: Path) -> None:
    files = KeptFiles(tmp_path)
    kept = files.keep("a.png", b"x")
    assert Path(files.resolved(kept)).read_bytes() == b"x"
    files.forget_old(time.time() + KEEP_SECONDS + 10)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["", ".", "..", "a/..", "x" * 200, "a\x00b", "a\nb"])
def test_names_that_are_none_are_refused(client: TestClient, name: str) -> None:
    answer = client.post(f"{ROOT}/files", params={"name": name}, content=b"x")
    assert answer.status_code == 422 and answer.json()["remedy"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 422),
        (b"[]", 422),
        (b"null", 422),
        (b"\xff\xfe", 422),
        (b"[" * 50_000, 422),
        (json.dumps({"prompt": 7}).encode(), 422),
        (json.dumps({"prompt": "a mug", "colour": "red"}).encode(), 422),
        (json.dumps({"prompt": "a mug", "settings": []}).encode(), 422),
        (json.dumps({"prompt": "a mug", "settings": {"refine_stepz": 3}}).encode(), 422),
        (json.dumps({"prompt": "a mug", "settings": {"refine_steps": -3}}).encode(), 422),
        (json.dumps({"prompt": "a mug", "settings": {"refine_steps": None}}).encode(), 422),
        (json.dumps({"prompt": "a mug", "preset": "none"}).encode(), 422),
        (json.dumps({"prompt": "a mug", "images": "one.png"}).encode(), 422),
        (json.dumps({"prompt": "a mug", "seed": "x"}).encode(), 422),
        (b'{"prompt": "' + b"x" * (2 << 20) + b'"}', 413),
    ],
)
def test_what_cannot_be_used_is_a_problem_document(client: TestClient, body: bytes, status: int) -> None:
    answer = client.post(f"{ROOT}/runs", content=body, headers=ADA)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == MEDIA_TYPE
    conforms(answer.json(), "Problem")
    assert answer.json()["title"] and "Traceback" not in answer.text


@pytest.mark.parametrize("path", ["", "/files", "/files/scene", "/frame.jpg", "/events"])
def test_an_unknown_run_is_a_404_everywhere(client: TestClient, path: str) -> None:
    answer = client.get(f"{ROOT}/runs/nobody{path}")
    assert answer.status_code == 404
    conforms(answer.json(), "Problem")


def test_unknown_actions_states_and_sizes_are_told(client: TestClient) -> None:
    token = submitted(client, SHORT)["token"]
    assert "pause" in client.post(f"{ROOT}/runs/{token}/explode").json()["remedy"]
    assert "queued" in client.get(f"{ROOT}/runs", params={"state": "odd"}, headers=ADA).json()["remedy"]
    for size in ("0", "100000", "nan", "x", "1e999"):
        assert client.get(f"{ROOT}/runs/{token}/frame.jpg", params={"size": size}).status_code == 422
    assert client.get(f"{ROOT}/runs", params={"limit": "0"}, headers=ADA).status_code == 422


def test_too_many_runs_are_a_429(tmp_path: Path) -> None:
    with open_double(tmp_path / "library") as session:
        session.limits = type(session.limits)(jobs_per_owner=1)
        routes = api_routes(Operations(session, catalogue(), KeptFiles(tmp_path / "kept")))
        with TestClient(Starlette(routes=routes)) as client:
            token = submitted(client, LONG)["token"]
            refused = client.post(f"{ROOT}/runs", json=LONG, headers=ADA)
            assert refused.status_code == 429 and "Stop one" in refused.json()["remedy"]
            client.post(f"{ROOT}/runs/{token}/stop")


def test_events_tell_of_a_run_until_it_has_ended(client: TestClient) -> None:
    token = submitted(client, {"prompt": "a mug", "settings": {"refine_steps": 60}})["token"]
    with client.stream("GET", f"{ROOT}/runs/{token}/events") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = [line for line in answer.iter_lines() if line.startswith("data: ")]
    runs = [json.loads(line.removeprefix("data: ")) for line in lines]
    assert len(runs) > 1 and runs[-1]["state"] == "done"
    assert [run["total_step"] for run in runs] == sorted(run["total_step"] for run in runs)


def test_the_shape_is_seen_from_any_side(client: TestClient) -> None:
    token = submitted(client, LONG)["token"]
    answer = client.get(f"{ROOT}/runs/{token}/frame.jpg", params={"azimuth_deg": 90, "size": 64})
    assert answer.status_code == 200 and Image.open(io.BytesIO(answer.content)).size == (64, 64)
    client.post(f"{ROOT}/runs/{token}/stop")


def test_what_there_is_to_choose_is_listed(client: TestClient) -> None:
    for path, schema in (
        ("presets", "Presets"),
        ("priors", "Priors"),
        ("settings", "SettingList"),
        ("", "About"),
    ):
        answer = client.get(f"{ROOT}/{path}")
        assert answer.status_code == 200
        conforms(answer.json(), schema)
    assert "toybox-splats" in [each["id"] for each in client.get(f"{ROOT}/presets").json()["presets"]]


def basic(name: str, password: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


def test_a_login_owns_what_it_submits_and_cannot_be_claimed(session: Session) -> None:
    app = Starlette(
        routes=api_routes(Operations(session, catalogue(), KeptFiles(session.library.root / "uploads")))
    )
    app.auth = {"ada": "right", "bob": "also right"}  # as Gradio's app has it
    with TestClient(app) as client:
        token = client.post(f"{ROOT}/runs", json=SHORT, headers=basic("ada", "right")).json()["token"]
        assert [
            each["token"] for each in client.get(f"{ROOT}/runs", headers=basic("ada", "right")).json()["runs"]
        ] == [token]
        for other in (
            basic("bob", "also right"),
            basic("ada", "wrong"),
            basic("", ""),
            {"authorization": "Basic ?"},
        ):
            assert client.get(f"{ROOT}/runs", headers=other).json()["runs"] == []
        for claimed in ({"authorization": "Bearer login ada"}, {"x-maquette-owner": "login ada"}):
            assert client.get(f"{ROOT}/runs", headers=claimed).status_code == 422


def test_who_knows_a_login_by_name_alone_cannot_name_its_owner(session: Session) -> None:
    app = Starlette(
        routes=api_routes(Operations(session, catalogue(), KeptFiles(session.library.root / "uploads")))
    )
    app.auth = {"ada": "right"}
    with TestClient(app) as client:
        token = client.post(f"{ROOT}/runs", json=SHORT, headers=basic("ada", "right")).json()["token"]
    assert token not in [view.token for guess in ("ada", "login ada") for view in session.jobs(guess)]
