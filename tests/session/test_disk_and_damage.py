"""Full disks, damaged files and other processes: what they cost, and that they never cost more than the run
they concern.
"""

from __future__ import annotations

import errno
import json
import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from engine.errors import IncompleteError, InputError, StorageError
from engine.loop.messages import Finished, SceneCopy
from engine.session.library import DECIDING, Library, has_checkpoint, new_token
from engine.session.record import FORMAT, MAX_OWNER_CHARACTERS, JobRecord, from_json, to_json
from engine.session.recovery import MAX_DEATHS, recovered
from tests.session.fakes import (
    FakeRun,
    eventually,
    load_fake_copy,
    settings_of,
    write_checkpoint,
    write_fake_results,
)

PATIENCE = 30.0
ODD = (None, True, -1, 1e400, float("nan"), "odd", "\ud800", [], [1], {}, {"a": {}}, 2**70)


def a_record(**changes: object) -> JobRecord:
    settings = settings_of()
    return replace(JobRecord(new_token(), "ada", 12.5, settings, settings.knobs), **changes)


def left_behind(root: Path, **changes: object) -> JobRecord:
    """A run whose process is dead, three steps in."""
    library = Library(root)
    record = a_record(state="running", session=new_token(), **changes)
    library.write(record)
    write_checkpoint(library.folder(record.token), 3, 0, record.knobs)
    library.close()
    return record


def places(document: object, at: tuple = ()) -> list[tuple]:
    """The ways to every value in a document."""
    inner = list(
        document.items()
        if isinstance(document, dict)
        else enumerate(document)
        if isinstance(document, list)
        else ()
    )
    return [at + (key,) for key, _ in inner] + [
        way for key, value in inner for way in places(value, at + (key,))
    ]


def test_whatever_stands_in_a_job_file_the_studio_starts_and_shows_every_run(tmp_path: Path) -> None:
    """Each value in turn is replaced by one of another type: the record is read with usable types, or
    refused.
    """
    good = json.loads(to_json(a_record(warnings=(("a", "b"),), error=("c", "d"), files={"ply": "scene.ply"})))
    library = Library(tmp_path)
    for number, way in enumerate(places(good)):
        for odd in ODD:
            document = json.loads(json.dumps(good))
            holder = document
            for key in way[:-1]:
                holder = holder[key]
            holder[way[-1]] = odd
            (folder := tmp_path / good["token"]).mkdir(exist_ok=True)
            (folder / "job.json").write_text(json.dumps(document), encoding="utf-8")
            (record,) = recovered(library, True)
            assert isinstance(record.created, float | int) and isinstance(record.owner, str), (way, odd)
            assert isinstance(record.progress.total_step, int) and isinstance(record.title, str), (
                number,
                way,
                odd,
            )
            to_json(record).encode(errors="surrogatepass")
    library.close()


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "a/b", ".."])
def test_a_job_file_cannot_name_files_outside_of_its_folder(tmp_path: Path, name: str) -> None:
    document = json.loads(to_json(a_record())) | {"files": {"ply": name}}
    library = Library(tmp_path)
    (tmp_path / document["token"]).mkdir()
    (tmp_path / document["token"] / "job.json").write_text(json.dumps(document))
    (record,) = library.read_all()
    assert record.state == "failed" and record.files == {}
    library.close()


def test_a_job_nested_too_deep_is_shown_as_failed(tmp_path: Path) -> None:
    library = Library(tmp_path)
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "job.json").write_text("[" * 100_000)
    (record,) = library.read_all()
    assert record.state == "failed" and FORMAT == 1
    library.close()


def test_only_a_whole_checkpoint_is_one_to_go_on_from(tmp_path: Path, open_session, run: FakeRun) -> None:
    record = left_behind(tmp_path / "library")
    folder = tmp_path / "library" / record.token
    (folder / "checkpoint.json").rename(folder / "checkpoint.pt.part")
    assert not has_checkpoint(folder)
    session = open_session()
    assert session.wait(record.token, PATIENCE).state == "done"
    assert run.begun == [("a red mug", False)], "it begins anew from the settings that are kept"
    assert session.close(), "its record is written after it is done"
    assert not list(folder.glob("*.part")), "what was half written is gone"


def test_half_written_files_of_a_run_that_another_process_works_on_are_left(tmp_path: Path) -> None:
    mine, other = Library(tmp_path), Library(tmp_path)
    record = a_record(state="running", session=other.session)
    other.write(record)
    part = tmp_path / record.token / "checkpoint.pt.part"
    part.write_bytes(b"half")
    assert recovered(mine, True) == [] and part.exists()
    other.close()
    assert len(recovered(mine, True)) == 1 and not part.exists()
    mine.close()


def test_locks_of_dead_processes_are_cleared_away_and_living_ones_counted(tmp_path: Path) -> None:
    mine, other = Library(tmp_path), Library(tmp_path)
    (tmp_path / ".sessions" / f"{new_token()}.lock").touch()
    assert mine.others() == 1
    other.close()
    assert mine.others() == 0
    assert {path.stem for path in (tmp_path / ".sessions").glob("*.lock")} - {Path(DECIDING).stem} == {
        mine.session
    }
    mine.close()


def test_a_run_is_taken_up_by_one_of_two_sessions_that_start_at_once(
    tmp_path: Path, open_session, run: FakeRun
) -> None:
    """Both read before either writes, unless a lock keeps them apart."""
    for _ in range(5):
        left_behind(tmp_path / "library")
    run.hold()
    libraries = [Library(tmp_path / "library") for _ in range(4)]
    taken: list[str] = []
    together = threading.Barrier(len(libraries))

    def start(library: Library) -> None:
        together.wait(PATIENCE)
        with library.deciding():
            for record in recovered(library, True):
                library.write(record)
                taken.append(record.token)

    threads = [threading.Thread(target=start, args=(library,)) for library in libraries]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == sorted(set(taken)) and len(taken) == 5
    for library in libraries:
        library.close()


def test_an_interrupted_run_can_be_resumed_by_one_process_only(
    tmp_path: Path, open_session, run: FakeRun
) -> None:
    token = left_behind(tmp_path / "library").token
    run.hold()
    first, second = open_session(resume_interrupted=False), open_session(resume_interrupted=False)
    first.resume(token)
    eventually(lambda: run.begun)
    for steer in (second.resume, second.stop):
        with pytest.raises(InputError, match="Another Maquette"):
            steer(token)
    run.free()
    eventually(lambda: first.library.read(token).state == "done")
    with pytest.raises(InputError, match="has ended"):
        second.resume(token)
    assert second.view(token).state == "done", "what became of it elsewhere is seen"


def test_a_run_that_gets_further_each_time_is_always_taken_up_again(
    tmp_path: Path, open_session, run: FakeRun
) -> None:
    token = left_behind(tmp_path / "library", deaths=MAX_DEATHS - 2, checkpoint_step=3).token
    run.hold()
    session = open_session()
    run.allow(1)
    eventually(lambda: run.inside[1] == 5)
    kept = from_json((tmp_path / "library" / token / "job.json").read_text())
    assert (kept.deaths, kept.checkpoint_step) == (0, 4)
    assert session.view(token).state == "running"


def test_a_run_that_repeats_its_last_steps_and_dies_is_given_up(
    tmp_path: Path, open_session, run: FakeRun
) -> None:
    token = left_behind(tmp_path / "library", deaths=1, checkpoint_step=10).token
    run.hold()
    session = open_session()
    run.allow(1)
    eventually(lambda: run.inside[1] == 5)
    assert from_json((tmp_path / "library" / token / "job.json").read_text()).deaths == 2
    assert session.view(token).state == "running"


@pytest.mark.parametrize("owner", ["x" * (MAX_OWNER_CHARACTERS + 1), "\ud800", 7, None, ["ada"]])
def test_an_owner_that_cannot_be_kept_is_refused(tmp_path: Path, open_session, owner: object) -> None:
    session = open_session()
    with pytest.raises(InputError, match="owner"):
        session.submit(settings_of(), owner)  # type: ignore[arg-type]
    assert [path.name for path in (tmp_path / "library").iterdir()] == [".sessions"]


def test_half_a_character_is_refused_before_anything_is_kept() -> None:
    with pytest.raises(InputError, match="half of a character"):
        settings_of("a red \ud83d mug")


def test_files_that_were_written_before_one_failed_are_offered(open_session) -> None:
    def write(finished: Finished, prior_id: str, folder: Path) -> dict[str, Path]:
        written = write_fake_results(finished, prior_id, folder)
        raise IncompleteError(
            "views.png could not be written. The disk is full.", "Free some space.", written
        )

    session = open_session(write_results=write)
    view = session.wait(session.submit(settings_of(), "ada"), PATIENCE)
    assert view.state == "done" and list(view.files) == ["recipe"] and view.files["recipe"].is_file()
    assert ("views.png could not be written. The disk is full.", "Free some space.") in view.warnings


def test_a_library_on_a_full_disk_costs_a_warning(
    tmp_path: Path, open_session, run: FakeRun, monkeypatch
) -> None:
    run.hold()
    session = open_session()
    token = session.submit(settings_of(), "ada")

    def full(*args: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("engine.session.library.os.fsync", full)
    run.free()
    view = session.wait(token, PATIENCE)
    assert view.state == "done" and any("disk is full" in what for what, _ in view.warnings)
    with pytest.raises(StorageError, match="disk is full"):
        session.submit(settings_of(), "ada")


def test_the_frame_thread_survives_a_shape_that_cannot_be_opened(open_session) -> None:
    """Whatever the loader raises, the watchers of other runs still get their pictures."""
    broken: list[str] = []

    def load_copy(folder: Path) -> SceneCopy:
        if folder.name in broken:
            raise KeyError("scene_kind")
        return load_fake_copy(folder)

    first = open_session()
    tokens = [first.submit(settings_of(), "ada") for _ in range(2)]
    for token in tokens:
        first.wait(token, PATIENCE)
    first.close()
    broken.append(tokens[0])
    second = open_session(load_copy=load_copy)
    assert second.strip(tokens[0]) is None
    eventually(lambda: second.view(tokens[0]).warnings)
    assert "KeyError" in second.view(tokens[0]).warnings[0][0]
    assert second.strip(tokens[1]).total_step == 5


def test_an_ended_run_is_settled_and_one_that_failed_is_not(open_session, run: FakeRun) -> None:
    settled: list[str] = []
    run.faults["bad"] = (2, RuntimeError("no"))
    session = open_session(settle=lambda folder: settled.append(folder.name))
    good, bad = session.submit(settings_of(), "ada"), session.submit(settings_of("bad"), "ada")
    assert session.wait(good, PATIENCE).state == "done" and session.wait(bad, PATIENCE).state == "failed"
    eventually(lambda: settled == [good])
