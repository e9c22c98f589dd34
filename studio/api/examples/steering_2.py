"""2. Steer while it runs: raise the guidance halfway, take it back, end early and keep the result."""

from __future__ import annotations

import studio
from studio.client import Client


def main(here: Client, change_at: int = 20, **settings: object) -> dict:
    """Steer a run by its steps and return what is known of it at its end."""
    run = here.generate("a yellow robot", preset="toybox-splats", settings=settings)
    changed = undone = False
    for now in run.follow(0.05):
        if not changed and now["total_step"] >= change_at:
            run.steer(guidance_scale=12.0)
            changed = True
        elif changed and not undone and now["total_step"] >= 2 * change_at:
            run.undo()
            undone = True
        elif undone and now["total_step"] >= 3 * change_at:
            run.stop()
    return run.now


if __name__ == "__main__":
    with studio.open() as opened:
        print(main(opened)["state"])
