"""Teach the text encoder to read captions, before the denoiser listens to it.

Pictures teach a sentence's grammar slowly: which colour word belongs to which part matters only in the
noisiest steps, and only in a few pixels. The objects know the answer, so the encoder is first taught to tell,
from a caption alone, the kind, the colour of every part and the proportions. The answers are read off the
same outputs that the denoiser gets; the heads are thrown away.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.prior.toybox.text_encoder import TextEncoder, Words
from engine.prior.toybox.tokeniser import Tokeniser
from engine.toybox.captions import caption, plain_caption
from engine.toybox.objects import KINDS, any_kind, draw_object
from engine.toybox.part_words import PARTS
from engine.toybox.words import ADJECTIVES, COLOURS

COLOUR_WORDS = tuple(COLOURS)
PART_NAMES = ("body", *PARTS)
UNASKED = -100
"""Colour of a part that the object does not have (`torch.nn.functional.cross_entropy` leaves it out)."""
CAPTIONS_PER_OBJECT = 6
_STREAM = 3
"""Random stream beside those of `engine.toybox.dataset`."""


@dataclass(frozen=True, eq=False)
class Lessons:
    """N captions ``ids`` (N,L) and what is true: ``kinds`` (N,), ``colours`` (N,P) by part, ``adjectives``
    (N,A) bool.
    """

    ids: Tensor
    kinds: Tensor
    colours: Tensor
    adjectives: Tensor

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, rows: Tensor) -> Lessons:
        return Lessons(self.ids[rows], self.kinds[rows], self.colours[rows], self.adjectives[rows])


def draw_lessons(tokeniser: Tokeniser, first_seed: int, objects: int, plain: bool = False) -> Lessons:
    """Captions of ``objects`` consecutive seeds; ``plain``: the standard sentence, and only the colours that
    it names.
    """
    sentences: list[str] = []
    kinds, colours, adjectives = [], [], []
    for seed in range(first_seed, first_seed + objects):
        obj, rng = draw_object(seed, any_kind(seed)), np.random.default_rng([seed, _STREAM])
        said = [plain_caption(obj)] if plain else [caption(obj, rng) for _ in range(CAPTIONS_PER_OBJECT)]
        coloured = [part for part in obj.part_colours if not plain or part in _named_parts(obj.bound)]
        row = [
            COLOUR_WORDS.index(obj.part_colours[part]) if part in coloured else UNASKED for part in PART_NAMES
        ]
        sentences += said
        kinds += [KINDS.index(obj.kind)] * len(said)
        colours += [row] * len(said)
        adjectives += [[word in obj.adjectives for word in ADJECTIVES]] * len(said)
    return Lessons(tokeniser(sentences), torch.tensor(kinds), torch.tensor(colours), torch.tensor(adjectives))


def _named_parts(bound: tuple[str, ...]) -> tuple[str, ...]:
    """The parts whose colour the standard sentence says: the body and at most two more."""
    others = tuple(part for part in bound if part != "body")[:2]
    return ("body", *others) if "body" in bound else others


class Answers(nn.Module):
    """Heads that answer from encoded words: kind, body, adjectives off the pooled vector, parts by looking at
    the words.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.kind = nn.Linear(width, len(KINDS))
        self.adjectives = nn.Linear(width, len(ADJECTIVES))
        self.body = nn.Linear(width, len(COLOUR_WORDS))
        self.parts = nn.Parameter(torch.randn(len(PART_NAMES), width))
        self.key = nn.Linear(width, width, bias=False)
        self.part = nn.Linear(width, len(COLOUR_WORDS))

    def part_colours(self, words: Words) -> Tensor:
        """Logits (B,P,colours) of each part: its question attends to the words once, and the answer is
        linear.
        """
        scores = self.parts @ self.key(words.tokens).transpose(1, 2) * self.parts.shape[1] ** -0.5
        return self.part(scores.masked_fill(~words.mask[:, None], -torch.inf).softmax(-1) @ words.tokens)

    def forward(self, words: Words, lessons: Lessons) -> Tensor:
        """The loss: cross-entropies of all answers."""
        colour_loss = F.cross_entropy(self.part_colours(words).flatten(0, 1), lessons.colours.flatten())
        body = F.cross_entropy(self.body(words.pooled), lessons.colours[:, 0])
        kind = F.cross_entropy(self.kind(words.pooled), lessons.kinds)
        proportions = F.binary_cross_entropy_with_logits(
            self.adjectives(words.pooled), lessons.adjectives.float()
        )
        return colour_loss + body + kind + proportions


def teach_reading(
    encoder: TextEncoder,
    lessons: Lessons,
    steps: int,
    *,
    batch: int = 256,
    rate: float = 1e-3,
    unknown: int,
    seed: int = 0,
) -> Iterator[tuple[int, float, Answers]]:
    """Train ``encoder`` in place for ``steps`` steps; yields step, loss and the heads as it goes.

    2 % of the words are replaced by the number ``unknown``, as in the denoiser's training.
    """
    generator = torch.Generator().manual_seed(seed)
    answers = Answers(encoder.embedding.embedding_dim)
    parameters = [*encoder.parameters(), *answers.parameters()]
    optimiser = torch.optim.AdamW(parameters, lr=rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=steps, pct_start=0.1)
    for step in range(steps):
        some = lessons[torch.randint(len(lessons), (batch,), generator=generator)]
        forgotten = (torch.rand(some.ids.shape, generator=generator) < 0.02) & (some.ids > unknown + 1)
        loss = answers(encoder(torch.where(forgotten, unknown, some.ids)), some)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        schedule.step()
        yield step, loss.item(), answers


@torch.no_grad()
def reading_accuracy(encoder: TextEncoder, answers: Answers, lessons: Lessons) -> dict[str, float]:
    """Share of right answers: kind, body off the pooled vector, and every part that the lessons ask for."""
    words = encoder(lessons.ids)
    coloured = lessons.colours != UNASKED
    right = (answers.part_colours(words).argmax(-1) == lessons.colours)[coloured]
    body = (answers.body(words.pooled).argmax(-1) == lessons.colours[:, 0])[coloured[:, 0]]
    kind = answers.kind(words.pooled).argmax(-1) == lessons.kinds
    return {
        "kind": kind.float().mean().item(),
        "body": body.float().mean().item(),
        "part": right.float().mean().item(),
    }
