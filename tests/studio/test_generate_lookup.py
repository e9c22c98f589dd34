"""``generate --reference shelf:ID``, ``auto:K`` and ``run:TOKEN``: looked up before the run, told, and kept
with the results.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest
import trimesh

from engine.errors import InputError
from engine.loop.reference.input_files import kept_with
from engine.loop.reference.provenance import origin_in
from engine.loop.settings import Settings
from engine.loop.spec import Knobs, RunSpec
from studio.cli import main
from studio.commands.generate import looked_up, own_words, reference_values


def asked(tmp_path: Path, reference: str, shelf: Path | None = None) -> tuple[Settings, argparse.Namespace]:
    options = argparse.Namespace(
        reference=reference,
        reference_strength=None,
        reference_curve=None,
        library=tmp_path / "library",
        shelf=shelf,
        out=tmp_path / "out",
    )
    return Settings(RunSpec("a red chair", **reference_values(options)), Knobs()), options


def test_what_is_taken_is_told_and_kept_with_the_results(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = looked_up(*asked(tmp_path, "auto"))
    told = capsys.readouterr().out
    assert (
        "reference: a red chair" in told
        and "% similar" in told
        and "Apache-2.0" in told
        and "toybox/701" in told
    )
    again = kept_with(settings.spec.reference, tmp_path / "out")
    assert again.startswith("given/reference/") and origin_in(again, tmp_path / "out").id.startswith(
        "toybox/701"
    )


def test_models_of_ones_own_and_earlier_results_can_be_named(tmp_path: Path) -> None:
    shelf, run = tmp_path / "shelf", tmp_path / "library" / "earlier_run"
    for folder, name in ((shelf, "stool.glb"), (run, "mesh.glb")):
        folder.mkdir(parents=True)
        trimesh.creation.box((1, 1, 2)).export(folder / name)
    (run / "result.json").write_text(json.dumps({"prompt": "a stool", "prior": "toybox"}))
    for reference, id in (
        ("shelf:folder/stool.glb", "folder/stool.glb"),
        ("run:earlier_run", "results/earlier_run"),
    ):
        settings, options = asked(tmp_path, reference, shelf)
        assert origin_in(looked_up(settings, options).spec.reference, tmp_path / "out").id == id
        assert own_words(options) in ("stool", "a stool"), "what it is called, for those who give no words"


def test_files_are_named_by_their_full_paths_and_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings, options = asked(tmp_path, "chair.glb")
    assert settings.spec.reference == str(tmp_path / "chair.glb") and looked_up(settings, options) == settings


@pytest.mark.parametrize("reference", [None, "auto", "chair.glb"])
def test_nothing_is_made_of_nothing(reference: str | None, tmp_path: Path) -> None:
    _, options = asked(tmp_path, "")
    options.reference = reference
    with pytest.raises(InputError, match="nothing to make"):
        own_words(options)


def test_an_unknown_id_is_answered_with_others(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        looked_up(*asked(tmp_path, "shelf:toybox/chair"))
    assert "toybox/701" in caught.value.remedy


def test_the_shelf_command_lists_ones_own_models_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine").mkdir()
    trimesh.creation.box((1, 1, 2)).export(tmp_path / "mine" / "wardrobe.glb")
    monkeypatch.setenv("MAQUETTE_SHELF", str(tmp_path / "mine"))
    assert (
        main(["shelf", "--search", "a wardrobe", "--top", "1", "--library", str(tmp_path / "library")]) == 0
    )
    assert "folder/wardrobe.glb" in capsys.readouterr().out
