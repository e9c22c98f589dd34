"""Train the toybox prior, or what stands beside it, and write it as a folder.

Beside it stand the controller that lets a 3D reference guide it, the sharpener of its views, the guided
student that makes one pass of two, and the adapter by which views attend along surfaces.

    python -m engine.toybox.dataset --out CACHE --objects 60000
    python -m engine.toybox.train --out RUN --cache CACHE --hours 2 [--resume] [--device cpu|cuda]
    python -m engine.toybox.train --out RUN --export FOLDER
    python -m engine.toybox.train reference --out RUN --cache CACHE --hours 1 --init PRIOR
    python -m engine.toybox.train reference --out RUN --export PRIOR/reference
    python -m engine.toybox.train sharpener --out RUN --hours 1 --init PRIOR
    python -m engine.toybox.train sharpener --out RUN --export PRIOR/sharpener
    python -m engine.toybox.train distilled --out RUN --cache CACHE --hours 1 --init PRIOR
    python -m engine.toybox.train distilled --out RUN --export PRIOR/distilled
    python -m engine.toybox.train correspondence --out RUN --hours 1 --init PRIOR
    python -m engine.toybox.train correspondence --out RUN --export PRIOR/correspondence

Killed at any moment, a run loses at most about two minutes: give the same command with --resume. The time
that is counted is the time spent training.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
import torch.multiprocessing as mp

from engine.errors import DeviceError, InputError, StudioError, storage_errors
from engine.prior.toybox.tokeniser import Tokeniser, build_tokenizer
from engine.toybox.dataset import HELD_OUT_SEED, ShardCache
from engine.toybox.training.checkpoints import CURRENT, PREVIOUS
from engine.toybox.training.controller_task import LEAVABLE, GuidingCourse, Parts
from engine.toybox.training.correspondence_task import CorrespondenceCourse, Orbits
from engine.toybox.training.denoiser_task import TAUGHT, DenoisingCourse, Sizes
from engine.toybox.training.distillation_task import Distilling, DistillingCourse
from engine.toybox.training.export import (
    export_checkpoint,
    export_controller,
    export_correspondence,
    export_distilled,
    export_sharpener,
)
from engine.toybox.training.loop import Enrol, Plan, worker
from engine.toybox.training.optimiser import Rates
from engine.toybox.training.sharpener_task import SharpeningCourse, Softening
from engine.toybox.training.text_encoder import draw_lessons, reading_accuracy, teach_reading

CPU_IMAGES, CUDA_IMAGES = 64, 768
"""Pictures a step, unless told."""

RATES = {
    "prior": Rates(),
    "reference": Rates(
        muon=1e-3, adam=7e-4, warmup_steps=50
    ),  # gentler: what it adds to goes on working from the first step
    "sharpener": Rates(adam=1e-3, warmup_steps=200, ema_decay=0.998),
    "distilled": Rates(
        muon=1e-4, adam=1e-4, warmup_steps=30, ema_decay=0.995
    ),  # it begins as what it learns from
    "correspondence": Rates(adam=1e-3, warmup_steps=50, ema_decay=0.99),
}
EXPORTS = {
    "prior": export_checkpoint,
    "reference": export_controller,
    "sharpener": export_sharpener,
    "distilled": export_distilled,
    "correspondence": export_correspondence,
}
DRAWN = ("sharpener", "correspondence")
"""Courses whose pictures are drawn while they learn."""

READING_REPORT = 200
"""Steps between two lines about how well the text encoder reads."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        if options.export is not None:
            facts = EXPORTS[options.course](options.out, options.export, options.cache)
            print(
                f"{options.export}: {facts.images:,} pictures in {facts.step:,} steps, {facts.megabytes} MB"
            )
        else:
            plan = plan_from(options)
            train(plan, course_from(options), resume=options.resume)
    except StudioError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def plan_from(options: argparse.Namespace) -> Plan:
    """Check the options. Raises `InputError` or `DeviceError`."""
    drawn = options.course in DRAWN
    if options.hours is None or (options.cache is None and not drawn):
        raise InputError(
            "Training needs --cache and --hours.", "Fill a cache: python -m engine.toybox.dataset --out CACHE"
        )
    if not 0 < options.hours < 1000:
        raise InputError(f"--hours is {options.hours:g}, allowed is more than 0 and less than 1000.")
    if options.width % options.heads:
        raise InputError(
            f"--width {options.width} is no multiple of --heads {options.heads}.",
            "Choose, for instance, 192 and 4.",
        )
    cuda = options.device == "cuda"
    if cuda and not torch.cuda.is_available():
        raise DeviceError("--device cuda was asked for, and torch sees no CUDA device.", "Use --device cpu.")
    processes = 1 if cuda else options.processes
    images = options.images or (CUDA_IMAGES if cuda else CPU_IMAGES)
    if processes < 1 or images % (8 * processes):
        raise InputError(
            f"--images {images} cannot be split over {processes} processes in groups of 8.",
            f"Choose a multiple of {8 * max(1, processes)}.",
        )
    return Plan(
        out=options.out,
        cache=None if drawn else options.cache,
        seconds=options.hours * 3600,
        device=options.device,
        processes=processes,
        images=images,
        seed=options.seed,
        init=options.init,
        compiled=options.compile,
        rates=RATES[options.course],
    )


What = Sizes | Parts | Softening | Distilling | Orbits
"""What is trained, and on what."""


def course_from(options: argparse.Namespace) -> What:
    """What the options say about the network that is trained."""
    if options.course == "correspondence":
        return Orbits()
    if options.course == "sharpener":
        return Softening()
    if options.course == "distilled":
        return Distilling()
    if options.course == "reference":
        taught: dict[str, Any] = {name: name not in options.without for name in LEAVABLE}
        return Parts(**taught)
    return Sizes(
        width=options.width, depth=options.depth, heads=options.heads, reading_steps=options.reading_steps
    )


def train(plan: Plan, what: What, *, resume: bool) -> None:
    """Run the processes of a plan to the end. Raises `InputError` if the folder holds a run and ``resume``
    was not asked for.
    """
    started = any((plan.out / name).exists() for name in (CURRENT, PREVIOUS))
    if started and not resume:
        raise InputError(
            f"{plan.out} holds a run already.",
            "Add --resume to go on with it, or choose another --out folder.",
        )
    if plan.cache is not None:
        ShardCache.open(plan.cache)  # what is wrong with it is said here, by one process
    with storage_errors(plan.out):
        plan.out.mkdir(parents=True, exist_ok=True)
    if isinstance(what, Sizes) and not started and plan.init is None and what.reading_steps:
        teach_text_encoder(what, plan)
    enrol = enrolment(what)
    with tempfile.TemporaryDirectory() as folder:
        if plan.processes == 1:
            worker(0, plan, enrol, "")
        else:
            mp.spawn(worker, (plan, enrol, f"{folder}/meeting"), nprocs=plan.processes)


def enrolment(what: What) -> Enrol:
    """The course that trains it."""
    if isinstance(what, Sizes):
        return partial(DenoisingCourse, what)
    if isinstance(what, Distilling):
        return partial(DistillingCourse, what)
    if isinstance(what, Orbits):
        return partial(CorrespondenceCourse, what)
    return partial(GuidingCourse, what) if isinstance(what, Parts) else partial(SharpeningCourse, what)


def teach_text_encoder(sizes: Sizes, plan: Plan) -> None:
    """Teach a new text encoder to read captions, and leave it in the run's folder for the first step."""
    torch.manual_seed(plan.seed)
    tokeniser = Tokeniser(build_tokenizer(sizes.vocabulary), sizes.length)
    encoder = sizes.network().text
    lessons = draw_lessons(tokeniser, 0, sizes.reading_objects)
    held_out = draw_lessons(tokeniser, HELD_OUT_SEED, max(1, sizes.reading_objects // 20), plain=True)
    for step, loss, answers in teach_reading(
        encoder, lessons, sizes.reading_steps, unknown=tokeniser.unknown, seed=plan.seed
    ):
        if (step + 1) % READING_REPORT == 0 or step + 1 == sizes.reading_steps:
            right = "  ".join(
                f"{name} {share:.1%}" for name, share in reading_accuracy(encoder, answers, held_out).items()
            )
            print(f"reading step {step + 1}  loss {loss:.3f}  right: {right}", flush=True)
    with storage_errors(plan.out):
        torch.save(encoder.state_dict(), plan.out / TAUGHT)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m engine.toybox.train",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add(
        "course",
        nargs="?",
        choices=tuple(EXPORTS),
        default="prior",
        help="what to train (default %(default)s)",
    )
    add("--out", type=Path, required=True, help="folder of the run: checkpoints, log.jsonl, sample sheets")
    add("--cache", type=Path, help="folder of shards to train on")
    add("--hours", type=float, help="training time in all, earlier runs of the folder counted in")
    add("--resume", action="store_true", help="go on from the newest checkpoint in --out")
    add(
        "--export",
        type=Path,
        metavar="FOLDER",
        help="write the newest checkpoint of --out as a prior folder, and do nothing else",
    )
    add("--device", choices=("cpu", "cuda"), default="cpu", help="default %(default)s")
    add("--processes", type=int, default=2, help="on the CPU, each with one thread (default %(default)s)")
    add(
        "--images",
        type=int,
        help=f"pictures a step, over all processes (default {CPU_IMAGES} on a CPU, {CUDA_IMAGES} on a GPU)",
    )
    add("--width", type=int, default=192, help="width of a token (default %(default)s)")
    add("--depth", type=int, default=7, help="transformer blocks (default %(default)s)")
    add("--heads", type=int, default=4, help="attention heads (default %(default)s)")
    add("--seed", type=int, default=0, help="default %(default)s")
    add(
        "--init",
        type=Path,
        metavar="FOLDER",
        help="start from the weights of a prior folder; for what stands beside a prior, the prior that it "
        "belongs to",
    )
    add(
        "--without",
        nargs="*",
        choices=LEAVABLE,
        default=[],
        help="parts of the reference's controller to leave out",
    )
    add(
        "--reading-steps",
        type=int,
        default=2500,
        metavar="N",
        help="of teaching a new text encoder to read before the first step; not with --init (default "
        "%(default)s)",
    )
    add("--compile", action="store_true", help="use torch.compile: minutes to start, pays on a GPU")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
