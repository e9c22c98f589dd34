"""The scorer that an energy asks how like the words pictures are."""

from __future__ import annotations

from engine.loop.state import Context
from engine.scoring.base import DifferentiableScorer
from engine.scoring.registry import find_scorer, installed, load_scorer

TOYBOX, CLIP = "toybox", "clip"


def judge_of(context: Context) -> DifferentiableScorer:
    """The scorer for this run, loaded once: CLIP where it is fetched and the prior reads any words, else
    toybox's own.
    """
    name = TOYBOX if context.prior.info.taught_words or not installed(find_scorer(CLIP)) else CLIP
    if name not in context.judges:
        scorer = load_scorer(name, context.prior.device)
        assert isinstance(scorer, DifferentiableScorer), "both are"
        context.judges[name] = scorer
    return context.judges[name]
