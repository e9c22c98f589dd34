"""A Ray cluster (arXiv 1712.05889), reached or refused in seconds."""

from __future__ import annotations

import logging
import socket
from typing import Any

from engine.errors import DeviceError, MissingError

REACH_SECONDS = 5.0


def connected(address: str) -> Any:
    """The module ``ray``, connected; "auto" is the cluster of this machine. Raises MissingError or
    DeviceError.
    """
    try:
        import ray
    except ImportError as error:
        raise MissingError("Ray is not on this machine.", "Add it: pip install 'maquette[ray]'.") from error
    _check_reachable(address)
    try:
        ray.init(address=address, logging_level=logging.ERROR, log_to_driver=False)
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DeviceError(
            f"There is no Ray cluster at {address} ({reason}).",
            "Start one: ray start --head, and give its address, or auto.",
        ) from error
    return ray


def _check_reachable(address: str) -> None:
    """Raises DeviceError where nothing listens at ``HOST:PORT``, with or without a scheme: Ray itself would
    try for minutes.
    """
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if not host or not port.isdigit():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), REACH_SECONDS).close()
    except (OSError, OverflowError) as error:
        remedy = "Start one: ray start --head, and give the address that it prints, or auto."
        raise DeviceError(f"There is no Ray cluster at {address} ({error}).", remedy) from error
