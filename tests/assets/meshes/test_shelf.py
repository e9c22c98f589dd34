"""Shelves: what is found on them, and how a folder's index follows its files."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from engine.assets.meshes.mesh_shape import ReferenceShape
from engine.assets.meshes.render_maps import pictures_of
from engine.errors import InputError, MissingError
from engine.prior.reference.silhouette import outline
from engine.retrieval import search
from engine.retrieval.embed_views import AZIMUTHS_DEG, embedded, shape_of
from engine.retrieval.index import models_in
from engine.retrieval.match_sheet import compose_matches
from engine.retrieval.search import Sought, closeness, drawn, find_by_picture, find_by_pictures, find_by_words
from engine.retrieval.shelf import folder_shelf, results_shelf, together
from tests.assets.meshes.models import WEDGE, document, write_glb, write_obj, write_stl

RNG = np.random.default_rng(0)


class Outlines:
    """An embedder that sees outlines, and counts the pictures it was given."""

    id, picture_size = "outlines", 32

    def __init__(self) -> None:
        self.seen = 0

    def pictures(self, rgba: np.ndarray) -> np.ndarray:
        self.seen += len(rgba)
        return outline(rgba)

    def words(self, texts: Sequence[str]) -> None:
        return None


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "models"
    (root / "deep").mkdir(parents=True)
    write_stl(root / "redWedge_02.stl")
    write_obj(root / "deep" / "tower.obj", WEDGE * np.float32([0.5, 0.25, 2]))
    (root / "deep" / "tower.txt").write_text("\n a tall tower of stone\n")
    (root / "deep" / "LICENSE").write_text("CC0 1.0\n")
    asset = {"version": "2.0", "extras": {"title": "Flat plate", "license": "CC-BY-4.0", "author": "Ann"}}
    write_glb(root / "plate.glb", *document(WEDGE * np.float32([4, 0.2, 1]), asset=asset))
    (root / "broken.ply").write_bytes(b"ply\nnothing")
    return root


def test_a_folder_is_listed_with_captions_licences_and_reasons(folder: Path, tmp_path: Path) -> None:
    shelf = folder_shelf(folder, Outlines(), tmp_path / "cache")
    told = {item.id: (item.caption, item.licence) for item in shelf.items}
    assert told == {
        "folder/deep/tower.obj": ("a tall tower of stone", "CC0 1.0"),
        "folder/plate.glb": ("Flat plate", "CC-BY-4.0"),
        "folder/redWedge_02.stl": ("red wedge", "unknown"),
    }
    assert [file.name for file in shelf.unreadable] == ["broken.ply"] and "damaged" in shelf.unreadable[
        0
    ].reason
    assert "Ann" in shelf.items[1].source and shelf.views.shape[:2] == (3, len(AZIMUTHS_DEG))
    assert sorted(path.name for path in folder.iterdir()) == [
        "broken.ply",
        "deep",
        "plate.glb",
        "redWedge_02.stl",
    ]


def test_only_what_changed_is_read_again(folder: Path, tmp_path: Path) -> None:
    embedder, cache = Outlines(), tmp_path / "cache"

    def reads() -> int:
        before = embedder.seen
        folder_shelf(folder, embedder, cache)
        return (embedder.seen - before) // len(AZIMUTHS_DEG)

    assert [reads(), reads()] == [3, 0]
    os.rename(folder / "plate.glb", folder / "board.glb")  # the same bytes
    os.utime(folder / "redWedge_02.stl", (1, 1))
    assert reads() == 0
    write_stl(folder / "redWedge_02.stl", WEDGE * np.float32([1, 1, 5]))
    write_stl(folder / "broken.ply")  # an STL by another name is one
    assert reads() == 1 and {item.id for item in folder_shelf(folder, embedder, cache).items} >= {
        "folder/board.glb",
        "folder/broken.ply",
    }
    (folder / "board.glb").unlink()
    assert reads() == 0 and len(folder_shelf(folder, embedder, cache).items) == 3
    next(cache.iterdir()).write_bytes(b"damaged")
    assert reads() == 3


def test_links_and_hidden_files_are_left_alone(folder: Path, tmp_path: Path) -> None:
    (folder / "link.stl").symlink_to(write_stl(tmp_path / "elsewhere.stl"))
    (folder / "loop").symlink_to(folder)
    write_stl(folder / ".hidden.stl")
    assert len(models_in(folder)) == 4
    with pytest.raises(MissingError):
        models_in(tmp_path / "none")


def test_a_picture_and_words_find_their_thing(folder: Path, tmp_path: Path) -> None:
    embedder = Outlines()
    shelf = folder_shelf(folder, embedder, tmp_path / "cache")
    tower = next(item for item in shelf.items if "tower" in item.id)
    rgba = np.zeros((60, 80, 4), np.float32)
    rgba[5:55, 40:45] = [0.2, 0.1, 0.5, 1]
    for matches in (
        find_by_picture(shelf, embedder, rgba),
        find_by_words(shelf, embedder, "stone towers"),
    ):
        assert matches[0].item == tower and len(matches) == 3
        assert [m.similarity for m in matches] == sorted((m.similarity for m in matches), reverse=True)
    assert find_by_words(shelf, embedder, "something scarlet", 1)[0].item.caption == "red wedge"
    assert drawn(matches, 0.0, RNG).item == tower
    with pytest.raises(InputError):
        find_by_words(shelf, embedder, "  ")


def test_matches_are_told_by_how_far_their_outlines_are_the_same(folder: Path, tmp_path: Path) -> None:
    shelf = folder_shelf(folder, Outlines(), tmp_path / "cache")
    tower = next(item for item in shelf.items if "tower" in item.id)
    shape = shape_of(tower)
    there, beside = pictures_of(shape, np.array([40.0, 130.0]), 25.0, 64)
    assert closeness(shape, [Sought(there, (40.0, 25.0))]) == pytest.approx(1)
    wrong = closeness(shape, [Sought(beside, (40.0, 25.0))])
    both = [Sought(there, (40.0, 25.0), weight=3.0), Sought(beside, (40.0, 25.0))]
    assert wrong < 0.95 and closeness(shape, both) == pytest.approx((3 + wrong) / 4)
    small = np.zeros((256, 256, 4), np.float32)
    small[64:192, 64:192] = pictures_of(shape, np.array([45.0]), 15.0, 128)[0]
    assert closeness(shape, [Sought(small, (45.0, 15.0))]) < 0.4 < 0.7 < closeness(shape, [Sought(small)])
    best = find_by_pictures(shelf, Outlines(), [Sought(there, (40.0, 25.0))], 2)
    assert best[0].item == tower and best[0].similarity == pytest.approx(1) and best[1].similarity < 0.9


def test_few_files_are_read_for_it_and_none_that_is_gone(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf, rgba = folder_shelf(folder, Outlines(), tmp_path / "cache"), np.ones((20, 20, 4), np.float32)
    read = []
    monkeypatch.setattr(search, "FILES_LOOKED_AT", 2)
    monkeypatch.setattr(search, "shape_of", lambda item: (read.append(item.id), shape_of(item))[1])
    assert len(find_by_picture(shelf, Outlines(), rgba, 1)) == 1 and len(read) == 2
    assert len(find_by_picture(shelf, Outlines(), rgba, 1)) == 1 and len(read) == 2, "they are not read again"
    (folder / "plate.glb").unlink()
    assert {match.item.id for match in find_by_picture(shelf, Outlines(), rgba, 3)} == {
        "folder/deep/tower.obj",
        "folder/redWedge_02.stl",
    }


def test_earlier_results_are_a_shelf_too(tmp_path: Path) -> None:
    for name, prompt in (("one", "a red mug"), ("two", "a green boat")):
        (tmp_path / name).mkdir()
        write_glb(tmp_path / name / "mesh.glb", *document())
        (tmp_path / name / "result.json").write_text(json.dumps({"prompt": prompt, "prior": "toybox"}))
    shelf = results_shelf(
        [tmp_path / "one", tmp_path / "two", tmp_path / "three"], tmp_path, Outlines(), tmp_path / ".cache"
    )
    assert [item.caption for item in shelf.items] == [
        "a red mug",
        "a green boat",
    ] and "toybox" in shelf.items[0].licence
    only = results_shelf([tmp_path / "two"], tmp_path, Outlines(), tmp_path / ".cache")
    assert [item.id for item in only.items] == ["results/two"]
    assert len(together([shelf, only]).items) == len(together([shelf, only]).views) == 3


def test_empty_shelves_find_nothing() -> None:
    empty, embedder = together([]), Outlines()
    assert (
        find_by_words(empty, embedder, "a mug")
        == find_by_picture(empty, embedder, np.ones((20, 20, 4), np.float32))
        == []
    )


def test_the_sheet_shows_what_is_left_of_it(folder: Path, tmp_path: Path) -> None:
    shelf = folder_shelf(folder, Outlines(), tmp_path / "cache")
    matches = find_by_words(shelf, Outlines(), "wedge")
    whole = compose_matches(matches, "wedge")
    (folder / "redWedge_02.stl").unlink()
    assert compose_matches(matches, "wedge").shape == whole.shape and not np.array_equal(
        compose_matches(matches, "wedge"), whole
    )
    with pytest.raises(InputError):
        compose_matches([], "nothing")


def test_embeddings_are_of_pictures_all_round(folder: Path) -> None:
    shape = shape_of(folder_shelf(folder, Outlines(), folder.parent / "cache").items[0])
    assert isinstance(shape, ReferenceShape) and embedded(shape, Outlines()).shape == (len(AZIMUTHS_DEG), 144)
