"""Files that a browser names: uploads and what runs keep, nothing else on this machine; they travel into the
run's folder.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from studio_doubles import catalogue

from engine.errors import InputError
from engine.session import Session
from studio.catalogue import Catalogue, PriorChoice
from studio.handlers import Handlers
from studio.panel import draw_panel
from studio.uploads import check_uploads


def test_only_files_below_the_folders_pass(tmp_path: Path) -> None:
    uploads, outside = tmp_path / "uploads", tmp_path / "outside.ply"
    uploads.mkdir()
    outside.write_text("x")
    (uploads / "link.ply").symlink_to(outside)
    check_uploads({"start_file": uploads / "in.ply"}, [tmp_path / "other", uploads])
    for sly in (outside, uploads / ".." / "outside.ply", uploads / "link.ply", Path("outside.ply")):
        with pytest.raises(InputError, match="start_file names a file that was not uploaded here"):
            check_uploads({"start_file": sly}, [uploads])


class Desk:
    """Handlers over a session of doubles with a prior that takes styles."""

    def __init__(self, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
        stylish = PriorChoice("toybox", "Toybox", offers=frozenset({"takes_styles"}))
        monkeypatch.setattr(Catalogue, "prior", lambda self, key: stylish)
        self.session = session
        with gr.Blocks():
            self.controls = draw_panel(catalogue()).controls
        self.handlers = Handlers(session, catalogue(), self.controls)

    def generate(self, style_file: Path) -> tuple[Any, Any, str]:
        changed = {"refine_steps": 3, "style_file": str(style_file)}
        values = [changed.get(field.name, field.value) for field, _ in self.controls.pairs]
        return self.handlers.generate("", "ada", True, "", "text", "a red mug", "", "toybox", "sds", *values)


def test_an_upload_travels_into_the_runs_folder(
    session: Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))
    desk, upload = Desk(session, monkeypatch), tmp_path / "uploads" / "abc" / "clay.safetensors"
    upload.parent.mkdir(parents=True)
    upload.write_bytes(b"clay")
    token, _, told = desk.generate(upload)
    own = Path(session.settings(token).spec.style_file)
    assert told == "" and own.read_bytes() == b"clay" and own.is_relative_to(session.library.folder(token))
    again, _, told = desk.generate(own)
    assert told == "" and session.settings(again).spec.style_file != str(own), "each run has its own"


def test_any_other_file_is_refused_and_no_run_begins(
    session: Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))
    secret = tmp_path / "secret.safetensors"
    secret.write_bytes(b"secret")
    desk = Desk(session, monkeypatch)
    for path, says in (
        (secret, "not uploaded here"),
        (tmp_path / "uploads" / "gone.safetensors", "not a file"),
    ):
        token, _, told = desk.generate(path)
        assert token == "" and says in told
    assert session.jobs("ada") == () and not [
        path for path in session.library.root.iterdir() if path.name != ".sessions"
    ]
