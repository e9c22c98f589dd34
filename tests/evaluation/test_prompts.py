"""Sets of prompts as text files."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import InputError
from engine.evaluation.prompts import KINDS, read_sets
from engine.loop.prompt_words import unknown_words


def test_our_sets_are_of_the_three_kinds_and_toybox_knows_every_word_of_the_first() -> None:
    sets = read_sets(KINDS)
    assert [one.name for one in sets] == ["single", "surroundings", "multiple"]
    for one in sets:
        assert 10 <= len(one.prompts) <= 20 and len(set(one.prompts)) == len(one.prompts)
    assert not [word for prompt in sets[0].prompts for word in unknown_words("toybox", prompt)]


def test_one_prompt_a_line(tmp_path: Path) -> None:
    path = tmp_path / "prompt_mine.txt"
    path.write_bytes("\ufeffa red mug\r\n\r\n# not this\n  ein grüner Tee \n".encode())
    (own,) = read_sets([str(path)])
    assert (own.name, own.prompts) == ("prompt_mine", ("a red mug", "ein grüner Tee"))
    assert read_sets([str(path)], limit=1)[0].prompts == ("a red mug",)


@pytest.mark.parametrize(("content", "said"), [
    (b"", "no prompt"), (b"# only this\n", "no prompt"), (b"\xff\xfe\xfa", "UTF-8"),
    (b"x" * 5000, "5,000 characters"),
])  # fmt: skip
def test_what_cannot_be_used_is_told(content: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "set.txt").write_bytes(content)
    with pytest.raises(InputError, match=said):
        read_sets([str(tmp_path / "set.txt")])


def test_missing_and_doubled_sets_are_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="could not be read"):
        read_sets([str(tmp_path / "none.txt")])
    (tmp_path / "single.txt").write_text("a mug\n")
    with pytest.raises(InputError, match="'single'"):
        read_sets(["single", str(tmp_path / "single.txt")])
