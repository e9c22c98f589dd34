"""Tables that a command writes into a Markdown file, between two comments that name them."""

from __future__ import annotations

from pathlib import Path

from engine.errors import InputError, storage_errors


def put_between_markers(path: Path, name: str, text: str) -> None:
    """Replace what stands between ``<!-- name -->`` and ``<!-- /name -->``. Raises InputError without them, StorageError."""
    opening, closing = f"<!-- {name} -->", f"<!-- /{name} -->"
    with storage_errors(path):
        before, begin, rest = path.read_text(encoding="utf-8").partition(opening)
        _, end, after = rest.partition(closing)
        if not begin or not end:
            remedy = f"Put the lines {opening} and {closing} where it should stand."
            raise InputError(f"{path} has no place for the table.", remedy)
        path.write_text(f"{before}{opening}\n{text}\n{closing}{after}", encoding="utf-8")
