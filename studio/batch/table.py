"""Tables of objects to make: CSV, or JSON lines. A row is what ``generate`` takes: words, pictures, a
reference, any settings.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import InputError, StudioError
from engine.loop.validation import check_before_loading
from studio.commands.generate import settings_from
from studio.commands.generate_options import GenerateOptions

ID = "id"
OPTIONS = ("prompt", "negative_prompt", "image_elevation", "reference", "reference_curve", "preset")
NUMBERS = ("seed", "reference_strength")
COLUMNS = (ID, *OPTIONS, *NUMBERS, "image")
BETWEEN = ";"  # pictures of one row
MOST_ROWS, MOST_BYTES, MOST_TOLD = 100_000, 256 << 20, 12
_ID = re.compile(r"[\w][\w.\- ]{0,79}")


@dataclass(frozen=True)
class Row:
    """``id`` names it and its folder; ``line`` is where it stands in the table."""

    id: str
    line: int
    options: GenerateOptions


def read_table(path: Path, out: Path, formats: str) -> tuple[Row, ...]:
    """All rows, each checked as ``generate`` would. Raises InputError that names every line with a fault, up
    to twelve.
    """
    rows, faults = [], []
    lines: dict[str, int] = {}
    for line, cells in _cells(path):
        try:
            row = _row(line, cells, path.absolute().parent, out, formats)
            if row.id in lines:
                raise InputError(
                    f"its id {row.id!r} stands in line {lines[row.id]}, too.",
                    "Give each row an id of its own.",
                )
            lines[row.id] = line
            rows.append(row)
        except StudioError as error:
            faults.append(f"line {line}: {error}")
    if faults:
        more = f"\n  and {len(faults) - MOST_TOLD} more" if len(faults) > MOST_TOLD else ""
        listed = "\n  ".join(faults[:MOST_TOLD])
        what = f"{path.name} has {len(faults)} rows that cannot be made:\n  {listed}{more}\n"
        raise InputError(what, "Correct them; nothing has begun.")
    if not rows:
        raise InputError(
            f"{path.name} has no rows.", 'Write a header such as "prompt,seed" and a row for each object.'
        )
    return tuple(rows)


def _row(line: int, cells: Mapping[str, Any], folder: Path, out: Path, formats: str) -> Row:
    remaining = {name: value for name, value in cells.items() if value not in ("", None)}
    name = str(remaining.pop(ID, f"row-{line:05d}")).strip()
    if not _ID.fullmatch(name) or name.endswith((" ", ".")):
        raise InputError(f"{name!r} cannot name a folder.", "Use letters, digits, -, _ and . in an id.")
    if not {"prompt", "image", "reference"} & remaining.keys():
        raise InputError("it says neither prompt nor image nor reference.", "Fill one of these columns.")
    taken: dict[str, Any] = {key: str(remaining.pop(key)) for key in OPTIONS if key in remaining}
    taken |= {key: _number(key, remaining.pop(key)) for key in NUMBERS if key in remaining}
    if "image" in remaining:
        pictures = [each.strip() for each in str(remaining.pop("image")).split(BETWEEN)]
        taken["image"] = tuple(_beside(folder, each) for each in pictures if each)
    if "reference" in taken:
        taken["reference"] = _beside(folder, taken["reference"])
    options = GenerateOptions(out=out / name, settings=remaining, formats=formats, quiet=True, **taken)
    settings = settings_from(options)
    check_before_loading(settings)
    _check_files(options)
    return Row(name, line, options)


def _check_files(options: GenerateOptions) -> None:
    for each in options.image:
        path = each if Path(each).is_file() else each.rpartition("@")[0]
        if not Path(path).is_file():
            raise InputError(f"its image {each!r} is no file.", "Paths are taken from the table's folder.")


def _beside(folder: Path, text: str) -> str:
    """A path as the table's folder has it; what names nothing there (a shelf's thing) is left as it is."""
    name = text if (folder / text).is_file() else text.rpartition("@")[0]
    return str(folder / text) if name and (folder / name).is_file() else text


def _number(name: str, value: Any) -> int | float:
    try:
        return int(value) if name == "seed" else float(value)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"its {name} is {value!r}, which is no number.", "Write a number, or leave it empty."
        ) from error


def _cells(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """(line, cells by column) of each row."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise InputError(f"{path.name} is larger than {MOST_BYTES >> 20} MB.", "Split it.")
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path} cannot be read ({error}).", "Give a CSV file or JSON lines, in UTF-8."
        ) from error
    reader = _json_lines if path.suffix.lower() in (".jsonl", ".ndjson") else _csv
    for number, cells in enumerate(reader(path, text), 1):
        if number > MOST_ROWS:
            raise InputError(f"{path.name} has more than {MOST_ROWS:,} rows.", "Split it.")
        yield cells


def _json_lines(path: Path, text: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for line, each in enumerate(text.splitlines(), 1):
        if not each.strip():
            continue
        try:
            cells = json.loads(each)
        except (ValueError, RecursionError) as error:
            raise InputError(
                f"{path.name}, line {line}: it is not JSON ({error}).", "Write one JSON object a line."
            ) from error
        if not isinstance(cells, dict) or not all(
            isinstance(cell, str | int | float | bool | None) for cell in cells.values()
        ):
            raise InputError(
                f"{path.name}, line {line}: it is not an object of plain values.",
                'Write {"prompt": "a red mug"}.',
            )
        yield line, cells


def _csv(path: Path, text: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        header = [name.strip() for name in next(reader, [])]
        if len(set(header)) != len(header) or not all(header):
            raise InputError(
                f"{path.name}: the header has empty or repeated names.", "Name each column once."
            )
        if not {"prompt", "image", "reference"} & set(header):
            columns = ", ".join(COLUMNS)
            raise InputError(
                f"{path.name} has no column prompt, image or reference.",
                f"Columns: {columns}, and any setting.",
            )
        for cells in reader:
            if not any(cells):
                continue
            if len(cells) != len(header):
                what = (
                    f"{path.name}, line {reader.line_num}: it has {len(cells)} cells, and the header "
                    f"{len(header)}."
                )
                raise InputError(what, 'Put cells that hold commas between quotes: "a mug, red".')
            yield reader.line_num, dict(zip(header, (cell.strip() for cell in cells)))
    except csv.Error as error:
        raise InputError(f"{path.name}, line {reader.line_num}: {error}.", "Write plain CSV.") from error
