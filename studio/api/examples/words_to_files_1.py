"""1. From words to files: submit, follow, download."""

from __future__ import annotations

from pathlib import Path

import studio
from studio.client import Client


def main(here: Client, out: Path, **settings: object) -> list[Path]:
    """Make a red mug and return the paths of its files."""
    run = here.generate("a red mug with a blue handle", seed=3, settings=settings)
    for now in run.follow():
        print(f"{now['stage']:>7} {now['total_step']:4d} of {now['total_steps']}")
    return list(run.download(out).values())


if __name__ == "__main__":
    with studio.open() as opened:
        print(*main(opened, Path("mug")), sep="\n")
