"""The library at the terminal: what is kept is found, named, thrown away and taken back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.loop.settings import Settings
from engine.loop.spec import Knobs, RunSpec
from engine.session.library import Library
from engine.session.record import JobRecord
from studio.cli import EXIT_BAD_INPUT, EXIT_OK, main

TOKENS = ("-mug-token", "chair-token", "going-token")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    library = Library(tmp_path / "library")
    for created, (token, prompt) in enumerate(
        zip(TOKENS, ("a red mug", "a blue chair", "a fish"), strict=True)
    ):
        settings = Settings(RunSpec(prompt), Knobs())
        state = "running" if token == "going-token" else "done"
        record = JobRecord(
            token,
            "secret of ada",
            float(created),
            settings,
            settings.knobs,
            state=state,
            session=library.session,
        )
        library.write(record)
    library.close()
    return library.root


def listed(root: Path, capsys: pytest.CaptureFixture[str], *options: str) -> list[dict]:
    assert main(["library", "--library", str(root), "--json", *options]) == EXIT_OK
    return json.loads(capsys.readouterr().out)


def test_runs_are_listed_newest_first_and_found_by_words(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert [run["title"] for run in listed(root, capsys)] == ["a fish", "a blue chair", "a red mug"]
    assert [run["token"] for run in listed(root, capsys, "CHAIR", "blue")] == ["chair-token"]
    assert main(["library", "--library", str(root)]) == EXIT_OK
    told = capsys.readouterr().out
    assert "3 runs" in told and "a blue chair" in told and "secret" not in told and str(root) in told


def test_a_run_is_named_starred_tagged_thrown_away_and_taken_back(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = (["--rename", "chair", "Anna's chair"], ["--star", "chair"], ["--tag", "chair", "gift", "blue"])
    for change in (*labels, ["--note", "chair", "oak"]):
        assert main(["library", "--library", str(root), *change]) == EXIT_OK
    capsys.readouterr()
    (run,) = listed(root, capsys, "--starred", "oak")
    assert (run["title"], run["tags"], run["notes"]) == ("Anna's chair", ["gift", "blue"], "oak")
    assert main(["library", "--library", str(root), "--trash", "chair-token"]) == EXIT_OK
    assert "Anna's chair is in the trash" in capsys.readouterr().out
    assert len(listed(root, capsys)) == 2 and len(listed(root, capsys, "--in-trash")) == 1
    assert main(["library", "--library", str(root), "--restore", "chair"]) == EXIT_OK
    # tokens may begin with a dash
    assert main(["library", "--library", str(root), "--trash=-mug-token"]) == EXIT_OK
    assert main(["library", "--library", str(root), "--purge=-mug"]) == EXIT_OK
    capsys.readouterr()
    assert [run["token"] for run in listed(root, capsys)] == ["going-token", "chair-token"]
    assert not (root / "-mug-token").exists() and not (root / ".trash" / "-mug-token").exists()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (["--trash", "nobody"], "No run has"),
        (["--trash", "going"], "has not ended"),
        (["--restore", "chair"], "no such run in the trash"),
        (["--purge", "chair"], "no such run"),
        (["--rename", "../../etc", "x"], "No run has"),
        (["--rename", "chair", "x" * 200], "at most 120"),
    ],
)
def test_what_cannot_be_done_is_told(
    root: Path, capsys: pytest.CaptureFixture[str], change: list[str], told: str
) -> None:
    assert main(["library", "--library", str(root), *change]) == EXIT_BAD_INPUT
    error = capsys.readouterr().err
    assert told in error and "try: " in error and "Traceback" not in error
    assert len(listed(root, capsys)) == 3
