"""Shipped presets load and apply; broken ones say where and do no harm."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import PresetError
from engine.loop.settings import flatten, with_values
from engine.session.presets import (
    DEFAULT_PRESET,
    FOLDER,
    Preset,
    apply_preset,
    differences,
    find_preset,
    load_preset,
    load_presets,
)
from tests.session.fakes import settings_of

SHIPPED = sorted(FOLDER.glob("*.toml"))
HEAD = 'title = "T"\nsentence = "S"\n'


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_preset_loads_and_applies(path: Path) -> None:
    preset = load_preset(path)
    settings = flatten(apply_preset(preset, settings_of("a blue chair")))
    assert settings["prompt"] == "a blue chair" and preset.title and preset.sentence.endswith(".")
    assert all(settings[name] == value for name, value in preset.values.items())


def test_the_default_comes_first_and_the_promised_ones_are_there() -> None:
    presets, problems = load_presets()
    assert problems == () and presets[0].key == DEFAULT_PRESET == "toybox-splats"
    assert {preset.key for preset in presets} >= {
        "toybox-splats",
        "toybox-field",
        "toybox-quick",
        "toybox-ball",
        "sd15-splats",
    }
    assert len({preset.title for preset in presets}) == len(presets)
    assert find_preset("toybox-field").values["scene"] == "field"


def test_a_preset_leaves_nothing_of_the_one_before_and_keeps_the_words_and_the_seed() -> None:
    start = with_values(settings_of("a blue chair"), {"seed": 7, "negative_prompt": "legs"})
    quick, field = find_preset("toybox-quick"), find_preset("toybox-field")
    assert apply_preset(field, apply_preset(quick, start)) == apply_preset(field, start)
    spec = apply_preset(quick, start).spec
    assert (spec.prompt, spec.negative_prompt, spec.seed) == ("a blue chair", "legs", 7)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_differences_are_exactly_what_applying_changes(path: Path) -> None:
    preset, settings = load_preset(path), with_values(settings_of(), {"views_per_step": 9, "splats": 300})
    found = differences(preset, settings)
    assert found["views_per_step"] == (9, 4)
    gone = {name for name, (_, then) in found.items() if then is None}  # another method does not have them
    assert not gone & set(flatten(apply_preset(preset, settings)))
    changes = {name: then for name, (_, then) in found.items() if name not in gone}
    assert with_values(settings, changes) == apply_preset(preset, settings)
    assert differences(preset, apply_preset(preset, settings)) == {}


@pytest.mark.parametrize(("text", "words"), [
    ("x ==", r"bad.toml: .*line 1"),
    ('sentence = "S"', "title is missing"),
    (HEAD + "\nguidance_scal = 3", r"bad.toml, line 4: .*'guidance_scal'.*guidance_scale"),
    (HEAD + "guidance_scale = 500", r"bad.toml, line 3: .*500.*1 to 100"),
    (HEAD + "guidance_scale = nan", r"bad.toml, line 3"),
    (HEAD + 'method = "magic"', r"bad.toml, line 3: .*'magic'.*sds"),
    (HEAD + 'scene = "mesh"', r"bad.toml, line 3: .*one of splats"),
    (HEAD + "[sds]\nweighting = 1", r"bad.toml, line 3: .*flat"),
])  # fmt: skip
def test_a_broken_preset_says_where_and_the_others_load(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "bad.toml").write_text(text)
    (tmp_path / "good.toml").write_text(HEAD + "refine_steps = 30")
    presets, problems = load_presets(tmp_path)
    assert presets == (Preset("good", "T", "S", {"refine_steps": 30}),) and len(problems) == 1
    with pytest.raises(PresetError, match=words) as raised:
        find_preset("bad", tmp_path)
    assert raised.value.remedy


def test_a_preset_that_is_not_text_and_one_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_bytes(b"\xff\xfe\x00")
    assert "cannot be read" in load_presets(tmp_path).problems[0].what
    with pytest.raises(PresetError, match="Choose one of bad"):
        find_preset("nowhere", tmp_path)
