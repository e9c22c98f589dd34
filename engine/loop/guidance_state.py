"""What a guidance method learns while a run goes: its state, that state's own optimiser, and both in a
checkpoint.

The scene and the method never share a gradient: the method's loss reads pictures that are detached, and its
state is frozen where it pushes the scene. So the scene moves first, as the state was, and then the state
learns from the same pictures.
"""

from __future__ import annotations

from typing import Any

import torch

from engine.guidance import key_of
from engine.guidance.base import Guidance, GuidanceOut, Learns
from engine.loop.state import RunState
from engine.prior.base import Prior, Prompts


def ensure(state: RunState, guidance: Guidance, prior: Prior, prompts: Prompts) -> None:
    """A new kind of method begins with a fresh state, or with the one a checkpoint holds; changing a number
    keeps it.
    """
    key = key_of(guidance)
    if state.guidance_key == key:
        return
    saved = (
        state.saved_method if state.saved_method is not None and state.saved_method["key"] == key else None
    )
    # a state that is about to be overwritten must not use up the run's random numbers
    rng = state.rng if saved is None else torch.Generator(state.rng.device).manual_seed(0)
    state.guidance_state = guidance.init(prior, prompts, rng)
    state.guidance_key, state.side_optimiser, state.saved_method = key, None, None
    if state.guidance_state is None:
        return
    optimiser = make_side_optimiser(state.guidance_state, learning(guidance).prior_learning_rate)
    state.side_optimiser = optimiser
    if saved is not None:
        state.guidance_state.load_state_dict(saved["state"])
        optimiser.load_state_dict(saved["optimiser"])


def learning(guidance: Guidance) -> Learns:
    """A method that has a state, as one with the two knobs of it."""
    assert isinstance(guidance, Learns), (
        f"{type(guidance).__name__} has a state, but no prior_learning_rate and prior_steps"
    )
    return guidance


def make_side_optimiser(learned: torch.nn.Module, learning_rate: float) -> torch.optim.AdamW:
    """AdamW without decay: what is learned should stay where the pictures put it."""
    return torch.optim.AdamW(
        learned.parameters(), lr=learning_rate, betas=(0.9, 0.99), eps=1e-15, weight_decay=0.0
    )


def train(state: RunState, guidance: Guidance, out: GuidanceOut) -> dict[str, float]:
    """The method's own steps for this step of the scene; ``prior_loss`` is the last. Losses that are not
    finite are skipped.
    """
    metrics: dict[str, float] = {}
    if out.side_loss is None:
        return metrics
    optimiser, learns = state.side_optimiser, learning(guidance)
    assert optimiser is not None, "what has a side loss has a state"
    for group in optimiser.param_groups:
        group["lr"] = learns.prior_learning_rate
    for _ in range(learns.prior_steps):
        loss = out.side_loss()
        if torch.isfinite(loss):
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            metrics["prior_loss"] = float(loss.detach())
    return metrics


def content(state: RunState) -> dict[str, Any] | None:
    """What a checkpoint must hold of it, also where it still waits to be loaded; None if nothing is
    learned.
    """
    if state.guidance_state is None or state.side_optimiser is None:
        return state.saved_method
    learned, optimiser = state.guidance_state.state_dict(), state.side_optimiser.state_dict()
    return {"key": state.guidance_key, "state": learned, "optimiser": optimiser}
