"""The data set: what the seeds promise, what the cameras cover, and what happens to shards that go wrong."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.errors import FileFormatError, InputError, StorageError
from engine.toybox import dataset, generate_dataset
from engine.toybox.dataset import (
    Recipe,
    Shard,
    ShardCache,
    ensure_shard,
    generate_shard,
    load_shard,
    save_shard,
    shard_path,
)
from engine.toybox.generate_dataset import write_sheet
from engine.toybox.objects import KINDS, draw_object
from engine.toybox.pictures import draw_views, render_object


@pytest.fixture(scope="module")
def shard() -> Shard:
    return generate_shard(dataset.HELD_OUT_SEED, 6, Recipe(ccm=True))


def same(a: Shard, b: Shard) -> bool:
    arrays = ("seeds", "kinds", "azimuth_deg", "elevation_deg", "images")
    return a.captions == b.captions and all(
        np.array_equal(getattr(a, name), getattr(b, name)) for name in arrays
    )


def test_views_are_two_orthogonal_groups_within_the_promised_elevations() -> None:
    draws = [draw_views(np.random.default_rng(seed)) for seed in range(300)]
    azimuths, elevations = (np.stack(part) for part in zip(*draws, strict=True))
    for group in (azimuths[:, :4], azimuths[:, 4:]):
        np.testing.assert_allclose(np.diff(group, axis=1) % 360.0, 90.0, atol=1e-3)
    assert (elevations[:, :4] == elevations[:, :1]).all()
    assert -10 <= elevations[:, 0].min() < -5 < 37 < elevations[:, 0].max() <= 40
    assert -30 <= elevations[:, 4:].min() < -27 < 77 < elevations[:, 4:].max() <= 80
    assert np.histogram(azimuths[:, 0], bins=4, range=(0, 360))[0].min() > 40


def test_objects_fit_the_picture_and_every_view_shows_something(shard: Shard) -> None:
    alpha = shard.images[..., 3]
    assert (alpha.max((2, 3)) > 200).all()
    frame = np.concatenate([alpha[:, :, 0], alpha[:, :, -1], alpha[..., 0], alpha[..., -1]], -1)
    assert not frame.any()
    assert (shard.images[..., :3] <= shard.images[..., 3:]).all(), "colour must be premultiplied"
    assert ((shard.ccm > 0).any(-1) == (alpha > 0)).all()


def test_a_shard_depends_on_its_seeds_only(shard: Shard) -> None:
    part = generate_shard(dataset.HELD_OUT_SEED + 3, 2)
    assert np.array_equal(part.images, shard.images[3:5]) and part.captions == shard.captions[3:5]
    assert not np.array_equal(shard.images[0], shard.images[1]) and all(
        len(set(options)) > 1 for options in shard.captions
    )


def test_kinds_and_pictures_are_those_of_the_object_of_the_seed(shard: Shard) -> None:
    obj = draw_object(int(shard.seeds[2]))
    assert KINDS[shard.kinds[2]] == obj.kind
    views = render_object(obj, shard.azimuth_deg[2], shard.elevation_deg[2]).rgba
    assert np.abs(views * 255 - shard.images[2]).max() <= 0.51


def test_a_saved_shard_comes_back_memory_mapped(shard: Shard, tmp_path: Path) -> None:
    save_shard(shard, tmp_path / "s")
    again = load_shard(tmp_path / "s", verify=True)
    assert same(again, shard) and np.array_equal(again.ccm, shard.ccm) and isinstance(again.images, np.memmap)
    assert [path.name for path in tmp_path.iterdir()] == ["s"]


@pytest.mark.parametrize("damage", ["truncated", "altered", "no text", "other kinds"])
def test_a_damaged_shard_is_noticed_and_generated_again(damage: str, shard: Shard, tmp_path: Path) -> None:
    path = tmp_path / "s"
    save_shard(shard, path)
    pictures, text = path / "images.npy", path / "shard.json"
    if damage == "truncated":
        pictures.write_bytes(pictures.read_bytes()[:5000])
    elif damage == "altered":
        pictures.write_bytes(pictures.read_bytes()[:-1] + b"\x07")
    elif damage == "no text":
        text.write_text("{")
    else:
        text.write_text(json.dumps({**json.loads(text.read_text()), "kind_names": ["mug"]}))
    with pytest.raises(FileFormatError) as caught:
        load_shard(path, verify=True)
    assert str(path) in caught.value.what and caught.value.remedy
    with pytest.warns(UserWarning, match="generated again"):
        assert ensure_shard(path, int(shard.seeds[0]), len(shard))
    assert same(load_shard(path, verify=True), shard)


def test_what_cannot_be_written_leaves_nothing_behind(shard: Shard, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(StorageError):
        save_shard(shard, tmp_path / "file" / "s")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_the_cache_is_filled_once_and_read_by_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generate_dataset, "SHARD_OBJECTS", 4)
    told: list[tuple[int, int]] = []
    assert (
        generate_dataset.fill_cache(
            tmp_path, 7, procs=1, report=lambda present, wanted, _: told.append((present, wanted))
        )
        == 2
    )
    assert told == [(4, 8), (8, 8)]
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert generate_dataset.fill_cache(tmp_path, 7, procs=1) == 0
    assert before == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    cache, whole = ShardCache.open(tmp_path), generate_shard(0, 8)
    objects, views = np.array([7, 0, 4]), np.array([[0, 3], [5, 5], [7, 1]])
    batch = cache.gather(objects, views)
    assert len(cache) == 8 and np.array_equal(batch.images, whole.images[objects[:, None], views])
    assert np.array_equal(batch.azimuth_deg, whole.azimuth_deg[objects[:, None], views])
    assert batch.captions == [whole.captions[i] for i in objects] and np.array_equal(
        batch.kinds, whole.kinds[objects]
    )


@pytest.mark.heavy
def test_worker_processes_write_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generate_dataset, "SHARD_OBJECTS", 2)
    generate_dataset.fill_cache(tmp_path / "two", 4, procs=2)
    generate_dataset.fill_cache(tmp_path / "one", 4, procs=1)
    for index in range(2):
        assert same(
            load_shard(shard_path(tmp_path / "one", index)), load_shard(shard_path(tmp_path / "two", index))
        )


@pytest.mark.parametrize(
    ("objects", "seed_start"), [(0, 0), (800_500, 0), (1000, 799_500), (200_000, 800_000), (10, -5)]
)
def test_seeds_of_different_purposes_are_never_mixed(objects: int, seed_start: int, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        generate_dataset.fill_cache(tmp_path, objects, procs=1, seed_start=seed_start)
    assert not list(tmp_path.iterdir())


def test_an_empty_folder_is_no_cache(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        ShardCache.open(tmp_path)
    assert "engine.toybox.dataset" in caught.value.remedy


def test_the_command_reports_errors_without_a_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert generate_dataset.main(["--out", str(tmp_path), "--objects", "0"]) == 2
    assert "--objects" in capsys.readouterr().err


def test_the_contact_sheet_has_a_block_for_every_kind(tmp_path: Path) -> None:
    write_sheet(
        tmp_path / "sheet.png",
        kinds=KINDS[:3],
        seeds=(0,),
        azimuths_deg=(0.0, 90.0),
        resolution=32,
        columns=2,
    )
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))
    assert sheet.shape[1] == 2 * 2 * 32
    blocks = [block for row in np.split(sheet, 2) for block in np.split(row, 2, axis=1)]
    assert [bool((block < 250).any()) for block in blocks] == [True, True, True, False]
