"""The evaluation at a terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from studio.cli import EXIT_BAD_INPUT, EXIT_FAILED, main

FAST = [
    text
    for name in ("sampling_steps=2", "fit_steps=10", "refine_steps=0", "splats=300")
    for text in ("--set", name)
]


@pytest.fixture(autouse=True)
def no_cache(tmp_path: Path, monkeypatch) -> None:
    """No weights of the Hub, whatever this machine has."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("evaluate")
    (folder / "prompt_mine.txt").write_text("a red mug\na gilded unicorn\na blue car\n")
    assert main(["evaluate", *arguments(folder), "--limit", "2"]) == 0
    return folder


def arguments(folder: Path) -> list[str]:
    asked = ["--prompts", str(folder / "prompt_mine.txt"), "--set", "words=as they are"]
    return [*asked, *FAST, "--quiet", "--out", str(folder / "out")]


def report(folder: Path) -> dict:
    return json.loads((folder / "report.json").read_text())


def test_assets_are_made_and_judged(made: Path) -> None:
    told = report(made / "out")
    (scorer,) = told["scorers"]
    mug, unicorn = scorer["assets"]
    assert (mug["prompt"], unicorn["prompt"]) == ("a red mug", "a gilded unicorn")
    assert (
        mug["worst"] <= mug["mean"] <= mug["best"] <= 100
        and len(mug["azimuth_scores"]) == 8
        and mug["seconds"] > 0
    )
    assert "cannot judge" in unicorn["trouble"] and "worst" not in unicorn
    assert (scorer["sets"][0]["assets"], scorer["sets"][0]["judged"]) == (2, 1)
    assert (
        told["settings"]["seed"] == 0
        and told["settings"]["splats"] == 300
        and told["viewpoints"]["icosphere_level"] == 2
    )
    places = sorted((made / "out" / "assets" / "prompt_mine").iterdir())
    assert [place.name[:13] for place in places] == ["001-a-red-mug", "002-a-gilded-"]
    assert (places[0] / "scene.ply").exists() and (made / "out" / "sheet.png").exists()


def test_the_same_command_makes_and_judges_only_what_is_new(made: Path) -> None:
    kept = [*(made / "out" / "assets").rglob("*"), *(made / "out" / "judged").iterdir()]
    before = {path: path.stat().st_mtime_ns for path in kept if path.is_file()}
    first = report(made / "out")["scorers"][0]["assets"]
    assert main(["evaluate", *arguments(made)]) == 0
    assert all(path.stat().st_mtime_ns == written for path, written in before.items())
    again = report(made / "out")["scorers"][0]["assets"]
    assert again[:2] == first and again[2]["prompt"] == "a blue car"
    assert (made / "out" / "earlier-1" / "report.json").exists()


def test_finished_runs_are_judged_where_they_lie(made: Path, tmp_path: Path, capsys) -> None:
    assets = made / "out" / "assets" / "prompt_mine"
    before = sorted(path for path in assets.rglob("*"))
    assert main(["evaluate", "--results", str(assets), "--quiet", "--out", str(tmp_path)]) == 0
    rows = report(tmp_path)["scorers"][0]["assets"]
    ours = report(made / "out")["scorers"][0]["assets"]
    assert [row.get("quality") for row in rows[:2]] == [row.get("quality") for row in ours[:2]]
    assert sorted(path for path in assets.rglob("*")) == before, "nothing is written there"
    assert "worst azimuth" in capsys.readouterr().out


def test_an_asset_that_fails_does_not_end_the_others(made: Path, tmp_path: Path, monkeypatch) -> None:
    from engine.errors import RunError
    from studio.commands import evaluate

    whole = evaluate.make

    def failing(asset, load, formats):
        if "unicorn" in asset.prompt:
            raise RunError("The shape had vanished.", "Try again.")
        return whole(asset, load, formats)

    monkeypatch.setattr(evaluate, "make", failing)
    given = [*arguments(made)[:-1], str(tmp_path)]
    assert main(["evaluate", *given]) == 0
    mug, unicorn, car = report(tmp_path)["scorers"][0]["assets"]
    assert "vanished" in unicorn["trouble"] and "worst" in mug and "worst" in car


@pytest.mark.parametrize(
    ("given", "said", "code"),
    [
        (["--prompts", "/no/such/file.txt"], "could not be read", EXIT_BAD_INPUT),
        (["--results", "/no/such/folder"], "no finished run", EXIT_BAD_INPUT),
        (["--scorer", "magic"], "magic", EXIT_BAD_INPUT),
        (["--scorer", "toybox,clip"], "--fetch clip", EXIT_FAILED),
        (["--preset", "nothing"], "nothing", EXIT_BAD_INPUT),
        (["--set", "prompt=a mug"], "--prompts", EXIT_BAD_INPUT),
        (["--limit", "-1"], "--limit", EXIT_BAD_INPUT),
        (["--fetch", "magic"], "magic", EXIT_BAD_INPUT),
        (["--fetch", "clip"], "--yes", EXIT_FAILED),
    ],
)
def test_what_cannot_be_done_is_told_before_the_work(
    given: list[str], said: str, code: int, tmp_path: Path, capsys
) -> None:
    assert main(["evaluate", *given, "--quiet", "--out", str(tmp_path / "out")]) == code
    told = capsys.readouterr().err
    assert said in told and "try:" in told and "Traceback" not in told
    assert not (tmp_path / "out" / "assets").exists()


def test_scorers_are_listed_with_size_and_licence(capsys) -> None:
    assert main(["evaluate", "--list"]) == 0 and main(["evaluate", "--fetch", "toybox"]) == 0
    told = capsys.readouterr().out
    assert "1720 MB; MIT" in told and "image-reward" in told and "already installed" in told


@pytest.mark.heavy
def test_two_workers_make_what_one_would(made: Path, tmp_path: Path) -> None:
    """The same folders, so that either goes on where the other stopped."""
    (tmp_path / "prompt_mine.txt").write_text("a red mug\na blue car\n")
    assert main(["evaluate", *arguments(tmp_path), "--workers", "2"]) == 0
    (scorer,) = report(tmp_path / "out")["scorers"]
    (before,) = report(made / "out")["scorers"]
    same = {
        asset["prompt"]: asset["azimuth_scores"] for asset in before["assets"] if "azimuth_scores" in asset
    }
    assert {asset["prompt"]: asset["azimuth_scores"] for asset in scorer["assets"]}["a red mug"] == same[
        "a red mug"
    ]
    assert (tmp_path / "out" / "batch.jsonl").read_text().count('"done"') == 2


def test_a_number_of_workers_that_makes_no_sense_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "prompt_mine.txt").write_text("a red mug\n")
    assert main(["evaluate", *arguments(tmp_path), "--workers", "0"]) == EXIT_BAD_INPUT
    assert "--workers is 0" in capsys.readouterr().err
