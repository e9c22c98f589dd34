"""An InputError is a ValueError, too: whoever catches ValueError around what raises one says what becomes of
it.

Read from the code without running it: the functions that a ``try`` calls by name, and those that they call in
turn.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
PATHS = dict.fromkeys(
    path.relative_to(ROOT).as_posix() for top in ("engine", "studio") for path in (ROOT / top).rglob("*.py")
)
REFUSALS = {"InputError", "UnknownError", "StateError", "LimitError", "PresetError", "FileFormatError"}
SPOKEN_OF = {"StudioError", *REFUSALS}
WIDE = {"ValueError", "LookupError"}

Place = tuple[str, str]
"""A module's path, and the name of a function or class in it."""


def text_of(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


@cache
def tree_of(path: str) -> ast.Module:
    return ast.parse(text_of(path))


@cache
def definitions(path: str) -> dict[str, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    return {node.name: node for node in ast.walk(tree_of(path)) if isinstance(node, kinds)}


@cache
def names_in(path: str) -> dict[str, Place]:
    """What the plain names of a module stand for: its own functions and classes, and those that it imports
    from others.
    """
    found = {name: (path, name) for name in definitions(path)}
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.ImportFrom) and node.module:
            base = node.module.replace(".", "/")
            source = f"{base}.py" if f"{base}.py" in PATHS else f"{base}/__init__.py"
            found |= {each.asname or each.name: (source, each.name) for each in node.names if source in PATHS}
    return found


def definition(place: Place) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    """The function; of a class, what checks a new one."""
    node = definitions(place[0]).get(place[1])
    if isinstance(node, ast.ClassDef):
        return next(
            (
                part
                for part in node.body
                if isinstance(part, ast.FunctionDef) and part.name == "__post_init__"
            ),
            None,
        )
    return node


def caught_by(handler: ast.ExceptHandler) -> set[str]:
    return (
        {node.id for node in ast.walk(handler.type) if isinstance(node, ast.Name)}
        if handler.type
        else {"Exception"}
    )


def escaping(nodes: list[ast.stmt]) -> Iterator[ast.AST]:
    """All nodes but those from which no refusal gets out: bodies of a ``try`` that catches them, and inner
    functions.
    """
    for node in nodes:
        yield node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        shut = isinstance(node, ast.Try) and any(
            caught_by(each) & {*WIDE, *SPOKEN_OF, "Exception"} for each in node.handlers
        )
        inner = [*node.handlers, *node.orelse, *node.finalbody] if shut else ast.iter_child_nodes(node)
        yield from escaping(list(inner))


def raised(path: str, body: list[ast.stmt]) -> bool:
    """Whether the statements raise a refusal themselves, or what a function makes that says it makes one."""
    for node in escaping(body):
        if (
            isinstance(node, ast.Raise)
            and isinstance(node.exc, ast.Call)
            and isinstance(node.exc.func, ast.Name)
        ):
            place = names_in(path).get(node.exc.func.id)
            maker = definition(home_of(place)) if place else None
            if node.exc.func.id in REFUSALS or (
                maker and isinstance(maker.returns, ast.Name) and maker.returns.id in REFUSALS
            ):
                return True
    return False


def called(path: str, body: list[ast.stmt]) -> dict[str, Place]:
    """What the statements call, by the name that they call it by."""
    calls = [
        node.func.id
        for node in escaping(body)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    ]
    return {name: home_of(names_in(path)[name]) for name in calls if name in names_in(path)}


@cache
def step(place: Place) -> tuple[bool, tuple[Place, ...]]:
    """Whether a function raises a refusal itself, and what else it calls."""
    node = definition(place)
    return (
        (False, ())
        if node is None
        else (raised(place[0], node.body), tuple(called(place[0], node.body).values()))
    )


@cache
def refuses(place: Place) -> bool:
    known, ahead = {place}, [place]
    while ahead:
        raises, calls = step(ahead.pop())
        if raises:
            return True
        ahead += [each for each in calls if each not in known]
        known |= set(calls)
    return False


def home_of(place: Place) -> Place:
    """Where the thing itself is written, wherever else it can be imported from."""
    further = names_in(place[0]).get(place[1], place)
    return place if further == place else home_of(further)


def unspoken(path: str) -> list[str]:
    """Each ``try`` that catches refusals without naming them, or too late."""
    found = []
    for node in ast.walk(tree_of(path)):
        if not isinstance(node, ast.Try):
            continue
        for handler in node.handlers:
            if caught_by(handler) & SPOKEN_OF:
                break
            if caught_by(handler) & WIDE:
                names = [name for name, place in called(path, node.body).items() if refuses(place)]
                names += ["raise"] if raised(path, node.body) else []
                found += [f"{path}:{handler.lineno} catches what {', '.join(names)} raises"] if names else []
    return found


def test_no_refusal_is_caught_unawares() -> None:
    catching = [path for path in PATHS if re.search(r"except .*(Value|Lookup)Error", text_of(path))]
    assert len(catching) > 40 and [remark for path in catching for remark in unspoken(path)] == []
