"""A process that makes runs, writes on them, throws them away and exports them is killed at any moment:
nothing that it has said to be done is lost, nothing is half there, and the index finds what the folders hold.

``MAQUETTE_KILLS=200`` kills it more often than the few times that are usual;
``tests/studio/test_coming_back.py`` kills the whole studio with a real run.
"""

from __future__ import annotations

import os
import random
import time
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from types import SimpleNamespace

from engine.assets.export.files import atomic_path
from engine.assets.export.formats.base import ExportOptions
from engine.session import Session
from engine.session.exports import Exports
from engine.session.library_index import Search
from tests.session.fakes import PATIENCE_SECONDS, FakeFrames, FakeRun, settings_of

KILLS = int(os.environ.get("MAQUETTE_KILLS", "4"))
START_SECONDS = 240.0  # on a machine that does a dozen other things
PIECES, PIECE = 40, b"a piece of an export. " * 200


def with_splats(finished, prior_id: str, folder: Path) -> dict[str, Path]:
    (folder / "scene.ply").write_bytes(b"ply")
    return {"ply": folder / "scene.ply"}


def slowly(source: Path, key: str, options: ExportOptions, path: Path) -> SimpleNamespace:
    """An export that takes its time, piece by piece, as real ones do."""
    with atomic_path(path) as partial, partial.open("wb") as file:
        for _ in range(PIECES):
            file.write(PIECE)
            file.flush()
            time.sleep(0.0005)
    return SimpleNamespace(path=path, notes=(), picture=None)


def work_until_killed(library: str, says: Connection) -> None:
    """Says what is done, once it is done."""
    with Session(Path(library), FakeRun(), FakeFrames(), with_splats, str) as session:
        exports = Exports(session, slowly)
        says.send(("ready", ""))
        for number in range(10_000):
            token = session.submit(settings_of(f"run {number}", 3), "ada")
            session.wait(token, PATIENCE_SECONDS)
            says.send(("run", token))
            session.runs.relabel(token, "ada", {"name": f"Name {number}", "starred": number % 2 == 0})
            says.send(("name", token, f"Name {number}"))
            exports.begin(token, "stl", ExportOptions())
            while exports.listing(token)[0].state != "done":
                time.sleep(0.002)
            says.send(("export", token))
            if number % 3 == 2:
                session.runs.trash(token, "ada")
                says.send(("trash", token))


def said_until_killed(library: Path, messages: int, seconds: float) -> list[tuple]:
    """What it said until it was killed: so many seconds after so many messages, however slow the machine
    is.
    """
    forking = get_context("forkserver")
    forking.set_forkserver_preload(["tests.session.test_kills"])
    here, there = forking.Pipe(duplex=False)
    process = forking.Process(target=work_until_killed, args=(str(library), there), daemon=True)
    process.start()
    there.close()
    told = []
    with suppress(EOFError):
        while len(told) < messages:
            assert here.poll(START_SECONDS), "it says nothing"
            told.append(here.recv())
    time.sleep(seconds)
    process.kill()
    process.join()
    with suppress(EOFError):
        while here.poll():
            told.append(here.recv())
    return [each for each in told if each[0] != "ready"]


def test_nothing_that_was_done_is_lost_to_a_kill(tmp_path: Path) -> None:
    library, chance, told = tmp_path / "library", random.Random(5), []
    for kill in range(KILLS):
        messages = 0 if kill % 3 == 0 else chance.randint(1, 8)  # none: while it starts
        told.append(said_until_killed(library, messages, chance.uniform(0.0, 0.1)))
        check(library, told[-1])
    everything = [each for messages in told for each in messages]
    check(library, everything)
    assert any(kind == "export" for kind, *_ in everything), "it came as far as an export"


def check(library: Path, told: list[tuple]) -> None:
    """What was said is there, in the folders and in the index, and no file is half there."""
    session = Session(library, FakeRun(), FakeFrames(), with_splats, str, resume_interrupted=False)
    session.open()
    exports = Exports(session, slowly)
    trashed = {token for kind, token, *_ in told if kind == "trash"}
    found = {
        trash: session.runs.search("ada", Search(trashed=trash, most=-1)).entries for trash in (False, True)
    }
    titles = {entry.token: entry.title for entries in found.values() for entry in entries}
    assert trashed <= {entry.token for entry in found[True]}
    for kind, token, *more in told:
        assert token in titles, (kind, token)
        if kind == "name":
            assert titles[token] == more[0]
        thrown = token in {entry.token for entry in found[True]}
        if kind == "export" and not thrown:
            assert exports.file(token, "stl").read_bytes() == PIECE * PIECES
    for path in library.rglob("stl.stl"):
        assert path.stat().st_size == PIECES * len(PIECE)
    exports.close()
    session.close()
