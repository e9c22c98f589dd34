"""What judgements amount to, in numbers, tables and on the sheet."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from engine.evaluation.assets import Asset
from engine.evaluation.judging import Judgement, Look
from engine.evaluation.report import Row, document, summarise, tables
from engine.evaluation.sheet import GOOD, SIZE, WORST, compose
from tests.evaluation.doubles import Brightness

INFO = Brightness().info


def row(set_name: str, worst: float | None, janus: float | None = None, seconds: float | None = None) -> Row:
    asset = Asset(set_name, "one", f"a mug | {worst}", Path("nowhere"))
    if worst is None:
        return Row(asset, INFO, trouble="the disk of dreams is full", seconds=seconds)
    scores = (0.75, (worst + 50) / 200)
    return Row(
        asset,
        INFO,
        Judgement(60.0, 100.0, (100 + worst) / 2, worst, 0.0, 180.0, scores, janus),
        seconds=seconds,
    )


ROWS = [
    row("single", 10.0, 0.0, 1.0),
    row("single", 30.0, None, 9.0),
    row("single", None, seconds=2.0),
    row("multiple", -20.0, 1.0),
]


def test_summaries_are_means_over_what_was_judged() -> None:
    single, multiple, everything = summarise(ROWS)
    assert (single.set_name, single.assets, single.judged) == ("single", 3, 2)
    assert (single.worst, single.best, single.mean, single.quality) == (20.0, 100.0, 60.0, 60.0)
    assert single.janus == 0.0 and single.seconds == 2.0, (
        "means over those that can tell; the median of seconds"
    )
    assert (multiple.judged, multiple.janus, multiple.seconds) == (1, 1.0, None)
    assert (
        everything.set_name == "all" and everything.worst == pytest.approx(20 / 3) and everything.janus == 0.5
    )


def test_a_set_of_which_nothing_was_judged_has_no_means() -> None:
    (only,) = summarise([row("single", None)])
    assert (only.assets, only.judged, only.worst, only.janus) == (1, 0, None, None)


def test_the_document_says_what_judged_from_where() -> None:
    told = json.loads(json.dumps(document(ROWS, Look(), None), allow_nan=False))
    assert told["viewpoints"]["azimuths_deg"] == [0, 45, 90, 135, 180, 225, 270, 315]
    (own,) = told["scorers"]
    assert own["id"] == "brightness" and len(own["assets"]) == 4 and len(own["sets"]) == 3
    assert own["assets"][0]["worst"] == 10.0 and own["assets"][2]["trouble"].startswith("the disk")


def test_tables_have_a_line_for_every_set_and_asset() -> None:
    text = tables(ROWS)
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert len(lines) == 2 + 3 + 2 + 4 and all(
        line.count("|") - line.count("\\|") in (10, 7) for line in lines
    )
    assert "-20.0 at 180°" in text and "the disk of dreams" in text
    assert len(tables(ROWS, details=False).splitlines()) == 4 + 2 + 3


def test_the_sheet_marks_the_worst_view_of_every_asset() -> None:
    strips = [np.full((2, SIZE, SIZE, 3), 200, np.uint8)] * 2
    sheet = compose([ROWS[0], ROWS[1]], strips)
    good, worst = ((sheet == np.array(colour, np.uint8)).all(-1) for colour in (GOOD, WORST))
    assert good.any() and worst.any()
    longest = [int(mask.sum(1).max()) for mask in (good, worst)]
    assert longest[0] == 2 * (round(1.0 * (SIZE - 9)) + 1), "100 points fill the bar, in both assets"
    assert longest[1] == round(0.1 * (SIZE - 9)) + 1 + round(0.3 * (SIZE - 9)) + 1
