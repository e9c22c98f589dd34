"""What a prior that knows few words reads of a prompt, and which runs are refused before they begin."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import InputError
from engine.loop.messages import Finished, Unattended, Warned
from engine.loop.prompt_words import Heard, heard, kinds_known, stands_in
from engine.loop.run import run
from engine.loop.spec import Knobs, RunSpec
from engine.loop.stage_settings import AS_THEY_ARE
from engine.prior.registry import find_entry, kinds_of, load_prior
from engine.session.reference_lookup import stand_in_for
from studio.cli import EXIT_BAD_INPUT, main

QUICK = {"sampling_steps": 1, "fit_steps": 10, "refine_steps": 0, "splats": 200}


def test_a_run_reads_what_is_understood_and_keeps_what_was_said(tmp_path: Path) -> None:
    asked: list[str] = []

    def listening(prior_id: str) -> object:
        prior = load_prior(prior_id, "cpu")
        embed = prior.embed
        prior.embed = lambda words: asked.append(words) or embed(words)  # type: ignore[method-assign]
        return prior

    spec = RunSpec("a crimson teacup", **QUICK)
    events = list(run(spec, Knobs(), Unattended(), listening, folder=tmp_path))  # type: ignore[arg-type]
    assert "a crimson mug" in asked and "a crimson teacup" not in asked
    assert any(
        '"teacup"' in event.what and "mug" in event.what for event in events if isinstance(event, Warned)
    )
    finished = next(event for event in events if isinstance(event, Finished))
    assert finished.recipe.settings.spec.prompt == "a crimson teacup"


@pytest.mark.parametrize("prompt", ["a red curtain", "красная кружка", "ein roter Becher mit Henkel", "red"])
def test_what_names_nothing_never_begins(prompt: str) -> None:
    events = run(
        RunSpec(prompt, **QUICK), Knobs(), Unattended(), lambda prior_id: load_prior(prior_id, "cpu")
    )
    with pytest.raises(InputError) as refused:
        next(events)
    assert "python -m studio kinds" in refused.value.remedy and "mug" in refused.value.remedy


def test_words_can_be_left_as_they_are() -> None:
    found = heard(RunSpec("a red curtain", words=AS_THEY_ARE))
    assert found.prompt == "a red curtain" and '"curtain"' in found.notes[0] and "MB" not in found.notes[0]


def test_priors_that_read_any_words_are_left_alone() -> None:
    for prior in ("mvdream", "stable-diffusion-1.5", "zero123-xl", "nobody-knows-this"):
        assert (
            heard(RunSpec("zwei Löffel", prior=prior)).prompt == "zwei Löffel"
            and not heard(RunSpec("x", prior=prior)).notes
        )


def test_beside_a_picture_or_a_model_words_need_name_nothing() -> None:
    for given in ({"images": "curtain.png"}, {"reference": "curtain.glb"}, {"start": "file"}):
        assert heard(RunSpec("a curtain", **given)).prompt


def test_the_shelf_stands_in_for_what_is_understood() -> None:
    made = kinds_of(find_entry("toybox")) or frozenset()
    missing = {kind.name for kind in kinds_known() if not kind.learned}
    assert missing.isdisjoint(made) and {kind.name for kind in kinds_known()} >= made
    if "dog" in missing:
        item = stand_in_for(RunSpec("a brown wolf"))
        assert item is not None and item.caption == "a dog"
    assert not stands_in(RunSpec("a wolf", start="ball")) and not stands_in(RunSpec("a wolf", scene="canvas"))


def test_a_refused_run_leaves_earlier_results_where_they_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "scene.ply").write_text("precious")
    (tmp_path / "recipe.toml").write_text("maquette_recipe = 1\nprompt = 'a curtain'\n")
    for asked in (["--prompt", "a curtain"], ["--recipe", str(tmp_path / "recipe.toml")]):
        assert main(["generate", *asked, "--out", str(tmp_path)]) == EXIT_BAD_INPUT
        assert {path.name for path in tmp_path.iterdir()} == {"scene.ply", "recipe.toml"}
    assert "python -m studio kinds" in capsys.readouterr().err


def test_kinds_can_be_listed_and_looked_up(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["kinds"]) == 0 and "mug" in capsys.readouterr().out
    assert main(["kinds", "puppy"]) == 0 and capsys.readouterr().out.startswith("dog")
    assert main(["kinds", "eagle"]) == 0 and "is a bird" in capsys.readouterr().out
    assert main(["kinds", "curtain"]) == main(["kinds", " "]) == EXIT_BAD_INPUT


def test_the_parts_of_what_the_shelf_builds_are_understood() -> None:
    """Though the prior was never taught the word, the object that guides it has the part."""
    prompt = "a gray mouse with pink ears"
    assert heard(RunSpec(prompt)) == Heard(prompt)
    item = stand_in_for(RunSpec(prompt))
    assert item is not None and item.build is not None
    assert (abs(item.build().face_colours - (0.97, 0.50, 0.72)).max(1) < 0.15).any()
    left_out = heard(RunSpec("a red mug with pink ears"))  # the prior makes mugs by itself
    assert left_out.prompt == "a red mug" and '"ears"' in left_out.notes[0]
