"""Networks that remember how they were built, so that a folder can hold their settings and build them again.

What diffusers' ``ConfigMixin`` does, without importing diffusers, which takes longer than a whole draft.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any

from torch import nn


class Config(dict[str, Any]):
    """Settings by name, also as attributes: ``config["width"]`` is ``config.width``."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError as error:
            raise AttributeError(name) from error


class Configured(nn.Module):
    """A network whose ``__init__`` is marked ``@keeps_config``: ``type(net)(**net.config)`` has the same
    sizes.
    """

    _config: Config

    @property
    def config(self) -> Config:
        return self._config


def keeps_config(init: Callable[..., None]) -> Callable[..., None]:
    """Keep the arguments of ``init``, defaults included, as the network's ``config``."""
    signature = inspect.signature(init)

    @wraps(init)
    def remembering(self: Configured, *args: Any, **kwargs: Any) -> None:
        given = signature.bind(self, *args, **kwargs)
        given.apply_defaults()
        init(self, *args, **kwargs)
        self._config = Config(list(given.arguments.items())[1:])

    return remembering
