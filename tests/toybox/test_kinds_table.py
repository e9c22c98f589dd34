"""The kinds table: prompts that say a kind, results that are counted as the product made them, and
promises.
"""

from __future__ import annotations

import numpy as np
import pytest

from engine.toybox.benchmark import __main__ as benchmark
from engine.toybox.benchmark.kinds import KindResult, kinds_table, prompt_for
from engine.toybox.generate_dataset import kinds_named
from engine.toybox.objects import FIRST_KINDS, KINDS
from engine.toybox.prompt_parser import read_prompt
from engine.toybox.stand_in import stand_in


def result(kind: str, right: int, stood_in: bool, colour: bool = True) -> KindResult:
    named = np.arange(8) < right
    return KindResult(kind, prompt_for(kind), named, colour, stood_in, 2.0, np.zeros((8, 4, 4, 3), np.uint8))


@pytest.mark.parametrize("kind", KINDS)
def test_each_prompt_asks_for_its_kind_in_one_colour(kind: str) -> None:
    asked = read_prompt(prompt_for(kind))
    assert asked[0].kind == kind and list(asked[0].colours) == ["body"]


def test_the_table_counts_promises_and_names_what_is_not() -> None:
    table = kinds_table(
        [result("mug", 8, False), result("dog", 7, True), result("snail", 3, True, colour=False)]
    )
    assert "| the prior alone | 1 | 100.0% | 1 | 100.0% | 2.0 |" in table
    assert "| guided by the shelf | 2 | 62.5% | 1 | 50.0% | 2.0 |" in table
    assert table.endswith("Not promised: snail.")


def test_kinds_are_named_or_all_and_unknown_ones_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert kinds_named("all") == KINDS and kinds_named("mug, dog") == ("mug", "dog") and kinds_named("") == ()
    assert benchmark.main(["--kinds", "unicorn"]) == 2 and "unicorn" in capsys.readouterr().err


def test_a_stand_in_is_of_the_kind_and_the_colours_that_are_asked_for_and_varies_with_the_seed() -> None:
    made = frozenset(FIRST_KINDS)
    first, second = (stand_in("a blue horse with a yellow mane", seed, made) for seed in (0, 1))
    assert first.caption == "a horse" and first.id != second.id and first.source and first.licence
    mesh = first.build()
    assert np.abs(mesh.face_colours - (0.12, 0.28, 0.86)).max(1).min() < 0.15
    assert np.abs(mesh.face_colours - (0.98, 0.86, 0.12)).max(1).min() < 0.15
    again = stand_in("a blue horse with a yellow mane", 0, made).build()
    np.testing.assert_array_equal(mesh.vertices, again.vertices)


@pytest.mark.parametrize("prompt", ["a red mug", "a unicorn", "", "red"])
def test_nothing_stands_in_for_what_the_prior_makes_or_the_shelf_has_not(prompt: str) -> None:
    assert stand_in(prompt, 0, frozenset(FIRST_KINDS)) is None
