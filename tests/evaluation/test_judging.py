"""Judgements of an asset whose score from every side is known."""

from __future__ import annotations

import json

import numpy as np
import pytest

from engine.evaluation.judging import LOOKS, Judgement, Look, icosphere, janus_rate, judge, regional
from tests.evaluation.doubles import LEVELS, Brightness, lit

QUICK = Look(icosphere_level=1)


def level_at(azimuth_deg: float) -> float:
    """The brightness of the picture that stands nearest."""
    return LEVELS[round(azimuth_deg / 45) % 8]


def test_best_mean_and_worst_are_over_azimuths_in_points() -> None:
    own = judge(lit(), "anything", Brightness(), QUICK)
    np.testing.assert_allclose(own.azimuth_scores, LEVELS, atol=0.003)
    assert own.best == pytest.approx(200 * 0.9 - 50, abs=0.7) and own.best_azimuth_deg == 0
    assert own.worst == pytest.approx(200 * 0.1 - 50, abs=0.7) and own.worst_azimuth_deg == 135
    assert own.mean == pytest.approx(200 * np.mean(LEVELS) - 50, abs=0.7)


def test_quality_is_the_best_region_of_the_sphere() -> None:
    sphere = icosphere(1)
    wanted = regional(np.array([level_at(azimuth) for azimuth in sphere.azimuths_deg]), sphere).max()
    own = judge(lit(), "anything", Brightness(), QUICK)
    assert own.quality == pytest.approx(200 * wanted - 50, abs=0.7)
    assert own.quality < own.best, "one bright side is no bright region"


def test_two_faces_win_the_best_view_and_lose_the_worst() -> None:
    """Why the worst azimuth stands beside the best: the original measure cannot tell these two apart."""
    whole, two_faced = lit((0.8,) * 8), lit((0.8, 0.8, 0.1, 0.1, 0.8, 0.8, 0.1, 0.1))
    good, bad = (judge(copy, "anything", Brightness(), QUICK) for copy in (whole, two_faced))
    assert good.best == pytest.approx(bad.best, abs=0.1) and good.worst - bad.worst > 100


def test_janus_is_the_share_of_views_from_behind_that_look_like_the_front() -> None:
    azimuths = Look().azimuths_deg()
    assert janus_rate(np.array([True] * 8), azimuths) == 1.0
    assert janus_rate(
        np.array([True, True, True, True, False, False, True, True]), azimuths
    ) == pytest.approx(1 / 3)
    assert janus_rate(None, azimuths) is None and janus_rate(np.array([True]), [0.0]) is None
    assert judge(lit(), "anything", Brightness(front=0.25), QUICK).janus == pytest.approx(1 / 3), (
        "0.1, 0.3 and 0.2 are behind"
    )


def test_several_fields_of_view_count_as_the_best_of_them_in_any_order() -> None:
    one, more, turned = (
        judge(lit(), "x", Brightness(), Look(1, fovs)) for fovs in ((40.0,), (30.0, 60.0), (60.0, 30.0))
    )
    assert more.quality == turned.quality == pytest.approx(one.quality), (
        "a canvas looks the same at every field of view"
    )
    scorer = Brightness()
    judge(lit(), "x", scorer, Look(0, (60.0, 45.0, 36.0)))
    assert scorer.calls == 1 + 3
    assert LOOKS["t3bench"].fovs_deg == (60, 45, 36, 30, 24) and LOOKS["t3bench"].radius == 2.2


def test_a_scorer_may_decline() -> None:
    assert judge(lit(), "a dragon", Brightness(knows="mug"), QUICK) is None


def test_a_judgement_survives_storage() -> None:
    own = judge(lit(), "anything", Brightness(front=0.25), QUICK)
    assert Judgement.from_plain(json.loads(json.dumps(own.as_plain()))) == own
    with pytest.raises((KeyError, TypeError)):
        Judgement.from_plain({"quality": 1.0})
