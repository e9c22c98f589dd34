"""ControlNets on the command line: listed with the priors, fetched only after consent, refused before a run
that lacks them.
"""

from __future__ import annotations

import pytest
from huggingface_hub import constants

from studio.cli import EXIT_FAILED, main


@pytest.fixture(autouse=True)
def empty_cache(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub-cache"))


def test_they_are_listed_with_the_priors(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["priors"]) == 0
    told = capsys.readouterr().out
    assert "sd15-depth" in told and "sdxl-depth" in told and "control = sd15-normal" in told


def test_fetching_asks_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["priors", "--fetch", "sd15-depth"]) == EXIT_FAILED
    told = capsys.readouterr()
    assert "723 MB" in told.out and "licence" in told.out and "--yes" in told.err


def test_toybox_takes_none_and_says_so(tmp_path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [
        "generate",
        "--prompt",
        "a mug",
        "--out",
        str(tmp_path / "out"),
        "--set",
        "control=sd15-depth",
    ]
    assert main(arguments) != 0
    assert "takes no ControlNet" in capsys.readouterr().err
