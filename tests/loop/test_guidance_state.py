"""Methods that learn beside the scene, in whole runs: two optimisers, live changes, switching,
checkpoints.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from engine.errors import InputError
from engine.guidance.lods import Lods
from engine.guidance.vsd import Vsd
from engine.loop import checkpoint
from engine.loop.messages import Finished, SetKnobs, Stepped, Stop, Unattended
from engine.loop.run import run
from engine.loop.spec import Knobs
from engine.prior.analytic import gaussian
from tests.guidance.networks import LinearPrior
from tests.loop.balls import (
    PROMPT,
    SIZE,
    ScriptedCommands,
    ball_picture,
    ball_prior,
    ball_prior_info,
    of_type,
    quick_knobs,
    quick_spec,
)

START = 36  # quick_spec drafts for 4 steps and fits for 30


def lods_knobs(**changes) -> Knobs:
    values = {"guidance_scale": 20.0, "prior_learning_rate": 0.01, "weighting": "denoise"}
    return replace(quick_knobs(), guidance=Lods(**{**values, **changes}), anchor_weight=0.0)


def events_of(knobs: Knobs | None = None, commands=None, spec=None, load_prior=ball_prior, **options) -> list:
    return list(
        run(spec or quick_spec(), knobs or lods_knobs(), commands or Unattended(), load_prior, **options)
    )


def learned_in(folder) -> torch.Tensor:
    return checkpoint.load(folder).content["method"]["state"]["tokens"]


def steps_of(events: list) -> dict[int, Stepped]:
    return {event.total_step: event for event in of_type(events, Stepped)}


@pytest.mark.parametrize("scene", ["splats", "field"])
def test_the_null_prompt_learns_while_the_scene_moves(scene: str, tmp_path) -> None:
    events = events_of(spec=quick_spec(scene=scene, fit_steps=10), folder=tmp_path)
    assert isinstance(events[-1], Finished) and not events[-1].stopped
    refined = [event.metrics for event in of_type(events, Stepped) if event.stage == "refine"]
    assert refined[0]["null_convergence"] == 0 and refined[-1]["null_convergence"] != 0
    assert all(metrics["prior_loss"] > 0 for metrics in refined)
    plain = ball_prior().embed("").tokens
    assert not torch.allclose(learned_in(tmp_path).to(plain), plain, atol=1e-3)


def test_what_is_learned_changes_the_shape() -> None:
    still, learning = (
        events_of(lods_knobs(prior_learning_rate=rate))[-1].copy.scene.means for rate in (0.0, 0.05)
    )
    assert not torch.equal(still, learning)


def test_more_prior_steps_learn_more_and_leave_the_first_push_alone(tmp_path) -> None:
    few, many = (events_of(lods_knobs(prior_steps=steps), folder=tmp_path / str(steps)) for steps in (1, 5))
    assert steps_of(few)[35].loss == steps_of(many)[35].loss, "the scene moves before the prompt learns"
    plain = ball_prior().embed("").tokens
    moved = [(learned_in(tmp_path / str(steps)).to(plain) - plain).abs().mean() for steps in (1, 5)]
    assert moved[1] > 1.5 * moved[0]


def test_the_prior_learning_rate_can_change_live(tmp_path) -> None:
    """From the change on nothing is learned any more."""
    script = {START + 5: [SetKnobs(1, lods_knobs(prior_learning_rate=0.0))]}
    events_of(commands=ScriptedCommands({**script, START + 6: [Stop()]}), folder=tmp_path / "short")
    events_of(commands=ScriptedCommands(script), folder=tmp_path / "long")
    assert torch.equal(learned_in(tmp_path / "short"), learned_in(tmp_path / "long"))
    events_of(folder=tmp_path / "learning")
    assert not torch.equal(learned_in(tmp_path / "short"), learned_in(tmp_path / "learning"))


def test_methods_can_be_switched_while_a_run_goes(tmp_path) -> None:
    script = {START + 5: [SetKnobs(1, lods_knobs())], START + 11: [SetKnobs(2, quick_knobs())]}
    events = events_of(quick_knobs(), ScriptedCommands(script), folder=tmp_path)
    learning = ["null_convergence" in steps_of(events)[step].metrics for step in range(35, 55)]
    assert learning.count(True) == 6 and "".join("01"[on] for on in learning).strip("0") == "111111"
    assert isinstance(events[-1], Finished) and not events[-1].stopped
    assert all(torch.isfinite(tensor).all() for tensor in events[-1].copy.scene.parameters().values())
    assert checkpoint.load(tmp_path).content["method"] is None
    methods = [change.values.get("method") for change in events[-1].recipe.changes]
    assert methods == ["lods", "sds"]


def test_coming_back_to_a_method_begins_it_anew() -> None:
    script = {START + 5: [SetKnobs(1, quick_knobs())], START + 6: [SetKnobs(2, lods_knobs())]}
    steps = steps_of(events_of(commands=ScriptedCommands(script)))
    returned = next(
        step
        for step in range(41, 55)
        if "null_convergence" in steps[step].metrics and "null_convergence" not in steps[step - 1].metrics
    )
    assert steps[returned].metrics["null_convergence"] == 0


def test_resume_goes_on_with_what_was_learned(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("engine.loop.live_run.CHECKPOINT_SECONDS", 0.0)
    whole = steps_of(events_of())
    interrupted = run(quick_spec(), lods_knobs(), Unattended(), ball_prior, folder=tmp_path)
    while not (isinstance(event := next(interrupted), Stepped) and event.total_step == 47):
        pass
    interrupted.close()
    resumed = {step: event.loss for step, event in steps_of(events_of(folder=tmp_path, resume=True)).items()}
    assert min(resumed) <= 48 and resumed == pytest.approx(
        {step: whole[step].loss for step in resumed}, rel=1e-4
    )


def test_a_run_that_is_stopped_right_after_it_was_resumed_keeps_what_it_had_learned(tmp_path) -> None:
    events_of(commands=ScriptedCommands({START + 8: [Stop()]}), folder=tmp_path)
    learned = learned_in(tmp_path)
    events_of(commands=ScriptedCommands({1: [Stop()]}), folder=tmp_path, resume=True)
    assert torch.equal(learned, learned_in(tmp_path))


def test_what_one_method_learned_is_not_given_to_another(tmp_path) -> None:
    events_of(commands=ScriptedCommands({START + 8: [Stop()]}), folder=tmp_path)
    events = events_of(
        commands=ScriptedCommands({1: [SetKnobs(1, quick_knobs())]}), folder=tmp_path, resume=True
    )
    assert isinstance(events[-1], Finished) and checkpoint.load(tmp_path).content["method"] is None


def test_a_loss_that_is_not_finite_teaches_nothing(tmp_path) -> None:
    class Spoilt:
        """Answers with not-a-number where gradients are asked for."""

        def __init__(self) -> None:
            self.prior = ball_prior()
            self.info, self.schedule, self.device = self.prior.info, self.prior.schedule, self.prior.device
            self.encode, self.decode, self.embed = self.prior.encode, self.prior.decode, self.prior.embed

        def predict(self, x_t, t, condition):
            good = self.prior.predict(x_t, t, condition)
            return replace(good, eps=good.eps * float("nan")) if good.eps.requires_grad else good

    events_of(load_prior=lambda name: Spoilt(), folder=tmp_path)
    plain = ball_prior().embed("").tokens
    assert torch.equal(learned_in(tmp_path), plain.expand_as(learned_in(tmp_path)))


def network_prior(name: str) -> LinearPrior:
    """The ball, one view at a time, behind a network that an adapter can learn in."""
    blank = torch.full((4, SIZE, SIZE), -0.6)
    prior = LinearPrior({PROMPT: gaussian(ball_picture(), std=0.05), "": gaussian(blank, std=0.05)})
    prior.info = replace(ball_prior_info(), joint_views=False, takes_adapters=True)
    return prior


VSD = replace(quick_knobs(), guidance=Vsd(guidance_scale=1.5, prior_learning_rate=0.01, weighting="denoise"))
FROM_BALL = quick_spec(start="ball", refine_steps=16)


def test_an_adapter_learns_in_a_run_and_the_prior_stays_as_it_was(tmp_path) -> None:
    prior = network_prior("ball")
    events = events_of(VSD, spec=FROM_BALL, load_prior=lambda name: prior, folder=tmp_path)
    assert isinstance(events[-1], Finished) and not events[-1].stopped
    assert all(event.metrics["prior_loss"] > 0 for event in of_type(events, Stepped))
    saved = checkpoint.load(tmp_path).content["method"]
    assert saved["key"] == "vsd" and saved["state"]["up.0.weight"].abs().max() > 0
    assert prior.network.state_dict().keys() == {"0.weight"} and prior.network[0].weight.tolist() == [
        [1.0, -1.0]
    ]


def test_resume_goes_on_with_the_adapter(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("engine.loop.live_run.CHECKPOINT_SECONDS", 0.0)
    whole = steps_of(events_of(VSD, spec=FROM_BALL, load_prior=network_prior))
    events_of(VSD, ScriptedCommands({9: [Stop()]}), FROM_BALL, network_prior, folder=tmp_path)
    events = events_of(VSD, None, FROM_BALL, network_prior, folder=tmp_path, resume=True)
    resumed = {step: event.loss for step, event in steps_of(events).items()}
    assert min(resumed) == 9 and resumed == pytest.approx(
        {step: whole[step].loss for step in resumed}, rel=1e-4
    )


def test_a_prior_without_a_network_is_refused_with_a_remedy() -> None:
    with pytest.raises(InputError, match="no network") as error:
        events_of(VSD, spec=FROM_BALL)
    assert "LODS" in error.value.remedy
