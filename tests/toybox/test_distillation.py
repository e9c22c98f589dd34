"""The guided student's course: it comes nearer to its teacher, leaves words and stem alone, and is
exported.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pytest
import torch

from engine.prior.toybox.distilled import load_distilled
from engine.prior.toybox.network import ToyboxDenoiser
from engine.prior.toybox.pipeline_files import base_digest, save_prior
from engine.prior.toybox.prior import load_toybox
from engine.prior.toybox.schedule import shifted_cosine
from engine.prior.toybox.tokeniser import Tokeniser, build_tokenizer
from engine.toybox import train
from engine.toybox.dataset import ensure_shard, shard_path
from engine.toybox.training.checkpoints import load_checkpoint
from engine.toybox.training.distillation_task import Distilling, DistillingCourse
from engine.toybox.training.loop import Plan, Trainer
from engine.toybox.training.report import Pace
from engine.toybox.vocabulary import VOCABULARY

SIZES = {
    "width": 32,
    "depth": 1,
    "heads": 2,
    "fine": 8,
    "middle": 16,
    "last": 8,
    "words": 1024,
    "length": 16,
    "text_depth": 1,
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A tiny prior whose words matter, and a cache."""
    prior, cache = tmp_path_factory.mktemp("prior"), tmp_path_factory.mktemp("cache")
    torch.manual_seed(0)
    net = ToyboxDenoiser(**SIZES)
    weights = {name: value + 0.1 * torch.randn_like(value) for name, value in net.state_dict().items()}
    save_prior(
        prior, SIZES, weights, Tokeniser(build_tokenizer(VOCABULARY), SIZES["length"]), shifted_cosine()
    )
    ensure_shard(shard_path(cache, 0), 0, 8)
    return prior, cache


def moved(net: torch.nn.Module, before: Mapping[str, torch.Tensor]) -> set[str]:
    """Names of the weights that are no longer what they were."""
    return {name for name, value in net.state_dict().items() if not torch.equal(value, before[name])}


def test_it_comes_nearer_to_the_guided_teacher(folders: tuple[Path, Path], tmp_path: Path) -> None:
    prior, cache = folders
    course = DistillingCourse(Distilling(), Plan(tmp_path, cache, 1.0, processes=1, init=prior), 0, None)
    before = {name: value.clone() for name, value in course.net.state_dict().items()}
    optimiser = torch.optim.Adam([p for p in course.net.parameters() if p.requires_grad], lr=5e-4)
    losses = []
    for _ in range(30):  # one batch again and again
        optimiser.zero_grad()
        loss = course.loss(0, 16, 0.0)
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.6 * losses[0]
    assert not any(name.startswith(("text.", "stem.")) for name in moved(course.net, before))


def test_one_step_of_the_trainer_keeps_what_is_frozen(folders: tuple[Path, Path], tmp_path: Path) -> None:
    prior, cache = folders
    plan = Plan(tmp_path, cache, 0.05, processes=1, images=8, init=prior, pace=Pace(1e9, 1e9, 1e9))
    trainer = Trainer(plan, 0, partial(DistillingCourse, Distilling(examined_objects=1)))
    before = {name: value.clone() for name, value in trainer.net.state_dict().items()}
    trainer.run()
    changed = moved(trainer.net, before)
    assert changed and not any(name.startswith(("text.", "stem.")) for name in changed)


def test_the_command_trains_examines_and_exports_one(folders: tuple[Path, Path], tmp_path: Path) -> None:
    prior, cache = folders
    options = ["distilled", "--out", str(tmp_path / "run"), "--cache", str(cache), "--hours", "0.0003"]
    assert train.main([*options, "--images", "8", "--processes", "1", "--init", str(prior)]) == 0
    state = load_checkpoint(tmp_path / "run")
    assert state is not None and state["base"] == base_digest(prior)
    assert (
        train.main(["distilled", "--out", str(tmp_path / "run"), "--export", str(prior / "distilled")]) == 0
    )
    assert load_distilled(prior / "distilled").config["guidance_embeds"] is True
    assert load_toybox(prior).distilled is not None
    card = (prior / "distilled" / "README.md").read_text(encoding="utf-8")
    assert base_digest(prior) in card and "| words, scale 2.5: student |" in card


def test_it_needs_the_prior_that_it_learns_from(
    folders: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = [
        "distilled",
        "--out",
        str(tmp_path / "run"),
        "--cache",
        str(folders[1]),
        "--hours",
        "1",
        "--processes",
        "1",
    ]
    assert train.main(options) == 2
    assert "Name its folder with --init" in capsys.readouterr().err
