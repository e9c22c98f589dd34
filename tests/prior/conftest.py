"""Tiny latent pipelines on disk, written once for all tests of this folder."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


def load_beside(name: str) -> ModuleType:
    """A helper file of this folder; imported when it is needed, because diffusers is slow to import."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def save_pipeline() -> Callable[..., Path]:
    """``save_tiny_pipeline``: write a pipeline of one's own."""
    return load_beside("tiny_pipeline").save_tiny_pipeline


@pytest.fixture(scope="session")
def tiny_pipelines(
    save_pipeline: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """Folders by prediction type; do not write into them."""
    root = tmp_path_factory.mktemp("pipelines")
    return {kind: save_pipeline(root / kind, kind) for kind in ("epsilon", "v_prediction", "sample")}


@pytest.fixture(scope="session")
def save_sdxl() -> Callable[..., Path]:
    """``save_tiny_sdxl``: write an SDXL pipeline of one's own."""
    load_beside("tiny_pipeline")  # which it imports
    return load_beside("tiny_sdxl").save_tiny_sdxl


@pytest.fixture(scope="session")
def save_flow() -> dict[str, Callable[..., Path]]:
    """``save_tiny_sd3`` and ``save_tiny_sana``: write flow pipelines of one's own."""
    load_beside("tiny_pipeline")  # which it imports
    module = load_beside("tiny_flow")
    return {"sd3": module.save_tiny_sd3, "sana": module.save_tiny_sana}


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty Hub cache of the test's own; any address of the real Hub leads nowhere."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub-cache"))
    _point_to(monkeypatch, "http://127.0.0.1:9")  # the port of the discard service: refused at once
    return tmp_path / "hub-cache"


@pytest.fixture
def fake_hub(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A Hub on loopback, empty at first."""
    with load_beside("fake_hub").serve_hub() as hub:
        _point_to(monkeypatch, hub.address)
        yield hub


def _point_to(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", address)
    monkeypatch.setattr(
        constants, "HUGGINGFACE_CO_URL_TEMPLATE", address + "/{repo_id}/resolve/{revision}/{filename}"
    )
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
