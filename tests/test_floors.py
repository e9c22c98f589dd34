"""The house holds: an import may only point down, and no file outgrows one subject."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FLOORS = {
    "engine.errors": 0,
    "engine.math": 0,
    "engine.scene": 1,
    "engine.render": 2,
    "engine.prior": 3,
    "engine.scoring": 3,
    "engine.guidance": 4,
    "engine.loop": 5,
    "engine.session": 6,
    "engine.playground": 6,
    "engine.evaluation": 6,
    "studio": 7,
}
BESIDE = ("engine.toybox", "engine.benchmark")  # for people who build: may use floors 0 to 6, not each other; nothing uses them
UNKNOWN_ABOVE = {
    6: {"torch", "gradio", "viser", "starlette", "uvicorn", "websockets"},
    7: {"torch", "diffusers", "gsplat", "nerfacc"},
}
MOST_LINES = 300

FILES = sorted(path for folder in ("engine", "studio") for path in (ROOT / folder).rglob("*.py"))


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def floor_of(module: str) -> int | None:
    found = [floor for name, floor in FLOORS.items() if module == name or module.startswith(name + ".")]
    return found[0] if found else None


def imports_of(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: write imports from the top, without dots"
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def test_every_file_has_a_floor() -> None:
    names = {module_of(path) for path in FILES} - {"engine"}
    homeless = [name for name in names if floor_of(name) is None and not name.startswith(BESIDE)]
    assert not homeless


@pytest.mark.parametrize("path", FILES, ids=lambda path: module_of(path))
def test_imports_point_down(path: Path) -> None:
    module = module_of(path)
    here = floor_of(module)
    for name in imports_of(path):
        if module.startswith(BESIDE):
            others = tuple(beside for beside in BESIDE if not module.startswith(beside))
            assert not name.startswith(("studio", *others)), f"{module} imports {name}"
        elif here is not None:
            assert not name.startswith(BESIDE), f"{module} imports {name}: what is for builders stays beside the house"
            there = floor_of(name)
            assert there is None or there <= here, f"{module} (floor {here}) imports {name} (floor {there})"
            assert name.split(".")[0] not in UNKNOWN_ABOVE.get(here, set()), f"{module} (floor {here}) knows {name}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: module_of(path))
def test_files_have_one_subject(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= MOST_LINES, f"{path.relative_to(ROOT)} has {text.count(chr(10))} lines; split it"
    assert "import *" not in text
    if path.name != "__init__.py" or text.strip():
        assert ast.get_docstring(ast.parse(text)), f"{path.relative_to(ROOT)} does not say what it is"


def test_top_level_holds_nothing_else() -> None:
    allowed = {"pyproject.toml", "studio", "engine", "tests", "presets", "README.md", "LICENSE"}
    tracked = {path.name for path in ROOT.iterdir() if not path.name.startswith(".") and path.suffix not in {".egg-info"}}
    assert tracked - allowed <= {"library", "build", "dist"}
