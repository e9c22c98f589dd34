"""This build beside another checkout: on the cheapest rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.benchmark.beside import ROOT, beside_row, check_checkout, compare, output_of, seconds_of_presets
from engine.benchmark.timing import Comparison
from engine.errors import InputError, RunError


def test_both_checkouts_are_asked_in_turns() -> None:
    asked: list[Path] = []

    def measure(checkout: Path) -> float:
        asked.append(checkout)
        return 1.0 if checkout == ROOT else 4.0

    pair = compare(measure, Path("/other"), 2)
    assert asked == [ROOT, Path("/other"), Path("/other"), ROOT]
    row = beside_row("x", "a thing", "ms", 1e3, pair, 0.5)
    assert (row.value, row.reference, row.ratio, row.reached) == (1000.0, 4000.0, 0.25, True)


def test_a_slower_build_misses_its_goal() -> None:
    assert beside_row("x", "a thing", "s", 1, Comparison((3.0,), (4.0,)), 0.5).reached is False


def test_presets_are_timed_in_a_process_of_their_own() -> None:
    assert 0 < seconds_of_presets(ROOT) < 60


def test_what_is_no_checkout_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no checkout"):
        check_checkout(tmp_path)


def test_a_command_that_fails_says_where(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=str(tmp_path)):
        output_of(["-m", "no_such_module"], tmp_path)
