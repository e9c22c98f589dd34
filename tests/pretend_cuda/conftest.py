"""The pretend device, and priors that lie on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from engine.prior.base import Prior
from engine.prior.registry import load_prior
from tests.pretend_cuda import kernels
from tests.pretend_cuda.device import pretend_cuda
from tests.pretend_cuda.running import loaded


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This machine has a GPU with gsplat and nerfacc compiled for it."""
    kernels.install(monkeypatch)
    with pretend_cuda():
        yield


@pytest.fixture(scope="session")
def pipelines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where tiny pipelines are written when they are first asked for."""
    return tmp_path_factory.mktemp("pipelines")


@pytest.fixture(scope="session")
def kept() -> dict[str, Prior]:
    return {}


@pytest.fixture
def prior_of(gpu: None, pipelines: Path, kept: dict[str, Prior]) -> Callable[[str], Prior]:
    """A family's prior on the GPU, loaded once for all tests; "toybox" is the real one."""

    def load(family: str) -> Prior:
        if family not in kept:
            kept[family] = load_prior("toybox") if family == "toybox" else loaded(family, pipelines)
        return kept[family]

    return load


@pytest.fixture(scope="session")
def mug(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A picture of a red square on nothing."""
    path = tmp_path_factory.mktemp("pictures") / "mug.png"
    picture = Image.new("RGBA", (32, 32), (0, 0, 0, 0))
    picture.paste((230, 60, 30, 255), (8, 8, 24, 24))
    picture.save(path)
    return str(path)
