"""Whole runs on a prior whose answer is known."""

from __future__ import annotations

import errno
from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.core.camera import orbit_camera
from engine.errors import FileFormatError, InputError, StorageError
from engine.loop import checkpoint
from engine.loop.checkpointing import BEGUN_ANEW
from engine.loop.frames import azimuth_strip, point_cloud, render_frame
from engine.loop.live_run import MAX_ROLL_BACKS
from engine.loop.messages import (
    Checkpointed,
    Finished,
    KnobsApplied,
    Pictures,
    RolledBack,
    SceneCopy,
    SetKnobs,
    StageStarted,
    Stepped,
    Stop,
    Unattended,
    Warned,
    Watch,
)
from engine.loop.run import run
from engine.prior.base import Prediction
from tests.loop.balls import (
    COLOUR,
    SIZE,
    ScriptedCommands,
    ball_picture,
    ball_prior,
    of_type,
    quick_knobs,
    quick_spec,
)


def events_of(spec, knobs=None, commands=None, **options):
    return list(
        run(
            spec,
            knobs or quick_knobs(),
            commands or Unattended(),
            options.pop("load_prior", ball_prior),
            **options,
        )
    )


def silhouette_iou(copy: SceneCopy) -> float:
    """Worst IoU over 8 azimuths of the drawn alpha with the true outline."""
    truth = (ball_picture()[3] > 0).numpy()
    white = azimuth_strip(copy, SIZE, background=(0.0, 1.0, 0.0))
    drawn = white[..., 1] < 128
    return min(float((d & truth).sum() / (d | truth).sum()) for d in drawn)


@pytest.mark.parametrize("scene", ["splats", "field"])
@pytest.mark.parametrize("start", ["draft", "ball"])
def test_a_run_finds_the_ball(scene: str, start: str) -> None:
    spec = quick_spec(scene=scene, start=start, refine_steps=20 if start == "draft" else 60)
    events = events_of(spec)
    finished = events[-1]
    assert isinstance(finished, Finished) and not finished.stopped
    assert silhouette_iou(finished.copy) > 0.85
    centre = render_frame(finished.copy, orbit_camera(40, 10, 3.05, 40, SIZE))[SIZE // 2, SIZE // 2] / 255
    assert np.abs(centre - COLOUR).max() < 0.12
    stages = [event.stage for event in of_type(events, StageStarted)]
    assert stages == (["draft", "fit", "refine"] if start == "draft" else ["refine"])
    steps = of_type(events, Stepped)
    assert [event.total_step for event in steps] == list(range(1, len(steps) + 1)), "every step is told once"
    assert finished.steps == steps[-1].total_step
    parts = {
        name: seconds for name, seconds in finished.seconds.items() if name not in ("total", "to_first_view")
    }
    assert finished.seconds["total"] == pytest.approx(sum(parts.values()))
    assert 0 < finished.seconds["to_first_view"] <= finished.seconds["total"]


def test_canvas_run_draws_the_picture() -> None:
    finished = events_of(quick_spec(scene="canvas", start="ball", refine_steps=120))[-1]
    rgba = torch.cat([v for v in _canvas_rgba(finished.copy)], dim=-1)
    wanted = ((ball_picture() + 1) / 2).permute(1, 2, 0)
    assert (rgba - wanted).abs().mean() < 0.06


def _canvas_rgba(copy: SceneCopy):
    from engine.core.cameras import orbit_cameras
    from engine.render import choose

    views = choose(copy.scene).render(
        copy.scene, orbit_cameras([0] * len(copy.scene), 0, 3.05, 40, SIZE), None
    )
    return views.rgb, views.alpha


def test_same_seed_same_run_and_other_seed_other_run() -> None:
    def losses(seed: int) -> list[float]:
        return [event.loss for event in of_type(events_of(quick_spec(seed=seed)), Stepped)]

    first = losses(1)
    assert first == losses(1)
    assert first != losses(2)


def test_the_global_generator_is_left_alone() -> None:
    before = torch.random.get_rng_state()
    events_of(quick_spec(fit_steps=10, refine_steps=5))
    assert torch.equal(before, torch.random.get_rng_state())


def test_live_knobs_apply_to_the_next_step_and_are_recorded() -> None:
    louder = replace(quick_knobs(), learning_rate=2.0)
    commands = ScriptedCommands({50: [SetKnobs(7, louder)]})
    events = events_of(quick_spec(), commands=commands)
    applied = of_type(events, KnobsApplied)[0]
    assert (applied.revision, applied.knobs) == (7, louder)
    for event in of_type(events, Stepped):
        assert event.revision == (7 if event.total_step >= applied.total_step else 0)
    change = events[-1].recipe.changes[0]
    assert (change.total_step, change.revision, dict(change.values)) == (
        applied.total_step,
        7,
        {"learning_rate": 2.0},
    )


def test_a_live_knob_changes_the_result() -> None:
    def final_mean(knob: float) -> torch.Tensor:
        commands = ScriptedCommands({36: [SetKnobs(1, replace(quick_knobs(), learning_rate=knob))]})
        return events_of(quick_spec(), commands=commands)[-1].copy.scene.means

    assert not torch.equal(final_mean(0.1), final_mean(1.0))


@pytest.mark.parametrize("take", [1, 3, 20, 40])
def test_stop_ends_within_one_step_and_keeps_the_result(take: int) -> None:
    commands = ScriptedCommands({take: [Stop()]})
    events = events_of(quick_spec(), commands=commands)
    assert isinstance(events[-1], Finished) and events[-1].stopped
    assert len(of_type(events, Stepped)) == take - 1
    assert render_frame(events[-1].copy, orbit_camera(0, 0, 3.05, 40, 16)).shape == (16, 16, 3)


def test_scene_copies_only_while_watched_and_nobody_writes_to_them() -> None:
    assert not of_type(events_of(quick_spec(fit_steps=10, refine_steps=5)), SceneCopy)
    copies, kept = [], []
    for event in run(quick_spec(), quick_knobs(), ScriptedCommands({1: [Watch(True)]}), ball_prior):
        if isinstance(event, SceneCopy):
            copies.append(event)
            kept.append(event.scene.means.clone())
    assert copies and all(torch.equal(copy.scene.means, means) for copy, means in zip(copies, kept))


def test_pictures_of_what_the_prior_sees(monkeypatch) -> None:
    monkeypatch.setattr("engine.loop.live_run.PICTURE_SECONDS", 0.0)
    pictures = of_type(events_of(quick_spec()), Pictures)
    assert {picture.kind for picture in pictures} == {"draft", "denoised"}
    assert all(p.images.dtype == np.uint8 and p.images.shape[1:] == (SIZE, SIZE, 3) for p in pictures)
    for picture in pictures:
        if picture.kind == "draft":
            assert picture.renders is None and picture.noise is None, "nothing is rendered yet"
        else:
            assert picture.renders.dtype == np.uint8 and len(picture.renders) == len(picture.images)
            assert picture.renders[:, 0, 0].min() > 200, (
                "the ground is paper, as in the denoised picture beside it"
            )
            assert 0 < picture.noise < 1


def test_resume_goes_on_exactly_where_the_checkpoint_was(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("engine.loop.live_run.CHECKPOINT_SECONDS", 0.0)
    spec = quick_spec()
    whole = events_of(spec)
    interrupted = run(spec, quick_knobs(), Unattended(), ball_prior, folder=tmp_path)
    for event in interrupted:
        if isinstance(event, Stepped) and event.total_step == 45:
            break
    interrupted.close()
    resumed = events_of(spec, folder=tmp_path, resume=True)
    losses = {event.total_step: event.loss for event in of_type(resumed, Stepped)}
    expected = {
        event.total_step: event.loss for event in of_type(whole, Stepped) if event.total_step in losses
    }
    assert min(losses) >= 45 and losses == pytest.approx(expected)
    assert resumed[-1].steps == whole[-1].steps


def test_resume_keeps_live_knobs(tmp_path) -> None:
    louder = replace(quick_knobs(), learning_rate=2.0)
    events_of(
        quick_spec(), commands=ScriptedCommands({40: [SetKnobs(3, louder)], 42: [Stop()]}), folder=tmp_path
    )
    resumed = events_of(quick_spec(), folder=tmp_path, resume=True)
    assert all(event.revision == 3 for event in of_type(resumed, Stepped))
    assert resumed[-1].recipe.changes[0].values == {"learning_rate": 2.0}


def test_an_interrupted_draft_begins_anew_and_ends_the_same(tmp_path) -> None:
    interrupted = run(quick_spec(), quick_knobs(), Unattended(), ball_prior, folder=tmp_path)
    for event in interrupted:
        if isinstance(event, Stepped) and event.total_step == 2:
            break
    interrupted.close()
    resumed, whole = events_of(quick_spec(), folder=tmp_path, resume=True)[-1], events_of(quick_spec())[-1]
    assert resumed.steps == whole.steps
    assert torch.equal(resumed.copy.scene.means, whole.copy.scene.means)


def test_a_run_that_is_let_go_of_can_be_resumed_from_its_last_step(tmp_path) -> None:
    events = run(quick_spec(), quick_knobs(), Unattended(), ball_prior, folder=tmp_path)
    while not (isinstance(event := next(events), Stepped) and event.total_step == 41):
        pass
    events.close()
    assert checkpoint.load(tmp_path).content["total_step"] == 41


def test_a_broken_checkpoint_falls_back_to_the_one_before(tmp_path) -> None:
    events_of(quick_spec(), folder=tmp_path, commands=ScriptedCommands({40: [Stop()]}))
    events_of(quick_spec(), folder=tmp_path, resume=True)
    (tmp_path / checkpoint.NAME).write_bytes(b"half a file")
    assert checkpoint.load(tmp_path).content["total_step"] > 0
    (tmp_path / checkpoint.PREVIOUS).write_bytes(b"")
    with pytest.raises(FileFormatError) as error:
        checkpoint.load(tmp_path)
    assert error.value.remedy


def damage(path, at: float) -> None:
    """Turn one bit over, so far into the file."""
    data = bytearray(path.read_bytes())
    data[int(at * len(data))] ^= 4
    path.write_bytes(data)


@pytest.mark.parametrize("at", [0.05, 0.3, 0.5, 0.7, 0.95])
def test_a_checkpoint_with_one_bit_turned_over_is_never_taken_for_a_good_one(tmp_path, at: float) -> None:
    events_of(quick_spec(refine_steps=4, fit_steps=10), folder=tmp_path)
    good = checkpoint.load(tmp_path)
    for path in tmp_path.glob("checkpoint*.pt"):
        damage(path, at)
    try:
        again = checkpoint.load(tmp_path)
    except FileFormatError:
        return
    for name, tensor in good.content["scene"].items():
        assert torch.equal(tensor, again.content["scene"][name]), "what was turned over carries nothing"


@pytest.mark.parametrize("content", [
    {}, {"format": 1}, {"format": 1, "recipe": 7}, [], 7, {"format": 1, "scene_kind": "teapot"},
])  # fmt: skip
def test_an_archive_that_holds_something_else_is_no_checkpoint(tmp_path, content: object) -> None:
    torch.save(content, tmp_path / checkpoint.NAME)
    with pytest.raises(FileFormatError, match="cannot be read"):
        checkpoint.load_copy(tmp_path)


@pytest.mark.parametrize("left", ["nothing readable", "a scene of another shape", "no optimiser"])
def test_a_run_whose_checkpoints_cannot_be_used_begins_anew_and_says_so(tmp_path, left: str) -> None:
    spec = quick_spec(refine_steps=4, fit_steps=10)
    untouched = events_of(spec, folder=tmp_path / "other")
    events_of(quick_spec(refine_steps=2, fit_steps=10, splats=100), folder=tmp_path)
    content = dict(checkpoint.load(tmp_path).content)
    for path in tmp_path.glob("checkpoint*.pt"):
        path.unlink()
    if left == "nothing readable":
        (tmp_path / checkpoint.NAME).write_bytes(b"PK")
    elif left == "no optimiser":
        torch.save({**content, "optimiser": {"state": {}, "param_groups": []}}, tmp_path / checkpoint.NAME)
    else:
        content["scene"] = {"means": torch.zeros(3)}
        torch.save(content, tmp_path / checkpoint.NAME)
    events = events_of(spec, folder=tmp_path, resume=True)
    assert BEGUN_ANEW in [event.what for event in of_type(events, Warned)]
    again, first = (events_[-1].copy.scene.to_arrays() for events_ in (events, untouched))
    assert all(np.array_equal(again[name], first[name]) for name in first), (
        "as if it had never been begun before"
    )


def test_a_disk_that_takes_no_checkpoint_costs_no_run_and_leaves_no_part(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("engine.loop.live_run.CHECKPOINT_SECONDS", 0.0)

    def full(*args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("engine.loop.checkpoint.os.fsync", full)
    for commands in (Unattended(), ScriptedCommands({20: [Stop()]})):
        events = events_of(quick_spec(refine_steps=4, fit_steps=10), commands=commands, folder=tmp_path)
        assert isinstance(events[-1], Finished) and not of_type(events, Checkpointed)
        assert [("disk is full" in event.what) for event in of_type(events, Warned)] == [True], (
            "it is said once"
        )
    assert list(tmp_path.iterdir()) == []


def test_a_checkpoint_that_fails_keeps_the_ones_before(tmp_path, monkeypatch) -> None:
    events_of(quick_spec(refine_steps=4, fit_steps=10), folder=tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def broken(*args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("engine.loop.checkpoint.os.fsync", broken)
    with pytest.raises(StorageError, match="disk is full"):
        checkpoint.save(checkpoint.load(tmp_path), tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_an_ended_run_keeps_its_shape_in_less_space(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("engine.loop.live_run.CHECKPOINT_SECONDS", 0.0)
    events_of(quick_spec(refine_steps=4, fit_steps=10), folder=tmp_path)
    before, shown = sum(path.stat().st_size for path in tmp_path.iterdir()), checkpoint.load_copy(tmp_path)
    checkpoint.settle(tmp_path)
    checkpoint.settle(tmp_path)  # twice is once
    assert [path.name for path in tmp_path.iterdir()] == [checkpoint.NAME]
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 0.3 * before
    again = checkpoint.load_copy(tmp_path)
    first, second = shown.scene.to_arrays(), again.scene.to_arrays()
    assert again.total_step == shown.total_step and all(
        np.array_equal(first[name], second[name]) for name in first
    )
    with pytest.raises(InputError, match="has ended"):
        events_of(quick_spec(refine_steps=9, fit_steps=10), folder=tmp_path, resume=True)


def test_a_result_can_be_shown_from_disk(tmp_path) -> None:
    finished = events_of(quick_spec(), folder=tmp_path)[-1]
    camera = orbit_camera(30, 20, 3.05, 40, SIZE)
    again = checkpoint.load_copy(tmp_path)
    assert np.abs(render_frame(again, camera).astype(int) - render_frame(finished.copy, camera)).max() <= 1
    cloud = point_cloud(again, limit=50)
    assert cloud.centers.shape == (50, 3) and np.all(np.linalg.eigvalsh(cloud.covariances) > 0)


class BrokenPrior:
    """Answers with not-a-number from a given call on."""

    def __init__(self, after: int, times: int = 10**9) -> None:
        self.prior, self.calls, self.after, self.times = ball_prior(), 0, after, times
        self.info, self.schedule, self.device = self.prior.info, self.prior.schedule, self.prior.device
        self.encode, self.decode, self.embed = self.prior.encode, self.prior.decode, self.prior.embed

    def predict(self, x_t, t, condition) -> Prediction:
        self.calls += 1
        good = self.prior.predict(x_t, t, condition)
        broken = self.after <= self.calls < self.after + self.times
        return Prediction(good.eps * float("inf"), good.x0) if broken else good


def test_a_run_that_grows_past_the_frame_rolls_back_and_then_gives_up(monkeypatch) -> None:
    monkeypatch.setattr("engine.loop.shape_health.BORDER_ALPHA", -1.0)  # every picture is now too large
    events = events_of(quick_spec())
    assert len(of_type(events, RolledBack)) == MAX_ROLL_BACKS + 1
    assert of_type(events, Warned)[0].remedy
    assert isinstance(events[-1], Finished) and events[-1].stopped
    assert silhouette_iou(events[-1].copy) > 0.8, "the last good shape is kept"


def test_infinite_predictions_never_reach_the_scene() -> None:
    finished = events_of(quick_spec(), load_prior=lambda name: BrokenPrior(after=8, times=3))[-1]
    assert all(torch.isfinite(tensor).all() for tensor in finished.copy.scene.parameters().values())


def test_a_time_budget_ends_refining() -> None:
    finished = events_of(quick_spec(refine_steps=20000, time_budget_seconds=0.5))[-1]
    assert not finished.stopped and 0.4 < finished.seconds["refine"] < 5


def test_what_cannot_be_run_says_why() -> None:
    single = ball_prior()
    single.info = replace(single.info, joint_views=False)
    with pytest.raises(InputError, match="one view at a time"):
        events_of(quick_spec(), load_prior=lambda name: single)
    with pytest.raises(InputError, match="nothing to do"):
        events_of(quick_spec(start="ball", refine_steps=0))
