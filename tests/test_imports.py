"""Who starts is not kept waiting: what computes nothing imports no torch, and toybox needs no diffusers."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def imported_by(code: str, *names: str) -> set[str]:
    """Which of the packages ``names`` a new process has imported once it has run ``code``."""
    asking = f"{code}\nimport sys\nprint('imported', *({set(names)!r} & sys.modules.keys()))"
    found = subprocess.run([sys.executable, "-c", asking], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(found.stdout.splitlines()[-1].split()[1:])


HEAVY = ("torch", "diffusers", "transformers", "numba", "scipy", "skimage", "trimesh", "gradio")


LIGHT = (["presets"], ["presets", "toybox-splats"], ["priors"], ["settings"], ["kinds", "eagle"], ["doctor"])


@pytest.mark.parametrize("words", LIGHT)
def test_commands_that_compute_nothing_import_nothing_that_computes(words: list[str]) -> None:
    asks = words == ["doctor"] and not version("torch").endswith("+cpu")  # whether there is a GPU
    found = imported_by(f"from studio.cli import main; assert main({words!r}) == 0", *HEAVY)
    assert found <= ({"torch"} if asks else set())


@pytest.mark.parametrize("words", (["--help"], ["--version"], ["generate", "--help"]))
def test_help_and_version_import_nothing_at_all(words: list[str]) -> None:
    code = f"from studio.cli import main\ntry:\n    main({words!r})\nexcept SystemExit as end:\n    assert not end.code"
    assert not imported_by(code, "engine.loop", "numpy", *HEAVY)


@pytest.mark.parametrize(
    "module", ("engine.session", "engine.session.presets", "engine.loop.validation", "engine.prior.capabilities")
)
def test_settings_are_read_without_torch(module: str) -> None:
    assert not imported_by(f"import {module}", *HEAVY)


def test_every_guidance_method_is_known_without_torch() -> None:
    assert not imported_by("from engine.guidance import methods; [kind() for kind in methods().values()]", *HEAVY)


def test_threads_that_ask_for_torch_at_once_all_get_it_whole() -> None:
    code = """
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from engine.lazy import torch
start = Barrier(8)
def ask(_):
    start.wait()
    return float(torch.ones(2).sum()), torch.nn.functional.relu, torch.autograd.Function
with ThreadPoolExecutor(8) as pool:
    assert len(set(pool.map(ask, range(8)))) == 1"""
    assert imported_by(code, "torch") == {"torch"}


@pytest.mark.parametrize(
    "code",
    (
        "from engine.prior.registry import load_prior; load_prior('toybox')",
        "from engine.prior.toybox.prior import load_toybox",
        "from engine.prior.toybox.reference_controller import ReferenceController",
    ),
)
def test_toybox_imports_no_other_prior_library(code: str) -> None:
    assert imported_by(code, "torch", "diffusers", "transformers", "torch._dynamo") == {"torch"}


def test_the_page_does_not_wait_for_what_computes() -> None:
    assert imported_by("import studio.app; studio.composition.open_catalogue()", *HEAVY) <= {"gradio"}


def test_what_computes_is_imported_before_any_thread_of_the_session_begins(tmp_path: Path) -> None:
    code = f"""
import sys, threading
from pathlib import Path
from studio import composition
session = composition.open_session(Path({str(tmp_path)!r}))
session.open()
assert "torch" not in sys.modules
begun = {{}}
start = threading.Thread.start
def noting(thread):
    begun[thread.name] = "engine.prior.toybox.prior" in sys.modules and "engine.loop.run" in sys.modules
    start(thread)
threading.Thread.start = noting
session.start()
session.close()
assert begun["engine"] and begun["frames"], begun"""
    assert "torch" in imported_by(code, "torch")
