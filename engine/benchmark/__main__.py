"""How fast the studio is here, and how much memory it takes.

    python -m engine.benchmark [--quick] [--json FILE] [--beside CHECKOUT]

Every number stands beside a reference that was measured in the same run, so that machines can be compared by
their ratios.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from engine.benchmark.beside import check_checkout, measure_beside
from engine.benchmark.cuda import measure_cuda
from engine.benchmark.latency import measure_first_picture, measure_slider
from engine.benchmark.memory import measure_memory
from engine.benchmark.page_start import measure_page_start
from engine.benchmark.renderers import STATES, TWINS, growing, measure_growth, measure_twins
from engine.benchmark.report import Measured, Row, document, machine_facts, table
from engine.benchmark.split import measure_split
from engine.benchmark.watching import measure_watching
from engine.errors import InputError, StudioError, storage_errors
from engine.loop.devices import limit_threads
from engine.loop.settings import Settings
from engine.loop.spec import Knobs, RunSpec
from engine.prior.base import Prior
from engine.prior.registry import load_prior
from engine.session.presets import DEFAULT_PRESET, apply_preset, find_preset

PROMPT = "a red mug with a blue handle"


@dataclass(frozen=True)
class Amount:
    """How often things are measured."""

    split_steps: int
    renderer_repeats: int
    watching_pairs: int
    watching_steps: int
    slider_repeats: int
    picture_repeats: int
    page_repeats: int
    memory_steps: int


QUICK = Amount(8, 3, 6, 6, 3, 2, 1, 10)
FULL = Amount(30, 7, 16, 8, 9, 5, 3, 100)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        _run(options)
    except StudioError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2 if isinstance(error, InputError) else 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m engine.benchmark", description="Measure speed and memory, as ratios."
    )
    parser.add_argument(
        "--quick", action="store_true", help="fewer repeats: under 1.5 minutes on 2 cores instead of 5"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers there")
    parser.add_argument(
        "--beside", type=Path, metavar="CHECKOUT", help="only compare with another checkout, in turns"
    )
    return parser


def _run(options: argparse.Namespace) -> None:
    began = time.monotonic()
    limit_threads()
    machine = machine_facts()  # first: measuring is a load, too
    if options.beside is not None:
        rows = list(measure_beside(check_checkout(options.beside), 2 if options.quick else 5))
    else:
        rows = _measured_here(options.quick, began)
    print(table(rows, machine))
    if options.json is not None:
        numbers = document(rows, machine, options.quick, time.monotonic() - began)
        with storage_errors(options.json):
            options.json.write_text(json.dumps(numbers, indent=2) + "\n", encoding="utf-8")


def _measured_here(quick: bool, began: float) -> list[Row]:
    """The rows of this build alone."""
    settings = default_settings()
    prior = load_prior(settings.spec.prior)
    rows: list[Row] = []
    for title, measure in measurements(settings, prior, QUICK if quick else FULL):
        print(f"{time.monotonic() - began:4.0f} s  {title}", file=sys.stderr, flush=True)
        rows += measure().rows()
    return rows


def default_settings() -> Settings:
    """What a newcomer runs: the default preset and a prompt."""
    return apply_preset(find_preset(DEFAULT_PRESET), Settings(RunSpec(PROMPT), Knobs()))


def measurements(
    settings: Settings, prior: Prior, amount: Amount
) -> tuple[tuple[str, Callable[[], Measured]], ...]:
    """What is measured, in order, with a title each."""
    short = Settings(replace(settings.spec, refine_steps=amount.memory_steps), settings.knobs)
    return (
        ("a step, split", lambda: measure_split(settings, prior, amount.split_steps)),
        ("renderers against their twins", lambda: measure_twins(TWINS, amount.renderer_repeats)),
        ("growth of renderers", lambda: measure_growth(growing(STATES), amount.renderer_repeats)),
        (
            "with and without a watcher",
            lambda: measure_watching(settings, prior, amount.watching_pairs, amount.watching_steps),
        ),
        ("slider to picture", lambda: measure_slider(settings, prior, amount.slider_repeats)),
        ("Generate to picture", lambda: measure_first_picture(settings, prior, amount.picture_repeats)),
        ("command to page", lambda: measure_page_start(amount.page_repeats)),
        ("memory", lambda: measure_memory(short)),
        ("GPU", lambda: measure_cuda(settings, prior, amount.split_steps, amount.renderer_repeats)),
    )


if __name__ == "__main__":
    sys.exit(main())
