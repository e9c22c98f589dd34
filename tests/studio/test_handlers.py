"""What the page's handlers answer: runs, errors with a remedy, live values, presets, attaching, unknown
words.
"""

from __future__ import annotations

from typing import Any

import pytest
from studio_doubles import catalogue, drawn_panel
from studio_serving import until

from engine.errors import InputError
from engine.guidance import methods
from engine.loop.prompt_words import heard
from engine.loop.settings import Settings
from engine.loop.spec import Knobs, RunSpec
from engine.session import Session
from studio.changes import Change, table
from studio.composition import notes_on
from studio.controls import Controls
from studio.handlers import Handlers
from studio.messages import problem, words_notice
from studio.page import build_page


class Desk:
    """Handlers over a session of doubles, with what a visitor has in the controls."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.controls: Controls = drawn_panel().controls
        self.handlers = Handlers(session, catalogue(), self.controls)

    def everything(self, prompt: str = "a red mug", **changes: Any) -> list[Any]:
        changed = {"refine_steps": 2000} | changes
        values = [changed.get(field.name, field.value) for field, _ in self.controls.pairs]
        return ["text", prompt, "", changes.get("prior", "toybox"), "sds", *values]

    def generate(
        self, prompt: str = "a red mug", *, locked: bool = True, **changes: Any
    ) -> tuple[Any, Any, str]:
        return self.handlers.generate("before", "ada", locked, "", *self.everything(prompt, **changes))


@pytest.fixture
def desk(session: Session) -> Desk:
    return Desk(session)


def test_generate_submits_what_the_controls_say(desk: Desk) -> None:
    token, seed, note = desk.generate(seed=7, splats=900, guidance_scale=9.0)
    spec, knobs = desk.session.settings(token).spec, desk.session.knobs(token)
    assert (spec.prompt, spec.seed, spec.splats, knobs.guidance.guidance_scale) == ("a red mug", 7, 900, 9.0)
    assert (seed, note) == (7, "") and [view.token for view in desk.session.jobs("ada")] == [token]


def test_a_free_seed_is_drawn_anew_and_shown(desk: Desk) -> None:
    seeds = {desk.generate(locked=False, seed=7)[1] for _ in range(3)}
    assert len(seeds) == 3 and 7 not in seeds


@pytest.mark.parametrize(
    ("prompt", "changes", "says"),
    [
        ("  ", {}, "empty"),
        ("mug " * 3000, {}, "characters"),
        ("a mug", {"splats": 10**9}, "splats is 1000000000"),
        ("a mug", {"time_budget_seconds": float("nan")}, "time_budget_seconds"),
        ("a mug", {"refine_steps": None}, "refine_steps"),
        ("a mug", {"t_min": 0.9, "t_max": 0.1}, "t_min"),
    ],
)
def test_bad_input_starts_nothing_and_says_what_to_do(
    desk: Desk, prompt: str, changes: dict[str, Any], says: str
) -> None:
    token, _, answer = desk.generate(prompt, **changes)
    assert token == "before" and desk.session.jobs("ada") == ()
    assert says in answer and "<span></span>" not in answer, "there is a remedy"


def test_prompts_are_shown_as_text_never_as_markup(desk: Desk) -> None:
    notice = desk.handlers.understood("<script>dragon", "toybox")
    assert "dragon" in notice and "<script" not in notice
    assert "&lt;b&gt;" in words_notice(["<b>"]) and "<b>" not in problem(InputError("<b>", "<b>"))
    assert "<td>&lt;b&gt;</td>" in table("", [Change("Scene", "<b>", "1", live=False)])


def test_steering_reaches_the_run_by_name(desk: Desk) -> None:
    token = desk.generate()[0]
    assert desk.handlers.steer("anchor_weight")(token, 2.5) == ""
    assert desk.session.knobs(token).anchor_weight == 2.5
    until(lambda: desk.session.view(token).revision_applied == 1)


def test_a_live_value_that_is_not_allowed_is_refused_with_a_remedy(desk: Desk) -> None:
    token = desk.generate()[0]
    answer = desk.handlers.steer("t_min")(token, 0.99)
    assert "t_min" in answer and "lower t_min" in answer and desk.session.view(token).revision == 0


def test_steering_without_a_run_or_after_its_end_is_quiet(desk: Desk) -> None:
    token = desk.generate(refine_steps=3)[0]
    desk.session.wait(token, 60)
    steer = desk.handlers.steer("anchor_weight")
    assert steer("", 1.0) == "" and steer(token, 1.0) == "" and desk.session.view(token).revision == 0


def test_pause_resume_stop(desk: Desk) -> None:
    token = desk.generate()[0]
    until(lambda: desk.session.view(token).total_step > 1)
    assert desk.handlers.pause(token) == "" and desk.session.view(token).state == "paused"
    assert desk.handlers.resume(token) == ""
    assert desk.handlers.stop(token) == ""
    assert desk.session.wait(token, 60).state == "stopped"
    assert "ended" in desk.handlers.resume(token) and desk.handlers.stop("") == ""
    assert "no run with this link" in desk.handlers.pause("nobody")


def test_choosing_a_method_moves_the_scale_and_tells_the_run(desk: Desk) -> None:
    token = desk.generate(guidance_scale=50.0)[0]
    for key, method in methods().items():
        note, slider, *groups = desk.handlers.choose_method(
            token, "text", key, "toybox", *desk.everything()[5:]
        )
        assert note == "" and slider["value"] == catalogue().usual_scale(
            "toybox", key, method().guidance_scale
        )
        assert [group["visible"] for group in groups] == 2 * [other == key for other in methods()], (
            "in sight, and put away"
        )
        chosen = desk.session.knobs(token).guidance
        shown = {field.name: field.value for field, _ in desk.controls.pairs if field.method == key}
        assert type(chosen) is method and {name: getattr(chosen, name) for name in shown} == shown


def test_attaching_fills_in_the_run_as_it_is_now(desk: Desk) -> None:
    token = desk.generate("a blue chair", seed=5, splats=700)[0]
    desk.session.set_knobs(token, {"anchor_weight": 3.0})
    shown, owner, note, _, *rest = desk.handlers.attach(token, "ada")
    tab, prompt, _, prior, method, *updates = rest[2 * len(methods()) :]
    pairs = zip(desk.controls.pairs, updates, strict=True)
    values = {field.name: update["value"] for (field, _), update in pairs if "value" in update}
    assert (shown, owner, note, tab, prompt, prior, method) == (
        token,
        "ada",
        "",
        "text",
        "a blue chair",
        "toybox",
        "sds",
    )
    assert values["seed"] == 5 and values["splats"] == 700 and values["anchor_weight"] == 3.0


def test_attaching_answers_every_output(desk: Desk) -> None:
    token = desk.generate()[0]
    lengths = {len(desk.handlers.attach(name, "ada")) for name in ("", token, "nobody")}
    assert lengths == {4 + 2 * len(methods()) + 5 + len(desk.controls.pairs)}
    assert "no run with this link" in desk.handlers.attach("nobody", "ada")[2]


def test_another_prior_brings_its_words_its_refusals_and_its_settings(desk: Desk) -> None:
    for prior, refused, perp_neg in (("plain", {"vsd", "lods_lora"}, True), ("toybox", set(), False)):
        words, menu, *shown = desk.handlers.choose_prior("text", prior, "a red dragon")
        assert ("dragon" in words) == (prior == "toybox")
        assert {option["key"] for option in menu["options"] if option["refusal"]} == refused
        names = [field.name for field, _ in desk.controls.demanding()]
        assert dict(zip(names, shown, strict=True))["perp_neg"]["visible"] == perp_neg


def test_what_becomes_of_unknown_words_is_told_before_a_run(desk: Desk) -> None:
    notice = desk.handlers.understood("a red dragon with the wizard", "toybox")
    assert "Not known: dragon, wizard." in notice
    assert desk.handlers.understood("a red mug", "toybox") == desk.handlers.understood("", "toybox") == ""
    assert desk.handlers.understood("a red dragon", "wide") == "", "an open vocabulary knows every word"
    assert desk.handlers.understood("a dragon " * 500, "toybox") == "", "Generate says that it is too long"


def test_the_page_says_what_the_run_will_say() -> None:
    assert notes_on(RunSpec("a small eagle")) == heard(RunSpec("a small eagle")).notes != ()
    assert notes_on(RunSpec("a small eagle", prior="mvdream")) == notes_on(RunSpec("a red mug")) == ()
    refused = notes_on(RunSpec("a curtain"))
    assert "a curtain" in refused[0] and "python -m studio kinds" in refused[1]
    assert notes_on(RunSpec("a curtain", images="curtain.png")) == (
        'Toybox was never taught "curtain" and leaves it out.',
    )


def test_no_handler_of_the_page_is_a_public_endpoint(session: Session) -> None:
    public = [
        fn.api_name for fn in build_page(session, catalogue()).fns.values() if fn.api_visibility != "private"
    ]
    assert sorted(public) == ["act", "generate", "presets", "run", "runs", "steer"], (
        "those that programs are given"
    )


def test_run_controls_never_wait_in_gradios_queue(session: Session) -> None:
    page = build_page(session, catalogue())
    waiting = {fn.fn.__name__ for fn in page.fns.values() if fn.fn is not None and fn.queue}
    assert waiting == {"go"}, "an edit takes its time, and one goes at a time"


def test_settings_of_a_job_are_untouched_by_the_page(desk: Desk) -> None:
    before = Settings(RunSpec("a red mug", refine_steps=2000), Knobs())
    token = desk.session.submit(before, "ada")
    desk.handlers.attach(token, "eve")
    assert desk.session.settings(token) == before and desk.session.jobs("eve") == ()
