"""A recipe repeats the live changes of its run, to the bit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from engine.errors import InputError
from engine.loop.messages import Finished, SetKnobs, Unattended
from engine.loop.recipe import Change, Recipe
from engine.loop.recipe_chain import Replayed
from engine.loop.run import run
from engine.loop.settings import Settings
from tests.loop.balls import ScriptedCommands, ball_prior, quick_knobs, quick_spec


def finished(commands, knobs=None) -> Finished:
    prior = ball_prior()
    spec = quick_spec(splats=200, render_size=16, fit_steps=10, sampling_steps=2, refine_steps=12)
    *_, last = run(spec, knobs or quick_knobs(), commands, lambda name: prior)
    assert isinstance(last, Finished)
    return last


def parameters(event: Finished) -> list[torch.Tensor]:
    return list(event.copy.scene.parameters().values())


def same(a: Finished, b: Finished) -> bool:
    return all(torch.equal(*pair) for pair in zip(parameters(a), parameters(b), strict=True))


def test_every_change_comes_back_at_its_step_to_the_bit() -> None:
    knobs = quick_knobs()
    stronger = replace(knobs, learning_rate=2.0)
    script = {15: [SetKnobs(1, stronger)], 19: [SetKnobs(2, replace(stronger, anchor_weight=0.0))]}
    steered = finished(ScriptedCommands(script))
    recipe = Recipe.from_toml(steered.recipe.to_toml())
    assert [dict(change.values) for change in recipe.changes] == [
        {"learning_rate": 2.0},
        {"anchor_weight": 0.0},
    ]
    again = finished(Replayed.of(recipe))
    assert same(steered, again) and again.recipe.changes == steered.recipe.changes
    assert not same(steered, finished(Unattended()))


def test_changes_are_due_once_and_in_order() -> None:
    settings = Settings(quick_spec(), quick_knobs())
    replayed = Replayed(
        settings, [Change(3, 2, {"anchor_weight": 0.25}), Change(1, 1, {"learning_rate": 2.0})]
    )
    taken = [replayed.take() for _ in range(4)]
    assert [[command.revision for command in commands] for commands in taken] == [[1], [], [2], []]
    assert taken[2][0].knobs.learning_rate == 2.0 and taken[2][0].knobs.anchor_weight == 0.25


def test_a_setting_that_there_is_not_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="wobble"):
        Replayed(Settings(quick_spec(), quick_knobs()), [Change(1, 1, {"wobble": 2})])
