"""Where a Space begins: the page on the port that the Hub asks for, over the disk that it has."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from studio.commands.serving import AUTH, logins_in
from studio.space.folder import PORT

PERSISTENT = Path("/data")


def start(mode: str) -> None:
    """Serve until the Space is stopped."""
    if mode == "zero":  # before torch is imported by anything
        import spaces  # noqa: F401

    from studio.app import serve

    serve(
        host=os.environ.get("GRADIO_SERVER_NAME", "0.0.0.0"),
        port=int(os.environ.get("GRADIO_SERVER_PORT", PORT)),
        share=False,
        library=library_in(os.environ),
        logins=logins_in(os.environ.get(AUTH, "").split()),
        run=_zero_run() if mode == "zero" else None,
    )


def library_in(environment: Mapping[str, str], persistent: Path = PERSISTENT) -> Path:
    """Where runs are kept: as ``MAQUETTE_HOME`` says, on the persistent disk if there is one, else beside the
    program.
    """
    home = environment.get("MAQUETTE_HOME")
    if home:
        return Path(home)
    return persistent / "maquette" if os.access(persistent, os.W_OK) else Path("library").absolute()


def _zero_run():
    import spaces

    from studio.space.slices import SLICE_SECONDS, one_slice, sliced

    return sliced(spaces.GPU(duration=int(SLICE_SECONDS + 40))(one_slice))
