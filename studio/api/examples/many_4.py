"""4. Many at once: a table of prompts, submitted once however often the script is started again."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import studio
from studio.client import Client

PROMPTS = ("a red mug", "a blue chair", "a green tree")


def main(here: Client, prompts: Iterable[str], out: Path, **settings: object) -> dict[str, str]:
    """Make all of them and return the state of each; the key makes a second start find the runs of the
    first.
    """
    runs = {
        prompt: here.generate(prompt, settings=settings, key=f"table of 3: {prompt}") for prompt in prompts
    }
    for prompt, run in runs.items():
        run.wait()
        run.download(out / prompt.replace(" ", "-"), names=["mesh"] if "mesh" in run.files() else None)
    return {prompt: run.state for prompt, run in runs.items()}


if __name__ == "__main__":
    with studio.open(owner="the owner of this table") as opened:
        print(main(opened, PROMPTS, Path("table")))
