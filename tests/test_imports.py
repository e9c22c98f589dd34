"""Who starts is not kept waiting: what computes nothing imports no torch, and toybox needs no diffusers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def imported_by(code: str, *names: str) -> set[str]:
    """Which of the packages ``names`` a new process has imported once it has run ``code``."""
    asking = f"{code}\nimport sys\nprint('imported', *({set(names)!r} & sys.modules.keys()))"
    found = subprocess.run([sys.executable, "-c", asking], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(found.stdout.splitlines()[-1].split()[1:])


@pytest.mark.parametrize(
    "code",
    (
        "from engine.prior.registry import load_prior; load_prior('toybox')",
        "from engine.prior.toybox.prior import load_toybox",
        "from engine.prior.reference.controller import ReferenceController",
    ),
)
def test_toybox_imports_no_other_prior_library(code: str) -> None:
    assert imported_by(code, "torch", "diffusers", "transformers", "torch._dynamo") == {"torch"}
