"""What happens to one run: submit, knobs, pause, resume, stop, failure, in every state."""

from __future__ import annotations

import errno
import json
import os
import threading
import time
from pathlib import Path

import pytest

from engine.errors import InputError, MissingError, RunError, StorageError
from engine.session import JobView, Session
from engine.session.library import Library
from tests.session.fakes import FakeRun, eventually, settings_of

PATIENCE = 30.0


def saved(session: Session, token: str) -> dict:
    return json.loads((session.library.folder(token) / "job.json").read_text())


def begun(session: Session, run: FakeRun, prompt: str = "a red mug", steps: int = 5) -> str:
    """A held run that has done one step and is in the middle of its second."""
    run.hold()
    token = session.submit(settings_of(prompt, steps), "ada")
    run.allow(1)
    eventually(lambda: run.inside == (prompt, 2))
    return token


def test_a_run_goes_from_queued_to_done_and_leaves_files(session: Session) -> None:
    token = session.submit(settings_of(), "ada")
    view = session.wait(token, PATIENCE)
    assert (view.state, view.step, view.total_step, view.title) == ("done", 5, 5, "a red mug")
    assert [step for step, _ in view.losses] == [1, 2, 3, 4, 5]
    assert view.seconds_to_first_picture is not None and view.error is None and view.metrics == {"norm": 1.0}
    assert session.files(token) == {"recipe": session.library.folder(token) / "recipe.toml"}
    assert session.files(token)["recipe"].is_file()
    eventually(lambda: saved(session, token)["state"] == "done")


def test_tokens_cannot_be_guessed_and_unknown_ones_are_refused(session: Session) -> None:
    tokens = {session.submit(settings_of(), "ada") for _ in range(3)}
    assert len(tokens) == 3 and all(len(token) >= 22 for token in tokens)
    for token in ("", "..", "../../etc"):
        for method in (
            session.view,
            session.stop,
            session.pause,
            session.resume,
            session.knobs,
            session.settings,
            session.strip,
        ):
            with pytest.raises(InputError, match="no run"):
                method(token)


def test_an_owner_sees_only_their_own_runs_newest_first(session: Session) -> None:
    first, second = session.submit(settings_of(), "ada"), session.submit(settings_of(), "ada")
    third = session.submit(settings_of(), "bob")
    assert [view.token for view in session.jobs("ada")] == [second, first]
    assert [view.token for view in session.jobs("bob")] == [third]
    assert session.jobs("eve") == ()


def test_settings_that_cannot_run_are_refused_at_once(open_session) -> None:
    def check(settings: object) -> None:
        raise MissingError("The prior is not here.", "Install it.")

    session = open_session(check=check)
    with pytest.raises(MissingError):
        session.submit(settings_of(), "ada")
    assert session.jobs("ada") == ()


def test_a_revision_makes_the_round_trip(session: Session, run: FakeRun) -> None:
    token = begun(session, run)
    assert session.set_knobs(token, {"guidance_scale": 20.0}) == 1
    assert session.set_knobs(token, {"anchor_weight": 2.0}) == 2
    assert session.view(token).revision == 2 and session.view(token).revision_applied == 0
    run.allow(2)
    eventually(lambda: session.view(token).total_step == 3)
    view = session.view(token)
    assert view.revision_applied == 2 and view.applied_at_step in (2, 3)
    assert session.knobs(token).guidance.guidance_scale == 20.0 and session.knobs(token).anchor_weight == 2.0
    assert session.settings(token) == settings_of()


def test_knobs_are_set_while_a_step_is_being_computed(session: Session, run: FakeRun) -> None:
    token = begun(session, run)  # the engine now waits inside a step
    for revision in range(1, 101):
        assert session.set_knobs(token, {"guidance_scale": 1.0 + revision / 10}) == revision
    run.free()
    assert session.wait(token, PATIENCE).revision_applied == 100


def test_knobs_out_of_range_unknown_or_fixed_are_refused(session: Session, run: FakeRun) -> None:
    token = begun(session, run)
    for values, words in (
        ({"guidance_scale": 1e9}, "must be"),
        ({"guidance": 3}, "no setting"),
        ({"seed": 3}, "cannot change"),
        ({"guidance_scale": float("nan")}, "must be"),
    ):
        with pytest.raises(InputError, match=words):
            session.set_knobs(token, values)
    assert session.view(token).revision == 0
    run.free()
    session.wait(token, PATIENCE)
    with pytest.raises(InputError, match="ended"):
        session.set_knobs(token, {"guidance_scale": 3.0})


def test_knobs_set_while_queued_reach_the_first_step(session: Session, run: FakeRun) -> None:
    begun(session, run, "first")
    token = session.submit(settings_of("second"), "ada")
    session.set_knobs(token, {"guidance_scale": 9.0})
    run.free()
    view = session.wait(token, PATIENCE)
    assert (view.revision_applied, view.applied_at_step) == (1, 1)


def test_pause_holds_the_run_where_it_is_and_resume_goes_on(session: Session, run: FakeRun) -> None:
    token = begun(session, run)
    session.pause(token)
    run.allow(1)  # the step that was under way when pause was pressed
    eventually(lambda: len(run.trace) == 2)
    run.free()
    time.sleep(0.05)
    assert session.view(token).state == "paused" and len(run.trace) == 2
    session.resume(token)
    assert session.wait(token, PATIENCE).state == "done"
    assert [step for _, step in run.trace] == [1, 2, 3, 4, 5] and run.begun == [("a red mug", False)]


def test_another_run_goes_while_one_is_paused(session: Session, run: FakeRun) -> None:
    paused = begun(session, run, "first")
    session.pause(paused)
    run.free()
    other = session.submit(settings_of("second"), "ada")
    assert session.wait(other, PATIENCE).state == "done"
    assert session.view(paused).state == "paused"
    session.resume(paused)
    assert session.wait(paused, PATIENCE).state == "done"


def test_a_queued_run_can_be_paused_and_resumed(session: Session, run: FakeRun) -> None:
    begun(session, run, "first")
    token = session.submit(settings_of("second"), "ada")
    session.pause(token)
    assert session.view(token).state == "paused" and session.view(token).queue_position == 0
    session.resume(token)
    assert session.view(token).state == "queued" and session.view(token).queue_position == 1
    run.free()
    assert session.wait(token, PATIENCE).state == "done"


def test_stop_ends_within_one_step_and_keeps_the_result(session: Session, run: FakeRun) -> None:
    token = begun(session, run, steps=1000)
    session.stop(token)
    run.allow(1)  # the step under way
    view = session.wait(token, PATIENCE)
    assert (view.state, view.total_step) == ("stopped", 2) and "recipe" in view.files


def test_a_queued_run_is_stopped_without_result(session: Session, run: FakeRun) -> None:
    begun(session, run, "first")
    token = session.submit(settings_of("second"), "ada")
    session.stop(token)
    view = session.wait(token, PATIENCE)
    assert (view.state, view.files, view.queue_position) == ("stopped", {}, 0)
    assert "second" not in [prompt for prompt, _ in run.begun]


def test_a_paused_run_is_stopped_with_its_result_while_another_goes(session: Session, run: FakeRun) -> None:
    paused = begun(session, run, "first", 1000)
    session.pause(paused)
    run.allow(1)
    other = session.submit(settings_of("second", 1000), "ada")
    run.allow(1)
    eventually(lambda: run.inside == ("second", 2))
    session.stop(paused)
    run.allow(1)
    view = session.wait(paused, PATIENCE)
    assert (view.state, view.total_step) == ("stopped", 2) and "recipe" in view.files
    assert session.view(other).state == "running"


@pytest.mark.parametrize("end", ["done", "stopped", "failed"])
def test_an_ended_run_stays_as_it_is(session: Session, run: FakeRun, end: str) -> None:
    run.faults["a red mug"] = (2 if end == "failed" else 0, RunError("It ran away."))
    if end == "stopped":
        token = begun(session, run)
        session.stop(token)
        run.free()
    else:
        token = session.submit(settings_of(), "ada")
    before = session.wait(token, PATIENCE)
    session.pause(token)
    session.stop(token)
    assert before.state == end and session.view(token) == before
    if end != "failed":
        with pytest.raises(InputError, match="ended"):
            session.resume(token)


def test_a_foreseen_failure_shows_its_remedy(session: Session, run: FakeRun) -> None:
    run.faults["a red mug"] = (3, RunError("The shape ran away.", "Lower the guidance."))
    view = session.wait(session.submit(settings_of(), "ada"), PATIENCE)
    assert (view.state, view.error) == ("failed", ("The shape ran away.", "Lower the guidance."))


def test_the_engine_survives_a_crashing_run(session: Session, run: FakeRun) -> None:
    run.faults["first"] = (3, ZeroDivisionError("division by zero"))
    token = session.submit(settings_of("first"), "ada")
    view = session.wait(token, PATIENCE)
    log = session.library.folder(token) / "error.log"
    assert view.state == "failed" and "ZeroDivisionError" in view.error[0] and str(log) in view.error[1]
    assert "Traceback" in log.read_text() and "Traceback" not in "".join(view.error)
    assert session.wait(session.submit(settings_of("second"), "ada"), PATIENCE).state == "done"


def test_a_failed_run_can_be_resumed_from_its_checkpoint(session: Session, run: FakeRun) -> None:
    run.faults["a red mug"] = (3, RuntimeError("CUDA out of memory"))
    token = session.submit(settings_of(), "ada")
    assert "memory" in session.wait(token, PATIENCE).error[0]
    run.faults.clear()
    session.resume(token)
    view = session.wait(token, PATIENCE)
    assert (view.state, view.error, view.total_step) == ("done", None, 5)
    assert run.begun == [("a red mug", False), ("a red mug", True)]
    assert [step for _, step in run.trace] == [1, 2, 3, 3, 4, 5]


def test_a_stop_that_came_too_late_does_not_stop_the_resumed_run(session: Session, run: FakeRun) -> None:
    run.faults["a red mug"] = (2, RunError("It ran away."))
    token = begun(session, run)
    session.stop(token)  # the failing step is under way
    run.free()
    assert session.wait(token, PATIENCE).state == "failed"
    run.faults.clear()
    session.resume(token)
    assert session.wait(token, PATIENCE).state == "done"


def test_a_run_without_a_result_has_failed(open_session) -> None:
    session = open_session(run=lambda *args, **kwargs: iter(()))
    view = session.wait(session.submit(settings_of(), "ada"), PATIENCE)
    assert view.state == "failed" and "without a result" in view.error[0]


@pytest.mark.parametrize("error", [StorageError("The disk is full."), ValueError("no faces")])
def test_files_that_cannot_be_written_are_a_warning(open_session, error: Exception) -> None:
    def write_results(*args: object) -> dict[str, Path]:
        raise error

    session = open_session(write_results=write_results)
    view = session.wait(session.submit(settings_of(), "ada"), PATIENCE)
    assert (view.state, view.files) == ("done", {}) and str(error) in view.warnings[0][0]


def test_a_disk_that_fills_up_warns_and_the_run_goes_on(
    session: Session, run: FakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = begun(session, run)

    replace = os.replace

    def full(source: Path, target: Path) -> None:
        if Path(target).name == "job.json":
            raise OSError(errno.ENOSPC, "No space left on device")
        replace(source, target)

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(StorageError, match="full") as raised:
        session.submit(settings_of("second"), "ada")
    assert "MAQUETTE_HOME" in raised.value.remedy
    run.free()
    view = session.wait(token, PATIENCE)
    assert view.state == "done" and len(view.warnings) == 1 and "full" in view.warnings[0][0]
    assert [job.token for job in session.jobs("ada")] == [token]
    assert [path.name for path in session.library.root.iterdir() if not path.name.startswith(".")] == [token]


def test_a_library_that_cannot_be_made_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError) as raised:
        Library(tmp_path / "file" / "library")
    assert "MAQUETTE_HOME" in raised.value.remedy


def test_close_lets_waiters_go_and_keeps_the_run_resumable(open_session, run: FakeRun) -> None:
    session: Session = open_session()
    token = begun(session, run, steps=1000)
    views: list[JobView] = []
    waiter = threading.Thread(target=lambda: views.append(session.wait(token)))
    waiter.start()
    run.free()
    assert session.close()
    waiter.join(PATIENCE)
    assert [view.state for view in views] == ["running"] and session.close()
    assert session.view(token).total_step < 1000


def test_close_during_a_long_step_says_so(open_session, run: FakeRun) -> None:
    session = open_session()
    begun(session, run)
    assert not session.close(timeout_seconds=0.01)
    run.free()
    assert session.close()
