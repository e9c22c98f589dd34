"""How the benchmark's classifier is taught: pictures of objects on seeds of its own, roughened as
reconstructions are.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor

from engine.errors import StudioError
from engine.loop.devices import limit_threads
from engine.prior.toybox.prior import half_pays
from engine.toybox.classifier import (
    AZIMUTH_BINS,
    BIN_DEG,
    COLOUR_WORDS,
    SLOTS,
    Reading,
    ToyClassifier,
    base_colour,
    read,
    save_classifier,
    slot_of,
)
from engine.toybox.dataset import CLASSIFIER_SEED, HELD_OUT_SEED
from engine.toybox.objects import JUDGED_KINDS, KINDS_WITH_FRONT, ToyObject, any_kind, draw_object, parts_of
from engine.toybox.pictures import render_object, to_bytes
from engine.toybox.words import COLOURS

CEILING_SEED = HELD_OUT_SEED + 50_000
UNKNOWN = -1
ALL_COLOURED_SHARE = 0.5
_COLOUR_STREAM, _CAMERA_STREAM = 21, 22
_FRONT = torch.tensor([kind in KINDS_WITH_FRONT for kind in JUDGED_KINDS])


@dataclass(frozen=True, eq=False)
class Lesson:
    """N labelled pictures: ``images`` (N,4,64,64) uint8 premultiplied, ``kind`` and ``azimuth_deg`` (N,),
    ``colour`` (N,P).
    """

    images: Tensor
    kind: Tensor
    azimuth_deg: Tensor
    colour: Tensor

    def __len__(self) -> int:
        return len(self.kind)

    def __getitem__(self, index: Tensor) -> Lesson:
        return Lesson(self.images[index], self.kind[index], self.azimuth_deg[index], self.colour[index])


def make_lesson(
    seed_start: int, objects: int, views: int = 4, all_coloured: float = ALL_COLOURED_SHARE
) -> Lesson:
    """Pictures of the objects of consecutive seeds from random sides; in a share of them every part has a
    colour of its own.
    """
    images, kinds, azimuths, colours = [], [], [], []
    for seed in range(seed_start, seed_start + objects):
        obj, named = _paint(seed, all_coloured)
        rng = np.random.default_rng([seed, _CAMERA_STREAM])
        azimuth_deg = rng.uniform(0, 360, views)
        images.append(to_bytes(render_object(obj, azimuth_deg, rng.uniform(-5, 35, views)).rgba))
        kinds += [JUDGED_KINDS.index(obj.kind)] * views
        azimuths.append(azimuth_deg)
        colours += [_labels(obj, named)] * views
    pictures = torch.from_numpy(np.concatenate(images)).movedim(-1, 1).contiguous()
    return Lesson(
        pictures,
        torch.tensor(kinds),
        torch.from_numpy(np.concatenate(azimuths)).float(),
        torch.tensor(colours),
    )


def _paint(seed: int, all_coloured: float) -> tuple[ToyObject, tuple[str, ...]]:
    """The object of a seed, and its parts whose colour was drawn freely, so that shape does not give it
    away.
    """
    obj = draw_object(seed, any_kind(seed, JUDGED_KINDS))
    rng = np.random.default_rng([seed, _COLOUR_STREAM])
    if rng.random() >= all_coloured:
        return obj, ("body", *obj.bound)
    words = rng.choice(list(COLOURS), len(parts_of(obj.kind)))
    obj = draw_object(seed, obj.kind, dict(zip(parts_of(obj.kind), words.tolist())))
    return obj, parts_of(obj.kind)


def _labels(obj: ToyObject, named: Sequence[str]) -> list[int]:
    labels = [UNKNOWN] * len(SLOTS)
    for part in named:
        labels[slot_of(obj.kind, part)] = COLOUR_WORDS.index(base_colour(obj.part_colours[part]))
    return labels


def roughen(rgba: Tensor, rng: torch.Generator) -> Tensor:
    """Pictures (N,4,S,S) in 0..1 as a reconstruction might show them: shifted, scaled, blurred, smeared,
    blotchy, noisy.
    """
    n = len(rgba)
    x = _moved(rgba, rng)
    x = torch.lerp(x, _blurred(x, 1.2), _uniform(n, 0.0, 1.0, rng))
    x = torch.lerp(x, _resized(F.avg_pool2d(x, 4), x), _uniform(n, 0.0, 0.25, rng))
    blotches = _resized(torch.randn(n, 4, 10, 10, generator=rng), x)
    x = x + x[:, 3:] * blotches * _uniform(n, 0.0, 0.06, rng)
    return (x + torch.randn(x.shape, generator=rng) * _uniform(n, 0.0, 0.03, rng)).clamp(0, 1)


def _uniform(n: int, low: float, high: float, rng: torch.Generator) -> Tensor:
    return low + (high - low) * torch.rand(n, 1, 1, 1, generator=rng)


def _moved(x: Tensor, rng: torch.Generator) -> Tensor:
    """Up to 2 pixels aside, and 10 % smaller or larger."""
    theta = torch.zeros(len(x), 2, 3)
    theta[:, 0, 0] = theta[:, 1, 1] = _uniform(len(x), 0.92, 1.1, rng)[:, 0, 0, 0]
    theta[:, :, 2] = 0.06 * (2 * torch.rand(len(x), 2, generator=rng) - 1)
    return F.grid_sample(x, F.affine_grid(theta, list(x.shape), align_corners=False), align_corners=False)


def _resized(x: Tensor, like: Tensor) -> Tensor:
    return F.interpolate(x, size=like.shape[-2:], mode="bilinear")


def _blurred(x: Tensor, sigma: float) -> Tensor:
    radius = int(2.5 * sigma + 0.5)
    kernel = torch.exp(-0.5 * (torch.arange(-radius, radius + 1) / sigma) ** 2)
    kernel = (kernel / kernel.sum()).expand(x.shape[1], 1, 1, -1)
    x = F.conv2d(x, kernel, padding=(0, radius), groups=x.shape[1])
    return F.conv2d(x, kernel.transpose(2, 3), padding=(radius, 0), groups=x.shape[1])


def loss_of(reading: Reading, lesson: Lesson) -> Tensor:
    """Cross entropies of kind, azimuth (kinds with a front) and colours (parts that were painted)."""
    kind = F.cross_entropy(reading.kind, lesson.kind, label_smoothing=0.02)
    colour = F.cross_entropy(reading.colour.flatten(0, 1), lesson.colour.flatten(), ignore_index=UNKNOWN)
    rows = torch.arange(len(lesson))
    azimuth = -(azimuth_targets(lesson.azimuth_deg) * reading.azimuth[rows, lesson.kind].log_softmax(-1)).sum(
        -1
    )
    return kind + colour + azimuth[_FRONT[lesson.kind]].sum() / len(lesson)


def azimuth_targets(azimuth_deg: Tensor) -> Tensor:
    """Probabilities (N,8): an azimuth belongs to its two nearest bins, in proportion."""
    position = (azimuth_deg / BIN_DEG) % AZIMUTH_BINS
    low = position.floor()
    share = (position - low)[:, None]
    bins = torch.arange(AZIMUTH_BINS)
    lower = (bins == (low % AZIMUTH_BINS)[:, None]).float()
    return (1 - share) * lower + share * lower.roll(1, dims=1)


def teach(
    lesson: Lesson,
    steps: int,
    batch: int = 96,
    seed: int = 0,
    rate: float = 4e-3,
    report: int = 100,
    init: Path | None = None,
) -> ToyClassifier:
    """A classifier trained with AdamW under a one-cycle rate; ``init``: it goes on from the weights of a
    file.
    """
    torch.manual_seed(seed)
    classifier, rng = ToyClassifier(), torch.Generator().manual_seed(seed)
    if init is not None:
        grow(classifier, load_file(init))
    for parameter in classifier.parameters():
        if parameter.dim() == 4:
            parameter.data = parameter.data.to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(classifier.parameters(), lr=rate, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=steps, pct_start=0.15)
    began = time.monotonic()
    for step in range(steps):
        part = lesson[torch.randint(len(lesson), (batch,), generator=rng)]
        pictures = roughen(part.images / 255, rng).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16, enabled=half_pays(pictures.device)):
            reading = classifier(pictures)
        loss = loss_of(Reading(reading.kind.float(), reading.azimuth.float(), reading.colour.float()), part)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        schedule.step()
        if report and (step + 1) % report == 0:
            print(
                f"step {step + 1}/{steps}, loss {loss.detach().item():.3f}, {time.monotonic() - began:.0f} s",
                flush=True,
            )
    return classifier.eval()


@torch.no_grad()
def grow(classifier: ToyClassifier, known: Mapping[str, Tensor]) -> None:
    """Take over known weights; where kinds have been added at the end, the rows of the first ones."""
    for name, value in classifier.state_dict().items():
        rows = known[name].to(value.dtype)
        value[: len(rows)].copy_(rows) if value.ndim else value.copy_(rows)


def examine(classifier: ToyClassifier, lesson: Lesson) -> dict[str, float]:
    """Shares right on each kind, colour of painted parts, and azimuth within 45 degrees (kinds with a
    front).
    """
    parts = [
        read(classifier, lesson.images[i : i + 256].movedim(1, -1) / 255) for i in range(0, len(lesson), 256)
    ]
    reading = Reading(*(torch.cat(each) for each in zip(*((p.kind, p.azimuth, p.colour) for p in parts))))
    painted = lesson.colour != UNKNOWN
    azimuth = reading.azimuth[torch.arange(len(lesson)), lesson.kind].argmax(-1) * BIN_DEG
    off = ((azimuth - lesson.azimuth_deg + 180) % 360 - 180).abs()[_FRONT[lesson.kind]]
    return {
        "kind": (reading.kind.argmax(-1) == lesson.kind).float().mean().item(),
        "colour": (reading.colour.argmax(-1) == lesson.colour)[painted].float().mean().item(),
        "azimuth": (off <= 45).float().mean().item(),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """The command ``python -m engine.toybox.classifier``; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m engine.toybox.classifier", description="Train the benchmark's classifier."
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.safetensors")
    parser.add_argument(
        "--objects",
        type=int,
        default=6000,
        help="objects to learn from, four views each (default %(default)s)",
    )
    parser.add_argument("--steps", type=int, default=1150, help="training steps (default %(default)s)")
    parser.add_argument(
        "--init", type=Path, metavar="FILE", help="go on from these weights, of as many kinds or fewer"
    )
    options = parser.parse_args(arguments)
    limit_threads()
    classifier = teach(make_lesson(CLASSIFIER_SEED, options.objects), options.steps, init=options.init)
    exam = make_lesson(CEILING_SEED, 500)
    rough = Lesson(_roughened_bytes(exam.images), exam.kind, exam.azimuth_deg, exam.colour)
    for name, lesson in (("clean", exam), ("roughened", rough)):
        print(name, ", ".join(f"{head} {share:.3f}" for head, share in examine(classifier, lesson).items()))
    try:
        save_classifier(classifier, options.out)
    except StudioError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def _roughened_bytes(images: Tensor) -> Tensor:
    return (roughen(images / 255, torch.Generator().manual_seed(1)) * 255).round().to(torch.uint8)
