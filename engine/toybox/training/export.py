"""Turn a training folder's newest checkpoint into a prior folder."""

from __future__ import annotations

from pathlib import Path

from engine.errors import InputError
from engine.prior.toybox.folder import save_prior
from engine.prior.toybox.schedule import shifted_cosine
from engine.prior.toybox.tokeniser import Tokeniser, build_tokenizer
from engine.toybox.training.checkpoints import load_checkpoint


def export_checkpoint(run: Path, folder: Path) -> dict[str, int | float]:
    """Write the running mean of the weights to ``folder``; returns step, images and seconds of the checkpoint."""
    state = load_checkpoint(run)
    if state is None:
        raise InputError(f"{run} holds no checkpoint.", "Train first: python -m engine.toybox.train --out DIR")
    config = {name: value for name, value in state["config"].items() if not name.startswith("_")}
    tokeniser = Tokeniser(build_tokenizer(state["vocabulary"]), config["length"])
    save_prior(folder, config, state["ema"], tokeniser, shifted_cosine())
    return {"step": state["step"], "images": state["images"], "seconds": round(state["elapsed"])}
