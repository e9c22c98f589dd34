"""Examples for the uses of a reference: whole, offline, filled in where nothing was given; and several runs
at once.
"""

from __future__ import annotations

from pathlib import Path

import gradio as gr
import pytest
from scipy.spatial import KDTree
from studio_doubles import catalogue, drawn_panel

from engine.assets.meshes.mesh_file import read_reference
from engine.loop.input_images import shown_pictures
from engine.loop.reference.input_files import existing_file
from engine.loop.reference.reference_source import AUTO, names_file, parsed_reference
from engine.loop.settings import Settings, with_values
from engine.loop.spec import Knobs, RunSpec
from engine.loop.validation import check_combination
from engine.prior.capabilities import info_of
from engine.session import Session
from engine.session.presets import apply_preset, find_preset, load_presets
from engine.session.reference_lookup import References
from studio.handlers import Handlers
from studio.preset_bar import Memory, Replaced
from studio.reference_examples import EXAMPLES, ReferenceExample, example_for, fill, fill_empty
from studio.tabs import REFERENCE, TEXT
from studio.uploads import check_uploads
from studio.variations import Varying

SKIPPED = gr.skip()
APPLIED = Memory("reference-completion", Replaced("reference-text", {}))


@pytest.fixture(autouse=True)
def uploads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))
    return tmp_path / "uploads"


def settings_of(example: ReferenceExample) -> Settings:
    prompt, images, reference = example.values()
    blank = Settings(RunSpec(prompt, images=images, reference=reference), Knobs())
    return apply_preset(find_preset(example.preset), blank)


def test_every_use_of_a_reference_has_one() -> None:
    presets = {preset.key for preset in load_presets().presets if preset.key.startswith("reference-")}
    assert {example.preset for example in EXAMPLES} == presets and example_for("toybox-splats") is None


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.preset)
def test_each_is_a_run_that_could_begin(example: ReferenceExample, uploads: Path, tmp_path: Path) -> None:
    settings = settings_of(example)
    info = info_of(settings.spec.prior)
    assert info is not None
    check_combination(settings, info)
    settled = References(tmp_path / "library").settled(settings, tmp_path / "run")
    path = existing_file(settled.spec.reference, tmp_path / "run")
    assert len(read_reference(path).faces) >= 12
    if names_file(settings.spec.reference):
        check_uploads({"reference": path}, (uploads,))
    if settings.spec.images:
        rgba, weights = shown_pictures(settings.spec, 64)
        assert rgba[..., 3].max() == 1 and weights == [1.0]


def test_the_partial_model_fits_the_whole_that_it_was_cut_from(tmp_path: Path) -> None:
    part = settings_of(next(each for each in EXAMPLES if each.preset == "reference-completion"))
    whole = with_values(part, {"reference": "shelf:toybox/701000"})
    settled = References(tmp_path / "library").settled(whole, tmp_path / "run")
    some, all_of_it = (
        read_reference(existing_file(each.spec.reference, None)).vertices for each in (part, settled)
    )
    assert len(some) < len(all_of_it)
    assert KDTree(all_of_it).query(some)[0].max() < 0.01, (
        "the same frame, so that what is there stays where it is"
    )


def test_a_click_sets_all_of_an_example() -> None:
    for example in EXAMPLES:
        prompt, images, crops, reference, variations = fill(example.preset)
        assert (prompt, crops, variations) == (example.prompt, "", example.variations)
        assert bool(images) == bool(example.sample) and (
            reference == AUTO or Path(reference).is_file() or parsed_reference(reference)
        )
    assert fill("toybox-splats") == (SKIPPED,) * 5


def test_applying_a_preset_fills_in_what_is_empty_and_nothing_else() -> None:
    prompt, images, reference = fill_empty(APPLIED, REFERENCE.key, " ", "", AUTO)
    assert (
        prompt == example_for("reference-completion").prompt
        and images == SKIPPED
        and reference.endswith(".glb")
    )
    assert fill_empty(APPLIED, REFERENCE.key, "", "", "/mine.glb")[2] == SKIPPED
    for given in (("a boat", "", AUTO), ("", "boat.png@0", AUTO)):
        assert fill_empty(APPLIED, REFERENCE.key, *given) == (SKIPPED,) * 3
    assert fill_empty(APPLIED, TEXT.key, "", "", "") == (SKIPPED,) * 3
    assert fill_empty(Memory("reference-text"), REFERENCE.key, "", "", "") == (SKIPPED,) * 3, (
        "only shown, not applied"
    )


class Desk:
    """A drawn page without a browser."""

    def __init__(self, session: Session) -> None:
        self.panel = drawn_panel()
        self.session, self.controls = session, self.panel.controls
        self.varying = Varying(Handlers(session, catalogue(), self.controls))

    def everything(self, tab: str, **named: object) -> list[object]:
        values = [named.get(field.name, field.value) for field, _ in self.controls.pairs]
        return [tab, "a red chair", "", "toybox", "sds", *values]


@pytest.fixture
def desk(session: Session) -> Desk:
    return Desk(session)


def test_variations_are_runs_with_one_seed_after_the_other(desk: Desk) -> None:
    told = desk.varying.more(
        "", "ada", 3, 41.0, *desk.everything(REFERENCE.key, reference="auto", refine_steps=1)
    )
    assert told == SKIPPED
    specs = [view.settings.spec for view in desk.session.jobs("ada")]
    assert sorted(spec.seed for spec in specs) == [42, 43] and all(spec.reference for spec in specs)


@pytest.mark.parametrize(
    ("told", "tab", "count"), [("no", REFERENCE.key, 3), ("", TEXT.key, 3), ("", REFERENCE.key, 1)]
)
def test_a_run_that_was_refused_or_stands_alone_has_none(told: str, tab: str, count: int, desk: Desk) -> None:
    assert desk.varying.more(told, "ada", count, 1.0, *desk.everything(tab, reference="auto")) == SKIPPED
    assert desk.session.jobs("ada") == ()


def test_what_cannot_begin_is_told(desk: Desk) -> None:
    told = desk.varying.more("", "ada", 2, 1.0, *desk.everything(REFERENCE.key, reference="shelf:nothing"))
    assert "mq-fault" in told and "shelf" in told
