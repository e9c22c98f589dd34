"""5. A studio on another machine, with a login: the same calls over HTTP, and pictures as the shape grows."""

from __future__ import annotations

import sys
from pathlib import Path

from studio.client import Client


def main(there: Client, out: Path, **settings: object) -> Path | None:
    """Submit a run there, save one picture of it, stop it, and return the picture's path; None if there was
    no shape yet.
    """
    run = there.generate("a small house with a red roof", settings=settings)
    picture = next(
        (frame for _ in run.follow() if (frame := run.frame(azimuth_deg=30, size=256)) is not None), None
    )
    run.stop()
    run.wait()
    if picture is not None:
        picture.save(out)
    return None if picture is None else out


if __name__ == "__main__":
    url, user, password = sys.argv[1:4]
    with Client(url, login=(user, password)) as reached:
        main(reached, Path("house.png"))
