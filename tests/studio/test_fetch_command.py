"""``python -m studio priors --fetch``, from a Hub on loopback, as a person at a terminal meets it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fetching_page import fake_hub_module, point_to, write_entry, write_repository
from huggingface_hub import constants

from engine.prior.registry import installed
from studio.cli import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_OK, main
from studio.commands import listing


@pytest.fixture
def far(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The Hub; the command finds the prior "far" on it."""
    for name in ("HF_HUB_CACHE", "ENDPOINT", "HUGGINGFACE_CO_URL_TEMPLATE"):
        monkeypatch.setattr(constants, name, getattr(constants, name))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    entry = write_entry(tmp_path / "entries")
    monkeypatch.setattr(listing, "find_entry", lambda wanted: entry)
    with fake_hub_module().serve_hub() as hub:
        hub.repositories["somebody/far"], hub.entry = write_repository(tmp_path / "repository"), entry
        point_to(hub.address, tmp_path / "cache")
        yield hub


def test_size_licence_page_and_target_come_first_and_nothing_is_fetched_without_a_yes(
    far: Any, capsys
) -> None:
    assert main(["priors", "--fetch", "far"]) == EXIT_FAILED
    told = capsys.readouterr()
    for fact in (
        "about 1 MB",
        "CC0-1.0",
        "https://huggingface.co/somebody/far",
        "cache/models--somebody--far",
    ):
        assert fact in told.out
    assert "--yes" in told.err and far.requests == []


def test_the_bar_shows_speed_and_time_left_and_the_path_comes_last(far: Any, capsys) -> None:
    assert main(["priors", "--fetch", "far", "--yes"]) == EXIT_OK
    told = capsys.readouterr()
    assert installed(far.entry) and "B/s" in told.err
    path = told.out.strip().splitlines()[-1].removeprefix("far is installed in ")
    assert (Path(path) / "unet" / "diffusion_pytorch_model.safetensors").is_file()


def test_an_interrupted_download_says_that_nothing_is_lost(
    far: Any, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(entry: object, report: object) -> Path:
        raise KeyboardInterrupt

    with monkeypatch.context() as pressed:
        pressed.setattr(listing, "fetch", interrupt)
        assert main(["priors", "--fetch", "far", "--yes"]) == EXIT_INTERRUPTED
    told = capsys.readouterr()
    assert "What was fetched is kept" in told.out + told.err


def test_a_gate_is_named_before_and_after(far: Any, capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "find_entry", lambda wanted: replace(far.entry, gated=True))
    far.gated.add("somebody/far")
    assert main(["priors", "--fetch", "far", "--yes"]) == EXIT_FAILED
    told = capsys.readouterr()
    assert "accept the licence on that page first" in told.out and "hf auth login" in told.err
