"""Tiny latent pipelines on disk, written once for all tests of this folder."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def save_pipeline() -> Callable[..., Path]:
    """``save_tiny_pipeline`` of the file beside this one; imported late, because diffusers is slow to import."""
    spec = importlib.util.spec_from_file_location("tiny_pipeline", Path(__file__).with_name("tiny_pipeline.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.save_tiny_pipeline


@pytest.fixture(scope="session")
def tiny_pipelines(save_pipeline: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders by prediction type; do not write into them."""
    root = tmp_path_factory.mktemp("pipelines")
    return {kind: save_pipeline(root / kind, kind) for kind in ("epsilon", "v_prediction", "sample")}
