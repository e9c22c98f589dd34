"""Numbers with a meaning: in words, in range, and nothing for what means nothing."""

from __future__ import annotations

import pytest

from engine.loop.terms import FIT, REFINE
from studio.status import CONVERGENCE, PALE, TERMS, read_outs


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
    assert [found.name for found in read_outs({"clipped": 0.25, "null_convergence": 0.1})] == [
        "null_convergence",
        "clipped",
    ]


def test_the_terms_of_a_loss_are_shown_by_their_shares() -> None:
    (out,) = read_outs({"loss_anchor": 1.0, "loss_distillation": 7.0, "loss_surface": 2.0, "noise": 0.3})
    assert out.title == "Loss: the prior's push" and out.share == 0.7
    assert out.words == "of the step's loss. The rest: even surface 20%, draft anchor 10%."
    assert (
        read_outs({"loss_distillation": 7.0}) == []
        and read_outs({"loss_draft": 0.0, "loss_density": 0.0}) == []
    )


def test_every_term_has_a_name_for_artists() -> None:
    assert {"distillation", "draft", *REFINE, *FIT} <= set(TERMS)
