"""Rows on a Ray cluster (R. Moritz et al., arXiv 1712.05889): a task a row, on whichever node has room.

A row is made in a temporary folder of its node, and its files travel back: nothing needs to be shared but the
program. When a node dies, Ray gives its rows to another; only what has come back whole is written, so every
row is written once.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from engine.core.ray_cluster import connected
from engine.errors import DeviceError, storage_errors
from engine.loop import checkpoint
from studio.batch.making import make_row
from studio.batch.outcomes import DONE, FAILED, Outcome, digest_of
from studio.batch.table import Row

Made = tuple[Outcome, dict[str, bytes]]
# rows that wait at the cluster for each that can run: enough to keep it busy, few enough to be ended quickly
AHEAD = 4


@dataclass(frozen=True)
class RayCluster:
    """The cluster at ``address`` ("auto": that of this machine). Each row takes ``cpus`` and ``gpus`` of a
    node.
    """

    address: str
    cpus: float = 1.0
    gpus: float = 0.0
    retries: int = 2

    def outcomes(self, rows: Sequence[Row]) -> Iterator[Outcome]:
        """What becomes of each row, in the order in which they end.

        Raises MissingError without Ray, and DeviceError without a cluster, or with one on which no row fits.
        """
        ray = connected(self.address)
        try:
            yield from self._delivered(ray, rows)
        finally:
            ray.shutdown()

    def _delivered(self, ray: Any, rows: Sequence[Row]) -> Iterator[Outcome]:
        room = self._room(ray)
        task = ray.remote(num_cpus=self.cpus, num_gpus=self.gpus, max_retries=self.retries)(_make_there)
        waiting, going = list(reversed(rows)), {}
        while waiting or going:
            while waiting and len(going) < AHEAD * room:
                row = waiting.pop()
                going[task.remote(row.id, row.options, _pictures(row))] = row
            (ready, *_), _ = ray.wait(list(going), num_returns=1)
            yield self._received(ray, ready, going.pop(ready))

    def _received(self, ray: Any, ready: Any, row: Row) -> Outcome:
        try:
            outcome, files = ray.get(ready)
        except ray.exceptions.RayError as error:
            reason = str(error).splitlines()[0][:200]
            what, remedy = (
                f"its node was lost {self.retries + 1} times ({reason}).",
                "Start the batch again: it goes on.",
            )
            return Outcome(
                row.id, FAILED, digest_of(row.options), attempts=self.retries + 1, error=what, remedy=remedy
            )
        with storage_errors(row.options.out):
            row.options.out.mkdir(parents=True, exist_ok=True)
            for name, content in files.items():
                part = row.options.out / f".{name}.part"
                part.write_bytes(content)
                part.replace(row.options.out / name)
        return outcome

    def _room(self, ray: Any) -> int:
        """How many rows can run at once. Raises DeviceError where none can."""
        there = ray.cluster_resources()
        wanted = {"CPU": self.cpus, "GPU": self.gpus}
        fits = [int(there.get(name, 0) // share) for name, share in wanted.items() if share]
        if not fits or min(fits) < 1:
            has = ", ".join(f"{there.get(name, 0):g} {name}" for name in wanted)
            what = (
                f"No row fits the cluster: each takes {self.cpus:g} CPU and {self.gpus:g} GPU, and it "
                f"has {has}."
            )
            raise DeviceError(what, "Lower --cpus-per-run or --gpus-per-run, or add nodes.")
        return min(fits)


def _pictures(row: Row) -> dict[str, bytes]:
    """The files that a row names, by their paths here: nodes need not share a disk."""
    named = [*row.options.image, *((row.options.reference,) if row.options.reference else ())]
    paths = [text if Path(text).is_file() else text.rpartition("@")[0] for text in named]
    return {path: Path(path).read_bytes() for path in paths if path and Path(path).is_file()}


def _make_there(name: str, options: Any, pictures: dict[str, bytes]) -> Made:
    with tempfile.TemporaryDirectory(prefix="maquette-row-") as folder:
        moved = {}
        for number, (path, content) in enumerate(pictures.items()):
            moved[path] = Path(folder) / f"given-{number}" / Path(path).name
            moved[path].parent.mkdir()
            moved[path].write_bytes(content)
        there = replace(
            options,
            out=Path(folder) / "out",
            image=tuple(_renamed(each, moved) for each in options.image),
            reference=None if options.reference is None else _renamed(options.reference, moved),
        )
        outcome = replace(make_row(name, there, 1), digest=digest_of(options))
        names = (*outcome.files, checkpoint.NAME) if outcome.state == DONE else ()  # as a run here leaves it
        files = {name: (there.out / name).read_bytes() for name in names if (there.out / name).is_file()}
        return outcome, files


def _renamed(text: str, moved: dict[str, Path]) -> str:
    path = next((path for path in moved if text == path or text.startswith(f"{path}@")), None)
    return text if path is None else f"{moved[path]}{text[len(path) :]}"
