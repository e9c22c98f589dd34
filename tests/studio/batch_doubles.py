"""A maker of rows for worker processes: quick, and one that ends its process the first time that it sees a
row called so.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from PIL import Image

from studio.batch.outcomes import DONE, FAILED, Outcome, digest_of
from studio.commands.generate_options import GenerateOptions


def quick(name: str, options: GenerateOptions, attempts: int) -> Outcome:
    """Writes a sheet and notes that it was here; ``deadly`` rows end the process, ``once`` only the first
    time.
    """
    options.out.mkdir(parents=True, exist_ok=True)
    with (options.out / "calls.txt").open("a") as file:
        file.write(f"{os.getpid()}\n")
    if name.startswith("deadly") or (name.startswith("once") and attempts == 1):
        os._exit(9)
    if name.startswith("bad"):
        return Outcome(
            name, FAILED, digest_of(options), error="It cannot be made.", remedy="Write something else."
        )
    time.sleep(0.02)
    Image.new("RGB", (400, 200), (200, 60, 40)).save(options.out / "views.png")
    return Outcome(
        name, DONE, digest_of(options), attempts=attempts, prompt=options.prompt or "", files=("views.png",)
    )


def calls(out: Path) -> int:
    return len((out / "calls.txt").read_text().splitlines())
