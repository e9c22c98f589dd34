"""Opens a folder in the file manager of the machine that the studio runs on, for whoever sits at it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from starlette.requests import Request

from studio.guard import is_address, is_loopback

FORWARDED = ("x-forwarded-for", "forwarded", "x-real-ip")
DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY")


def sits_here(request: Request) -> bool:
    """Whether a request comes from this machine itself, and through no proxy that stands for others."""
    host = "" if request.client is None else request.client.host
    return is_address(host) and is_loopback(host) and not any(name in request.headers for name in FORWARDED)


def command_for(platform: str, environment: Mapping[str, str]) -> list[str]:
    """What opens a folder there; empty where nothing does, as on a server without a screen."""
    if platform == "win32":
        return ["explorer"]
    if platform == "darwin":
        return ["open"]
    opener = shutil.which("xdg-open")
    return [opener] if opener and any(environment.get(name) for name in DISPLAYS) else []


def open_folder(folder: Path) -> bool:
    """Open it; False where that cannot be."""
    command = command_for(sys.platform, os.environ)
    if not command or not folder.is_dir():
        return False
    try:
        subprocess.Popen(
            [*command, str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    except OSError:
        return False
    return True
