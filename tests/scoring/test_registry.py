"""Scorers are found by name, loaded where their files are, and otherwise say what it takes to get them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from engine.errors import FileFormatError, InputError, MissingError, StorageError
from engine.prior import hub
from engine.scoring.base import over_white
from engine.scoring.registry import (
    fetch_scorer,
    find_scorer,
    installed,
    load_scorer,
    local_folder,
    scorer_infos,
)
from tests.scoring.tiny_clip import save_tiny_clip

PACKAGE = """
def load(weights, device, med_config):
    assert weights.endswith("ImageReward.pt") and med_config.endswith("med_config.json") and device == "cpu"
    return Model()

class Model:
    def score(self, prompt, picture):
        return len(prompt) + picture.getpixel((0, 0))[0] / 255
"""


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch) -> Path:
    """An empty cache of the Hub's client."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


def place_of(name: str, cache: Path) -> Path:
    """Where the Hub's client keeps a scorer's files."""
    info = find_scorer(name)
    place = cache / f"models--{info.source.replace('/', '--')}" / "snapshots" / info.revision
    place.mkdir(parents=True)
    return place


def test_every_scorer_says_what_it_is() -> None:
    for info in scorer_infos():
        assert find_scorer(info.id) == info and info.sentence.endswith(".") and info.licence
        if info.source:
            assert len(info.revision) == 40 and info.size_mb > 0 and info.files and not installed(info)


def test_the_toybox_scorer_is_always_there() -> None:
    assert installed(find_scorer("toybox")) and load_scorer("toybox").info.id == "toybox"


def test_a_scorer_that_is_not_here_says_size_licence_and_what_to_do() -> None:
    with pytest.raises(MissingError) as told:
        load_scorer("clip")
    assert "1720 MB" in str(told.value) and "MIT" in str(told.value)
    assert told.value.remedy.endswith("python -m studio evaluate --fetch clip")


def test_a_fetched_scorer_is_found_in_the_cache(cache: Path) -> None:
    place = save_tiny_clip(place_of("clip", cache))
    assert local_folder(find_scorer("clip")) == place and installed(find_scorer("clip"))
    assert load_scorer("clip", "cpu").scores(np.zeros((2, 8, 8, 4), np.uint8), "a mug").shape == (2,)
    (place / "merges.txt").unlink()
    assert local_folder(find_scorer("clip")) is None, "half of it is not enough"


def test_fetching_asks_for_the_pinned_files_and_checks_them(tmp_path: Path, monkeypatch) -> None:
    asked = []

    def download(repo, revision, patterns, size_mb, report):
        asked.append((repo, revision, tuple(patterns)))
        return tmp_path

    monkeypatch.setattr(hub, "download", download)
    info = find_scorer("clip")
    with pytest.raises(MissingError, match="lacks config"):
        fetch_scorer(info)
    save_tiny_clip(tmp_path)
    fetch_scorer(info)
    assert asked == [(info.source, info.revision, info.files)] * 2
    monkeypatch.setattr(hub, "free_bytes", lambda: 10_000_000)
    with pytest.raises(StorageError, match="1720 MB"):
        fetch_scorer(info)


@pytest.mark.parametrize("name", ["magic", "no.such.module", "engine.errors", ""])
def test_what_is_no_scorer_is_told(name: str) -> None:
    with pytest.raises(InputError, match="toybox, clip"):
        load_scorer(name)


def test_image_reward_needs_its_package() -> None:
    with pytest.raises(MissingError, match="ImageReward") as told:
        load_scorer("image-reward")
    assert "pip install image-reward" in told.value.remedy


def test_image_reward_is_asked_picture_by_picture_over_white(
    cache: Path, tmp_path: Path, monkeypatch
) -> None:
    (tmp_path / "packages" / "ImageReward").mkdir(parents=True)
    (tmp_path / "packages" / "ImageReward" / "__init__.py").write_text(PACKAGE)
    monkeypatch.syspath_prepend(tmp_path / "packages")
    place = place_of("image-reward", cache)
    for name in find_scorer("image-reward").files:
        (place / name).write_text("")
    scorer = load_scorer("image-reward", "cpu")
    views = np.zeros((2, 4, 4, 4), np.uint8)
    views[1, ..., 3] = 255
    np.testing.assert_allclose(
        scorer.scores(views, "a mug"), [5 + 1, 5 + 0], err_msg="nothing is white, black is black"
    )
    assert scorer.fronts(views, "a mug") is None
    with pytest.raises(MissingError, match="pick-score"):
        load_scorer("image-reward", "meta")


def test_any_module_with_info_and_load_is_a_scorer(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "my_scorers").mkdir()
    info = (
        "from dataclasses import replace\nfrom engine.scoring import clip\nINFO = replace(clip.INFO, "
        "id='mine', source='')\n"
    )
    text = f"{info}\ndef load(folder, device):\n    return folder, str(device)\n"
    (tmp_path / "my_scorers" / "mine.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    assert find_scorer("my_scorers.mine").id == "mine" and load_scorer("my_scorers.mine", "cpu") == (
        None,
        "cpu",
    )


def test_over_white() -> None:
    picture = np.array([[0, 0, 0, 0], [10, 20, 30, 255], [100, 0, 50, 100]], np.uint8)
    np.testing.assert_array_equal(over_white(picture), [[255, 255, 255], [10, 20, 30], [255, 155, 205]])


def test_weights_of_another_kind_are_told(cache: Path) -> None:
    place = save_tiny_clip(place_of("clip", cache))
    (place / "model.safetensors").write_bytes(b"nonsense")
    with pytest.raises(FileFormatError, match="fetch clip again"):
        load_scorer("clip", "cpu")
    save_file({"logit_scale": torch.zeros(())}, place / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(FileFormatError, match="missing"):
        load_scorer("clip", "cpu")
