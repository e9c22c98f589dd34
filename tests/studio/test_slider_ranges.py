"""The guidance slider ends where a prior would be torn apart; a live change is taken back by one click."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import gradio as gr
import pytest
from studio_doubles import catalogue
from studio_serving import until

from engine.errors import InputError
from engine.guidance import methods
from engine.loop.settings import Settings
from engine.loop.spec import Knobs, RunSpec
from engine.session import Session
from engine.session.undo import ONE_MOVE_SECONDS, Undo
from studio.composition import open_catalogue
from studio.handlers import HEADS, Handlers
from studio.panel import Panel, draw_panel
from studio.status import undo_words
from studio.undo_button import Undoing


@pytest.fixture(scope="module")
def panel() -> Panel:
    with gr.Blocks():
        return draw_panel(open_catalogue())


@pytest.mark.parametrize(("prior", "method", "high", "usual"), [
    ("toybox", "sds", 10, 2.5), ("toybox", "lods", 100, 10), ("toybox", "csd", 10, 2.5),
    ("stable-diffusion-1.5", "sds", 100, 100), ("stable-diffusion-1.5", "lods", 1000, 1000),
    ("zero123-xl", "sds", 12, 3),
])  # fmt: skip
def test_the_range_follows_the_method_and_the_prior(
    panel: Panel, prior: str, method: str, high: float, usual: float
) -> None:
    mark = panel.controls.scale_mark(method, prior, 1.0)
    assert mark.low == 1 and mark.high == pytest.approx(high) and f"Usual here: {usual:g}." in mark.help


def test_a_value_beyond_the_range_widens_it_as_far_as_the_method_allows(panel: Panel) -> None:
    assert panel.controls.scale_mark("sds", "toybox", 40.0).high == 40
    assert panel.controls.scale_mark("sds", "toybox", 4000.0).high == 100


def test_every_method_begins_within_the_range_of_every_prior(panel: Panel) -> None:
    known = open_catalogue()
    for choice in known.priors:
        for key, method in methods().items():
            usual = known.usual_scale(choice.id, key, method().guidance_scale)
            mark = panel.controls.scale_mark(key, choice.id, usual)
            assert mark.low <= usual <= mark.high and usual <= max(
                4 * choice.home_scale, known_beyond(choice.id, key)
            )


def known_beyond(prior: str, method: str) -> float:
    """Only a preset asks for more than four times what a prior is at home with: LODS, whose scale means
    something else.
    """
    return 1000.0 if method.startswith("lods") else 0.0


def test_a_drag_is_one_move_and_each_setting_its_own() -> None:
    knobs = [Knobs(anchor_weight=0.5 + 0.1 * step) for step in range(4)]
    undo = Undo()
    for step, (before, now) in enumerate(pairwise(knobs)):
        undo = undo.after(before, now, 0.5 * step)
    assert undo.moves == (knobs[0],)
    later = undo.after(knobs[3], knobs[2], 2 + ONE_MOVE_SECONDS)
    other = undo.after(knobs[3], replace(knobs[3], fidelity=0.9), 1.6)
    assert later.moves == (knobs[0], knobs[3]) == other.moves
    assert other.values(replace(knobs[3], fidelity=0.9)) == {"fidelity": 0.5}
    assert undo.after(knobs[3], knobs[3], 9.0) is undo and Undo().values(knobs[0]) == {}
    again = other.taken_back().after(knobs[3], replace(knobs[3], fidelity=0.1), 1.7)
    assert again.moves == (knobs[0], knobs[3]), "what follows a click on undo is a move of its own"


def test_one_click_takes_a_live_change_back(session: Session) -> None:
    with gr.Blocks():
        drawn = draw_panel(catalogue())
    token = session.submit(Settings(RunSpec("a red mug", refine_steps=4000), Knobs()), "ada")
    undoing = Undoing(Handlers(session, catalogue(), drawn.controls))
    assert undo_words(session.view(token)) == "" and "mq-fault" in undoing.undo(token, "toybox")[0]
    before = session.knobs(token)
    session.set_knobs(token, {"guidance_scale": 50.0})
    session.set_knobs(token, {"method": "lods"})
    assert undo_words(session.view(token)) == "Method back to SDS"
    undoing.undo(token, "toybox")
    assert undo_words(session.view(token)) == f"Guidance back to {before.guidance.guidance_scale:g}"
    told, *shown = undoing.undo(token, "toybox")
    updates = dict(
        zip(
            (field.name for field, _ in drawn.controls.pairs),
            shown[-len(drawn.controls.pairs) :],
            strict=True,
        )
    )
    assert (
        told == ""
        and session.knobs(token) == before
        and updates["guidance_scale"]["value"] == before.guidance.guidance_scale
    )
    assert "value" not in updates["refine_steps"] and HEADS == 5, "what is for the next run stays"
    until(lambda: session.view(token).revision_applied == 4)
    session.stop(token)
    session.wait(token, 60)
    with pytest.raises(InputError):
        session.undo_knobs(token)
