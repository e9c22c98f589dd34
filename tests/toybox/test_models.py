"""Named models as training objects: collections, labels, held-out ones, recolouring, drawing by seed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import trimesh

from engine.errors import FileFormatError, InputError
from engine.toybox import generate_dataset
from engine.toybox.dataset import ShardCache, load_shard
from engine.toybox.models import collection as collections
from engine.toybox.models.collection import Label, Model, labels, model_kinds, open_collection
from engine.toybox.models.drawing import MODEL_SEED, PAINTED_SHARE, ModelDrawer, main_areas, repainted
from engine.toybox.objects.mesh import ToyMesh
from engine.toybox.vocabulary import VOCABULARY
from engine.toybox.words import tokens

KNOWN = [key for key, label in labels().items() if label.kind == "horse"]


def packed(folder: Path, rows: list[tuple[str, str]]) -> Path:
    """A packed collection of grey and brown boxes, one for each (source, name)."""
    boxes = [trimesh.creation.box((1.0, 0.4 + 0.05 * i, 0.6)) for i in range(len(rows))]
    colours = [
        np.where(np.arange(12)[:, None] < 9, (120, 70, 30), (30, 30, 30)).astype(np.uint8) for _ in boxes
    ]
    document = [
        {"name": name, "source": source, "kind": "x", "licence": "CC0", "by": "somebody"}
        for source, name in rows
    ]
    (folder / "pack.json").write_text(json.dumps(document))
    np.savez(
        folder / "pack.npz",
        v=np.concatenate([np.round(box.vertices * 0.7 * 32767) for box in boxes]).astype(np.int16),
        f=np.concatenate([box.faces for box in boxes]).astype(np.uint16),
        c=np.concatenate(colours),
        vo=np.cumsum([0] + [len(box.vertices) for box in boxes]),
        fo=np.cumsum([0] + [len(box.faces) for box in boxes]),
    )
    return folder


def test_a_packed_collection_gives_its_labelled_models_and_names_the_others(tmp_path: Path) -> None:
    found = open_collection(packed(tmp_path, [KNOWN[0], ("nowhere", "thing"), KNOWN[1]]))
    assert [model.name for model in found.models] == [KNOWN[0][1], KNOWN[1][1]]
    assert list(found.skipped.values()) == ["without a label"]
    model = found.models[0]
    assert (model.label.kind, model.licence, model.by) == ("horse", "CC0", "somebody")
    assert np.linalg.norm(model.read().vertices, axis=1).max() == pytest.approx(1.0, abs=1e-4)


def test_equal_names_are_told_apart_by_their_number(tmp_path: Path) -> None:
    assert collections._unique(["Horse", "Cow", "Horse", "Horse"]) == ["Horse", "Cow", "Horse#2", "Horse#3"]


def test_files_are_named_after_what_they_show_and_each_bad_one_is_told_once(
    tmp_path: Path, monkeypatch
) -> None:
    trimesh.creation.box().export(tmp_path / "green_chair_01.glb")
    trimesh.creation.box().export(tmp_path / "thing.glb")
    (tmp_path / "dog.obj").write_text("no mesh")
    (tmp_path / "cat.glb").write_bytes(b"glTF" + bytes(2000))
    (tmp_path / "notes.txt").write_text("not a model")
    found = open_collection(tmp_path)
    assert [(model.name, model.label.kind) for model in found.models] == [("green_chair_01", "chair")]
    assert set(found.skipped) == {"thing.glb", "dog.obj", "cat.glb"}
    assert "noun" in found.skipped["thing.glb"] and "unreadable" in found.skipped["dog.obj"]
    monkeypatch.setattr(collections, "LARGEST_FILE_BYTES", 10)
    with pytest.raises(InputError, match="larger than"):
        open_collection(tmp_path)


def test_what_is_no_collection_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a folder"):
        open_collection(tmp_path / "none")
    with pytest.raises(InputError, match="empty") as told:
        open_collection(tmp_path)
    assert "chair_01.glb" in told.value.remedy
    packed(tmp_path, [KNOWN[0]])
    (tmp_path / "pack.json").write_text("[]")
    with pytest.raises(FileFormatError, match=r"pack\.json"):
        open_collection(tmp_path)


def test_a_tenth_of_all_models_is_held_out_whatever_else_is_in_the_folder() -> None:
    made = [Model("pack", f"model {i}", Label("dog"), "", "", lambda: None) for i in range(3000)]
    assert 0.08 < np.mean([model.held_out for model in made]) < 0.12
    assert [model.held_out for model in made[:50]] == [model.held_out for model in made][:50]


def test_every_label_can_be_said() -> None:
    assert len(labels()) > 1000 and len(model_kinds()) > 100
    spoken = {
        word for label in labels().values() for noun in (label.kind, label.noun) for word in tokens(noun)
    }
    assert spoken <= set(VOCABULARY)


def test_the_main_areas_take_the_colour_and_the_details_keep_theirs() -> None:
    colours = np.array([[0.5, 0.3, 0.1]] * 6 + [[0.4, 0.24, 0.08]] * 2 + [[0.1, 0.1, 0.1]] * 2)
    areas = np.array([1.0] * 8 + [0.5] * 2)
    painted = main_areas(colours, areas)
    assert areas[painted].sum() >= PAINTED_SHARE * areas.sum() and not painted[-2:].any()
    mesh = ToyMesh(*_triangles(areas), colours.astype(np.float32))
    blue = repainted(mesh, np.array([0.1, 0.2, 0.9]), np.random.default_rng(0))
    assert (blue[:6].argmax(1) == 2).all() and np.array_equal(blue[-2:], mesh.face_colours[-2:])


def _triangles(areas: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Separate right triangles of these areas."""
    corner = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], np.float32)
    vertices = np.sqrt(2 * areas)[:, None, None] * corner
    return vertices.reshape(-1, 3).astype(np.float32), np.arange(3 * len(areas)).reshape(-1, 3).astype(
        np.int32
    )


def test_draws_repeat_keep_to_the_kinds_that_are_asked_for_and_never_show_what_is_held_out(
    tmp_path: Path,
) -> None:
    drawer = ModelDrawer(
        open_collection(packed(tmp_path, [key for key in labels() if key[0] == "quat"][:60]))
    )
    held_out = {model.name for model in drawer.collection.models if model.held_out}
    assert held_out and len(drawer.collection.kinds) > 3
    first, again = drawer(MODEL_SEED + 3), drawer(MODEL_SEED + 3)
    assert first.kind == again.kind and np.array_equal(first.mesh.face_colours, again.mesh.face_colours)
    kind = drawer.collection.kinds[0]
    assert {drawer(MODEL_SEED + i, (kind,)).kind for i in range(20)} == {kind}
    with pytest.raises(InputError, match="unicorn"):
        drawer(MODEL_SEED, ("unicorn",))


def test_shards_of_models_lie_beside_the_procedural_ones(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(generate_dataset, "SHARD_OBJECTS", 3)
    folder = packed(tmp_path, [key for key in labels() if key[0] == "quat"][:12])
    arguments = ["--out", str(tmp_path / "cache"), "--objects", "3", "--procs", "1"]
    assert (
        generate_dataset.main([*arguments, "--models", str(folder)]) == 0
        and "held out" in capsys.readouterr().out
    )
    assert generate_dataset.main([*arguments, "--kinds", "dog,mug"]) == 0
    cache = ShardCache.open(tmp_path / "cache")
    assert len(cache) == 6 and {int(shard.seeds[0]) for shard in cache.shards} == {0, MODEL_SEED}
    drawn = load_shard(tmp_path / "cache" / "shard_models_00000")
    assert {drawn.kind_names[kind] for kind in drawn.kinds} <= set(model_kinds())
