"""Assets: made once, found again, resumed where they were interrupted."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from engine.errors import FileFormatError, InputError
from engine.evaluation.assets import Asset, existing_assets, make, wanted_assets
from engine.evaluation.prompts import PromptSet
from engine.loop.messages import Finished, Stepped
from engine.loop.settings import Settings
from tests.loop.balls import ball_prior, quick_knobs, quick_spec

SETTINGS = Settings(quick_spec(scene="canvas", start="ball", refine_steps=6), quick_knobs())


def wanted(folder: Path, settings: Settings = SETTINGS) -> list[Asset]:
    return wanted_assets((PromptSet("balls", ("a red ball", "a blue ball")),), settings, folder)


def test_each_prompt_and_setting_has_a_folder_of_its_own(tmp_path: Path) -> None:
    first, second = wanted(tmp_path)
    assert (first.set_name, first.prompt, first.settings.spec.prompt) == ("balls", "a red ball", "a red ball")
    assert first.folder.parent == tmp_path / "balls" and first.name.startswith("001-a-red-ball-")
    other = wanted(tmp_path, replace(SETTINGS, spec=replace(SETTINGS.spec, seed=1)))
    assert len({asset.folder for asset in (first, second, *other)}) == 4
    assert [asset.folder for asset in wanted(tmp_path)] == [first.folder, second.folder]


def test_a_made_asset_is_finished_and_found(tmp_path: Path) -> None:
    asset, other = wanted(tmp_path)
    assert not asset.finished
    *_, last = make(asset, ball_prior, ("png",))
    assert isinstance(last, Finished) and asset.finished and not other.finished
    assert asset.facts()["prompt"] == "a red ball" and asset.facts()["seconds"]["total"] > 0
    (found,) = existing_assets(tmp_path)
    assert (found.prompt, found.folder, found.settings) == ("a red ball", asset.folder, None)
    assert found.fingerprint() == asset.fingerprint()
    assert (found.copy().scene.raw == last.copy.scene.raw).all()
    assert existing_assets(asset.folder)[0].folder == asset.folder, "the folder of one run will do, too"


def test_an_interrupted_asset_goes_on(tmp_path: Path) -> None:
    asset = wanted(tmp_path)[0]
    begun = make(asset, ball_prior, ("png",))
    while not (isinstance(event := next(begun), Stepped) and event.total_step == 3):
        pass
    begun.close()
    assert not asset.finished
    steps = [event.total_step for event in make(asset, ball_prior, ("png",)) if isinstance(event, Stepped)]
    assert steps == [4, 5, 6] and asset.finished


def test_what_is_no_finished_run_is_told(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(InputError, match="no finished run"):
            existing_assets(folder)
    *_, _ = make(wanted(tmp_path)[0], ball_prior, ("png",))
    folder = wanted(tmp_path)[0].folder
    os.replace(folder / "result.json", folder / "kept.json")
    (folder / "result.json").write_text("{}")
    with pytest.raises(FileFormatError, match="cannot be read"):
        existing_assets(tmp_path)
