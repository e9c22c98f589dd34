"""Turn a training folder's newest checkpoint into a prior folder with a model card and measured numbers."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from engine.errors import InputError, storage_errors
from engine.prior.toybox.correspondence import save_correspondence
from engine.prior.toybox.distilled import save_distilled
from engine.prior.toybox.info import WEIGHTS
from engine.prior.toybox.pipeline_files import save_controller, save_prior
from engine.prior.toybox.prior import load_toybox
from engine.prior.toybox.schedule import shifted_cosine
from engine.prior.toybox.sharpener import save_sharpener
from engine.prior.toybox.tokeniser import Tokeniser, build_tokenizer
from engine.toybox.dataset import ShardCache
from engine.toybox.training.card import Facts, SharpenerFacts, model_card, sharpener_card
from engine.toybox.training.checkpoints import load_checkpoint
from engine.toybox.training.correspondence_card import CorrespondenceFacts, correspondence_card
from engine.toybox.training.distilled_card import DistilledFacts, distilled_card
from engine.toybox.training.evaluation import FRACTIONS, Evaluation


def export_checkpoint(run: Path, folder: Path, cache: Path | None = None, objects: int = 64) -> Facts:
    """Write the running mean of the weights to ``folder``, measure it on ``objects`` held-out objects, and
    describe it.

    ``cache`` is the data it was trained on: the card then names the seeds. Raises `InputError` if ``run``
    holds no checkpoint.
    """
    state = _checkpoint(run)
    config = {name: value for name, value in state["config"].items() if not name.startswith("_")}
    tokeniser = Tokeniser(build_tokenizer(state["vocabulary"]), config["length"])
    save_prior(folder, config, state["ema"], tokeniser, shifted_cosine())
    facts = Facts(config=config, words=len(tokeniser.vocabulary), **_facts(state, folder / "unet" / WEIGHTS))
    facts = _measured(facts, folder, objects)
    if cache is not None:
        seeds = [
            int(seed)
            for shard in ShardCache.open(cache).shards
            for seed in (shard.seeds.min(), shard.seeds.max())
        ]
        facts = replace(facts, first_seed=min(seeds), last_seed=max(seeds))
    _describe(folder, model_card(facts), facts.metrics())
    return facts


def export_controller(run: Path, folder: Path, cache: Path | None = None) -> ControllerFacts:
    """Write the running mean of a reference controller to ``folder``, with its last validation errors and a
    model card.

    Raises `InputError` if ``run`` holds no checkpoint. ``cache`` is not needed.
    """
    state = _checkpoint(run)
    save_controller(folder, state["config"], state["ema"], state.get("base", ""))
    common = _facts(state, folder / WEIGHTS)
    left_out, base = tuple(state["left_out"]), state.get("base", "")
    facts = ControllerFacts(
        config=state["config"], left_out=left_out, base=base, errors=_last_errors(run), **common
    )
    _describe(folder, controller_card(facts), asdict(facts))
    return facts


def export_sharpener(run: Path, folder: Path, cache: Path | None = None) -> SharpenerFacts:
    """Write the running mean of a sharpener to ``folder``, with its last validation errors and a model card.

    Raises `InputError` if ``run`` holds no checkpoint. ``cache`` is not needed.
    """
    state = _checkpoint(run)
    save_sharpener(folder, state["config"], state["ema"])
    facts = SharpenerFacts(
        config=state["config"], errors=_last_errors(run), **_facts(state, folder / WEIGHTS)
    )
    _describe(folder, sharpener_card(facts), asdict(facts))
    return facts


def export_distilled(run: Path, folder: Path, cache: Path | None = None) -> DistilledFacts:
    """Write the running mean of a guided student to ``folder``, with its last validation errors and a model
    card.

    Raises `InputError` if ``run`` holds no checkpoint. ``cache`` is not needed.
    """
    state = _checkpoint(run)
    save_distilled(folder, state["config"], state["ema"], state["base"])
    facts = DistilledFacts(base=state["base"], errors=_last_errors(run), **_facts(state, folder / WEIGHTS))
    _describe(folder, distilled_card(facts), asdict(facts))
    return facts


def export_correspondence(run: Path, folder: Path, cache: Path | None = None) -> CorrespondenceFacts:
    """Write the running mean of a correspondence adapter to ``folder``, with its last validation errors and a
    model card.

    Raises `InputError` if ``run`` holds no checkpoint. ``cache`` is not needed.
    """
    state = _checkpoint(run)
    save_correspondence(folder, state["config"], state["ema"], state.get("base", ""))
    known = _facts(state, folder / WEIGHTS)
    facts = CorrespondenceFacts(config=state["config"], errors=_last_errors(run), **known)
    _describe(folder, correspondence_card(facts), asdict(facts))
    return facts


def _facts(state: Mapping[str, Any], weights: Path) -> dict[str, Any]:
    """What is known of any course's checkpoint, and of its weights as they were stored."""
    hours, megabytes = round(state["elapsed"] / 3600, 2), round(weights.stat().st_size / 1e6, 1)
    return {
        "step": state["step"],
        "images": state["images"],
        "hours": hours,
        "commit": _commit(),
        "megabytes": megabytes,
    }


def _describe(folder: Path, card: str, metrics: Mapping[str, Any]) -> None:
    """Write the model card and the measured numbers. Raises `StorageError`."""
    with storage_errors(folder):
        (folder / "README.md").write_text(card, encoding="utf-8")
        (folder / "metrics.json").write_text(json.dumps(metrics, indent=1) + "\n", encoding="utf-8")


def _last_errors(run: Path) -> dict[str, list[float]]:
    """What the last examination found."""
    entries = [json.loads(line) for line in (run / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    return next((entry["validation"] for entry in reversed(entries) if "validation" in entry), {})


def _checkpoint(run: Path) -> dict[str, Any]:
    state = load_checkpoint(run)
    if state is None:
        raise InputError(
            f"{run} holds no checkpoint.", "Train first: python -m engine.toybox.train --out DIR"
        )
    return state


def _measured(facts: Facts, folder: Path, objects: int) -> Facts:
    """With what was measured on the weights as they were stored."""
    prior = load_toybox(folder)
    errors = Evaluation(prior.tokeniser, prior.schedule, prior.device, objects).errors(prior.net)
    return replace(
        facts, errors=errors, objects=objects, parameters=sum(p.numel() for p in prior.net.parameters())
    )


def _commit() -> str:
    """The commit of the code, or "unknown" outside a repository."""
    try:
        return subprocess.run(
            ["git", "rev-parse", "HEAD"],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


@dataclass(frozen=True)
class ControllerFacts:
    """``base`` is the digest of the prior's weights that it guides, or nothing if that was not noted.

    ``errors`` are mean squared errors of x0 at noise times .9, .75, .5, by what is wanted and what reference
    is shown.
    """

    config: Mapping[str, object]
    left_out: tuple[str, ...]
    base: str
    step: int
    images: int
    hours: float
    commit: str
    megabytes: float
    errors: Mapping[str, list[float]]


def controller_card(facts: ControllerFacts) -> str:
    """Markdown with the Hub's front matter."""
    left_out = f" Left out: {', '.join(facts.left_out)}." if facts.left_out else ""
    guided = (
        f" It belongs to the prior's weights `{facts.base}` (the beginning of their SHA-256)."
        if facts.base
        else ""
    )
    training = (
        f"{facts.megabytes} MB in half precision. {facts.images:,} pictures in {facts.step:,} steps, "
        f"{facts.hours} hours, "
        f"a running mean of the weights.{left_out}{guided}\nExported by the code at commit `{facts.commit}`."
    )
    head = [
        "| wanted, reference | " + " | ".join(f"t = {f}" for f in FRACTIONS) + " |",
        "|---|" + "---|" * len(FRACTIONS),
    ]
    rows = [
        f"| {name} | " + " | ".join(f"{error:.4f}" for error in errors) + " |"
        for name, errors in facts.errors.items()
    ]
    return "\n".join([_INTRODUCTION, "## Training\n", training, "", _NUMBERS, *head, *rows, "", _LICENCE])


_INTRODUCTION = """---
license: apache-2.0
library_name: diffusers
tags: [multi-view, reference-guided, image-to-3d]
---

# Toybox reference controller

A meta-ControlNet (after Phidias, arXiv 2409.11406, whose own code and weights were not released) that lets
a 3D reference guide the toybox prior in the folder above. It sees the reference as canonical coordinate
maps from every target camera, compares it with what is wanted (a picture, or the words alone), and adds to
the features of the prior's stem. The prior itself is frozen.
"""

_NUMBERS = """## Numbers

Mean squared error of the predicted clean views (channels in -1..1) on objects never trained on, by noise
time as a share of the schedule: told words alone or one picture too, without a reference, with the object
itself as reference, with another object of its kind, and with one of another kind.
"""

_LICENCE = """## Licence

Apache-2.0, the project's licence. All references were made by the project's own programs; no other data
were used.
"""
