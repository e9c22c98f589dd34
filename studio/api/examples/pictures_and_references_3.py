"""3. From a picture, with whatever on the shelf is most like it as a reference."""

from __future__ import annotations

import sys
from pathlib import Path

import studio
from studio.client import Client


def main(here: Client, picture: Path, out: Path, **settings: object) -> dict[str, Path]:
    """Make what ``picture`` shows from its front and return the paths of the files by name."""
    run = here.generate(images=[f"{picture}@0"], reference="auto", settings=settings)
    run.wait()
    for warning in run.now["warnings"]:
        print(warning["what"], warning["remedy"])
    return run.download(out)


if __name__ == "__main__":
    with studio.open() as opened:
        main(opened, Path(sys.argv[1]), Path("from-a-picture"))
