"""Methods of score distillation, one file each; the file's name is the method's key."""

from __future__ import annotations

import importlib
import pkgutil

from engine.guidance.base import Guidance


def methods() -> dict[str, type[Guidance]]:
    """Every method in this package: key -> class, found by looking for modules that define ``METHOD``.

    A folder that is appended to ``engine.guidance.__path__`` is part of the package.
    """
    classes = {}
    for module in pkgutil.iter_modules(__path__):
        method = getattr(importlib.import_module(f"{__name__}.{module.name}"), "METHOD", None)
        if method is not None:
            classes[module.name] = method
    return classes


def key_of(method: Guidance) -> str:
    """The key of a method instance: the name of the file that defines its class."""
    return type(method).__module__.rpartition(".")[2]
