"""Torch for modules that are read by commands which compute nothing: imported when something of it is first asked for.

``from engine.lazy import torch`` in place of ``import torch``. Such a module may use it inside functions, not while it is
imported itself, and names ``Tensor`` in annotations alone (``if TYPE_CHECKING``). One thread imports at a time, so that no other
finds a package half made.
"""

from __future__ import annotations

import importlib
import threading
from types import ModuleType
from typing import TYPE_CHECKING, Any

_IMPORTING = threading.RLock()


class Later(ModuleType):
    """Stands for the module ``name`` until it is needed; afterwards each name costs one more look-up."""

    _module: ModuleType | None = None

    def __getattr__(self, attribute: str) -> Any:
        if self._module is None:
            with _IMPORTING:
                self._module = importlib.import_module(self.__name__)
        return getattr(self._module, attribute)


if TYPE_CHECKING:
    import torch
else:
    torch = Later("torch")
