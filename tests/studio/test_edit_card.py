"""The edit card's handler: what is edited and how, what is refused, and what is shown while it works."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from studio_doubles import open_double
from studio_serving import PATIENCE_SECONDS

from engine.loop.settings import Settings
from engine.loop.spec import Knobs, RunSpec
from engine.session import Session
from studio.commands import edit
from studio.edit_card import PAINT, RESTYLE, Editing


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with open_double(tmp_path / "library") as opened:
        yield opened


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[edit.EditOptions]:
    """Uploads lie in ``tmp_path / "uploads"``; edits are noted, take two steps and write nothing."""
    seen: list[edit.EditOptions] = []

    def edits(options: edit.EditOptions, note) -> Iterator:
        seen.append(options)
        note("note: a word was read as another")
        yield from (SimpleNamespace(step=step, steps=2) for step in (1, 2))
        yield options.out / "mesh_textured.glb", options.out / "views.png", options.out / "edit.toml"

    monkeypatch.setattr(edit, "edits", edits)
    monkeypatch.setattr("studio.edit_card.get_upload_folder", lambda: str(tmp_path / "uploads"))
    (tmp_path / "uploads").mkdir()
    (tmp_path / "uploads" / "chair.glb").write_bytes(b"glTF")
    return seen


def test_a_mesh_of_ones_own_is_painted_and_shown(session: Session, asked: list, tmp_path: Path) -> None:
    mesh = str(tmp_path / "uploads" / "chair.glb")
    begun, first, second, (told, sheet, files) = Editing(session).edit("", mesh, PAINT, " a red chair ", "")
    assert "begins" in begun[0] and "1 of 2" in first[0] and "2 of 2" in second[0]
    assert "Done." in told and "a word was read as another" in told
    (options,) = asked
    assert (options.source, options.paint, options.restyle) == (Path(mesh), "a red chair", None)
    assert options.out.is_relative_to(tmp_path / "uploads") and sheet["value"] == str(options.out / "views.png")
    assert files["visible"] and len(files["value"]) == 3


def test_a_run_knows_what_it_is(session: Session, asked: list) -> None:
    token = session.submit(Settings(RunSpec("a red mug", refine_steps=2), Knobs()), "ada")
    session.wait(token, PATIENCE_SECONDS)
    editing = Editing(session)
    if "glb" not in session.files(token):  # the double writes other files: stand in for a mesh
        editing.session = SimpleNamespace(
            files=lambda t: {"glb": session.library.folder(t) / "mesh.glb"}, settings=session.settings
        )
    list(editing.edit(token, None, RESTYLE, "a blue mug", ""))
    list(editing.edit(token, None, RESTYLE, "a blue mug", "a small red mug"))
    assert [(each.restyle, each.was, each.paint) for each in asked] == [
        ("a blue mug", "a red mug", None),
        ("a blue mug", "a small red mug", None),
    ]
    assert all(each.source.name == "mesh.glb" for each in asked)


def test_what_cannot_be_edited_is_told_and_nothing_begins(session: Session, asked: list, tmp_path: Path) -> None:
    secret = tmp_path / "secret.glb"
    secret.write_bytes(b"glTF")
    editing = Editing(session)
    for token, mesh, words, told in (
        ("", str(tmp_path / "uploads" / "chair.glb"), " ", "no words"),
        ("", None, "a red mug", "no mesh"),
        ("", str(secret), "a red mug", "not uploaded"),
        ("nobody", None, "a red mug", "no run"),
    ):
        *_, last = editing.edit(token, mesh, PAINT, words, "")
        assert told in last[0] and "mq-fault" in last[0], last[0]
    assert asked == []
