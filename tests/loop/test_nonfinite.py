"""A prior that answers with numbers that are not finite: its steps are left out, counted, and end the run
when there are many.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from engine.errors import RunError
from engine.loop import checkpoint
from engine.loop.messages import Finished, Stepped, Stop, Unattended, Warned
from engine.loop.nonfinite import MOST_IN_A_ROW
from engine.loop.results import write_results
from engine.loop.run import run
from engine.prior.base import Prediction
from tests.loop.balls import ScriptedCommands, ball_prior, guided_knobs, of_type, quick_spec

BALL = quick_spec(start="ball", refine_steps=14)
VALUES = [float("nan"), float("inf")]


class SpoiltPrior:
    """The ball; ``spoils(call)`` says which calls of the denoiser answer with ``value`` in ``share`` of the
    numbers.
    """

    network = None

    def __init__(
        self, spoils: Callable[[int], bool], value: float = float("nan"), pixels: int | None = None
    ) -> None:
        self.prior, self.calls, self.spoils, self.value, self.pixels = ball_prior(), 0, spoils, value, pixels
        self.info, self.schedule, self.device = self.prior.info, self.prior.schedule, self.prior.device
        self.encode, self.decode, self.embed = self.prior.encode, self.prior.decode, self.prior.embed

    def predict(self, x_t: Tensor, t: Tensor, condition) -> Prediction:
        self.calls += 1
        good = self.prior.predict(x_t, t, condition)
        if not self.spoils(self.calls):
            return good
        return Prediction(*(self._spoilt(part) for part in (good.eps, good.x0)))

    def _spoilt(self, part: Tensor) -> Tensor:
        flat = part.flatten().clone()
        flat[: self.pixels] = self.value
        return flat.view_as(part)


def events_of(prior: SpoiltPrior, spec=BALL, commands=None, **options) -> list:
    return list(run(spec, guided_knobs(), commands or Unattended(), lambda name: prior, **options))


def scene_after(steps: int, spoils: Callable[[int], bool], tmp_path, **kind) -> dict[str, Tensor]:
    events_of(SpoiltPrior(spoils, **kind), commands=ScriptedCommands({steps + 1: [Stop()]}), folder=tmp_path)
    return {
        **checkpoint.load(tmp_path).content["scene"],
        "moments": checkpoint.load(tmp_path).content["optimiser"]["state"],
    }


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("pixels", [1, None])
def test_a_spoilt_step_leaves_scene_and_optimiser_as_they_were(
    value: float, pixels: int | None, tmp_path
) -> None:
    """Two calls a step: the third step's are 5 and 6."""
    before = scene_after(2, lambda call: False, tmp_path / "before")
    after = scene_after(3, lambda call: call in (5, 6), tmp_path / "after", value=value, pixels=pixels)
    moved = scene_after(3, lambda call: False, tmp_path / "moved")
    assert torch.equal(before["means"], after["means"]) and not torch.equal(before["means"], moved["means"])
    for name, moments in before["moments"].items():
        assert all(
            torch.equal(torch.as_tensor(moments[key]), torch.as_tensor(after["moments"][name][key]))
            for key in moments
        )


@pytest.mark.parametrize("value", VALUES)
def test_spoilt_steps_are_counted_and_the_run_goes_on(value: float, tmp_path) -> None:
    events = events_of(SpoiltPrior(lambda call: call in (5, 6, 11, 12, 13), value))
    finished, steps = events[-1], of_type(events, Stepped)
    assert isinstance(finished, Finished) and not finished.stopped and finished.steps == 14
    assert finished.skipped_steps == 3
    assert [step.metrics.get("skipped", 0) for step in steps] == [0, 0, 1, 1, 1, 2, 3, *[3] * 7]
    assert not of_type(events, Warned)
    write_results(finished, "ball", tmp_path, formats=("png",))
    assert json.loads((tmp_path / "result.json").read_text())["skipped_steps"] == 3


def test_a_few_in_a_row_end_the_run_with_the_last_good_shape(tmp_path) -> None:
    before = scene_after(4, lambda call: False, tmp_path / "before")
    events = events_of(SpoiltPrior(lambda call: call > 8), folder=tmp_path)
    finished = events[-1]
    assert isinstance(finished, Finished) and finished.stopped and finished.skipped_steps == MOST_IN_A_ROW
    assert torch.equal(finished.copy.scene.means, before["means"])
    (told,) = of_type(events, Warned)
    assert (
        f"{MOST_IN_A_ROW} steps in a row" in told.what
        and "last good shape is kept" in told.what
        and "fp32" in told.remedy
    )


def test_a_good_step_between_begins_the_count_anew() -> None:
    finished = events_of(SpoiltPrior(lambda call: ((call - 1) // 2) % 4 != 3))[-1]
    assert not finished.stopped and finished.skipped_steps == 11


def test_a_draft_that_is_spoilt_once_is_drawn_again() -> None:
    spec = quick_spec(fit_steps=10, refine_steps=2)
    clean, spoilt = (
        events_of(SpoiltPrior(lambda call: False), spec)[-1],
        events_of(SpoiltPrior(lambda call: call == 3), spec)[-1],
    )
    assert spoilt.skipped_steps == 1 and not spoilt.stopped
    torch.testing.assert_close(spoilt.copy.scene.means, clean.copy.scene.means)


def test_a_draft_that_is_always_spoilt_fails_with_a_remedy() -> None:
    with pytest.raises(RunError, match="no draft") as raised:
        events_of(SpoiltPrior(lambda call: True), quick_spec())
    assert "fp32" in raised.value.remedy


def test_the_count_survives_a_resume(tmp_path) -> None:
    events_of(
        SpoiltPrior(lambda call: call in (1, 2)), commands=ScriptedCommands({4: [Stop()]}), folder=tmp_path
    )
    finished = events_of(SpoiltPrior(lambda call: call == 1), folder=tmp_path, resume=True)[-1]
    assert finished.skipped_steps == 2
