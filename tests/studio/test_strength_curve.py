"""The reference's strength as controls, and the twin that a run is compared with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from studio_doubles import catalogue, drawn_panel
from studio_serving import until

from engine.core.fields import marked_fields
from engine.loop.reference_settings import read_curve
from engine.loop.settings import Settings, flatten, with_values
from engine.loop.spec import Knobs, RunSpec
from engine.session import Session
from studio.compare_runs import Comparing, essence, mirrored, settings_now
from studio.handlers import HEADS, Handlers
from studio.panel import Panel
from studio.strength_curve import SETTINGS as DRAWN

SETTINGS = DRAWN


@pytest.fixture(scope="module")
def panel() -> Panel:
    return drawn_panel()


@pytest.fixture
def box(tmp_path: Path) -> str:
    """A file for a reference; what runs here does not read it."""
    path = tmp_path / "box.obj"
    path.write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n", encoding="utf-8")
    return str(path)


@pytest.fixture
def begun(session: Session, box: str) -> Any:
    def begin(owner: str = "ada", reference: str = box, steps: int = 1, **knobs: Any) -> str:
        return session.submit(
            Settings(RunSpec("a red mug", reference=reference, refine_steps=steps), Knobs(**knobs)), owner
        )

    return begin


def test_the_drawing_takes_every_range_and_word_from_the_marks(panel: Panel) -> None:
    marks = {knob.name: knob.mark for knob in marked_fields(Knobs())}
    assert set(panel.strength.drawing.props["marks"]) == set(SETTINGS)
    for name, told in panel.strength.drawing.props["marks"].items():
        assert told["label"] == marks[name].label and told["help"] == marks[name].help
    early = panel.strength.drawing.props["marks"]["reference_early"]
    assert (early["low"], early["high"], early["step"]) == (0, 2.0, 0.05)
    assert read_curve(panel.strength.drawing.props["marks"]["reference_curve"]["example"], 1, 1)


def test_each_setting_has_one_control_which_no_tab_takes_off_the_page(panel: Panel) -> None:
    names = [field.name for field, _ in panel.controls.pairs]
    assert all(names.count(name) == 1 for name in SETTINGS)
    assert not set(SETTINGS) & {field.name for field, _ in panel.controls.demanding()}
    assert [panel.controls.named(name).value for name in SETTINGS[-5:]] == [1.0, 1.0, "", "auto", False]


def test_the_settings_go_with_a_reference_only(panel: Panel) -> None:
    given = [component.value for component in panel.controls.components]
    assert set(SETTINGS) <= set(panel.controls.values(given, "sds", tab="reference"))
    assert not set(SETTINGS) & set(panel.controls.values(given, "sds", tab="image"))


@pytest.mark.parametrize(("name", "value", "bad"), [
    ("reference_early", 0.35, 3.0), ("reference_late", 2, -1),
    ("reference_curve", "0:1,0.4:0.2,1:0", "1:0,0:1"),
    ("reference_gate", "0.7", "wide"), ("ignore_reference", True, "yes"),
])  # fmt: skip
def test_each_is_live_and_bad_values_are_refused_with_a_remedy(
    panel: Panel, session: Session, begun: Any, name: str, value: Any, bad: Any
) -> None:
    steer, token = Handlers(session, catalogue(), panel.controls).steer(name), begun(steps=2000)
    assert steer(token, value) == "" and getattr(session.knobs(token), name) == value
    until(lambda: session.view(token).revision_applied == 1)
    assert "mq-fault" in steer(token, bad) and getattr(session.knobs(token), name) == value


def test_an_earlier_run_sets_them_again(panel: Panel, session: Session, begun: Any) -> None:
    token = begun(
        reference_early=0.4, reference_curve="0:0.4,0.5:1,1:0", reference_gate="open", ignore_reference=True
    )
    updates = Handlers(session, catalogue(), panel.controls).pick(token)[-len(panel.controls.pairs) :]
    told = {field.name: update for (field, _), update in zip(panel.controls.pairs, updates, strict=True)}
    assert [told[name]["value"] for name in SETTINGS[-5:]] == [0.4, 1.0, "0:0.4,0.5:1,1:0", "open", True]
    assert HEADS > 0


def test_a_twin_is_the_same_run_without_its_reference_and_is_made_once(session: Session, begun: Any) -> None:
    comparing, token = Comparing(session), begun()
    twin, told = comparing.twin(token, "ada")
    assert told == "" and twin != token
    one, other = (flatten(settings_now(session.view(each))) for each in (token, twin))
    differ = {name for name in one if one[name] != other[name]}
    assert differ == {"ignore_reference", "reference"} and other["ignore_reference"] is True
    assert str(session.library.folder(twin)) in str(other["reference"]), "with a copy of its own"
    assert comparing.twin(token, "ada") == (twin, "") and comparing.twin(twin, "ada") == (token, "")
    assert len(session.jobs("ada")) == 2


def test_how_strong_an_ignored_reference_would_be_makes_no_other_run(session: Session, begun: Any) -> None:
    comparing, token = Comparing(session), begun(steps=2000)
    twin = comparing.twin(token, "ada")[0]
    session.set_knobs(
        token, {"reference_late": 0.3, "reference_gate": "open", "reference_curve": "0:1,0.5:0,1:1"}
    )
    assert comparing.twin(token, "ada")[0] == twin
    session.set_knobs(token, {"anchor_weight": 2.0})
    assert comparing.twin(token, "ada")[0] != twin, "but what acts on both does"


def test_a_twin_belongs_to_who_asks_and_one_that_was_stopped_is_made_again(
    session: Session, begun: Any
) -> None:
    comparing, token = Comparing(session), begun(steps=2000)
    mine, theirs = comparing.twin(token, "ada")[0], comparing.twin(token, "eve")[0]
    assert mine != theirs and [view.token for view in session.jobs("eve")] == [theirs]
    session.stop(mine)
    until(lambda: session.view(mine).state == "stopped")
    assert comparing.twin(token, "ada")[0] not in (mine, theirs)


def test_without_a_reference_there_is_nothing_to_compare(session: Session, begun: Any) -> None:
    comparing = Comparing(session)
    for token in (begun(reference=""), "nobody"):
        twin, told = comparing.twin(token, "ada")
        assert twin == "" and "mq-fault" in told and "<span></span>" not in told
    assert len(session.jobs("ada")) == 1


def test_files_count_by_where_they_lie_in_a_runs_own_folder(tmp_path: Path) -> None:
    def in_folder(name: str) -> dict[str, Any]:
        return essence(
            Settings(RunSpec("a mug", reference=str(tmp_path / name / "box.obj")), Knobs()), tmp_path / name
        )

    assert in_folder("one") == in_folder("two")
    settings = Settings(RunSpec("a mug", reference="box.obj"), Knobs())
    assert mirrored(mirrored(settings)) == settings != mirrored(settings)
    other = with_values(settings, {"reference_late": 0.2})
    assert essence(other, tmp_path) != essence(settings, tmp_path)
    assert essence(mirrored(other), tmp_path) == essence(mirrored(settings), tmp_path)
    elsewhere = replace(settings, spec=replace(settings.spec, seed=8))
    assert essence(mirrored(elsewhere), tmp_path) != essence(mirrored(settings), tmp_path)
