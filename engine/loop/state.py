"""What a run carries from step to step, and what stays the same through all of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from engine.core.cameras import Cameras
from engine.loop.input_images import GivenViews, clean_views
from engine.loop.reference.guide import Guide
from engine.loop.spec import Knobs, RunSpec
from engine.prior.abilities import with_two_passes
from engine.prior.attachments import Attachments
from engine.prior.base import CleanViews, Condition, Prior, Prompts, TextEmbedding
from engine.prior.latent.prior import LatentPrior, without_vae
from engine.prior.perp_neg import unwanted_views
from engine.prior.sampling import empty_prompt
from engine.prior.view_prompts import ViewPromptEncoder
from engine.render import Renderer
from engine.scene.base import Scene
from engine.scoring.base import DifferentiableScorer


@dataclass(frozen=True, eq=False)
class Context:
    """Fixed for the whole run: the settings, the prior, the prompts as it reads them, what it wears, and what
    was given.

    ``clean`` are the given pictures as the prior sees them, if it takes any; ``guide`` is the 3D reference.
    """

    spec: RunSpec
    prior: Prior
    positive: TextEmbedding | ViewPromptEncoder
    empty: TextEmbedding
    negative: TextEmbedding | None
    attachments: Attachments | None = None
    given: GivenViews | None = None
    clean: CleanViews | None = None
    guide: Guide | None = None
    word_notes: tuple[str, ...] = ()
    was: TextEmbedding | ViewPromptEncoder | None = None  # the words for what a region is changed of
    # the scorer that an energy asks, once it was
    judges: dict[str, DifferentiableScorer] = field(default_factory=dict)
    # by the latest style strength, where a style changes the words
    reread: dict[float, Context] = field(default_factory=dict)

    @staticmethod
    def of(
        spec: RunSpec,
        prior: Prior,
        attachments: Attachments | None = None,
        given: GivenViews | None = None,
        guide: Guide | None = None,
    ) -> Context:
        """Embed the prompts once. Raises InputError for a prior that cannot read the empty one."""
        negative = prior.embed(spec.negative_prompt) if spec.negative_prompt.strip() else None
        positive = _read(spec.prompt, prior)
        was = _read(spec.region_was, prior) if spec.region.strip() and spec.region_was.strip() else None
        given = None if given is None else given.to(prior.device)
        clean, empty = clean_views(given, prior), empty_prompt(prior)
        return Context(spec, prior, positive, empty, negative, attachments, given, clean, guide, was=was)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was done to the given pictures and the reference, in words, and whether the prompt is read at
        all.
        """
        unread = self.spec.prompt.strip() and not self.prior.info.reads_words
        unread_note = (
            (f"{self.prior.info.title} reads no words, so the prompt changes nothing.",) if unread else ()
        )
        return (
            *self.word_notes,
            *unread_note,
            *(note for part in (self.given, self.guide) if part is not None for note in part.notes),
        )

    def at(self, knobs: Knobs, step: int) -> Context:
        """The run with the prior as it works at this step: past its VAE in a rough start, and in its
        attachments.

        Prompts are read anew where the attachments' live strengths change the words.
        """
        plain = without_vae(self.prior) if step < knobs.rough_steps else self.guided_as(knobs)
        if self.attachments is None:
            return replace(self, prior=plain)
        assert isinstance(plain, LatentPrior), "attachments are made for no other"
        prior = self.attachments.on(plain, knobs.control_strength, knobs.style_strength)
        if not self.attachments.style.rewords:
            return replace(self, prior=prior)
        if knobs.style_strength not in self.reread:
            self.reread.clear()
            self.reread[knobs.style_strength] = Context.of(
                self.spec, prior, given=self.given, guide=self.guide
            )
        return replace(self.reread[knobs.style_strength], prior=prior)

    def guided_as(self, knobs: Knobs) -> Prior:
        """The prior, with exact guidance where that is wanted."""
        return self.prior if knobs.one_pass else with_two_passes(self.prior)

    def was_at(self, cameras: Cameras | None) -> TextEmbedding | None:
        """The words for what is changed, for these cameras; None where nothing is."""
        if not isinstance(self.was, ViewPromptEncoder):
            return self.was
        assert cameras is not None, "words for directions need cameras"
        return self.was.at(cameras)

    def prompts(self, cameras: Cameras, perp_neg: bool = False) -> Prompts:
        """The three branches for B views of the object; with ``perp_neg``, which views shall not look like
        which others.

        All see the given pictures, so that guidance strengthens the words and not the pictures; but where a
        picture is the prompt, the empty and the negative one are without.
        """
        other = None if self.prior.info.needs_images else self.clean
        positive = (
            self.positive.at(cameras) if isinstance(self.positive, ViewPromptEncoder) else self.positive
        )
        negative = None if self.negative is None else Condition(self.negative, cameras, other)
        unwanted = (
            unwanted_views(self.positive, cameras)
            if perp_neg and isinstance(self.positive, ViewPromptEncoder)
            else ()
        )
        return Prompts(
            Condition(positive, cameras, self.clean),
            Condition(self.empty, cameras, other),
            negative,
            unwanted,
        )


def _read(words: str, prior: Prior) -> TextEmbedding | ViewPromptEncoder:
    prompt = prior.info.worded(words)
    return ViewPromptEncoder.of(prior, prompt) if prior.info.wants_view_words else prior.embed(prompt)


@dataclass(frozen=True, eq=False)
class Anchor:
    """Views that the shape should keep: ``rgba`` (V,H,W,4) premultiplied, seen from ``cameras``."""

    rgba: Tensor
    cameras: Cameras


@dataclass(eq=False)
class RunState:
    """Everything that a checkpoint must hold. Only the engine thread touches it."""

    scene: Scene
    renderer: Renderer
    rng: torch.Generator
    optimiser: torch.optim.Optimizer
    stage_index: int = 0
    step: int = 0  # within the stage
    total_step: int = 0
    anchor: Anchor | None = None
    picture_size: int = (
        0  # side in pixels of the pictures that the scene is optimised in; 0: as the settings say
    )
    source: Scene | None = None  # the scene as refining found it, for priors that edit
    guidance_key: str | None = None  # the method whose state this is
    guidance_state: Any = None
    side_optimiser: torch.optim.Optimizer | None = None
    saved_method: dict[str, Any] | None = None  # what a checkpoint holds of them, waiting to be loaded
    rate_scale: float = 1.0  # halved by each roll-back
    skipped: int = 0  # steps that the prior spoilt, over the run
    seconds: dict[str, float] = field(default_factory=dict)  # by stage, and "load"
    first_view_seconds: float | None = None  # until the first picture of the shape
    notes: tuple[str, ...] = ()  # of the file that the run started from


def make_optimiser(scene: Scene) -> torch.optim.Adam:
    """Adam with one group for each named parameter; ``base_rate`` is what schedules and knobs multiply."""
    rates = scene.learning_rates()
    groups = [
        {"params": [tensor.requires_grad_()], "lr": rates[name], "base_rate": rates[name], "name": name}
        for name, tensor in scene.parameters().items()
    ]
    return torch.optim.Adam(groups, betas=(0.9, 0.99), eps=1e-15)


def scale_rates(optimiser: torch.optim.Optimizer, factor: float) -> None:
    """Set each group's rate to its base rate times ``factor``."""
    for group in optimiser.param_groups:
        group["lr"] = group["base_rate"] * factor
