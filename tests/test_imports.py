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
    found = subprocess.run(
        [sys.executable, "-c", asking], cwd=ROOT, capture_output=True, encoding="utf-8", check=True
    )
    return set(found.stdout.splitlines()[-1].split()[1:])


HEAVY = ("torch", "diffusers", "transformers", "numba", "scipy", "skimage", "trimesh", "gradio")


HELP = (["--help"], ["--version"], ["generate", "--help"])
LIGHT = (["presets"], ["presets", "toybox-splats"], ["priors"], ["settings"], ["kinds", "eagle"])


def test_commands_that_compute_nothing_import_nothing_that_computes() -> None:
    """One after the other in one process: what any of them imports is there at the end."""
    assert not imported_by(
        f"from studio.cli import main\nfor words in {LIGHT!r}: assert main(words) == 0", *HEAVY
    )


def test_the_doctor_imports_torch_at_most_to_ask_for_a_gpu() -> None:
    asks = not version("torch").endswith("+cpu")
    assert imported_by("from studio.cli import main; assert main(['doctor']) == 0", *HEAVY) <= (
        {"torch"} if asks else set()
    )


def test_help_and_version_import_nothing_at_all() -> None:
    code = f"""
from studio.cli import main
for words in {HELP!r}:
    try:
        main(words)
    except SystemExit as end:
        assert not end.code
    else:
        raise AssertionError(words)"""
    assert not imported_by(code, "engine.loop", "numpy", *HEAVY)


def test_settings_are_read_without_torch() -> None:
    modules = (
        "engine.session",
        "engine.session.presets",
        "engine.loop.validation",
        "engine.prior.capabilities",
    )
    assert not imported_by(f"import {', '.join(modules)}", *HEAVY)


def test_every_guidance_method_is_known_without_torch() -> None:
    assert not imported_by(
        "from engine.guidance import methods; [kind() for kind in methods().values()]", *HEAVY
    )


@pytest.mark.heavy
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


def test_toybox_imports_no_other_prior_library() -> None:
    code = """
from engine.prior.registry import load_prior
from engine.prior.toybox.prior import load_toybox
from engine.prior.toybox.reference_controller import ReferenceController
load_prior('toybox')"""
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
