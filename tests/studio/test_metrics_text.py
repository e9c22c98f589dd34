"""Numbers with a meaning: in words, in range, and nothing for what means nothing."""

from __future__ import annotations

import pytest

from studio.metrics_text import CONVERGENCE, PALE, read_outs


@pytest.mark.parametrize("value", [-3.0, 0.0, 0.14, 0.15, 0.6, 0.899, 0.9, 1.0, 1.5])
def test_null_convergence_has_a_meaning_at_every_value(value: float) -> None:
    (found,) = read_outs({"null_convergence": value})
    assert 0 <= found.share <= 1 and found.words and found.warning == (value >= PALE)
    assert ("pale" in found.words) == found.warning


def test_the_meaning_changes_as_the_branch_learns() -> None:
    steps = [value / 100 for value in range(101)]
    said = [read_outs({"null_convergence": value})[0].words for value in steps]
    assert list(dict.fromkeys(said)) == [words for _, words in reversed(CONVERGENCE)]


def test_metrics_that_mean_nothing_to_an_artist_are_left_out() -> None:
    assert read_outs({"gradient_norm": 3.0, "noise": 0.5}) == []
    assert [found.name for found in read_outs({"clipped": 0.25, "null_convergence": 0.1})] == ["null_convergence", "clipped"]
