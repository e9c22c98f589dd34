"""The comparison of methods: its table of settings, its metrics against closed forms, counting, resuming and
printing.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import wasserstein_distance

from engine.errors import InputError
from engine.guidance import methods
from engine.prior.registry import load_prior
from engine.toybox.benchmark import __main__ as benchmark
from engine.toybox.benchmark.metrics import halved, mean_pairwise_distance
from engine.toybox.benchmark.perceptual import chroma_shift, colour_distance, colour_histograms
from engine.toybox.benchmark.readme import put_between_markers
from engine.toybox.benchmark.shapes import ShapeScore
from engine.toybox.benchmark.tasks import front_tasks
from engine.toybox.benchmark.verdicts import Verdict
from engine.toybox.method_sweep import command, measure, report, store
from engine.toybox.method_sweep.cells import (
    BALL,
    DRAFT,
    PULLS,
    SCENES,
    TRUE,
    TRUE_SEEDS,
    Cell,
    Row,
    cells_of,
    read_table,
    rows_of,
    settings_of,
)
from engine.toybox.method_sweep.command import GAP, HEAD, LABEL, MARGIN, SIDE, SIDES, compose
from engine.toybox.method_sweep.measure import Effort, Outcome, counted, make, measure_cell
from engine.toybox.method_sweep.measuring import measured as measured_in
from engine.toybox.objects import KINDS_WITH_FRONT

SHORT = {"sampling_steps": 2, "fit_steps": 10, "refine_steps": 2, "splats": 300}


@pytest.fixture(scope="module", autouse=True)
def small_bank() -> Iterator[None]:
    """Results are compared with few true objects: drawing them is what takes the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measure, "BANK", 8)
        measure.truth_of.cache_clear()
        yield
    measure.truth_of.cache_clear()


def flat(rgb: Sequence[float], alpha: float = 1.0, size: int = 8) -> np.ndarray:
    """A picture of one colour, premultiplied."""
    return np.broadcast_to(np.array([*(alpha * channel for channel in rgb), alpha]), (size, size, 4)).copy()


# The table of settings


@pytest.mark.parametrize("method", sorted(methods()))
def test_every_method_has_a_setting_for_both_scenes_and_pulls(method: str) -> None:
    table = read_table()
    for scene in SCENES:
        best, high = (settings_of(method, scene, pull, {}, table) for pull in PULLS)
        assert isinstance(best.knobs.guidance, methods()[method]) and best.spec.scene == scene
        assert best.spec.start == "ball" and best.knobs.anchor_weight == 0, (
            "the method alone must make the object"
        )
        assert high.knobs.guidance.guidance_scale >= 20 > best.knobs.guidance.guidance_scale
        assert high.spec == best.spec, "high guidance is no other run"


def test_the_table_names_nothing_that_is_not_a_method() -> None:
    assert set(read_table()) == {"every", *methods()}


def test_what_only_one_scene_needs_and_what_is_changed_come_last() -> None:
    table = {
        "every": {"refine_steps": 30},
        "sds": {"guidance_scale": 3, "field": {"refine_steps": 50}, "high": {"guidance_scale": 20}},
    }
    on_splats, on_field = (settings_of("sds", scene, "best", {}, table) for scene in SCENES)
    changed = settings_of("sds", "field", "high", {"refine_steps": "10"}, table)
    assert (on_splats.spec.refine_steps, on_field.spec.refine_steps, changed.spec.refine_steps) == (
        30,
        50,
        10,
    )
    assert changed.knobs.guidance.guidance_scale == 20


# Metrics


def distance(seen: np.ndarray, true: np.ndarray) -> float:
    return colour_distance(colour_histograms(seen), colour_histograms(true))


def shift(seen: np.ndarray, true: np.ndarray) -> float:
    return chroma_shift(colour_histograms(seen), colour_histograms(true))


def test_colour_distance_of_plain_colours() -> None:
    red, dark, white = flat((1, 0, 0)), flat((0.4, 0, 0)), flat((1, 1, 1))
    assert distance(red, dark) == pytest.approx((0.6 + 0 + 0 + 0.6) / 4)
    assert distance(red, white) == distance(white, red) == pytest.approx((0 + 1 + 1 + 1) / 4)
    assert shift(red, dark) == pytest.approx(0.6) and shift(white, red) == pytest.approx(-1)


def test_colour_distance_is_between_distributions_and_blind_to_shape() -> None:
    half = np.concatenate([flat((1, 1, 1)), flat((0, 0, 0))])
    assert distance(half, flat((0.4, 0.4, 0.4))) == pytest.approx((0.5 * 0.6 + 0.5 * 0.4) * 3 / 4)
    shuffled = np.random.default_rng(0).permutation(half.reshape(-1, 4))
    assert distance(half, shuffled) == 0


def test_colour_distance_is_scipys_up_to_the_levels() -> None:
    rng = np.random.default_rng(0)
    seen, true = (
        np.concatenate([rng.beta(a, b, (500, 3)), np.ones((500, 1))], axis=1) for a, b in ((2, 3), (4, 1))
    )
    with_chroma = [
        np.concatenate([x[:, :3], np.ptp(x[:, :3], axis=1, keepdims=True)], axis=1).T for x in (seen, true)
    ]
    wanted = np.mean([wasserstein_distance(a, b) for a, b in zip(*with_chroma)])
    assert distance(seen, true) == pytest.approx(wanted, abs=1 / 255)


def test_only_what_is_opaque_has_a_colour() -> None:
    seen = np.concatenate([flat((0.2, 0.4, 0.6), alpha=0.8), flat((1, 0, 0), alpha=0.4)])
    assert distance(seen, flat((0.2, 0.4, 0.6))) == 0
    nothing = np.zeros((8, 8, 4))
    assert distance(nothing, seen) == 1 and distance(nothing, nothing) == 0
    assert shift(nothing, flat((1, 0, 0))) == -1


def test_pairwise_distance_of_constant_offsets() -> None:
    pictures = np.stack([np.full((4, 4, 4), value) for value in (0.1, 0.3, 0.7)])
    assert mean_pairwise_distance(pictures) == pytest.approx((0.2 + 0.6 + 0.4) / 3)
    assert mean_pairwise_distance(pictures[:1]) == 0


def test_halving_takes_means() -> None:
    picture = np.arange(16.0).reshape(1, 4, 4, 1)
    assert halved(picture)[0, :, :, 0].tolist() == [[2.5, 4.5], [10.5, 12.5]]


def test_diversity_is_in_units_of_true_objects_over_prompts_that_both_have() -> None:
    assert report.diversity({0: 0.1, 1: 0.2}, {0: 0.2, 1: 0.4, 2: 9.0}) == pytest.approx(0.5)
    assert report.diversity({}, {0: 0.2}) is None and report.diversity({0: 0.1}, {}) is None


def test_prompts_have_fronts_and_two_colours_in_turn_with_one() -> None:
    tasks = front_tasks(20)
    assert all(task.kind in KINDS_WITH_FRONT and next(iter(task.colours)) == "body" for task in tasks)
    assert [len(task.colours) for task in tasks] == [2, 1] * 10
    assert len({(task.kind, task.seed) for task in tasks}) == 20


# Counting


def test_passes_are_counted_where_they_happen_and_only_inside() -> None:
    network, x = torch.nn.Linear(2, 2), torch.ones(3, 2, requires_grad=True)
    with counted(network) as passes:
        with torch.no_grad():
            network(x)
        network(network(x)).sum().backward()
        network(x)
        assert (passes.forwards, passes.backwards) == (4, 2)
        passes.clear()
        network(x)
    network(x)
    assert (passes.forwards, passes.backwards) == (1, 0)


@pytest.fixture(scope="module")
def toybox():
    torch.set_num_threads(1)
    return load_prior("toybox", "cpu")


@pytest.mark.parametrize(("method", "backwards"), [("sds", 0), ("lods", 1), ("vsd", 1)])
def test_a_run_counts_its_refine_steps_only(method: str, backwards: int, toybox) -> None:
    drafted = {**SHORT, "start": "draft", "prompt": "a red mug"}
    settings = settings_of(method, "splats", "best", drafted, read_table())
    _, effort = make(settings, toybox)
    cost = settings.knobs.guidance.cost
    assert effort.steps == 2 and effort.backwards == 2 * backwards == 2 * cost.learning
    pushing = effort.forwards / 2 - cost.learning
    assert int(cost.forwards) <= pushing <= math.ceil(cost.most), (
        "what is stated is an average over ten steps"
    )
    assert effort.seconds > 0 and effort.roll_backs == 0


# Cells


def cells(seeds: int = 2, prompts: int = 2, **changes) -> tuple[Cell, ...]:
    return cells_of(rows_of(["sds"], ["splats"]), front_tasks(prompts), seeds, {**SHORT, **changes}, "toybox")


def test_rows_are_true_objects_then_scene_by_scene_references_and_methods() -> None:
    rows = rows_of(["sds", "lods"], SCENES)
    assert rows[0] == Row(TRUE) and rows[1:3] == (Row(DRAFT, "splats"), Row(BALL, "splats"))
    assert rows[3:7] == tuple(Row(name, "splats", pull) for name in ("sds", "lods") for pull in PULLS)
    assert [row.scene for row in rows[1:]] == ["splats"] * 6 + ["field"] * 6


def test_every_row_gets_the_same_prompts_and_seeds_one_prompt_after_the_other() -> None:
    asked = cells()
    by_row = {
        row: [(c.task.index, c.seed) for c in asked if c.row == row] for row in rows_of(["sds"], ["splats"])
    }
    assert by_row.pop(Row(TRUE)) == [(i, seed) for i in range(2) for seed in range(TRUE_SEEDS)]
    assert all(places == [(0, 0), (0, 1), (1, 0), (1, 1)] for places in by_row.values())
    assert [c.task.index for c in asked] == sorted(c.task.index for c in asked)
    assert all(
        c.settings.spec.prompt == c.task.prompt and c.settings.spec.seed == c.seed
        for c in asked
        if c.settings
    )
    assert len({c.key for c in asked}) == len({c.digest for c in asked}) == len(asked)


def test_other_settings_or_weights_are_other_cells() -> None:
    digests = {cell.key: cell.digest for cell in cells()}
    other = {cell.key: cell.digest for cell in cells(learning_rate=0.5)}
    assert digests.keys() == other.keys()
    assert {key for key in digests if digests[key] == other[key]} == {
        key for key in digests if key.startswith(TRUE)
    }
    method = next(cell for cell in cells() if cell.row.name == "sds")
    assert Cell(method.row, method.task, method.seed, method.settings, "other").digest != method.digest


# Keeping and resuming


def outcome_of(cell: Cell, right: bool = True, colour: float = 0.5, **changes) -> Outcome:
    shape = ShapeScore(np.full(8, 0.75), np.full(8, 20.0), np.zeros(8, bool), np.zeros(8, bool))
    verdict = Verdict(
        cell.task.kind, np.full(8, right), np.arange(8) * 45.0, np.full(len(cell.task.colours), right), shape
    )
    views = np.full((8, 64, 64, 4), round(255 * colour), np.uint8)
    values = {
        "verdict": verdict,
        "colour_distance": 0.125,
        "chroma_shift": -0.25,
        "effort": Effort(3.0, 4, 8, 4),
        "views": views,
    }
    return Outcome(cell.key, cell.digest, **{**values, **changes})


def test_what_is_kept_comes_back_as_it_was(tmp_path: Path) -> None:
    cell = cells()[0]
    written = outcome_of(cell)
    store.begin(tmp_path / "new" / "folder", resume=False)
    store.add(tmp_path / "new" / "folder", written)
    read = store.load(tmp_path / "new" / "folder", {cell.key: cell.digest})[cell.key]
    assert (read.effort, read.colour_distance, read.chroma_shift) == (written.effort, 0.125, -0.25)
    assert np.array_equal(read.views, written.views) and read.verdict.kind == cell.task.kind
    for name in ("kind_right", "seen_azimuth_deg", "colours_right"):
        assert np.array_equal(getattr(read.verdict, name), getattr(written.verdict, name))
    assert np.array_equal(read.verdict.shape.iou, written.verdict.shape.iou)


def test_only_whole_lines_of_the_same_settings_that_did_not_fail_are_taken_up_again(tmp_path: Path) -> None:
    good, other, failed, torn, after = cells()[:5]
    store.begin(tmp_path, resume=False)
    store.add(tmp_path, outcome_of(good))
    store.add(tmp_path, Outcome(other.key, "other settings", *_rest(outcome_of(other))))
    store.add(tmp_path, outcome_of(failed, error="refused"))
    store.add(tmp_path, outcome_of(torn))
    text = (tmp_path / store.LINES).read_text()
    (tmp_path / store.LINES).write_text(text[:-40])  # ended while it wrote
    with pytest.raises(InputError, match="earlier comparison"):
        store.begin(tmp_path, resume=False)
    store.begin(tmp_path, resume=True)
    store.add(tmp_path, outcome_of(after))
    assert set(store.load(tmp_path, {cell.key: cell.digest for cell in cells()})) == {good.key, after.key}


def _rest(outcome: Outcome) -> tuple:
    return outcome.verdict, outcome.colour_distance, outcome.chroma_shift, outcome.effort, outcome.views


class Interrupted(Exception):
    """Somebody ended the comparison."""


def test_a_comparison_that_was_ended_goes_on_where_it_was(tmp_path: Path) -> None:
    asked, measured, left = cells(), [], iter(range(5))

    def measure(cell: Cell) -> Outcome:
        if next(left, None) is None:
            raise Interrupted
        measured.append(cell.key)
        return outcome_of(cell)

    store.begin(tmp_path, resume=False)
    with pytest.raises(Interrupted):
        measured_in(asked, measure, store, tmp_path, 1, lambda *_: None)
    assert measured == [cell.key for cell in asked[:5]]
    left = iter(range(len(asked)))
    shown: list[tuple[int, int]] = []
    outcomes = measured_in(
        asked, measure, store, tmp_path, 1, lambda done, wanted, _: shown.append((done, wanted))
    )
    assert measured == [cell.key for cell in asked] and set(outcomes) == set(measured)
    assert shown[-1] == (len(asked) - 5, len(asked) - 5)


# Printing


@pytest.fixture
def told() -> tuple[tuple[Cell, ...], Mapping[str, Outcome]]:
    """True objects that differ from each other by 0.2 and results that differ by 0.1 of the range; high
    guidance is refused.
    """
    asked = tuple(cell for cell in cells() if cell.row.name != TRUE or cell.seed < 2)
    spread = {TRUE: 0.2, "sds": 0.1, DRAFT: 0.0, BALL: 0.0}
    outcomes = {cell.key: outcome_of(cell, colour=0.2 + spread[cell.row.name] * cell.seed) for cell in asked}
    refused = [cell for cell in asked if cell.row.pull == "high"]
    return asked, {
        **outcomes,
        **{cell.key: outcome_of(cell, verdict=None, error="It cannot.") for cell in refused},
    }


def test_lines_hold_means_and_passes_a_step(told) -> None:
    best = next(line for line in report.gather(*told) if line.row == Row("sds", "splats", "best"))
    assert best.numbers["diversity"] == pytest.approx(0.5, abs=0.03)  # pictures have 256 levels
    assert (best.numbers["forwards_per_step"], best.numbers["backwards_per_step"]) == (2, 1)
    assert (best.numbers["kind_accuracy"], best.numbers["objects"], best.numbers["seconds"]) == (1, 4, 3)


def test_the_table_is_markdown_with_a_line_for_each_row_and_tells_what_failed(told) -> None:
    text = report.markdown(report.gather(*told))
    table, failures = text.split("\n\n")
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    assert lines[0][:3] == ["splats", "guidance", "kind"] and set(lines[1]) == {"---"}
    assert [line[0] for line in lines[2:]] == ["*true renders*", "*draft only*", "*the ball*", "SDS", "SDS"]
    assert {len(line) for line in lines} == {len(lines[0])}
    best = dict(zip(lines[0], lines[5]))
    assert (best["guidance"], best["kind"], best["colour distance"], best["chroma shift"]) == (
        "2.5",
        "100%",
        "0.125",
        "-0.25",
    )
    assert (best["s"], best["passes a step"]) == ("3.0", "2 F + 1 B")
    assert set(lines[6][2:]) == {report.NONE} and failures == "sds-splats-high: 4 failed. It cannot."


def test_runs_that_the_health_check_gave_up_are_told(told) -> None:
    asked, outcomes = told
    key = next(cell.key for cell in asked if cell.row.pull == "best")
    given_up = {
        **outcomes,
        key: replace(outcomes[key], effort=replace(outcomes[key].effort, roll_backs=4, ended_early=True)),
    }
    assert "sds-splats-best: 1 of 4 runs were ended by the health check." in report.markdown(
        report.gather(asked, given_up)
    )
    assert "health check" not in report.markdown(report.gather(asked, outcomes))


def test_numbers_are_stored_with_the_settings_that_gave_them(told) -> None:
    stored = json.loads(json.dumps(report.document(report.gather(*told), {"seeds": 2})))
    best = next(row for row in stored["rows"] if (row["name"], row["pull"]) == ("sds", "best"))
    assert (
        best["settings"]["method"] == "sds"
        and best["settings"]["guidance_scale"] == 2.5
        and best["shape_iou"] == 0.75
    )
    assert stored["conditions"] == {"seeds": 2}


def test_the_table_is_put_between_its_markers(tmp_path: Path) -> None:
    path = tmp_path / "README.md"
    path.write_text("before\n<!-- methods -->\nold\n<!-- /methods -->\nafter\n", encoding="utf-8")
    put_between_markers(path, "methods", "new")
    assert path.read_text(encoding="utf-8") == "before\n<!-- methods -->\nnew\n<!-- /methods -->\nafter\n"
    path.write_text("no place", encoding="utf-8")
    with pytest.raises(InputError, match="no place"):
        put_between_markers(path, "methods", "new")


def test_the_sheet_has_a_row_for_each_line_and_a_column_for_each_prompt(told) -> None:
    asked, outcomes = told
    sheet = np.asarray(compose(asked, outcomes))
    rows = list(dict.fromkeys(cell.row for cell in asked))
    step = len(SIDES) * SIDE + GAP
    for number, row in enumerate(rows):
        for column in range(2):
            middle = sheet[
                MARGIN + HEAD + number * SIDE + SIDE // 2, MARGIN + LABEL + column * step + step // 2
            ]
            drawn = np.abs(middle.astype(int) - sheet[0, 0]).max() > 2
            assert drawn == (row.pull != "high"), "what failed stays empty"


# The whole command


def test_a_method_that_refuses_is_told_and_does_not_end_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    refusing = next(cell for cell in cells() if cell.row.name == "sds")

    def no_prior(_: str) -> None:
        raise InputError("It cannot.", "Choose another.")

    monkeypatch.setattr("engine.toybox.method_sweep.measure.prior_of_process", no_prior)
    outcome = measure_cell(refusing)
    assert outcome.verdict is None and "It cannot." in outcome.error


def arguments(folder: Path, *more: str) -> Iterator[str]:
    yield from (
        "--methods",
        "sds",
        "--scenes",
        "splats",
        "--objects",
        "1",
        "--seeds",
        "1",
        "--processes",
        "1",
    )
    yield from (part for name, value in SHORT.items() for part in ("--set", f"{name}={value}"))
    yield from ("--out", str(folder / "kept"), *more)


def test_the_command_writes_table_numbers_and_sheet_and_resumes(
    tmp_path: Path, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers, sheet, readme = tmp_path / "numbers.json", tmp_path / "sheet.png", tmp_path / "README.md"
    readme.write_text("<!-- methods -->\n<!-- /methods -->\n", encoding="utf-8")
    outputs = ("--json", str(numbers), "--sheet", str(sheet), "--readme", str(readme))
    assert benchmark.main([*arguments(tmp_path, *outputs)]) == 0
    printed = capsys.readouterr().out
    assert (
        printed.strip() in readme.read_text(encoding="utf-8")
        and "| SDS | 20 |" in printed
        and sheet.stat().st_size > 1000
    )
    rows = {(row["name"], row["pull"]): row for row in json.loads(numbers.read_text())["rows"]}
    assert rows["true", ""]["kind_accuracy"] > 0.9 > rows[BALL, ""]["kind_accuracy"]
    assert rows["true", ""]["colour_distance"] < rows[BALL, ""]["colour_distance"]
    assert (
        rows["sds", "best"]["forwards_per_step"] == 2
        and rows["sds", "best"]["steps"] == SHORT["refine_steps"]
    )
    monkeypatch.setattr(command, "measure_cell", None)  # nothing is measured again
    assert benchmark.main([*arguments(tmp_path, "--resume")]) == 0
    assert capsys.readouterr().out == printed
    assert benchmark.main([*arguments(tmp_path)]) == 2
    assert "--resume" in capsys.readouterr().err


@pytest.mark.parametrize(
    "wrong",
    [
        ["--methods", "sdss"],
        ["--methods", "sds", "--scenes", "canvas"],
        ["--methods", "sds", "--scene", "field"],
        ["--methods", "sds", "--seeds", "0"],
        ["--methods", "sds", "--set", "refine_steps"],
        ["--methods", "sds", "--prior", "nowhere"],
        ["--resume"],
        ["--scenes", "field"],
    ],
)
def test_wrong_options_are_refused_with_a_remedy(wrong: list[str], tmp_path: Path, capsys) -> None:
    out = ["--out", str(tmp_path / "kept")] if "--methods" in wrong else []
    assert benchmark.main([*wrong, "--processes", "1", *out]) == 2
    assert capsys.readouterr().err.startswith("error: ")
    assert not (tmp_path / "kept").exists()
