"""The table of nearest kinds, and how it is made from WordNet's files."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import FileFormatError, MissingError
from engine.toybox.objects import KINDS
from engine.toybox.wordnet import table
from engine.toybox.wordnet.__main__ import main, nearest_kinds, real_words
from engine.toybox.wordnet.database import read_wordnet
from engine.toybox.wordnet.similarity import Kinship
from engine.toybox.wordnet.spelling import corrected, one_edit_apart

NOUNS = """\
  1 the licence, which is indented
00000001 03 n 01 entity 0 000 | what is
00000002 05 n 01 animal 0 001 @ 00000001 n 0000 | lives
00000003 05 n 01 canine 0 001 @ 00000002 n 0000 | a dog or the like
00000004 05 n 02 dog 0 hound 0 001 @ 00000003 n 0000 | barks
00000005 05 n 01 poodle 0 001 @ 00000004 n 0000 | a curly one
00000006 05 n 01 wolf 0 001 @ 00000003 n 0000 | howls
00000007 06 n 01 mug 0 001 @ 00000001 n 0000 | holds tea
00000008 23 n 01 mug 1 001 @ 00000001 n 0000 | as much as it holds
00000009 18 n 01 imaginary_being 0 001 @ 00000001 n 0000 | is not
00000010 18 n 01 dog 1 001 @ 00000001 n 0000 | a fellow
00000011 05 n 01 Rex 0 001 @i 00000004 n 0000 | a certain one
"""
SENSES = """\
animal%1:05:00:: 00000002 1 9
canine%1:05:00:: 00000003 1 0
coat%1:06:00:: 00000007 1 0
dog%1:05:00:: 00000004 1 9
dog%1:18:00:: 00000010 2 1
entity%1:03:00:: 00000001 1 0
imaginary_being%1:18:00:: 00000009 1 0
mug%1:06:00:: 00000007 2 0
mug%1:23:00:: 00000008 1 0
mud%2:30:00:: 00000001 1 0
poodle%1:05:00:: 00000005 1 0
rex%1:05:00:: 00000011 1 0
wolf%1:05:00:: 00000006 1 0
"""


@pytest.fixture
def database(tmp_path: Path) -> Path:
    (tmp_path / "data.noun").write_text(NOUNS)
    (tmp_path / "index.sense").write_text(SENSES)
    return tmp_path


def test_a_kind_of_a_kind_comes_before_what_is_only_like_one(database: Path) -> None:
    kinship = Kinship(read_wordnet(database), {"dog": ["dog%1:05:00"], "mug": ["mug%1:06:00"]})
    assert kinship.nearest("poodle", 4) == {"dog": pytest.approx(0.99)} and kinship.nearest("dog", 4) == {
        "dog": 1.0
    }
    content = kinship._content
    assert 0 <= content["00000001"] < content["00000002"] < content["00000003"] < content["00000005"] == 1
    like = 0.9 * 2 * content["00000003"] / (content["00000004"] + content["00000006"])
    assert kinship._of("00000006")["dog"] == pytest.approx(like), (
        "Lin's similarity over their nearest common ancestor"
    )
    assert kinship.nearest("rex", 4) == {}, "a certain dog is no kind"
    assert kinship.nearest("mug", 4) == {"mug": 1.0}, "an amount is nothing to make"


def test_corrections_by_hand_and_words_of_their_own(database: Path) -> None:
    wordnet = read_wordnet(database)
    kinship = Kinship(wordnet, {"dog": ["dog%1:05:00"], "mug": ["mug%1:06:00"]})
    found = nearest_kinds(wordnet, kinship, {"wolf": "mug", "poodle": "-"})
    assert (
        max(found["wolf"], key=found["wolf"].__getitem__) == "mug"
        and found["poodle"] == {}
        and "entity" not in found
    )
    assert real_words(wordnet, {"boat", "rexx"}, {}) == ["coat"], (
        "three letters are too few, and mud is no slip of mug then"
    )


def test_a_folder_without_wordnet_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--dict", str(tmp_path)]) == 1 and "holds no WordNet" in capsys.readouterr().err
    (tmp_path / "data.noun").write_text("00000001 05 n zz\n")
    (tmp_path / "index.sense").write_text(SENSES)
    with pytest.raises(FileFormatError):
        read_wordnet(tmp_path)


def test_the_table_comes_back_as_it_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "TABLE", tmp_path / "nearest.tsv.gz")
    table.nearest.cache_clear()
    try:
        with pytest.raises(MissingError):
            table.nearest()
        table.write_table({"wolf": {"dog": 0.7, "cat": 0.65}, "fox": {"dog": 0.7, "cat": 0.65}, "coat": {}})
        assert table.nearest() == {
            "wolf": (("dog", 0.7), ("cat", 0.65)),
            "fox": (("dog", 0.7), ("cat", 0.65)),
            "coat": (),
        }
        table.nearest.cache_clear()
        (tmp_path / "nearest.tsv.gz").write_bytes(b"torn")
        with pytest.raises(FileFormatError):
            table.nearest()
    finally:
        table.nearest.cache_clear()


def test_what_is_shipped_is_small_licensed_and_knows_every_kind() -> None:
    assert (
        table.TABLE.stat().st_size < 400_000
        and "Princeton University" in (table.FOLDER / "WORDNET-LICENSE.txt").read_text()
    )
    chosen = dict(table.rows_of(table.SENSES))
    assert set(chosen) == set(KINDS) and all(chosen.values())
    assert {kind for kind, _ in table.rows_of(table.OWN)} <= {*KINDS, table.NOTHING}
    assert {kind for kinds in table.nearest().values() for kind, _ in kinds} <= set(KINDS)
    assert len(table.nearest()) > 10_000


def test_one_edit() -> None:
    assert set(one_edit_apart("caar", {"car", "chair", "caar", "cart"})) == {"car"}
    assert corrected("dragno", {"dragon"}) == "dragon" and corrected("caat", {"cat", "coat"}) is None
    assert corrected("mgu", {"mug"}) is None, "short words have too many neighbours"
