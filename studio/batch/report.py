"""The result of a batch as tables: CSV always, Parquet where pyarrow is, and a page of thumbnails that opens
anywhere.
"""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Sequence
from html import escape
from importlib.util import find_spec
from pathlib import Path

from PIL import Image

from engine.assets.export.files import atomic_path
from engine.errors import storage_errors
from studio.batch.outcomes import DONE, Outcome, plain
from studio.batch.table import Row

PAGE, TABLE, PARQUET = "batch.html", "batch.csv", "batch.parquet"
THUMBNAIL = 144
COLUMNS = tuple(plain(Outcome("", "", "")))
STYLE = """body{font:15px/1.4 system-ui,sans-serif;margin:2rem;background:#f4f2ee;color:#26241f}
h1{font-weight:600}
main{display:grid;gap:1rem;grid-template-columns:repeat(auto-fill,minmax(11rem,1fr))}
article{background:#fff;border-radius:.6rem;padding:.7rem;box-shadow:0 1px 3px #0002;overflow-wrap:anywhere}
img,.none{width:100%;aspect-ratio:1;object-fit:cover;border-radius:.4rem;background:#eceae4;display:block}
p{margin:.4rem 0 0}.failed{color:#8c2f1b}small{color:#6b675e}a{color:#1d6a5b}"""


def write_report(out: Path, rows: Sequence[Row], outcomes: Sequence[Outcome]) -> tuple[Path, ...]:
    """Write the tables and the page into ``out``; returns their paths. Raises StorageError."""
    written = [out / TABLE, out / PAGE]
    with storage_errors(out):
        with atomic_path(out / TABLE) as path, path.open("w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, COLUMNS)
            table.writeheader()
            table.writerows(map(plain, outcomes))
        with atomic_path(out / PAGE) as path:
            path.write_text(_page(out, outcomes), encoding="utf-8")
        if find_spec("pyarrow") is not None:
            _write_parquet(out / PARQUET, rows, outcomes)
            written.append(out / PARQUET)
    return tuple(written)


def _write_parquet(path: Path, rows: Sequence[Row], outcomes: Sequence[Outcome]) -> None:
    import pyarrow
    import pyarrow.parquet

    by_id = {row.id: row for row in rows}
    table = [
        {**plain(each), "thumbnail": _thumbnail(by_id[each.id].options.out)}
        for each in outcomes
        if each.id in by_id
    ]
    with atomic_path(path) as part:
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(table), part)


def _page(out: Path, outcomes: Sequence[Outcome]) -> str:
    done = sum(each.state == DONE for each in outcomes)
    cards = "\n".join(_card(out, each) for each in outcomes)
    title = f"{done} of {len(outcomes)} made"
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" '
        'content="width=device-width">'
        f"<title>{title}</title><style>{STYLE}</style><h1>{title}</h1><main>{cards}</main></html>\n"
    )


def _card(out: Path, outcome: Outcome) -> str:
    picture = _thumbnail(out / outcome.id)
    shown = '<div class="none"></div>'
    if picture:
        data = f"data:image/jpeg;base64,{base64.b64encode(picture).decode()}"
        shown = f'<img alt="{escape(outcome.prompt or outcome.id)}" src="{data}">'
    links = " ".join(
        f'<a href="{escape(outcome.id)}/{escape(file)}">{escape(file)}</a>' for file in outcome.files
    )
    seconds = f"<small>{outcome.seconds:.0f} s</small>" if outcome.state == DONE else ""
    fault = f'<p class="failed">{escape(outcome.error)} {escape(outcome.remedy)}</p>' if outcome.error else ""
    words = f"<p><b>{escape(outcome.id)}</b> {seconds}</p><p>{escape(outcome.prompt)}</p>"
    return f"<article>{shown}{words}{fault}<p>{links}</p></article>"


def _thumbnail(folder: Path) -> bytes:
    """A small JPEG of the result's front, from the sheet of its views; empty where there is none."""
    try:
        with Image.open(folder / "views.png") as sheet:
            side = sheet.width // 4
            small = (
                sheet.convert("RGB")
                .crop((0, 0, side, min(side, sheet.height)))
                .resize((THUMBNAIL, THUMBNAIL))
            )
    except OSError:
        return b""
    kept = io.BytesIO()
    small.save(kept, "JPEG", quality=85)
    return kept.getvalue()
