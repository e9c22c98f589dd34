"""The course of the guided student: one pass that answers as two passes and guidance do (arXiv 2210.03142,
algorithm 1).

The student begins as the prior. Its text encoder and its stem stay the prior's own, so that words are encoded
once for both and what a reference controller adds to the stem means the same to both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.core.noise_schedule import NoiseSchedule
from engine.errors import InputError
from engine.prior.toybox.distilled import LARGEST_GUIDANCE
from engine.prior.toybox.network import ToyboxDenoiser
from engine.prior.toybox.pipeline_files import base_digest, load_parts
from engine.prior.toybox.prior import half_pays
from engine.prior.toybox.schedule import TIMES, time_fraction
from engine.prior.toybox.text_encoder import Words
from engine.prior.toybox.tokeniser import Tokeniser
from engine.toybox.dataset import ShardCache
from engine.toybox.training.batches import BatchSource, Shares, TrainingBatch
from engine.toybox.training.evaluation import FRACTIONS, Evaluation, with_first_given
from engine.toybox.training.loop import Plan
from engine.toybox.training.objective import time_weight

_STREAM = 13
"""Random stream beside the batch's own."""

EXAMINED_SCALES = (1.5, 2.5, 5.0)


@dataclass(frozen=True)
class Distilling:
    """What the student practises on."""

    scale_lean: float = (
        1.5  # scales are 1 + (largest - 1) u^lean: those that are used most come up more often
    )
    shares: Shares = field(
        default_factory=lambda: Shares(
            single_view=0.05,
            eight_views=0.2,
            no_text=0.02,
            no_camera=0.02,
            given_view=0.4,
            given_no_text=0.1,
            noise_lean=0.8,
        )
    )
    examined_objects: int = 16


class DistillingCourse:
    """Train a `ToyboxDenoiser` that is told the guidance scale, after a frozen one that is not."""

    def __init__(self, how: Distilling, plan: Plan, rank: int, state: Mapping[str, Any] | None) -> None:
        if plan.init is None:
            raise InputError("A student needs the prior that it learns from.", "Name its folder with --init.")
        parts = load_parts(plan.init)
        self.how, self.device, self.seed, self.rank = how, torch.device(plan.device), plan.seed, rank
        self.teacher = parts.net.to(self.device).eval().requires_grad_(False)
        self.base_digest = base_digest(plan.init)
        self.tokeniser, self.schedule = parts.tokeniser, parts.schedule
        self.net = student_of(self.teacher)
        assert plan.cache is not None, "this course learns from a cache"
        cache = ShardCache.open(plan.cache)
        self.source = BatchSource(cache, self.tokeniser, TIMES, plan.seed, rank, how.shares, self.device)
        self.examination: Evaluation | None = None

    def loss(self, step: int, images: int, progress: float) -> Tensor:
        """Weighted squared distance of the student's one pass from the teacher's two."""
        batch = self.source.batch(step, images)
        rng = np.random.default_rng([self.seed, step, self.rank, _STREAM])
        scale = 1 + (LARGEST_GUIDANCE - 1) * rng.random(len(batch.ids)) ** self.how.scale_lean
        scale = torch.from_numpy(scale).to(self.device, torch.float32)
        errors = guided_errors(self.net, self.teacher, self.tokeniser, self.schedule, batch, scale)
        return (time_weight(self.schedule, batch) * errors).sum() / (~batch.clean).sum()

    def state(self) -> dict[str, Any]:
        """The sizes, and the weights that it learned from."""
        return {"config": dict(self.net.config), "base": self.base_digest}

    def with_weights(self, weights: Mapping[str, Tensor]) -> ToyboxDenoiser:
        """A frozen student."""
        net = ToyboxDenoiser(**self.net.config).to(self.device)
        net.load_state_dict(weights)
        return net.eval().requires_grad_(False)

    @torch.no_grad()
    def examine(self, net: ToyboxDenoiser, sheet: Path) -> dict[str, list[float]]:
        """Distance from the guided teacher on held-out objects, of the student and of one pass of the teacher
        alone.
        """
        if self.examination is None:
            self.examination = Evaluation(
                self.tokeniser, self.schedule, self.device, self.how.examined_objects
            )
        table: dict[str, list[float]] = {}
        for fraction in FRACTIONS:
            words = self.examination.batch(fraction)
            for name, batch in (("words", words), ("picture", with_first_given(words))):
                for scale in EXAMINED_SCALES:
                    self._note(table, f"{name}, scale {scale:g}", batch, scale, net)
        return table

    def _note(
        self, table: dict[str, list[float]], row: str, batch: TrainingBatch, scale: float, net: ToyboxDenoiser
    ) -> None:
        scales = torch.full((len(batch.ids),), scale, device=self.device)
        for name, student in (("student", net), ("one pass", self.teacher)):
            errors = guided_errors(student, self.teacher, self.tokeniser, self.schedule, batch, scales)
            table.setdefault(f"{row}: {name}", []).append(round(float(errors[:, 1:].mean()), 5))


def student_of(teacher: ToyboxDenoiser) -> ToyboxDenoiser:
    """A copy that is told the guidance scale, and at first makes nothing of it; its stem and text encoder are
    not trained.
    """
    student = ToyboxDenoiser(**{**teacher.config, "guidance_embeds": True}).to(
        next(teacher.parameters()).device
    )
    student.load_state_dict(teacher.state_dict(), strict=False)
    assert student.guidance is not None, "it was made to be told"
    for parameter in student.guidance[-1].parameters():
        torch.nn.init.zeros_(parameter)
    student.stem.requires_grad_(False)
    student.text.requires_grad_(False)
    return student


def guided_errors(
    student: ToyboxDenoiser,
    teacher: ToyboxDenoiser,
    tokeniser: Tokeniser,
    schedule: NoiseSchedule,
    batch: TrainingBatch,
    guidance_scale: Tensor,
) -> Tensor:
    """Mean squared distance (B,V) of the student's clean views from the guided teacher's at scales (B,); 0
    for given ones.
    """
    x_t = torch.where(
        batch.clean[..., None, None, None], batch.x, schedule.add_noise(batch.x, batch.noise, batch.t)
    )
    t = torch.where(batch.clean, 0.0, time_fraction(batch.t, len(schedule))[:, None])
    with torch.autocast(batch.x.device.type, torch.bfloat16, enabled=half_pays(batch.x.device)):
        with torch.no_grad():
            words = teacher.text(batch.ids)
            silent = teacher.text(tokeniser([""]).to(batch.ids.device).expand_as(batch.ids))
            conditional, unconditional = (
                teacher(x_t, t, each, batch.poses, batch.clean).float().clamp(-1, 1)
                for each in (words, silent)
            )
        wanted = torch.lerp(unconditional, conditional, guidance_scale[:, None, None, None, None])
        answer = student(x_t, t, _detached(words), batch.poses, batch.clean, None, guidance_scale).float()
    return (answer - wanted).square().mean((2, 3, 4)) * ~batch.clean


def _detached(words: Words) -> Words:
    return Words(words.tokens.detach(), words.mask, words.pooled.detach())
