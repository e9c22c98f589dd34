"""Exports of finished runs: made one after the other, kept with the run, found again by the next process; a
failure is told.
"""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.assets.export.formats.base import ExportOptions, Lamp, Trim
from engine.assets.export.option_values import options_of, values_of
from engine.errors import InputError, LimitError, MissingError, StateError, StorageError
from engine.session import Session
from engine.session.exports import FOLDER, MOST_WAITING, Export, Exports
from engine.session.library_index import Search
from tests.session.fakes import PATIENCE_SECONDS, FakeRun, eventually, settings_of


@dataclass(frozen=True, eq=False)
class Written:
    path: Path
    notes: tuple[str, ...] = ("It is half as good.",)
    picture: np.ndarray | None = None


def write(source: Path, key: str, options: ExportOptions, path: Path) -> Written:
    path.write_bytes(b"x" * options.faces)
    return Written(path, picture=np.full((8, 16, 3), 90, np.uint8))


def ended(session: Session) -> str:
    """A run that has left splats."""
    token = session.submit(settings_of(), "ada")
    session.stop(token)
    assert session.wait(token, PATIENCE_SECONDS).state in ("done", "stopped")
    folder = session.library.folder(token)
    record = json.loads((folder / "job.json").read_text())
    (folder / "scene.ply").write_bytes(b"ply")
    (folder / "job.json").write_text(json.dumps(record | {"files": {"ply": "scene.ply"}, "state": "done"}))
    return token


@contextmanager
def exporting(session: Session, how: Callable[..., Written] = write) -> Iterator[Exports]:
    exports = Exports(session, how)
    yield exports
    exports.close()


@pytest.fixture
def token(open_session: Callable[..., Session]) -> str:
    first = open_session()
    found = ended(first)
    first.close()
    return found


def done(exports: Exports, token: str, key: str) -> Export:
    eventually(
        lambda: next(each for each in exports.listing(token) if each.key == key).state in ("done", "failed")
    )
    return next(each for each in exports.listing(token) if each.key == key)


def test_an_export_is_kept_with_the_run_and_replaces_the_one_before(open_session, token: str) -> None:
    session = open_session()
    with exporting(session) as exports:
        exports.begin(token, "stl", ExportOptions(faces=400, size_m=0.2))
        first = done(exports, token, "stl")
        assert (first.state, first.bytes, first.notes) == ("done", 400, ("It is half as good.",))
        assert exports.file(token, "stl").read_bytes() == b"x" * 400
        assert Image.open(exports.picture(token, "stl")).size == (16, 8)
        counted = 400
        exports.begin(token, "stl", ExportOptions(faces=500))
        eventually(lambda: exports.listing(token)[0].bytes == 500)
        on_disk = lambda: session.library.bytes_of(token)  # noqa: E731
        eventually(lambda: session.runs.search("ada", Search()).entries[0].bytes == on_disk() > counted)
    with exporting(session) as again:
        assert [(each.key, each.options) for each in again.listing(token)] == [("stl", {"faces": 500})]
        again.file(token, "stl").unlink()
        assert again.listing(token) == []
        with pytest.raises(InputError, match="no such export"):
            again.file(token, "stl")


def test_what_goes_wrong_is_told_and_keeps_nobody_from_the_next(open_session, token: str) -> None:
    def broken(source: Path, key: str, options: ExportOptions, path: Path) -> Written:
        if key == "glb":
            raise StorageError("The disk is full.", "Free some space.")
        if key == "obj":
            raise ZeroDivisionError("odd")
        return write(source, key, options, path)

    with exporting(open_session(), broken) as exports:
        for key in ("glb", "obj", "stl"):
            exports.begin(token, key, ExportOptions())
        assert done(exports, token, "glb").error == ("The disk is full.", "Free some space.")
        assert "OBJ" in done(exports, token, "obj").error[0] and "odd" in done(exports, token, "obj").error[0]
        assert done(exports, token, "stl").state == "done"
        exports.begin(token, "obj", ExportOptions())  # it may be tried again


def test_what_cannot_be_exported_is_refused(open_session, run: FakeRun, token: str, monkeypatch) -> None:
    session, gate = open_session(), threading.Event()
    run.hold()
    going = session.submit(settings_of(), "ada")

    def waiting(*given) -> Written:
        assert gate.wait(PATIENCE_SECONDS)
        return write(*given)

    with exporting(session, waiting) as exports:
        with pytest.raises(StateError, match="not ended"):
            exports.begin(going, "stl", ExportOptions())
        with pytest.raises(InputError, match="no format 'docx'"):
            exports.begin(token, "docx", ExportOptions())
        with pytest.raises(InputError, match="no run"):
            exports.begin("nobody", "stl", ExportOptions())
        exports.begin(token, "stl", ExportOptions())
        with pytest.raises(StateError, match="being written"):
            exports.begin(token, "stl", ExportOptions())
        monkeypatch.setattr("engine.session.exports.MOST_WAITING", 1)
        with pytest.raises(LimitError, match="wait already"):
            exports.begin(token, "glb", ExportOptions())
        monkeypatch.setattr("engine.assets.export.formats.base.find_spec", lambda name: None)
        with pytest.raises(MissingError) as refused:
            exports.begin(token, "spz", ExportOptions())
        assert refused.value.remedy.startswith("pip install")
        gate.set()
    assert MOST_WAITING > 1


def test_a_damaged_listing_costs_the_listing_alone(open_session, token: str) -> None:
    session = open_session()
    folder = session.library.folder(token) / FOLDER
    folder.mkdir()
    with exporting(session) as exports:
        for text in (
            "",
            "[1]",
            "{}",
            '[{"key": "stl"}]',
            '[{"key": "stl", "file": "../../job.json", "state": "done"}]',
        ):
            (folder / "exports.json").write_text(text)
            assert exports.listing(token) == []
            with pytest.raises(InputError):
                exports.file(token, "stl")
        exports.begin(token, "stl", ExportOptions())
        assert done(exports, token, "stl").state == "done"
        shutil.rmtree(folder)
        assert exports.listing(token) == []


def test_options_come_back_from_their_values() -> None:
    options = ExportOptions(
        size_m=0.25, layer="depth", lamp=Lamp(0.5), trim=Trim((-1, -1, -1, 1, 1, 1), most_size=0.2)
    )
    values = json.loads(json.dumps(values_of(options)))
    assert set(values) == {"size_m", "layer", "lamp", "trim"} and options_of(values) == options
    assert options_of({}) == ExportOptions() and options_of({"faces": 100.0}).faces == 100


@pytest.mark.parametrize(
    "values",
    [[], {"faces": "many"}, {"faces": True}, {"faces": float("nan")}, {"recipe": "x"}, {"up": "x"},
        {"nothing": 1},
     {"trim": {"box": [0, 0, 0, 1, 1]}}, {"trim": {"box": [1, 0, 0, 0, 1, 1]}}, {"trim": []},
         {"lamp": {"strength": 2}},
     {"trim": {"box": "abc"}}, {"background": "red"}, {"path": "x" * 50_000}, {"trim": {"least_opacity": 2}}],
)  # fmt: skip
def test_odd_options_are_refused(values) -> None:
    with pytest.raises(InputError):
        options_of(values)
