"""Turn a training folder's newest checkpoint into a prior folder with a model card and measured numbers."""

from __future__ import annotations

import json
import subprocess
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from engine.errors import InputError, storage_errors
from engine.prior.toybox.controller_files import save_controller
from engine.prior.toybox.info import WEIGHTS
from engine.prior.toybox.pipeline_files import save_prior
from engine.prior.toybox.prior import load_toybox
from engine.prior.toybox.schedule import shifted_cosine
from engine.prior.toybox.tokeniser import Tokeniser, build_tokenizer
from engine.toybox.dataset import ShardCache
from engine.toybox.training.card import Facts, model_card
from engine.toybox.training.checkpoints import load_checkpoint
from engine.toybox.training.controller_card import ControllerFacts, controller_card
from engine.toybox.training.evaluation import Evaluation


def export_checkpoint(run: Path, folder: Path, cache: Path | None = None, objects: int = 64) -> Facts:
    """Write the running mean of the weights to ``folder``, measure it on ``objects`` held-out objects, and describe it.

    ``cache`` is the data it was trained on: the card then names the seeds. Raises `InputError` if ``run`` holds no checkpoint.
    """
    state = _checkpoint(run)
    config = {name: value for name, value in state["config"].items() if not name.startswith("_")}
    tokeniser = Tokeniser(build_tokenizer(state["vocabulary"]), config["length"])
    save_prior(folder, config, state["ema"], tokeniser, shifted_cosine())
    facts = Facts(
        config=config,
        step=state["step"],
        images=state["images"],
        hours=round(state["elapsed"] / 3600, 2),
        commit=_commit(),
        megabytes=_megabytes(folder / "unet" / WEIGHTS),
        words=len(tokeniser.vocabulary),
    )
    facts = _measured(facts, folder, objects)
    if cache is not None:
        seeds = [int(seed) for shard in ShardCache.open(cache).shards for seed in (shard.seeds.min(), shard.seeds.max())]
        facts = replace(facts, first_seed=min(seeds), last_seed=max(seeds))
    with storage_errors(folder):
        (folder / "README.md").write_text(model_card(facts), encoding="utf-8")
        (folder / "metrics.json").write_text(json.dumps(facts.metrics(), indent=1) + "\n", encoding="utf-8")
    return facts


def export_controller(run: Path, folder: Path, cache: Path | None = None) -> ControllerFacts:
    """Write the running mean of a reference controller to ``folder``, with its last validation errors and a model card.

    Raises `InputError` if ``run`` holds no checkpoint. ``cache`` is not needed.
    """
    state = _checkpoint(run)
    save_controller(folder, state["config"], state["ema"], state.get("base", ""))
    entries = [json.loads(line) for line in (run / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    facts = ControllerFacts(
        config=state["config"],
        left_out=tuple(state["left_out"]),
        base=state.get("base", ""),
        step=state["step"],
        images=state["images"],
        hours=round(state["elapsed"] / 3600, 2),
        commit=_commit(),
        megabytes=_megabytes(folder / WEIGHTS),
        errors=next((entry["validation"] for entry in reversed(entries) if "validation" in entry), {}),
    )
    with storage_errors(folder):
        (folder / "README.md").write_text(controller_card(facts), encoding="utf-8")
        (folder / "metrics.json").write_text(json.dumps(asdict(facts), indent=1) + "\n", encoding="utf-8")
    return facts


def _checkpoint(run: Path) -> dict[str, Any]:
    state = load_checkpoint(run)
    if state is None:
        raise InputError(f"{run} holds no checkpoint.", "Train first: python -m engine.toybox.train --out DIR")
    return state


def _megabytes(path: Path) -> float:
    return round(path.stat().st_size / 1e6, 1)


def _measured(facts: Facts, folder: Path, objects: int) -> Facts:
    """With what was measured on the weights as they were stored."""
    prior = load_toybox(folder)
    errors = Evaluation(prior.tokeniser, prior.schedule, prior.device, objects).errors(prior.net)
    return replace(facts, errors=errors, objects=objects, parameters=sum(p.numel() for p in prior.net.parameters()))


def _commit() -> str:
    """The commit of the code, or "unknown" outside a repository."""
    try:
        return subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=Path(__file__).parent, capture_output=True, text=True, check=True
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
