"""The code keeps to the style that pyproject.toml states."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("ask", ["check", "format --check"])
def test_ruff_has_no_remarks(ask: str) -> None:
    command = [sys.executable, "-m", "ruff", *ask.split(), "--no-cache", "--quiet", "."]
    told = subprocess.run(command, cwd=Path(__file__).parents[1], capture_output=True, text=True)
    assert told.returncode == 0, told.stdout + told.stderr
