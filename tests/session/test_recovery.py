"""What a new session finds: runs that a dead or closed process left, and files that cannot be read."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from engine.errors import FileFormatError
from engine.loop.settings import with_values
from engine.session import Session, default_root
from engine.session.library import Library, has_checkpoint, new_token
from engine.session.progress import History, Progress
from engine.session.record import JobRecord, from_json, to_json
from engine.session.recovery import MAX_DEATHS, recovered
from tests.session import fakes
from tests.session.fakes import FakeRun, eventually, read_checkpoint, settings_of, write_checkpoint

ROOT = Path(__file__).parents[2]
PATIENCE = 30.0


def record(**changes: object) -> JobRecord:
    settings = settings_of("a blue chair\nwith  yellow legs")
    return replace(JobRecord(new_token(), "ada", 12.5, settings, settings.knobs), **changes)


def full_record() -> JobRecord:
    settings = with_values(settings_of(), {"guidance_scale": 31.0, "seed": 7, "scene": "field"})
    history = History(((1, 0.5), (2, 0.25)), 1, (2, 0.25))
    traces = {"reference_similarity": History(((1, 0.5),), 1, (1, 0.5))}
    progress = Progress("refine", 2, 9, 2, 3.0, 4.0, 5.0, 6, 7, history, {"norm": 1.0}, 0.5, traces)
    return replace(
        record(), settings=settings, knobs=with_values(settings, {"anchor_weight": 3.0}).knobs,
            state="running", revision=4,
        progress=progress, warnings=(("what", "remedy"),), error=("it ended", "do this"),
            files={"ply": "scene.ply"},
        session="abc", stopping=True, deaths=2, checkpoint_revision=3,
    )  # fmt: skip


@pytest.mark.parametrize("original", [record(), full_record()], ids=["new", "full"])
def test_a_record_survives_being_written_and_read(original: JobRecord) -> None:
    assert from_json(to_json(original)) == original


def test_a_record_of_an_older_studio_has_no_traces() -> None:
    document = json.loads(to_json(full_record()))
    del document["progress"]["traces"]
    assert from_json(json.dumps(document)).progress.traces == {}


@pytest.mark.parametrize("changes", [
    {"state": "asleep"}, {"format": 99}, {"settings": {"prompt": ""}}, {"settings": None}, {"token": "../up"},
    {"session": "../up"}, {"knobs": {"guidance_scale": 1e9}}, {"progress": {}}, {"warnings": [1]},
])  # fmt: skip
def test_a_record_with_something_wrong_in_it_is_refused(changes: dict) -> None:
    document = json.loads(to_json(record())) | changes
    with pytest.raises(FileFormatError, match="not a job"):
        from_json(json.dumps(document))


def test_a_title_is_one_short_line() -> None:
    assert record().title == "a blue chair with yellow legs"
    assert len(replace(record(), settings=settings_of("mug " * 100)).title) == 80


def test_the_library_is_where_the_environment_says() -> None:
    assert default_root({"MAQUETTE_HOME": "/somewhere"}) == Path("/somewhere")
    assert default_root({}) == Path.home() / ".local" / "share" / "maquette"


def test_a_killed_process_loses_nothing_but_the_step_it_was_in(
    tmp_path: Path, open_session, run: FakeRun
) -> None:
    script = [sys.executable, fakes.__file__, str(tmp_path / "library")]
    with subprocess.Popen(
        script, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)}
    ) as process:
        token = process.stdout.readline().strip()
        folder = tmp_path / "library" / token
        eventually(lambda: has_checkpoint(folder) and read_checkpoint(folder)[0] > 3)
        process.send_signal(signal.SIGKILL)
    reached, _, _ = read_checkpoint(folder)
    run.hold()
    session: Session = open_session()
    run.allow(1)
    eventually(lambda: run.trace)
    assert run.begun == [("endless", True)] and run.trace[0] == ("endless", reached + 1)
    view = session.view(token)
    assert view.state == "running" and "goes on from its last checkpoint" in view.warnings[0][0]
    session.stop(token)
    run.free()
    assert session.wait(token, PATIENCE).state == "stopped"


def test_a_closed_session_is_continued_by_the_next(open_session, run: FakeRun) -> None:
    run.hold()
    first = open_session()
    running, queued, paused = (
        first.submit(settings_of(name, 3), "ada") for name in ("running", "queued", "paused")
    )
    first.pause(paused)
    first.set_knobs(running, {"guidance_scale": 12.0})
    run.allow(2)
    eventually(lambda: run.inside == ("running", 3))
    assert not first.close(timeout_seconds=0.0)  # in the middle of a step
    run.free()
    assert first.close()
    run.begun.clear()
    second = open_session()
    assert second.view(paused).state == "paused"
    assert [second.wait(token, PATIENCE).state for token in (running, queued)] == ["done", "done"]
    assert run.begun == [("running", True), ("queued", False)] and second.view(running).warnings == ()
    assert (
        second.view(running).revision_applied == 1 and second.knobs(running).guidance.guidance_scale == 12.0
    )
    second.resume(paused)
    assert second.wait(paused, PATIENCE).state == "done"


def interrupted(library: Path, **changes: object) -> str:
    """A library with one run whose process is dead; its token."""
    library = Library(library)
    left = record(state="running", session=new_token(), **changes)
    library.write(left)
    write_checkpoint(library.folder(left.token), 3, 0, left.knobs)
    library.close()
    return left.token


def test_a_session_may_leave_interrupted_runs_alone(tmp_path: Path, open_session, run: FakeRun) -> None:
    token = interrupted(tmp_path / "library")
    before = (tmp_path / "library" / token / "job.json").read_bytes()
    session = open_session(resume_interrupted=False)
    assert session.wait(token, PATIENCE).state == "interrupted" and run.begun == []
    assert (tmp_path / "library" / token / "job.json").read_bytes() == before
    session.resume(token)
    assert session.wait(token, PATIENCE).state == "done" and run.begun[0][1]


def test_a_stop_that_was_asked_for_before_the_crash_is_done_after_it(
    tmp_path: Path, open_session, run: FakeRun
) -> None:
    token = interrupted(tmp_path / "library", stopping=True)
    session = open_session()
    view = session.wait(token, PATIENCE)
    assert (view.state, view.total_step) == ("stopped", 3) and run.trace == []


def test_a_run_that_keeps_killing_its_process_is_not_started_again(
    tmp_path: Path, open_session, run: FakeRun
) -> None:
    token = interrupted(tmp_path / "library", deaths=MAX_DEATHS - 1)
    session = open_session()
    view = session.wait(token, PATIENCE)
    assert view.state == "interrupted" and "was not started again" in view.warnings[0][0] and run.begun == []
    session.stop(token)
    assert session.wait(token, PATIENCE).state == "stopped"


def test_runs_of_a_living_process_are_left_to_it(open_session, run: FakeRun) -> None:
    run.hold()
    first = open_session()
    token = first.submit(settings_of(), "ada")
    eventually(lambda: run.inside == ("a red mug", 1))
    second = open_session()
    assert second.jobs("ada") == () and len(run.begun) == 1
    assert recovered(second.library, True) == []
    run.free()
    assert first.wait(token, PATIENCE).state == "done"


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"owner": "ada"}', "\x00\x01", '{"format": 1, "state": "done"}']
)
def test_a_corrupt_job_is_shown_as_failed_and_left_untouched(tmp_path: Path, open_session, text: str) -> None:
    token = interrupted(tmp_path / "library")
    path = tmp_path / "library" / token / "job.json"
    path.write_text(text)
    session = open_session()
    view = session.view(token)
    assert view.state == "failed" and str(path) in view.error[0] and "untouched" in view.error[1]
    assert [job.token for job in session.jobs("ada")] == ([token] if "ada" in text else [])
    assert session.wait(session.submit(settings_of(), "ada"), PATIENCE).state == "done"
    session.close()
    assert path.read_text() == text and read_checkpoint(path.parent)[0] == 3


def test_a_corrupt_checkpoint_fails_the_run_with_its_remedy(tmp_path: Path, open_session) -> None:
    def run(*args: object, **kwargs: object) -> object:
        raise FileFormatError("The checkpoint cannot be read.", "Start again from recipe.toml.")

    token = interrupted(tmp_path / "library")
    session = open_session(run=run)
    view = session.wait(token, PATIENCE)
    assert (view.state, view.error) == (
        "failed",
        ("The checkpoint cannot be read.", "Start again from recipe.toml."),
    )
    assert read_checkpoint(tmp_path / "library" / token)[0] == 3


def test_a_crash_while_writing_leaves_the_old_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library, old = Library(tmp_path / "library"), record()
    library.write(old)

    def crash(*args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("engine.session.library.os.replace", crash)
    with pytest.raises(KeyboardInterrupt):
        library.write(replace(old, state="running"))
    assert library.read_all() == [old]
    library.close()
