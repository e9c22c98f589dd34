"""What the setting ``reference`` may say, and where what was taken comes from."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import InputError
from engine.loop.reference.input_files import ORIGIN as NAME
from engine.loop.reference.input_files import existing_file
from engine.loop.reference.provenance import Origin, origin_in, origin_of, write_origin
from engine.loop.reference.reference_source import FromRun, FromShelf, Retrieved, names_file, parsed_reference

ORIGIN = Origin("toybox/1", "a mug", "toybox", "Apache-2.0", 0.5)


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("auto", Retrieved(1)),
        (" auto:5 ", Retrieved(5)),
        ("shelf:toybox/7", FromShelf("toybox/7")),
        ("shelf:folder/my chairs/red one.glb", FromShelf("folder/my chairs/red one.glb")),
        ("run:aB-_123", FromRun("aB-_123")),
    ],
)
def test_what_is_looked_up_is_not_a_file(text: str, asked: object) -> None:
    assert parsed_reference(text) == asked and not names_file(text)


@pytest.mark.parametrize("text", ["automobile.glb", "./auto", "/models/shelf:1.glb", "runs.ply", "autos"])
def test_other_words_are_paths(text: str) -> None:
    assert parsed_reference(text) is None and names_file(text)


def test_nothing_asks_for_nothing() -> None:
    assert parsed_reference(" ") is None and not names_file(" ")


@pytest.mark.parametrize(
    "text", ["auto:0", "auto:", "auto:-3", "auto:2.5", "auto:21", "auto:²", "shelf:", "run:", "run: "]
)
def test_what_is_badly_written_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InputError) as caught:
        parsed_reference(text)
    assert caught.value.remedy


@pytest.mark.parametrize("token", ["../../etc", "a/b", "..", ".sessions", "aa bb", "x" * 65])
def test_a_token_never_leads_out_of_the_library(token: str) -> None:
    with pytest.raises(InputError, match="token"):
        parsed_reference(f"run:{token}")


def test_a_run_is_not_begun_with_what_was_not_looked_up(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not looked up"):
        existing_file("shelf:toybox/7", tmp_path)


def test_an_origin_is_of_one_file_only(tmp_path: Path) -> None:
    path = tmp_path / "mug.glb"
    path.write_bytes(b"a mug")
    assert origin_of(path) is None
    write_origin(path, ORIGIN)
    assert origin_of(path) == origin_in("mug.glb#0123456789abcdef", tmp_path) == ORIGIN
    path.write_bytes(b"another mug")
    assert origin_of(path) is None, "a file that took its place has another origin"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"digest": 3}', "\0"])
def test_a_damaged_origin_is_none(text: str, tmp_path: Path) -> None:
    path = tmp_path / "mug.glb"
    path.write_bytes(b"a mug")
    (tmp_path / NAME).write_text(text)
    assert origin_of(path) is None


def test_an_origin_says_what_matters_in_one_sentence() -> None:
    assert ORIGIN.sentence() == "a mug (toybox/1, 50% similar; Apache-2.0; toybox)"
    assert "similar" not in Origin("run", "a mug", "your library", "yours").sentence()
