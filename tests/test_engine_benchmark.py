"""The benchmark measures what it says: on clocks and scenes whose answers are known, never against the time
of day.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from engine.benchmark import __main__ as command
from engine.benchmark.batch import measure_batch
from engine.benchmark.crowd import measure_crowd
from engine.benchmark.cuda import NO_DEVICE, measure_cuda, measure_overhead
from engine.benchmark.driving import WARM_UP, refinement
from engine.benchmark.latency import measure_first_picture, measure_slider
from engine.benchmark.memory import peak_of
from engine.benchmark.page_start import free_port, seconds_until_answer
from engine.benchmark.renderers import (
    RADIUS,
    STATES,
    Case,
    Series,
    Twins,
    camera_of,
    growing,
    measure_growth,
    measure_twins,
    scene_of,
)
from engine.benchmark.report import Goal, Row, document, machine_facts, table
from engine.benchmark.sessions import begin_refining, hasty, open_session, page_camera, until
from engine.benchmark.split import Split, measure_split, split_steps
from engine.benchmark.stopwatch import Stopwatch, TimedPrior, timed, timed_renderer
from engine.benchmark.timing import Comparison, interleaved, seconds_of
from engine.benchmark.watching import Watcher, measure_watching
from engine.benchmark.workbench import measure_branches, measure_library
from engine.errors import RunError
from engine.loop.settings import Settings
from engine.prior.entries import PRIORS_FOLDER
from engine.prior.registry import load_prior
from engine.render import choose
from engine.scene.splats import rotation_matrices
from tests.loop.balls import ball_prior, quick_knobs, quick_spec

SETTINGS = Settings(quick_spec(splats=100, fit_steps=10), quick_knobs(anchor_weight=0.0))


class HandClock:
    """A clock that stands still unless it is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def takes(self, seconds: float) -> Callable[[], None]:
        """Work that takes so long."""

        def work() -> None:
            self.now += seconds

        return work


def costly(clock: HandClock, forward: float, backward: float) -> Callable[..., torch.Tensor]:
    """The sum of tensors, at a known price."""

    class Costly(torch.autograd.Function):
        @staticmethod
        def forward(ctx, *tensors):
            clock.now += forward
            ctx.count = len(tensors)
            return sum(tensors)

        @staticmethod
        def backward(ctx, gradient):
            clock.now += backward
            return (gradient,) * ctx.count

    return Costly.apply


# Clocks


def test_seconds_are_the_mean_of_the_calls():
    clock = HandClock()
    assert seconds_of(clock.takes(2.0), clock, calls=5) == 2.0


def test_turns_go_there_and_back():
    order = []

    def measure(name: str) -> Callable[[], float]:
        return lambda: float(order.append(name) or len(order))

    found = interleaved([measure("a"), measure("b"), measure("c")], repeats=3)
    assert "".join(order) == "abccbaabc"
    assert found == ((1, 6, 7), (2, 5, 8), (3, 4, 9))


def test_ratios_do_not_see_a_machine_that_slows_down():
    slowness = iter([1, 2, 4, 8, 16, 32, 64, 128, 256, 512])
    found = interleaved([lambda: 3.0 * next(slowness), lambda: 3.0 * next(slowness)], repeats=5)
    pair = Comparison((2.0, 30.0, 8.0), (1.0, 10.0, 2.0))
    assert (pair.value, pair.reference, pair.share, pair.speed_up) == (8.0, 2.0, 3.0, 1 / 3)
    assert sorted(v / r for v, r in zip(*found)) == [0.5, 0.5, 0.5, 2.0, 2.0]


def test_a_span_covers_the_calls_forward_and_backward_pass_and_nothing_else():
    clock = HandClock()
    watch, x, y = Stopwatch(clock), torch.ones(3, requires_grad=True), torch.ones(3, requires_grad=True)
    before, inside, after = costly(clock, 1, 10), costly(clock, 2, 20), costly(clock, 4, 40)
    result = timed(watch, [before(x), before(y)], lambda entered: inside(*entered), lambda out: (out,))
    assert watch.seconds == 2
    loss = after(result, x).sum()
    clock.now += 1000
    loss.backward()
    assert watch.seconds == 2 + 20
    assert clock.now == 100 + 1 + 1 + 2 + 4 + 1000 + 40 + 20 + 10 + 10
    assert x.grad.tolist() == [2, 2, 2] and y.grad.tolist() == [1, 1, 1]


def test_two_calls_in_one_graph_are_both_counted_once():
    clock = HandClock()
    watch, x = Stopwatch(clock), torch.ones(3, requires_grad=True)
    inside, between = costly(clock, 2, 20), costly(clock, 4, 40)
    first, second = (
        between(timed(watch, [x], lambda entered: inside(*entered), lambda out: (out,))) for _ in range(2)
    )
    (first + second).sum().backward()
    assert watch.seconds == 2 * (2 + 20)


def test_an_input_that_gets_no_gradient_does_not_keep_the_watch_going():
    clock = HandClock()
    watch, x, unused = Stopwatch(clock), torch.ones(3, requires_grad=True), torch.ones(3, requires_grad=True)
    inside = costly(clock, 2, 20)
    timed(watch, [x, unused], lambda entered: inside(entered[0]), lambda out: (out,)).sum().backward()
    clock.now += 1000
    timed(watch, [x], lambda entered: inside(*entered), lambda out: (out,))
    assert watch.seconds == 2 + 20 + 2


def test_nothing_is_hooked_where_nothing_learns():
    clock = HandClock()
    watch = Stopwatch(clock)
    with torch.no_grad():
        x = torch.ones(3, requires_grad=True)
        out = timed(watch, [x], lambda entered: costly(clock, 2, 20)(*entered), lambda out: (out,))
    assert watch.seconds == 2 and not out.requires_grad


# A step, split


def test_the_watches_change_nothing():
    def scene_after(wrapped: bool) -> dict[str, torch.Tensor]:
        watch = Stopwatch(HandClock())
        prior = TimedPrior(ball_prior(), watch) if wrapped else ball_prior()
        refining = refinement(
            SETTINGS, prior, 2, (lambda renderer: timed_renderer(renderer, watch)) if wrapped else None
        )
        assert len(list(refining.steps)) == 2 and refining.state.step == 2 + WARM_UP
        return refining.state.scene.parameters()

    plain, watched = scene_after(False), scene_after(True)
    assert all(torch.equal(plain[name], watched[name]) for name in plain)


@pytest.mark.parametrize(("anchor_weight", "renders"), [(0.0, 1), (2.0, 2)])
def test_the_parts_of_a_step_sum_to_the_whole(
    anchor_weight: float, renders: int, monkeypatch: pytest.MonkeyPatch
):
    """With a prior, a renderer and an optimiser that take a known time. An anchor that weighs something is
    drawn, too.
    """
    clock = HandClock()
    monkeypatch.setattr(torch.optim.Adam, "step", slowed(torch.optim.Adam.step, clock, 5.0))
    prior = ball_prior()
    monkeypatch.setattr(prior, "predict", slowed(prior.predict, clock, 100.0))
    monkeypatch.setattr(
        "engine.render.splats_torch.render", slowed(choose(scene_of(SMALL), "torch").render, clock, 30.0)
    )
    spec = replace(SETTINGS.spec, backend="torch")
    guidance = replace(SETTINGS.knobs.guidance, guidance_scale=2.0)
    settings = Settings(spec, replace(SETTINGS.knobs, anchor_weight=anchor_weight, guidance=guidance))
    in_prior, in_renderer, inside = split_steps(settings, prior, 3, clock)
    assert (in_prior, in_renderer, inside) == (2 * 100.0, renders * 30.0, 5.0)  # guidance asks twice


def slowed(function: Callable, clock: HandClock, seconds: float) -> Callable:
    """The same function; by ``clock`` it takes ``seconds``."""

    def slow(*arguments, **named):
        clock.now += seconds
        return function(*arguments, **named)

    return slow


def test_a_split_of_a_real_run_is_whole():
    split = measure_split(SETTINGS, ball_prior(), 3)
    assert min(split.prior, split.renderer, split.inside, split.between) > 0
    assert split.whole == pytest.approx(split.prior + split.renderer + split.rest)
    assert sum(row.ratio for row in split.rows()) == pytest.approx(1)


def test_a_step_cannot_be_faster_than_its_denoiser_call():
    pair = measure_overhead(SETTINGS, ball_prior(), 3)
    assert len(pair.values) == 3 and pair.share > 1


# Renderers

SMALL = Case("splats", "settled", 500, 32)


@pytest.mark.parametrize("kind, size", [("splats", 500), ("field", 24)])
@pytest.mark.parametrize("state", ["settled", "fresh"])
def test_scenes_are_balls_in_full_view(kind, size, state):
    case = Case(kind, state, size, 48)
    with torch.no_grad():
        alpha = choose(scene_of(case), "torch").render(scene_of(case), camera_of(case)).alpha[0, :, :, 0]
    assert alpha[24, 24] > (0.95 if state == "settled" else 0.5)
    assert float(torch.cat([alpha[0], alpha[-1], alpha[:, 0], alpha[:, -1]]).max()) < 0.01


def test_settled_splats_lie_flat_on_their_sphere():
    scene = scene_of(SMALL)
    normals = torch.nn.functional.normalize(scene.means, dim=1)
    assert torch.allclose(scene.means.norm(dim=1), torch.tensor(RADIUS), atol=1e-5)
    thinnest = rotation_matrices(scene.unit_quats)[:, :, 2]
    assert (scene.scales.argmin(dim=1) == 2).all() and torch.allclose(thinnest, normals, atol=1e-4)


def test_twins_and_growth_are_measured_case_by_case():
    field = Case("field", "fresh", 16, 16)
    twins = measure_twins([SMALL, field], repeats=2)
    assert [(case, len(pair.values), len(pair.references)) for _, _, case, pair in twins.comparisons] == [
        (SMALL, 2, 2),
        (field, 2, 2),
    ]
    assert all(row.goal == Goal(">=", 10) and row.value > 0 for row in twins.rows())
    growth = measure_growth([Series("pixels", (SMALL, replace(SMALL, pixels=64)))], repeats=2)
    (row,), ((_, (first, second)),) = growth.rows(), growth.comparisons
    assert (row.key, row.against) == ("growth.pixels.splats.settled.500.64px", "at 32 px")
    assert first.share == 1 and second.references == first.values and row.ratio == second.share


def test_a_twin_is_as_much_faster_as_its_reference_is_slower():
    (row,) = Twins((("cpu", "cpu (numba)", SMALL, Comparison((0.002, 0.002), (0.03, 0.05))),)).rows()
    assert (row.value, row.reference, row.ratio, row.reached) == (2.0, 40.0, 20.0, True)


def test_series_begin_small_and_grow_in_one_thing():
    for series in growing(STATES):
        still = {replace(case, **{series.axis: 0}) for case in series.cases}
        steps = [getattr(case, series.axis) for case in series.cases]
        assert len(still) == 1 and steps == sorted(set(steps)) and len(steps) > 2


# Through the session


def test_a_run_is_measured_with_and_without_a_watcher():
    found = measure_watching(SETTINGS, ball_prior(), pairs=1, steps=2)
    (row,) = found.rows()
    assert row.value > 0 and row.reference > 0 and row.ratio == pytest.approx(row.value / row.reference)


def test_a_watcher_sees_picture_after_picture():
    prior = ball_prior()
    with open_session(prior) as session:
        token = begin_refining(session, hasty(SETTINGS))
        watcher = Watcher(session, token, page_camera(prior))
        watcher.start()
        until(session, token, lambda: watcher.pictures >= 3)
        watcher.leave()
    assert not watcher.is_alive() and watcher.seconds > 0


def test_a_slider_and_a_first_picture_are_waited_for():
    slider = measure_slider(SETTINGS, ball_prior(), repeats=2)
    assert len(slider.seconds.values) == 2 and min(slider.seconds.values) > 0
    assert min(slider.seconds.references) > 0.1
    picture = measure_first_picture(SETTINGS, ball_prior(), repeats=1)
    assert picture.seconds.share > 1


def test_a_run_that_fails_is_told():
    broken = ball_prior()
    broken.predict = None
    with pytest.raises(RunError, match="failed at step 0"):
        measure_slider(SETTINGS, broken, repeats=1)


# Processes


def test_a_page_is_waited_for_and_its_server_ended(tmp_path: Path):
    port = free_port()
    server = [
        sys.executable,
        "-m",
        "http.server",
        str(port),
        "--bind",
        "127.0.0.1",
        "--directory",
        str(tmp_path),
    ]
    assert seconds_until_answer(server, f"http://127.0.0.1:{port}/") > 0
    with pytest.raises(RunError, match="no such flag"):
        seconds_until_answer(
            [sys.executable, "-c", "raise SystemExit('no such flag')"], f"http://127.0.0.1:{port}/"
        )


def test_peak_memory_is_the_commands_own():
    held = bytearray(300_000_000)  # what this process holds must not count
    held[::4096] = b"x" * len(held[::4096])
    small, large = (peak_of([sys.executable, "-c", f"x = b'x' * {size}"]) for size in (1, 100_000_000))
    assert small < 100_000_000 < large - small + 10_000_000
    assert large < 200_000_000
    with pytest.raises(RunError, match="ZeroDivisionError"):
        peak_of([sys.executable, "-c", "1 / 0"])


# The report

ROWS = (
    Row("a", "fast enough", 2.0, "ms", 40.0, "its twin", 20.0, Goal(">=", 10)),
    Row("b", "too slow", 12.0, "s", 3.0, "imports", 4.0, Goal("<=", 10, of="value")),
    Row("c", "no goal", 1.0, "ms", 1.0, "itself", 1.0),
    Row("d", "not here", goal=Goal("<=", 1), note=NO_DEVICE),
)


def test_a_row_knows_whether_its_goal_is_reached():
    assert [row.reached for row in ROWS] == [True, False, None, None]
    assert Row("e", "just", 10.0, "s", goal=Goal("<=", 10, of="value")).reached is True


def test_the_table_has_a_line_a_row():
    lines = table(ROWS, {"processors": 2}).splitlines()
    fast, slow, plain, absent = (next(line for line in lines if row.name in line) for row in ROWS)
    assert (
        fast.split()[-1] == "yes"
        and slow.split()[-1] == "no"
        and "20 x" in fast
        and ">= 10 x" in fast
        and "<= 10 s" in slow
    )
    assert plain.endswith("1 x") and absent.endswith("not measured: no CUDA device")
    assert "processors 2" in lines[0]


def test_the_document_can_be_stored():
    stored = json.loads(json.dumps(document(ROWS, machine_facts(), quick=True, seconds=12.34)))
    assert set(stored) == {"machine", "quick", "seconds", "rows"} and set(stored["rows"]) == {
        "a",
        "b",
        "c",
        "d",
    }
    assert stored["rows"]["a"] == {
        "name": "fast enough", "value": 2.0, "unit": "ms", "reference": 40.0, "against": "its twin",
        "ratio": 20.0,
        "goal": {"of": "ratio", "relation": ">=", "limit": 10}, "reached": True, "note": "",
    }  # fmt: skip
    assert stored["rows"]["d"]["value"] is None and stored["rows"]["d"]["reached"] is None
    assert {"processors", "threads", "gpu", "python", "torch"} <= set(stored["machine"])


def test_without_a_gpu_its_rows_say_so(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    rows = measure_cuda(SETTINGS, ball_prior(), 2, 1).rows()
    assert [row.key for row in rows] == ["cuda.gsplat", "cuda.nerfacc", "cuda.step overhead"]
    assert {row.note for row in rows} == {NO_DEVICE} and {row.value for row in rows} == {None}


@dataclasses.dataclass(frozen=True)
class OneRow:
    row: Row

    def rows(self) -> tuple[Row, ...]:
        return (self.row,)


def test_the_command_prints_and_stores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    amounts = []

    def measurements(settings, prior, amount):
        amounts.append(amount)
        return tuple((row.name, lambda row=row: OneRow(row)) for row in ROWS)

    monkeypatch.setattr(command, "measurements", measurements)
    monkeypatch.setattr(command, "load_prior", ball_prior)
    assert command.main(["--quick", "--json", str(tmp_path / "numbers.json")]) == 0
    assert "fast enough" in capsys.readouterr().out and amounts == [command.QUICK]
    assert json.loads((tmp_path / "numbers.json").read_text())["quick"] is True
    assert command.main(["--json", str(tmp_path / "missing" / "numbers.json")]) == 1
    assert "missing" in capsys.readouterr().err


def test_quick_measures_less_of_everything():
    quick, full = (dataclasses.asdict(amount) for amount in (command.QUICK, command.FULL))
    assert all(quick[name] < full[name] for name in full)


def test_every_measurement_is_asked_for():
    titles = [title for title, _ in command.measurements(SETTINGS, ball_prior(), command.QUICK)]
    assert len(titles) == len(set(titles)) == 9


def test_missing_weights_are_told_before_anything_is_measured(tmp_path, monkeypatch, capsys):
    shutil.copy(PRIORS_FOLDER / "toybox.toml", tmp_path)
    monkeypatch.setattr(command, "load_prior", lambda name: load_prior(name, folder=tmp_path))
    assert command.main(["--quick"]) == 1
    told = capsys.readouterr()
    assert "lacks model_index.json" in told.err and "Restore that folder" in told.err and told.out == ""


def test_help_answers(capsys):
    with pytest.raises(SystemExit, match="0"):
        command.main(["--help"])
    said = capsys.readouterr().out
    assert "--quick" in said and "--json" in said


def test_the_split_has_a_goal_only_for_the_rest():
    rows = {row.key: row for row in Split(prior=0.8, renderer=0.15, inside=0.03, between=0.02).rows()}
    assert rows["split.rest"].ratio == pytest.approx(0.05) and rows["split.rest"].reached is True
    assert rows["split.prior"].goal is None and rows["split.prior"].value == pytest.approx(800)


@pytest.mark.heavy
def test_clients_of_page_and_api_are_measured_beside_none() -> None:
    row = measure_crowd(clients=4, turns=1)
    assert (
        row.value > 0
        and row.reference > 0
        and row.ratio == pytest.approx(row.value / row.reference, rel=0.01)
    )


@pytest.mark.heavy
def test_two_workers_of_a_batch_are_measured_beside_one() -> None:
    row = measure_batch(rows=2, turns=1)
    assert row.value > 0 and row.reference > 0


@pytest.mark.heavy
def test_branches_of_a_run_and_calls_over_a_library_are_measured() -> None:
    rows = [
        *measure_branches(command.default_settings(), forks=2, rewinds=1),
        *measure_library(runs=60, calls=2),
    ]
    assert {"rewind", "forks", "/", "/library"} <= {row.key for row in rows}
    assert all(row.value >= 0 and row.reference > 0 and row.reached is not False for row in rows)
