"""Files and lists over HTTP: a token opens one run, the owner's secret lists runs, nothing else opens
anything.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from urllib.parse import unquote

import pytest
from studio_serving import PATIENCE_SECONDS, Served

from engine.loop.settings import Settings
from engine.loop.spec import Knobs, RunSpec


def finished(served: Served, owner: str = "ada", prompt: str = "A red: mug?") -> str:
    token = served.session.submit(
        Settings(RunSpec(prompt, refine_steps=3, words="as they are"), Knobs()), owner
    )
    assert served.session.wait(token, PATIENCE_SECONDS).state == "done"
    return token


def get(url: str, headers: dict[str, str] | None = None) -> tuple[int, dict[str, str], bytes]:
    try:
        with urllib.request.urlopen(
            urllib.request.Request(url, headers=headers or {}), timeout=PATIENCE_SECONDS
        ) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers), error.read()


def test_a_file_comes_whole_under_a_name_that_says_what_it_is(served: Served) -> None:
    token = finished(served)
    status, headers, body = get(f"{served.http}/files/{token}/ply")
    assert status == 200 and body == served.session.files(token)["ply"].read_bytes()
    assert 'filename="a-red-mug-scene.ply"' in headers["content-disposition"]


@pytest.mark.parametrize(("prompt", "begins"), [
    ("красная кружка", "красная-кружка"), ("赤いマグカップ", "赤いマグカップ"), ("कुर्सी लाल", "कुर्सी-लाल"),
    ("a café 2", "a-café-2"), ("🦊🦊", "maquette"),
])  # fmt: skip
def test_a_file_is_named_in_the_script_of_its_prompt(served: Served, prompt: str, begins: str) -> None:
    _, headers, _ = get(f"{served.http}/files/{finished(served, prompt=prompt)}/ply")
    told = headers["content-disposition"]
    name = unquote(told.split("filename*=utf-8''")[1]) if "filename*" in told else told.split('"')[1]
    assert name == f"{begins}-scene.ply"


@pytest.mark.parametrize("name", ["glb", "job.json", "..%2f..%2fjob.json", "scene.ply", "%2fetc%2fpasswd"])
def test_only_the_results_files_are_given(served: Served, name: str) -> None:
    assert get(f"{served.http}/files/{finished(served)}/{name}")[0] == 404


def test_an_unknown_token_opens_nothing(served: Served) -> None:
    for path in ("files/nobody-knows-this/ply", "thumb/nobody-knows-this"):
        status, _, body = get(f"{served.http}/{path}")
        assert status == 404 and b"no run with this link" in body


def test_the_thumbnail_is_a_picture_of_the_result(served: Served) -> None:
    status, headers, body = get(f"{served.http}/thumb/{finished(served)}")
    assert status == 200 and headers["content-type"] == "image/jpeg" and body[:2] == b"\xff\xd8"


def test_runs_are_listed_for_their_owner_only(served: Served) -> None:
    mine, theirs = finished(served, "ada"), finished(served, "ben")
    listed = {
        owner: json.loads(get(f"{served.http}/runs", {"X-Maquette-Owner": owner})[2])
        for owner in ("ada", "ben", "eve")
    }
    assert [run["token"] for run in listed["ada"]] == [mine] and [run["token"] for run in listed["ben"]] == [
        theirs
    ]
    assert listed["eve"] == [] and json.loads(get(f"{served.http}/runs")[2]) == []
