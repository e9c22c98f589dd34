"""The code keeps to the style that pyproject.toml states, and calls things what they hold."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
VAGUE = {"told", "asked", "found", "seen"}
"""Words that say how a value came to be, not what it is."""


@pytest.mark.parametrize("ask", ["check", "format --check"])
def test_ruff_has_no_remarks(ask: str) -> None:
    command = [sys.executable, "-m", "ruff", *ask.split(), "--no-cache", "--quiet", "."]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_nothing_is_called_by_how_it_came_to_be() -> None:
    paths = [path for house in ("engine", "studio") for path in (ROOT / house).rglob("*.py")]
    vague = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in paths
        for line, name in given_names(ast.parse(path.read_text(encoding="utf-8")))
        if name.strip("_") in VAGUE
    ]
    assert not vague, "\n".join(vague)


def given_names(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """The names that a module gives to functions, arguments, variables and attributes, with their lines."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.lineno, node.name
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.attr
