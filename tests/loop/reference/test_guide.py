"""A run's reference: by which way it acts, how far its gate is open, and what the prior is told."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from engine.core.cameras import Cameras, orbit_cameras
from engine.errors import InputError
from engine.loop.input_images import GivenViews
from engine.loop.reference.guide import Guide, guide_by, with_reference
from engine.loop.reference.mechanism import chosen_way
from engine.loop.settings import Settings
from engine.loop.spec import Knobs, RunSpec
from engine.loop.validation import check_combination
from engine.prior.base import Condition, PriorInfo, Prompts
from engine.prior.control.entries import control_ids
from tests.loop.balls import PROMPT, ball_prior, quick_spec
from tests.loop.reference.ball_model import BallModel

CONTROL = control_ids()[0]
TOLD = {"takes_references": True}
SEEING = {"takes_controls": True}


def info(**traits: bool) -> PriorInfo:
    return replace(ball_prior().info, **traits)


def guide(way: str = "shape", likeness: float | None = None) -> Guide:
    made = guide_by(BallModel(), quick_spec(), ball_prior(), None)
    return replace(made, way=way, likeness=likeness)


def cameras(side: int = 48) -> Cameras:
    return orbit_cameras([0.0, 120.0], 10.0, 3.05, 40.0, side)


@pytest.mark.parametrize(
    ("traits", "settings", "way"),
    [
        (TOLD, {}, "controller"),
        ({}, {}, "shape"),
        (SEEING, {"control": CONTROL}, "controlnet"),
        ({**TOLD, **SEEING}, {"control": CONTROL}, "controller"),
        ({**TOLD, **SEEING}, {"control": CONTROL, "reference_by": "controlnet"}, "controlnet"),
        (TOLD, {"reference_by": "shape"}, "shape"),
    ],
)
def test_the_way_it_acts(traits: dict, settings: dict, way: str) -> None:
    assert chosen_way(RunSpec(PROMPT, **settings), info(**traits)) == way


@pytest.mark.parametrize(
    ("settings", "words", "remedy"),
    [
        ({"reference_by": "controller"}, "no controller", "shape"),
        ({"reference_by": "controlnet"}, "control is 'off'", "shape"),
        ({"scene": "canvas", "start": "ball"}, "flat", "splats"),
    ],
)
def test_what_cannot_be_is_refused_with_another_way(settings: dict, words: str, remedy: str) -> None:
    spec = quick_spec(reference="chair.glb", **settings)
    with pytest.raises(InputError, match=words) as refused:
        check_combination(Settings(spec, Knobs()), info())
    assert remedy in refused.value.remedy
    check_combination(Settings(replace(spec, reference=""), Knobs()), info())


@pytest.mark.parametrize(
    ("way", "text", "likeness", "opening"),
    [
        ("shape", "auto", 0.2, 0.0),
        ("shape", "auto", 0.55, 0.5),
        ("shape", "auto", 0.9, 1.0),
        ("shape", "auto", None, 1.0),
        ("controller", "auto", 0.2, 0.0),
        ("controller", "auto", 0.9, 1.0),
        ("controller", "0.5", 0.2, 0.0),
        ("controlnet", "auto", 0.2, 0.0),
        ("shape", "0.2", 0.2, 0.5),
        ("shape", "open", 0.0, 1.0),
    ],
)
def test_the_gate_opens_with_likeness(way: str, text: str, likeness: float | None, opening: float) -> None:
    assert guide(way, likeness).opening(Knobs(reference_gate=text)) == pytest.approx(opening)


def test_by_a_picture_more_likeness_is_asked_for() -> None:
    by_words = guide("controller", 0.75)
    by_picture = replace(by_words, clean_maps=by_words.maps_from(cameras()))
    assert by_picture.opening(Knobs()) == pytest.approx(0.5) and by_words.opening(Knobs()) == 1
    assert by_picture.opening(Knobs(reference_gate="0.6")) == 1, "what is asked for counts"


@pytest.mark.parametrize(
    ("way", "text", "likeness", "by_words", "by_pictures"),
    [
        ("shape", "auto", 0.86, 1.0, 0.0),  # a reference of the same kind: its shape is another
        ("shape", "auto", 0.9, 1.0, 0.5),
        ("shape", "auto", 1.0, 1.0, 1.0),
        ("shape", "0.6", 0.9, 1.0, 1.0),  # the artist has decided
        ("controller", "auto", 0.86, 0.0, 0.0),
        ("controller", "auto", 1.0, 0.0, 1.0),
        ("controller", "open", 0.9, 0.0, 0.5),
        ("controlnet", "auto", 1.0, 0.0, 0.0),
        ("controller", "auto", None, 0.0, 0.0),
    ],
)
def test_the_shape_itself_is_pulled_where_it_fits(
    way: str, text: str, likeness: float | None, by_words: float, by_pictures: float
) -> None:
    knobs, told = Knobs(reference_gate=text), guide(way, likeness)
    shown = replace(told, clean_maps=told.maps_from(cameras()))
    assert told.pulling(knobs).at(0.5) == pytest.approx(by_words)
    assert shown.pulling(knobs).at(0.5) == pytest.approx(by_pictures)
    assert shown.pulling(replace(knobs, ignore_reference=True)).silent
    assert way == "shape" or replace(shown, alone=True).pulling(knobs).silent


def test_what_the_prior_tells_of_its_controller_is_passed_on() -> None:
    prior = ball_prior()
    prior.info = replace(
        prior.info, takes_references=True, reference_note="It was trained for another state."
    )
    asked = {
        way: guide_by(BallModel(), quick_spec(reference_by=way), prior, None)
        for way in ("auto", "controller", "shape")
    }
    assert [guide.alone for guide in asked.values()] == [False, True, False], (
        "a shape that is asked for is pulled"
    )
    told = [asked[way].notes for way in ("auto", "shape")]
    assert told == [("It was trained for another state.",), ()]


def test_the_curve_takes_the_place_of_the_handles_and_ignoring_silences_both() -> None:
    handles = guide().influence(Knobs(reference_early=0.4, reference_late=1.2))
    assert [handles.at(time) for time in (1.0, 0.5, 0.0)] == pytest.approx([0.4, 0.8, 1.2])
    curve = guide().influence(Knobs(reference_curve="0:0.1,1:0.3"))
    assert [curve.at(time) for time in (1.0, 0.0)] == pytest.approx([0.1, 0.3])
    assert guide().influence(Knobs(ignore_reference=True)).silent


@pytest.mark.parametrize(
    "values", [{"reference_curve": "0:1,0:2"}, {"reference_gate": "wide"}, {"reference_gate": "1.5"}]
)
def test_settings_that_make_no_sense_are_refused(values: dict) -> None:
    with pytest.raises(InputError):
        Knobs(**values)


def test_a_controller_is_told_maps_at_its_resolution_and_only_while_there_is_strength() -> None:
    told = guide("controller")
    side = ball_prior().info.resolution
    told.model.looks.clear()
    reference = told.condition(cameras(), Knobs())
    assert reference.maps.mask.shape == (1, 2, 1, side, side) and told.model.looks == [side]
    assert told.condition(cameras(), Knobs(ignore_reference=True)) is None
    assert told.condition(cameras(), Knobs(reference_early=0, reference_late=0)) is None
    assert guide("shape").condition(cameras(), Knobs()) is None and told.model.looks == [side]


def test_a_controlnet_is_shown_the_reference_and_nothing_else_while_it_is_silent() -> None:
    shown = guide("controlnet")
    reference = shown.condition(cameras(), Knobs())
    assert reference.views.depth.max() > 2 and reference.maps is None
    assert shown.condition(cameras(), Knobs(ignore_reference=True)).influence.silent


def test_every_branch_sees_it() -> None:
    text = ball_prior().embed(PROMPT)
    plain = Prompts(Condition(text), Condition(text), Condition(text))
    prompts = with_reference(plain, cameras(), guide("controller"), Knobs())
    assert prompts.positive.reference is prompts.empty.reference is prompts.negative.reference is not None
    assert with_reference(plain, cameras(), None, Knobs()) is plain


def test_given_pictures_come_with_the_reference_from_their_cameras() -> None:
    model, prior = BallModel(), ball_prior()
    given = GivenViews(torch.zeros(2, 64, 64, 4), cameras(64), torch.ones(2))
    made = guide_by(model, quick_spec(), prior, given)
    assert made.clean_maps.mask.shape == (1, 2, 1, prior.info.resolution, prior.info.resolution)
