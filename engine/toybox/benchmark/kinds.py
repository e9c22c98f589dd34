"""The kinds table: one prompt for each kind, run as the product runs it, and how many sides of the result are
named right.

Where the prior has not learned a kind, the shelf stands in, as it does in the product; the table says so.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from engine.loop.frames import azimuth_strip
from engine.loop.messages import Finished, Unattended
from engine.loop.run import run
from engine.loop.settings import Settings
from engine.prior.base import Prior
from engine.session.reference_lookup import References
from engine.toybox.benchmark.assets import see
from engine.toybox.benchmark.tasks import AZIMUTHS_DEG, ELEVATIONS_DEG
from engine.toybox.classifier import COLOUR_WORDS, ToyClassifier, base_colour, read, slot_of
from engine.toybox.objects import JUDGED_KINDS, KINDS
from engine.toybox.prompt_parser import read_prompt
from engine.toybox.words import BASE_COLOURS

PROMISED_SHARE = 0.8
"""Share of sides named right from which on a kind is promised."""

STRIP_SIZE = 96


@dataclass(frozen=True, eq=False)
class KindResult:
    """One kind: sides named right (8,) bool, whether the colour is right, whether a stand-in guided it,
    seconds, a strip.
    """

    kind: str
    prompt: str
    named_right: np.ndarray
    colour_right: bool
    stood_in: bool
    seconds: float
    strip: np.ndarray

    @property
    def promised(self) -> bool:
        """Whether most sides are named right."""
        return float(self.named_right.mean()) >= PROMISED_SHARE


def prompt_for(kind: str) -> str:
    """A prompt with a colour that depends on the kind alone."""
    colours = tuple(BASE_COLOURS)
    colour = colours[(5 * KINDS.index(kind) + 3) % len(colours)]
    return f"{'an' if colour[0] in 'aeiou' else 'a'} {colour} {kind}"


def measure_kinds(
    kinds: Sequence[str], settings: Settings, prior: Prior, classifier: ToyClassifier
) -> Iterator[KindResult]:
    """Each kind's result, as soon as it is there."""
    with tempfile.TemporaryDirectory() as folder:
        references = References(Path(folder) / "library")
        for number, kind in enumerate(kinds):
            yield _measured(kind, number, settings, prior, classifier, references, Path(folder) / kind)


def _measured(
    kind: str,
    seed: int,
    settings: Settings,
    prior: Prior,
    classifier: ToyClassifier,
    references: References,
    folder: Path,
) -> KindResult:
    prompt = prompt_for(kind)
    run_settings = Settings(replace(settings.spec, prompt=prompt, seed=seed), settings.knobs)
    settled = references.settled(run_settings, folder)
    *_, finished = run(settled.spec, settled.knobs, Unattended(), lambda _: prior, folder=folder)
    assert isinstance(finished, Finished)
    rgba = see(finished.copy, AZIMUTHS_DEG, ELEVATIONS_DEG)
    reading = read(classifier, torch.from_numpy(np.ascontiguousarray(rgba)))
    wanted = base_colour(read_prompt(prompt)[0].colours["body"])
    colour = COLOUR_WORDS[int(reading.colour.exp().mean(0)[slot_of(kind, "body")].argmax())]
    return KindResult(
        kind,
        prompt,
        (reading.kind.argmax(-1) == JUDGED_KINDS.index(kind)).numpy(),
        colour == wanted,
        bool(settled.spec.reference),
        finished.seconds["total"],
        azimuth_strip(finished.copy, STRIP_SIZE),
    )


def kinds_table(results: Sequence[KindResult]) -> str:
    """Markdown: what the prior makes by itself, and with stand-ins from the shelf."""
    lines = [
        "| | kinds | sides named right | promised | body colour | median seconds |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    groups = {"the prior alone": False, "guided by the shelf": True}
    for title, stood_in in groups.items():
        group = [result for result in results if result.stood_in == stood_in]
        if group:
            lines.append(_row(title, group))
    lines.append(_row("all", results))
    missed = [result.kind for result in results if not result.promised]
    return "\n".join([*lines, "", f"Not promised: {', '.join(missed) or 'none'}."])


def _row(title: str, results: Sequence[KindResult]) -> str:
    named = float(np.mean([result.named_right.mean() for result in results]))
    promised = sum(result.promised for result in results)
    coloured = float(np.mean([result.colour_right for result in results]))
    seconds = float(np.median([result.seconds for result in results]))
    return f"| {title} | {len(results)} | {named:.1%} | {promised} | {coloured:.1%} | {seconds:.1f} |"
