"""What the page offers for choice: presets, priors, and what is known of them before a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from engine.guidance.base import Guidance
from engine.loop.settings import Settings
from engine.loop.spec import Knobs, RunSpec
from engine.session.fetching import Fetching, Offer
from engine.session.presets import Preset, Presets, apply_preset

PLACEHOLDER = "a mug"  # stands in for a prompt that is not written yet where only the other settings matter


@dataclass(frozen=True)
class PriorChoice:
    """A prior in a menu. ``missing`` says what to do to have it, or is empty; ``any_words`` is whether its
    vocabulary is open, ``no_words`` whether it reads none at all.

    ``offers`` are the flags of its info that are set: settings that need one which is not among them are not
    shown. ``home_scale`` is the guidance scale that it is at home with; 0: unknown.
    """

    id: str
    title: str
    missing: str = ""
    any_words: bool = False
    no_words: bool = False
    offers: frozenset[str] = frozenset()
    home_scale: float = 0.0


@dataclass(frozen=True)
class Catalogue:
    """``notes`` says what becomes of words that a prior was not taught.

    ``refusal(prior, method)`` says why a method cannot work with a prior, and what would; it is empty where
    it can. ``fetching`` downloads priors that are not on this machine; without it, nothing is offered for
    download.
    """

    presets: Presets
    priors: tuple[PriorChoice, ...]
    notes: Callable[[RunSpec], tuple[str, ...]] = lambda spec: ()
    refusal: Callable[[str, Guidance], str] = lambda prior, method: ""
    fetching: Fetching | None = None

    def defaults(self) -> Settings:
        """The first preset's settings, which the page begins with."""
        blank = Settings(RunSpec(PLACEHOLDER), Knobs())
        return apply_preset(self.presets.presets[0], blank) if self.presets.presets else blank

    def prior(self, key: str) -> PriorChoice:
        """The prior with this id; one that is in no list is shown by its id."""
        choice = next((prior for prior in self.priors if prior.id == key), PriorChoice(key, key))
        fetched = choice.missing and self.fetching is not None and self.fetching.has(key)
        return replace(choice, missing="") if fetched else choice

    def usual_scale(self, prior: str, method: str, default: float) -> float:
        """The guidance scale to begin with: a preset's for both, or the method's ``default``, bounded by the
        prior's own.
        """
        presets = (preset.values for preset in self.presets.presets)
        for values in presets:
            if (values.get("prior"), values.get("method", "sds")) == (
                prior,
                method,
            ) and "guidance_scale" in values:
                return float(values["guidance_scale"])
        home = self.prior(prior).home_scale
        return min(default, home) if home else default

    def shelf(self) -> tuple[PriorChoice, ...]:
        """The priors as they are now: one that was fetched since the start is no longer missing."""
        return tuple(self.prior(choice.id) for choice in self.priors)

    def offer(self, key: str) -> Offer | None:
        """What can be downloaded for a prior that is not on this machine."""
        return None if self.fetching is None else self.fetching.offer(key)

    def preset(self, key: str | None) -> Preset | None:
        """The preset with this key, or None."""
        return next((preset for preset in self.presets.presets if preset.key == key), None)
