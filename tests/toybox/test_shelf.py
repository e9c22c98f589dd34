"""The shipped shelf: every kind, its own seeds, embeddings that fit, and the right kind found for new
objects.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from engine.assets.meshes.render_maps import reference_maps
from engine.core.cameras import orbit_cameras
from engine.retrieval.embed_views import AZIMUTHS_DEG, embedded, shape_of
from engine.retrieval.embedder import load_embedder
from engine.retrieval.search import Sought, find_by_pictures, find_by_words, unit
from engine.retrieval.shelf import toybox_shelf
from engine.toybox.captions import caption, plain_caption
from engine.toybox.objects import FIRST_KINDS, KINDS, draw_object
from engine.toybox.pictures import render_object
from engine.toybox.shelf import FEW, LIST, PER_FIRST_KIND, PER_KIND, built, embeddings, items

ROWS = json.loads(LIST.read_text(encoding="utf-8"))
KIND_OF = {f"toybox/{row['seed']}": row["kind"] for row in ROWS}


@pytest.fixture(scope="module")
def embedder():
    return load_embedder("toybox")


def test_it_holds_a_hundred_of_each_first_kind_and_some_of_the_others_from_its_own_seeds() -> None:
    wanted = {kind: PER_FIRST_KIND if kind in FIRST_KINDS else PER_KIND for kind in KINDS}
    assert Counter(row["kind"] for row in ROWS) == wanted and len(KIND_OF) == len(ROWS)
    assert Counter(row["kind"] for row in ROWS[:FEW]) == {kind: 2 for kind in KINDS}
    assert all(700_000 <= row["seed"] < 800_000 for row in ROWS)
    assert all(item.licence and item.source for item in items())


def test_captions_and_shapes_belong_together() -> None:
    for row in ROWS[::401]:
        obj = draw_object(row["seed"], row["kind"])
        assert row["caption"] == plain_caption(obj)
        np.testing.assert_array_equal(built(row["seed"], row["kind"]).vertices, obj.mesh.vertices)


def test_objects_stand_as_they_were_built() -> None:
    item = items()[0]
    shape = shape_of(item)
    mesh = built(ROWS[0]["seed"], ROWS[0]["kind"])
    np.testing.assert_allclose(shape.vertices[shape.faces], mesh.vertices[mesh.faces], atol=1e-6)
    assert (shape.up, shape.confidence) == ("z", 1.0) and reference_maps(
        shape, orbit_cameras((0,), 0, 3.05, 40, 32)
    ).mask.any()


def test_the_shipped_embeddings_are_those_of_the_objects(embedder) -> None:
    shipped = embeddings(embedder.id)
    assert shipped.shape[:2] == (len(ROWS), len(AZIMUTHS_DEG)) and embeddings("another") is None
    for number in (0, 1337):
        fresh = embedded(shape_of(items()[number]), embedder)
        assert float((fresh * unit(shipped[number])).sum(1).min()) > 0.96


@pytest.mark.parametrize("every", [16, pytest.param(1, marks=pytest.mark.heavy)])
def test_new_objects_find_their_kind_and_their_outlines(every: int, embedder, tmp_path: Path) -> None:
    """By words all of them; by pictures every sixteenth, because each picture is compared with dozens of
    drawn shapes.
    """
    shelf, rng = toybox_shelf(embedder, tmp_path), np.random.default_rng(0)
    objects = [draw_object(965_000 + number, kind) for number, kind in enumerate(KINDS)]
    by_words = [find_by_words(shelf, embedder, caption(obj, rng), 1)[0] for obj in objects]
    some = objects[::every]
    directions = [(float(rng.uniform(0, 360)), float(rng.uniform(0, 30))) for _ in some]
    pictures = [
        render_object(obj, [azimuth], [elevation]).rgba[0]
        for obj, (azimuth, elevation) in zip(some, directions)
    ]
    anywhere = [find_by_pictures(shelf, embedder, [Sought(picture)], 1)[0] for picture in pictures]
    from_there = [
        find_by_pictures(shelf, embedder, [Sought(picture, direction)], 1)[0]
        for picture, direction in zip(pictures, directions)
    ]
    for matches, known, least in (
        (by_words, objects, 0.95),
        (anywhere, some, 0.75),  # one view of an unknown side, among two hundred kinds
        (from_there, some, 0.95),
    ):
        right = [KIND_OF[match.item.id] == obj.kind for match, obj in zip(matches, known, strict=True)]
        first = [obj.kind in FIRST_KINDS for obj in known]
        assert np.mean(right) > least and np.mean(np.array(right)[first]) > 0.9
    assert np.mean([match.similarity for match in from_there]) > 0.88
    assert not list(tmp_path.iterdir())  # shipped embeddings need no cache


def test_another_embedder_sees_the_first_few(tmp_path: Path) -> None:
    class Sizes:
        id, picture_size = "sizes", 32

        def pictures(self, rgba: np.ndarray) -> np.ndarray:
            return np.stack([rgba[..., 3].sum((1, 2)), np.ones(len(rgba))], 1)

    shelf, again = (toybox_shelf(Sizes(), tmp_path) for _ in range(2))
    assert len(shelf.items) == len(shelf.views) == FEW and len(list(tmp_path.iterdir())) == 1
    np.testing.assert_allclose(shelf.views, again.views, rtol=1e-3)
