"""A Space: a folder that starts by itself, behind a proxy with a prefix; and runs cut into calls, with
nothing lost.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
import urllib.request
from functools import partial
from pathlib import Path

import pytest
import torch
from studio_serving import free_port

from engine.errors import InputError, StorageError
from engine.loop.messages import Finished, KnobsApplied, SceneCopy, SetKnobs, Stepped, Unattended, Watch
from engine.loop.run import run
from studio.cli import main
from studio.space.folder import MODES, studio_requirements, write_space
from studio.space.slices import one_slice, sliced
from studio.space.start import library_in
from tests.loop.balls import ball_prior, quick_knobs, quick_spec


class Script:
    """Commands that are there at their call, counted from 0."""

    def __init__(self, *calls) -> None:
        self.calls = list(calls)

    def take(self):
        return self.calls.pop(0) if self.calls else []


def in_calls(seconds: float, counted: list):
    def call(*given):
        counted.append(given[4])
        yield from one_slice(*given, seconds=seconds, load_prior=lambda name: ball_prior())

    return sliced(call)


def test_a_run_in_calls_is_the_run_in_one_to_the_bit(tmp_path: Path) -> None:
    spec, knobs, counted = quick_spec(), quick_knobs(), []
    *_, whole = run(spec, knobs, Unattended(), lambda name: ball_prior(), folder=tmp_path / "whole")
    events = list(in_calls(0.0, counted)(spec, knobs, Unattended(), None, folder=tmp_path / "cut"))
    cut = events[-1]
    assert isinstance(cut, Finished) and len(counted) > 5 and counted[0] is False and all(counted[1:])
    steps = [event.total_step for event in events if isinstance(event, Stepped)]
    assert steps == sorted(set(steps)), "no step is made twice"
    assert cut.steps == whole.steps
    for name, tensor in whole.copy.scene.parameters().items():
        assert torch.equal(cut.copy.scene.parameters()[name], tensor), name


def test_sliders_and_watchers_reach_every_later_call(tmp_path: Path) -> None:
    spec = quick_spec()
    commands = Script([Watch(True)], [SetKnobs(1, quick_knobs(anchor_weight=3.0))])
    events = list(in_calls(0.0, [])(spec, quick_knobs(), commands, None, folder=tmp_path))
    applied = [event for event in events if isinstance(event, KnobsApplied)]
    assert [each.revision for each in applied] == [1] and applied[0].knobs.anchor_weight == 3.0
    assert events[-1].recipe.changes[0].values == {"anchor_weight": 3.0}
    late = [event for event in events if isinstance(event, SceneCopy)]
    assert len(late) > 1, "somebody who looks sees the shape in every call"


def test_the_folder_holds_all_that_a_space_needs(tmp_path: Path) -> None:
    out = write_space(tmp_path / "space", "cpu", studio_requirements())
    text = (out / "README.md").read_text(encoding="utf-8")
    front = dict(line.split(": ", 1) for line in text.split("---")[1].strip().splitlines())
    assert front["sdk"] == "gradio" and front["app_file"] == "app.py" and front["license"] == "apache-2.0"
    named = (out / "requirements.txt").read_text().splitlines()
    assert any(each.startswith("gradio") for each in named) and not any(
        "extra" in each or each.startswith("-") for each in named
    )
    for name in (
        "app.py",
        "Dockerfile",
        "LICENSE",
        "engine/errors.py",
        "studio/app.py",
        "presets/priors/toybox/model_index.json",
    ):
        assert (out / name).is_file(), name
    assert not list(out.rglob("__pycache__"))


@pytest.mark.parametrize("mode", MODES)
def test_each_mode_says_what_it_is(tmp_path: Path, mode: str) -> None:
    assert main(["space", str(tmp_path / mode), "--mode", mode]) == 0
    assert MODES[mode].hardware in (tmp_path / mode / "README.md").read_text(encoding="utf-8")
    assert ("spaces" in (tmp_path / mode / "requirements.txt").read_text()) == (mode == "zero")


def test_nothing_is_overwritten_and_unknown_modes_are_told(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("x")
    with pytest.raises(StorageError, match="not empty"):
        write_space(tmp_path, "cpu", [])
    with pytest.raises(InputError, match="mode"):
        write_space(tmp_path / "new", "tpu", [])


def test_runs_lie_on_the_persistent_disk_where_there_is_one(tmp_path: Path) -> None:
    assert library_in({}, tmp_path) == tmp_path / "maquette"
    assert library_in({"MAQUETTE_HOME": "/somewhere"}, tmp_path) == Path("/somewhere")
    assert library_in({}, tmp_path / "none").name == "library"


def answered(url: str, seconds: float = 120.0) -> bytes:
    limit = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return answer.read()
        except OSError:
            assert time.monotonic() < limit, url
            time.sleep(0.3)


NGINX = """daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; events {{}}
http {{ access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;
 fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
 map $http_upgrade $upgrading {{ default upgrade; '' close; }}
 server {{ listen 127.0.0.1:{port}; location /a/prefix/ {{
  proxy_pass http://127.0.0.1:{inner}/; proxy_http_version 1.1;
  proxy_set_header Host $http_host; proxy_set_header Upgrade $http_upgrade;
  proxy_set_header Connection $upgrading;
  proxy_set_header X-Forwarded-Proto http; }} }} }}
"""


@pytest.mark.heavy
@pytest.mark.browser
@pytest.mark.skipif(shutil.which("nginx") is None, reason="needs nginx (Debian: apt-get install nginx-light)")
def test_the_written_folder_starts_alone_and_works_behind_a_prefix(tmp_path: Path, browser) -> None:
    out = write_space(tmp_path / "space", "cpu", [])
    inner, port = free_port(), free_port()
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(tmp_path),
        "GRADIO_SERVER_NAME": "127.0.0.1",
        "GRADIO_SERVER_PORT": str(inner),
        "GRADIO_ROOT_PATH": "/a/prefix",
        "MAQUETTE_HOME": str(tmp_path / "library"),
        "SPACE_HOST": "127.0.0.1",
    }
    (tmp_path / "nginx.conf").write_text(NGINX.format(folder=tmp_path, port=port, inner=inner))
    start = partial(subprocess.Popen, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    space = start([sys.executable, "-P", "app.py"], cwd=out, env={**environment, "PYTHONPATH": str(out)})
    proxy = start(["nginx", "-c", str(tmp_path / "nginx.conf"), "-p", str(tmp_path)])
    try:
        assert b"Maquette" in answered(f"http://127.0.0.1:{port}/a/prefix/")
        assert b'"name":"Maquette"' in answered(f"http://127.0.0.1:{port}/a/prefix/api/v1/")
        tab = browser.new_page()
        tab.goto(f"http://127.0.0.1:{port}/a/prefix/")
        tab.wait_for_selector("#mq-generate")
        tab.fill("#mq-prompt textarea", "a red mug")
        tab.click("#mq-generate")
        tab.wait_for_function("document.querySelector('#mq-stage').dataset.token", timeout=60_000)
        tab.close()
    finally:
        for process in (space, proxy):
            process.terminate()
            process.wait(20)
