"""The house holds: an import may only point down, and no file outgrows one subject."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FLOORS = {
    "engine.errors": 0,
    "engine.lazy": 0,
    "engine.packing": 0,
    "engine.shipped": 0,
    "engine.core": 0,
    "engine.scene": 1,
    "engine.render": 2,
    "engine.prior": 3,
    "engine.scoring": 3,
    "engine.guidance": 4,
    "engine.assets": 4,
    "engine.retrieval": 4,
    "engine.synchronisation": 4,
    "engine.loop": 5,
    "engine.editing": 5,
    "engine.session": 6,
    "engine.playground": 6,
    "engine.evaluation": 6,
    "studio": 7,
}
# for people who build: may use floors 0 to 6, not each other; nothing uses them
BESIDE = (
    "engine.toybox",
    "engine.benchmark",
)
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


def test_imports_point_down() -> None:
    assert not [fault for path in FILES for fault in faults_of(module_of(path), imports_of(path))]


def faults_of(module: str, names: set[str]) -> Iterator[str]:
    """What is wrong with the imports ``names`` of a module."""
    here, others = floor_of(module), tuple(beside for beside in BESIDE if not module.startswith(beside))
    for name in sorted(names):
        there = floor_of(name)
        if here is None:
            if module.startswith(BESIDE) and name.startswith(("studio", *others)):
                yield f"{module} imports {name}"
        elif name.startswith(BESIDE):
            yield f"{module} imports {name}: what is for builders stays beside the house"
        elif there is not None and there > here:
            yield f"{module} (floor {here}) imports {name} (floor {there})"
        elif name.removeprefix("engine.lazy.").split(".")[0] in UNKNOWN_ABOVE.get(here, set()):
            yield f"{module} (floor {here}) knows {name}"


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("engine.core.camera", "engine.scene.splats"),
        ("engine.loop.run", "engine.session.jobs"),
        ("engine.prior.base", "engine.toybox.train"),
        ("engine.toybox.train", "studio.page"),
        ("engine.toybox.train", "engine.benchmark.report"),
        ("engine.session.jobs", "torch.nn"),
        ("studio.page", "torch"),
    ],
)
def test_an_import_that_points_up_is_a_fault(module: str, name: str) -> None:
    assert list(faults_of(module, {name, "numpy", "engine.errors"})) == [next(faults_of(module, {name}))]


def test_files_have_one_subject() -> None:
    assert not [
        f"{module_of(path)}: {fault}"
        for path in FILES
        for fault in faults_in(path.name, path.read_text(encoding="utf-8"))
    ]


def faults_in(name: str, text: str) -> Iterator[str]:
    """What is wrong with a file, other than its imports."""
    if text.count("\n") > MOST_LINES:
        yield f"it has {text.count(chr(10))} lines; split it"
    if "import *" in text:
        yield "it imports a star"
    if (name != "__init__.py" or text.strip()) and not ast.get_docstring(ast.parse(text)):
        yield "it does not say what it is"


def test_a_file_without_a_subject_is_a_fault() -> None:
    long = '"""Long."""\n' * (MOST_LINES + 1)
    assert [
        len(list(faults_in("a.py", text))) for text in ("", '"""Says."""\n', "from x import *\n", long)
    ] == [1, 0, 2, 1]
    assert not list(faults_in("__init__.py", ""))


def test_top_level_holds_nothing_else() -> None:
    allowed = {"pyproject.toml", "studio", "engine", "tests", "presets", "findings", "README.md", "LICENSE"}
    tracked = {
        path.name
        for path in ROOT.iterdir()
        if not path.name.startswith(".") and path.suffix not in {".egg-info"}
    }
    assert tracked - allowed <= {"library", "build", "dist"}
