"""How well a reference that a person chose is followed: likeness of the result with it, beside the same run
without it.

    python -m engine.toybox.benchmark.reference_follow [--items 40] [--set refine_steps=40]

Objects of the shelf, whose seeds nothing was trained on, each asked for by the name of its kind. Likeness is
that of outlines, `engine.loop.reference`, of the finished shape and the reference.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from engine.loop.devices import limit_threads
from engine.loop.messages import Stepped, Unattended
from engine.loop.run import run
from engine.loop.settings import Settings, with_values
from engine.loop.spec import Knobs, RunSpec
from engine.prior.base import Prior
from engine.prior.registry import load_prior
from engine.retrieval.items import Item
from engine.session.presets import DEFAULT_PRESET, apply_preset, find_preset
from engine.session.reference_lookup import References
from engine.toybox.objects import FIRST_KINDS
from engine.toybox.shelf import items

LIKENESS = "reference_similarity"
ENOUGH, GAIN = 0.85, 0.10
"""What the median should be, and by how much it should be above that without the reference."""


@dataclass(frozen=True)
class Followed:
    """Likeness of a result with the reference ``item``, with it and without."""

    item: Item
    likeness: float
    without: float


def chosen_items(count: int) -> tuple[Item, ...]:
    """The same number of each of the kinds that the prior knows best, as far as ``count`` goes."""
    ours = items()
    of_kind = {kind: [each for each in ours if each.caption.split()[-1] == kind] for kind in FIRST_KINDS}
    deep = max((len(each) for each in of_kind.values()), default=0)
    in_turns = [each[nth] for nth in range(deep) for each in of_kind.values() if nth < len(each)]
    return tuple(in_turns[:count])


def measure(chosen: Sequence[Item], settings: Settings, prior: Prior) -> Iterator[Followed]:
    """Two runs an item."""
    with TemporaryDirectory() as folder:
        references = References(Path(folder) / "library")
        for item in chosen:
            kind = item.caption.split()[-1]
            named = replace(
                settings, spec=replace(settings.spec, prompt=f"a {kind}", reference=f"shelf:{item.id}")
            )
            with_it = references.settled(named, Path(folder) / item.id)
            without = replace(with_it, knobs=replace(with_it.knobs, reference_early=0.0, reference_late=0.0))
            yield Followed(item, *(_likeness(each, prior) for each in (with_it, without)))


def _likeness(settings: Settings, prior: Prior) -> float:
    events = run(settings.spec, settings.knobs, Unattended(), lambda _: prior)
    return [
        event.metrics[LIKENESS]
        for event in events
        if isinstance(event, Stepped) and LIKENESS in event.metrics
    ][-1]


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--items", type=int, default=40)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    options = parser.parse_args(arguments)
    limit_threads()
    settings = apply_preset(find_preset(DEFAULT_PRESET), Settings(RunSpec("a mug"), Knobs()))
    settings = with_values(settings, dict(each.split("=", 1) for each in options.set))
    rows: list[Followed] = []
    for row in measure(chosen_items(options.items), settings, load_prior(settings.spec.prior)):
        rows.append(row)
        print(f"{row.likeness:.3f}  without {row.without:.3f}  {row.item.caption}", flush=True)
    medians = [
        median(values)
        for values in zip(*((row.likeness, row.without, row.likeness - row.without) for row in rows))
    ]
    print(
        f"median of {len(rows)}: {medians[0]:.3f} (goal {ENOUGH}), without {medians[1]:.3f}, gain "
        f"{medians[2]:+.3f} (goal {GAIN})"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
