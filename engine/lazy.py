"""Torch for modules that are read by commands which compute nothing: imported when something of it is first
asked for.

``from engine.lazy import torch`` in place of ``import torch``. Such a module may use it inside functions, not
while it is imported itself, and names ``Tensor`` in annotations alone (``if TYPE_CHECKING``). One thread
imports at a time, so that no other finds a package half made.
"""

from __future__ import annotations

import importlib
import os
import sys
import threading
from types import ModuleType
from typing import TYPE_CHECKING, Any

# A thread of OpenMP that waits shall sleep: by default it spins, and on a machine with other work it takes
# the core that its partner waits for. On two cores, one of them busy, a pass of eight views takes 126 ms, not
# 277. Set before torch is there.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

importing = threading.RLock()
"""Held by whoever imports large libraries while other threads are at work."""


def imported(name: str) -> ModuleType:
    """The module ``name``; if it is not there yet, it is imported while no other thread imports."""
    module = sys.modules.get(name)
    if module is not None and not getattr(module.__spec__, "_initializing", False):
        return module
    with importing:
        return importlib.import_module(name)


class Later(ModuleType):
    """Stands for the module ``name`` until it is needed; afterwards each name costs one more look-up."""

    _module: ModuleType | None = None

    def __getattr__(self, attribute: str) -> Any:
        if self._module is None:
            self._module = imported(self.__name__)
        return getattr(self._module, attribute)


if TYPE_CHECKING:
    import torch
else:
    torch = Later("torch")
