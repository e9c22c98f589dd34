"""The trainer: what it draws, how its rates move, that it can be killed and resumed, that processes agree,
and that it learns.
"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.distributed as dist

from engine.errors import FileFormatError, InputError
from engine.prior.toybox.correspondence import CorrespondenceAdapter, load_correspondence
from engine.prior.toybox.network import ToyboxDenoiser
from engine.prior.toybox.prior import load_toybox
from engine.prior.toybox.schedule import TIMES, shifted_cosine
from engine.prior.toybox.sharpener import Sharpener, load_sharpener
from engine.prior.toybox.tokeniser import Tokeniser, build_tokenizer
from engine.toybox import train
from engine.toybox.dataset import ShardCache, ensure_shard, shard_path
from engine.toybox.training.batches import (
    BatchSource,
    Shares,
    choose_views,
    draw_given,
    draw_times,
    pixels_to_x,
    views_of_step,
)
from engine.toybox.training.checkpoints import CURRENT, PREVIOUS, load_checkpoint, save_checkpoint
from engine.toybox.training.denoiser_task import TAUGHT, DenoisingCourse, Sizes
from engine.toybox.training.export import export_checkpoint
from engine.toybox.training.loop import Plan, Trainer
from engine.toybox.training.objective import training_loss, view_errors
from engine.toybox.training.optimiser import (
    FlatGradients,
    Optimiser,
    Rates,
    ema_decay,
    rate_factor,
    split_parameters,
)
from engine.toybox.training.report import Pace
from engine.toybox.vocabulary import VOCABULARY

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cache")
    ensure_shard(shard_path(folder, 0), 0, 12)
    return folder


@pytest.fixture(scope="module")
def source(cache_folder: Path) -> BatchSource:
    return make_source(cache_folder, 0)


def make_source(folder: Path, rank: int) -> BatchSource:
    tokeniser = Tokeniser(build_tokenizer(VOCABULARY), 16)
    return BatchSource(ShardCache.open(folder), tokeniser, TIMES, 0, rank, Shares(), CPU)


def tiny_plan(out: Path, cache: Path, seconds: float) -> Plan:
    return Plan(
        out=out,
        cache=cache,
        seconds=seconds,
        processes=1,
        images=8,
        pace=Pace(0.5, 0.5, 1e9),
    )


def tiny_sizes(*more_words: str) -> Sizes:
    return Sizes(
        width=32,
        depth=1,
        heads=2,
        text_depth=2,
        reading_steps=3,
        reading_objects=4,
        examined_objects=2,
        examined_prompts=3,
        vocabulary=(*more_words, *VOCABULARY),
    )


def trainer(plan: Plan, *more_words: str) -> Trainer:
    return Trainer(plan, 0, partial(DenoisingCourse, tiny_sizes(*more_words)))


def test_rates_warm_up_stay_and_fall_to_nothing() -> None:
    rates = Rates(warmup_steps=10, decay_share=0.4)
    assert rate_factor(0, 0.0, rates) == pytest.approx(0.1)
    assert rate_factor(50, 0.3, rates) == rate_factor(5000, 0.6, rates) == 1.0
    assert (
        rate_factor(50, 0.8, rates) == pytest.approx(0.5)
        and rate_factor(50, 1.0, rates) == rate_factor(50, 1.1, rates) == 0.0
    )


def test_the_running_mean_forgets_the_random_start() -> None:
    kept = np.prod([ema_decay(step, Rates()) for step in range(200)])
    assert kept < 1e-6 and ema_decay(10**6, Rates()) == Rates().ema_decay


def test_only_matrices_of_the_blocks_go_to_muon() -> None:
    net = ToyboxDenoiser(width=32, depth=2, heads=2)
    matrices, text, others = split_parameters(net)
    assert len(matrices) == 2 * 5 and all(p.ndim == 2 for p in matrices)
    assert {id(p) for p in text} == {id(p) for p in net.text.parameters()}
    assert sum(p.numel() for p in (*matrices, *text, *others)) == sum(p.numel() for p in net.parameters())


def test_each_group_of_parameters_has_its_own_rate() -> None:
    net, rates = ToyboxDenoiser(width=32, depth=1, heads=2), Rates(muon=3e-3, adam=2e-3, text=1e-3)
    FlatGradients(net.parameters(), 0)
    optimiser = Optimiser(net, rates)
    optimiser.step(0.5)
    groups = [group for name in ("muon", "adam") for group in optimiser.parts[name].param_groups]
    assert [group["lr"] for group in groups] == [1.5e-3, 1e-3, 5e-4]


def test_gradients_lie_in_one_vector_and_are_clipped_together() -> None:
    layer = torch.nn.Linear(3, 2)
    flat = FlatGradients(layer.parameters(), extra=1)
    layer(torch.ones(1, 3)).sum().backward()
    torch.testing.assert_close(flat.gradients, torch.ones(8))
    assert flat.clip(1.0) == pytest.approx(8**0.5)
    assert layer.weight.grad.norm().item() == pytest.approx((6 / 8) ** 0.5) and flat.extra[0] == 0


def test_pixels_become_channels_of_minus_one_to_one() -> None:
    images = torch.tensor([[0, 0, 0, 0], [255, 0, 0, 255], [0, 51, 0, 102]], dtype=torch.uint8).view(
        1, 3, 1, 4
    )
    expected = torch.tensor([[0.0, 0, 0, -1], [1, -1, -1, 1], [-0.4, 0, -0.4, -0.2]])
    torch.testing.assert_close(pixels_to_x(images)[0, :, :, 0].T, expected)


def test_one_view_of_an_object_is_never_given() -> None:
    rng = np.random.default_rng(0)
    given = draw_given(rng, 4000, 4, Shares())
    assert given.sum(1).max() == 2 and not draw_given(rng, 50, 1, Shares()).any()
    assert given.any(1).mean() == pytest.approx(Shares().given_view, abs=0.03)


def test_chosen_views_differ_and_groups_are_whole() -> None:
    picks = choose_views(np.random.default_rng(0), 500, 4, 8, orthogonal=0.5)
    assert all(len(set(row)) == 4 for row in picks.tolist())
    grouped = [row in ([0, 1, 2, 3], [4, 5, 6, 7]) for row in picks.tolist()]
    assert np.mean(grouped) == pytest.approx(0.5, abs=0.08)
    assert sorted(choose_views(np.random.default_rng(0), 1, 8, 8, 1.0)[0]) == list(range(8))


def test_times_cover_the_schedule_evenly_within_a_batch() -> None:
    times = np.sort(draw_times(np.random.default_rng(0), 10, 1000, lean=1.0))
    assert (times // 100 == np.arange(10)).all()


def test_times_lean_towards_noise() -> None:
    times = draw_times(np.random.default_rng(0), 10_000, 1000, lean=0.6)
    share = np.mean(times >= 500)
    assert share == pytest.approx(1 - 0.5 ** (1 / 0.6), abs=0.002) and times.max() == 999


def test_a_step_is_drawn_from_its_numbers_alone(cache_folder: Path, source: BatchSource) -> None:
    again, other = make_source(cache_folder, 0).batch(7, 16), make_source(cache_folder, 1).batch(7, 16)
    batch = source.batch(7, 16)
    assert (
        torch.equal(batch.x, again.x)
        and torch.equal(batch.noise, again.noise)
        and torch.equal(batch.ids, again.ids)
    )
    assert batch.x.shape == other.x.shape and not torch.equal(batch.noise, other.noise)


def test_processes_agree_on_the_number_of_views() -> None:
    counts = [views_of_step(0, step, Shares()) for step in range(2000)]
    assert set(counts) == {1, 4, 8} and np.mean(np.array(counts) == 1) == pytest.approx(
        Shares().single_view, abs=0.03
    )


def test_every_condition_is_left_out_sometimes(source: BatchSource) -> None:
    batches = [source.batch(step, 32) for step in range(60)]
    silent = torch.cat([(batch.ids != source.tokeniser.pad).sum(1) == 1 for batch in batches]).float().mean()
    given = torch.cat([batch.clean.any(1) for batch in batches if batch.clean.shape[1] > 1]).float().mean()
    hidden = torch.cat([~batch.poses.known for batch in batches]).float().mean()
    assert 0.1 < silent < 0.4 and 0.01 < hidden < 0.12
    assert given.item() == pytest.approx(source.shares.given_view, abs=0.1)


def test_given_views_do_not_count(source: BatchSource) -> None:
    batch = next(b for b in (source.batch(step, 32) for step in range(20)) if b.clean.any())
    errors = view_errors(torch.zeros_like(batch.x), batch)
    assert (errors[batch.clean] == 0).all() and (errors[~batch.clean] > 0).all()


def test_it_learns_one_batch_by_heart(source: BatchSource) -> None:
    torch.manual_seed(0)
    net = ToyboxDenoiser(width=32, depth=1, heads=2, words=1024)
    FlatGradients(net.parameters(), 0)
    optimiser, batch, losses = Optimiser(net, Rates()), source.batch(2, 8), []
    for _ in range(20):
        for part in optimiser.parts.values():
            part.zero_grad(set_to_none=False)
        loss = training_loss(net, shifted_cosine(), batch)
        loss.backward()
        optimiser.step(1.0)
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]


def test_a_run_can_be_resumed_and_exported(cache_folder: Path, tmp_path: Path) -> None:
    plan = tiny_plan(tmp_path / "run", cache_folder, 1.5)
    train.train(plan, tiny_sizes(), resume=False)
    first = load_checkpoint(plan.out)
    assert (plan.out / TAUGHT).exists(), "a new text encoder learns to read first"
    with pytest.raises(InputError, match="holds a run"):
        train.train(plan, tiny_sizes(), resume=False)
    train.train(replace(plan, seconds=first["elapsed"] + 1.0), tiny_sizes(), resume=True)
    second = load_checkpoint(plan.out)
    assert second["step"] > first["step"] > 0 and second["images"] == 8 * second["step"]
    lines = [json.loads(line) for line in (plan.out / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    tables = [line["validation"] for line in lines if "validation" in line]
    assert len(tables) == 2 and {"text", "null_text", "wrong_text", "wrong_camera", "single_view"} <= set(
        tables[0]
    )
    assert list(plan.out.glob("samples_*.png"))
    facts = export_checkpoint(plan.out, tmp_path / "prior", cache_folder, objects=2)
    card = (tmp_path / "prior" / "README.md").read_text(encoding="utf-8")
    assert f"{facts.images:,} pictures in {second['step']:,} steps" in card and "seeds 0 to 11" in card
    assert (
        json.loads((tmp_path / "prior" / "metrics.json").read_text(encoding="utf-8"))["errors"].keys()
        == tables[0].keys()
    )
    prior = load_toybox(tmp_path / "prior")
    for name, value in second["ema"].items():
        torch.testing.assert_close(prior.net.state_dict()[name], value, atol=1e-3, rtol=1e-3)
    assert not prior.unknown_words("a red mug with a blue handle")


def test_resuming_restores_every_number(cache_folder: Path, tmp_path: Path) -> None:
    """Two steps, saved and loaded, then one more: the same weights as three steps without a stop."""
    plan = tiny_plan(tmp_path, cache_folder, 1e9)
    one = trainer(plan)
    advance(one, 2)
    save_checkpoint(one.state(), tmp_path)
    other = trainer(plan, "newword")
    assert other.done.step == 2 and other.course.vocabulary == (*VOCABULARY, "newword")
    for each in (one, other):
        advance(each, 1)
    for mine, theirs in zip(
        (*one.net.parameters(), *one.ema), (*other.net.parameters(), *other.ema), strict=True
    ):
        torch.testing.assert_close(mine, theirs, atol=1e-6, rtol=1e-5)


def advance(one: Trainer, steps: int) -> None:
    for _ in range(steps):
        one._gradients(0.0, 0.0)
        one._update(0.0)
        one.done = replace(one.done, step=one.done.step + 1)


def test_it_starts_from_shipped_weights_and_keeps_their_word_numbers(
    cache_folder: Path, tmp_path: Path
) -> None:
    first = trainer(tiny_plan(tmp_path / "a", cache_folder, 1.0), "zebra")
    (tmp_path / "a").mkdir()
    save_checkpoint(first.state(), tmp_path / "a")
    export_checkpoint(tmp_path / "a", tmp_path / "prior", objects=1)
    warm = trainer(replace(tiny_plan(tmp_path / "b", cache_folder, 1.0), init=tmp_path / "prior"))
    assert warm.course.vocabulary[0] == "zebra"
    for mine, theirs in zip(warm.net.parameters(), first.net.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs, atol=1e-3, rtol=1e-3)


def test_a_truncated_checkpoint_falls_back_to_the_one_before(tmp_path: Path) -> None:
    for step in (1, 2):
        save_checkpoint({"step": step, "data": torch.zeros(1000)}, tmp_path)
    assert load_checkpoint(tmp_path)["step"] == 2
    whole = (tmp_path / CURRENT).read_bytes()
    (tmp_path / CURRENT).write_bytes(whole[: len(whole) // 2])
    with pytest.warns(UserWarning, match="cannot be read"):
        assert load_checkpoint(tmp_path)["step"] == 1
    (tmp_path / PREVIOUS).write_bytes(b"")
    with pytest.warns(UserWarning), pytest.raises(FileFormatError):
        load_checkpoint(tmp_path)
    assert load_checkpoint(tmp_path / "nowhere") is None


def test_two_processes_add_their_gradients(tmp_path: Path) -> None:
    arguments = (str(tmp_path / "meeting"), str(tmp_path / "sum.pt"))
    torch.multiprocessing.start_processes(_reduce, arguments, nprocs=2, start_method="fork")
    assert torch.load(tmp_path / "sum.pt").tolist() == [3.0, 3.0, 3.0]


def _reduce(rank: int, meeting: str, out: str) -> None:
    dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=2)
    flat = FlatGradients([torch.nn.Parameter(torch.zeros(2))], extra=1)
    flat.vector.fill_(1.0 + rank)
    dist.all_reduce(flat.vector)
    if rank == 0:
        torch.save(flat.vector, out)
    dist.destroy_process_group()


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--hours", "1"], "--cache"),
        (["--cache", "nowhere", "--hours", "nan"], "--hours"),
        (["--cache", "nowhere", "--hours", "1", "--width", "100", "--heads", "3"], "--heads"),
        (["--cache", "nowhere", "--hours", "1", "--processes", "0"], "--images"),
        (["--cache", "nowhere", "--hours", "1"], "no toybox shards"),
        (["--export", "folder"], "no checkpoint"),
    ],
)
def test_bad_options_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], word: str
) -> None:
    assert train.main(["--out", str(tmp_path / "run"), *arguments]) == 2
    assert word in capsys.readouterr().err and not (tmp_path / "run").exists()


def test_a_sharpener_is_trained_without_a_cache_examined_and_exported(tmp_path: Path) -> None:
    prior = Path(__file__).resolve().parents[2] / "presets" / "priors" / "toybox"
    told = [
        "sharpener",
        "--out",
        str(tmp_path / "run"),
        "--hours",
        "0.0005",
        "--images",
        "8",
        "--processes",
        "1",
    ]
    assert train.main([*told, "--init", str(prior)]) == 0
    state = load_checkpoint(tmp_path / "run")
    assert (
        state is not None and state["step"] > 0 and float(state["weights"]["pixels.weight"].abs().max()) > 0
    )
    assert train.main(["sharpener", "--out", str(tmp_path / "run"), "--export", str(tmp_path / "out")]) == 0
    assert load_sharpener(tmp_path / "out").config == Sharpener().config
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert "| sharpened |" in card and "| enlarged |" in card


def test_a_correspondence_adapter_is_trained_without_a_cache_examined_and_exported(tmp_path: Path) -> None:
    prior = Path(__file__).resolve().parents[2] / "presets" / "priors" / "toybox"
    told = [
        "correspondence",
        "--out",
        str(tmp_path / "run"),
        "--hours",
        "0.0005",
        "--images",
        "8",
        "--processes",
        "1",
    ]
    assert train.main([*told, "--init", str(prior)]) == 0
    state = load_checkpoint(tmp_path / "run")
    assert (
        state is not None and state["step"] > 0 and float(state["weights"]["fine.out.weight"].abs().max()) > 0
    )
    assert (
        train.main(["correspondence", "--out", str(tmp_path / "run"), "--export", str(tmp_path / "out")]) == 0
    )
    assert load_correspondence(tmp_path / "out").config == CorrespondenceAdapter().config
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert "| alone, error |" in card and "| joined, views differ |" in card


def test_a_sharpener_needs_its_prior(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train.main(["sharpener", "--out", str(tmp_path / "run"), "--hours", "1", "--processes", "1"]) == 2
    assert "Name its folder with --init" in capsys.readouterr().err


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_weights_that_the_fused_optimiser_would_mix_up_are_not_trained(layout: torch.memory_format) -> None:
    net = Sharpener(fine=8, middle=8, coarse=8, last=8).to(memory_format=layout)
    if layout is torch.contiguous_format:
        assert FlatGradients(net.parameters(), extra=2).vector.sum() == 0
    else:
        with pytest.raises(AssertionError, match="contiguous"):
            FlatGradients(net.parameters(), extra=2)
