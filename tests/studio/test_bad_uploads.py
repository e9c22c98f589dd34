"""Uploads that are not what they should be, through every door of the page and at the terminal: told why, and
nothing is lost.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from studio_doubles import catalogue, drawn_panel

from engine.assets.images.preprocessing import cut_photo
from engine.session import Session
from studio.blocks_editor import blocks_routes
from studio.cli import EXIT_BAD_INPUT, main
from studio.handlers import Handlers
from studio.library_routes import library_routes
from studio.preview import answer
from studio.reference_overlay import ghost_routes
from studio.reference_routes import reference_routes

BOMB = 2_000_000_000


def program(path: Path) -> Path:
    path.write_bytes(b"MZ\x90\x00" + bytes(range(256)) * 20)
    return path


def folder(path: Path) -> Path:
    path.mkdir()
    return path


def link(path: Path) -> Path:
    secret = path.parents[2] / "secret"
    secret.write_bytes(b"secret")
    path.symlink_to(secret)
    return path


def circle(path: Path) -> Path:
    path.symlink_to(path)
    return path


def empty(path: Path) -> Path:
    path.touch()
    return path


def sparse(path: Path) -> Path:
    path.touch()
    os.truncate(path, BOMB)
    return path


def pipe(path: Path) -> Path:
    os.mkfifo(path)
    return path


BAD: dict[str, Callable[[Path], Path]] = {
    "program": program, "folder": folder, "link": link, "circle": circle, "empty": empty, "sparse": sparse,
    "pipe": pipe,
    "gone": lambda path: path, "odd": lambda path: path.with_name("a\0b"),
    "home": lambda path: Path("~nobody-here/a.glb"),
}  # fmt: skip


@pytest.fixture
def uploads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))
    (tmp_path / "uploads" / "abc").mkdir(parents=True)
    return tmp_path / "uploads" / "abc"


@pytest.fixture
def never_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading a whole file of two gigabytes fails the test."""
    read = Path.read_bytes

    def careful(path: Path) -> bytes:
        assert path.stat().st_size < BOMB, f"all of {path.name} was read"
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", careful)


@pytest.fixture(scope="module")
def controls() -> Any:
    return drawn_panel().controls


@pytest.mark.parametrize("kind", BAD)
def test_the_routes_of_the_cards_tell_what_is_wrong(
    kind: str, uploads: Path, session: Session, never_all: None
) -> None:
    path = str(BAD[kind](uploads / "thing.glb"))
    client = TestClient(
        Starlette(routes=[*reference_routes(session), *blocks_routes(session), *ghost_routes(session)])
    )
    for door in ("facts", "picture", "sides", "ghost", "blocks", "blocks.glb"):
        told = client.get(f"/reference/{door}", params={"of": path})
        assert told.status_code == 422, (door, told.text)
        assert told.json()["title"] and told.json()["remedy"], door
        assert "secret" not in told.text
    told = answer({"picture": path, "fill": "0.8"}, (uploads.parent, session.library.root), cut_photo)
    assert told["problem"] and told["remedy"]


@pytest.mark.parametrize(
    "kind", sorted(set(BAD) - {"program", "empty"})
)  # what is in a file is read by the run
@pytest.mark.parametrize("setting", ["reference", "images"])
def test_generate_refuses_what_is_no_upload_and_no_run_begins(
    kind: str, setting: str, uploads: Path, session: Session, controls: Any, never_all: None
) -> None:
    path = BAD[kind](uploads / "thing.glb")
    tab = {"reference": "reference", "images": "image"}[setting]
    values = [str(path) if field.name == setting else field.value for field, _ in controls.pairs]
    desk = Handlers(session, catalogue(), controls)
    token, _, told = desk.generate("", "ada", True, "", tab, "a red mug", "", "toybox", "sds", *values)
    assert token == "" and "mq-fault" in told
    assert session.jobs("ada") == () and not [
        each for each in session.library.root.iterdir() if each.name != ".sessions"
    ]


@pytest.mark.parametrize("kind", BAD)
@pytest.mark.parametrize("option", ["--reference", "--image"])
def test_the_command_line_tells_what_is_wrong(
    kind: str, option: str, uploads: Path, capsys, never_all: None
) -> None:
    path, out = BAD[kind](uploads / "thing.glb"), uploads.parent / "out"
    asked = ["generate", "--prompt", "a red mug", option, str(path), "--out", str(out), "--quiet"]
    assert main(asked) == EXIT_BAD_INPUT
    told = capsys.readouterr().err
    assert told.strip() and "Traceback" not in told
    assert not list(out.glob("given/*/*")) or kind in ("program", "empty", "link"), "nothing was copied"


def test_far_too_many_words_are_not_held(session: Session) -> None:
    client = TestClient(Starlette(routes=reference_routes(session)))
    assert client.post("/reference/matches", content=b"x" * 200_000).status_code == 413
    assert client.post("/reference/matches", content=b"[" * 90_000).status_code == 200, (
        "taken for no question at all"
    )
    client = TestClient(Starlette(routes=library_routes(session)))
    assert "50,000 bytes" in client.patch("/runs/none", content=b"x" * 60_000).json()["title"]
