"""``python -m engine.toybox.benchmark --texture``: how many objects, and where the table goes."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import asdict

from engine.errors import InputError, storage_errors
from engine.loop.devices import limit_threads
from engine.prior.registry import load_prior
from engine.toybox.benchmark.readme import put_between_markers
from engine.toybox.benchmark.tasks import text_tasks
from engine.toybox.benchmark.texture import TextureResult, measure_texture, texture_table, ways_of
from engine.toybox.classifier import load_classifier

USUAL_OBJECTS = 12


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of the texture table."""
    parser.add_argument("--texture", action="store_true", help="measure textures of bare objects instead")
    parser.add_argument("--painting-steps", type=int, default=16, metavar="N", help="with --texture (default %(default)s)")
    parser.add_argument("--painting-views", type=int, default=8, metavar="N", help="with --texture (default %(default)s)")


def compare(options: argparse.Namespace, show_progress: Callable[[int, int, float], None]) -> None:
    """Measure, print the table, and write what was asked for."""
    count = USUAL_OBJECTS if options.objects is None else options.objects
    if count < 1:
        raise InputError("The benchmark was asked for fewer than one object.", "Give --objects 1 or more.")
    limit_threads()
    ways, prior, classifier = ways_of(options.painting_steps, options.painting_views), load_prior("toybox"), load_classifier()
    results: list[TextureResult] = []
    began = time.monotonic()
    for done, task in enumerate(text_tasks(count), 1):
        results += measure_texture(task, ways, prior, classifier)
        show_progress(done, count, time.monotonic() - began)
    told = f"{count} held-out objects, {options.painting_steps} steps, {options.painting_views} views of 64 pixels, seed 0."
    table = f"{texture_table(results)}\n\n{told}"
    print(table)
    if options.json is not None:
        with storage_errors(options.json):
            options.json.write_text(json.dumps([asdict(each) for each in results], indent=2) + "\n", encoding="utf-8")
    if options.readme is not None:
        put_between_markers(options.readme, "texture", table)
