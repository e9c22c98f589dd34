"""What became of the rows of a batch, kept as it comes: a line of JSON each, so that a batch that was ended
goes on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from engine.errors import storage_errors
from studio.commands.generate_options import GenerateOptions

NAME = "batch.jsonl"
DONE, FAILED = "done", "failed"


@dataclass(frozen=True)
class Outcome:
    """``state`` is done or failed, ``digest`` that of what was asked; ``files`` are names in the row's
    folder.
    """

    id: str
    state: str
    digest: str
    seconds: float = 0.0
    attempts: int = 1
    prompt: str = ""
    error: str = ""
    remedy: str = ""
    where: str = ""
    files: tuple[str, ...] = ()


@dataclass
class Outcomes:
    """The newest outcome of each row, in memory and in ``folder``."""

    folder: Path
    by_id: dict[str, Outcome] = field(default_factory=dict)

    @staticmethod
    def of(folder: Path) -> Outcomes:
        """What ``folder`` holds; a line that was cut short when a batch was ended is left out."""
        outcomes: dict[str, Outcome] = {}
        path = folder / NAME
        for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
            try:
                values = json.loads(line)
                outcome = Outcome(**{**values, "files": tuple(values["files"])})
            except (ValueError, TypeError, KeyError):
                continue
            outcomes[outcome.id] = outcome
        return Outcomes(folder, outcomes)

    def finished(self, name: str, options: GenerateOptions) -> bool:
        """Whether this row was made already, as it is asked for now, and its files are there."""
        known = self.by_id.get(name)
        return (
            known is not None
            and known.state == DONE
            and known.digest == digest_of(options)
            and bool(known.files)
            and all((options.out / file).is_file() for file in known.files)
        )

    def keep(self, outcome: Outcome) -> None:
        """Remember it, on disk first. Raises StorageError."""
        with storage_errors(self.folder / NAME), (self.folder / NAME).open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(outcome), ensure_ascii=False) + "\n")
        self.by_id[outcome.id] = outcome


def digest_of(options: GenerateOptions) -> str:
    """What tells one request from another, wherever its results go."""
    plain = asdict(replace(options, out=Path(), resume=False, quiet=True))
    return hashlib.sha256(json.dumps(plain, default=str, sort_keys=True).encode()).hexdigest()[:16]


def plain(outcome: Outcome) -> Mapping[str, Any]:
    """One flat row of a table."""
    return {**asdict(outcome), "files": " ".join(outcome.files)}
