"""``python -m studio playground``: one picture under every guidance method, side by side."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from engine.assets.export.files import atomic_path
from engine.assets.export.sheet import write_png
from engine.assets.export.video import write_video
from engine.errors import storage_errors
from engine.loop.devices import limit_threads
from engine.loop.prompt_words import Heard, heard
from engine.playground.grid import Grid, canvas_settings, chosen_methods, chosen_scales
from engine.playground.painting import Brushed, Painting
from engine.playground.play import document, play, table
from engine.playground.sheet import compose, film
from engine.prior.registry import load_prior
from studio.commands.folders import put_aside, ready
from studio.commands.generate_options import named_values

FILES = ("sheet.png", "numbers.json", "numbers.md", "film.mp4")
CELLS = "cells"
FILM_FPS = 8


def playground(options: argparse.Namespace) -> None:
    """Paint the grid that the options ask for and write it to ``options.out``; an interrupted one leaves what
    there is.
    """
    limit_threads()
    ready(options.out)
    methods, scales = chosen_methods(options.methods), chosen_scales(options.guidance)
    prior = load_prior(options.prior)
    base = canvas_settings(options.prompt, prior.info, seed=options.seed, steps=options.steps)
    read = heard(base.spec) if prior.info.taught_words else Heard(options.prompt)
    base = replace(base, spec=replace(base.spec, prompt=read.prompt))
    grid = Grid(base, methods, scales, named_values(options.set))
    cells = grid.cells()
    for note in read.notes:
        tqdm.write(f"note: {note}")
    paintings: list[Painting] = []
    total = sum(cell.settings.spec.refine_steps for cell in cells if cell.settings is not None)
    try:
        with tqdm(total=total, unit="step", disable=options.quiet) as bar:
            for painting in _shown(play(grid, prior, options.out / CELLS), bar):
                paintings.append(painting)
    finally:
        if paintings:
            put_aside(options.out, FILES)
            _write(grid, paintings, options.out, filmed=options.film)


def _shown(events: Iterator[Brushed | Painting], bar: tqdm) -> Iterator[Painting]:
    """The paintings of a grid, while a bar shows what is painted now."""
    done = 0
    for event in events:
        if isinstance(event, Brushed):
            bar.set_description(f"{event.cell.method} {event.cell.guidance_scale:g}", refresh=False)
            bar.set_postfix(loss=f"{event.loss:.4g}", refresh=False)
            bar.update(done + event.step - bar.n)
            continue
        name = f"{event.cell.method} at {event.cell.guidance_scale:g}"
        for note in (event.trouble, *event.notes):
            if note:
                tqdm.write(f"note: {name}: {note}")
        done += 0 if event.cell.settings is None else event.cell.settings.spec.refine_steps
        bar.update(done - bar.n)
        yield event


def _write(grid: Grid, paintings: Sequence[Painting], out: Path, *, filmed: bool) -> None:
    write_png(out / "sheet.png", compose(grid, paintings))
    _write_text(out / "numbers.json", json.dumps(document(grid, paintings), indent=1) + "\n")
    _write_text(out / "numbers.md", table(grid, paintings))
    if filmed:
        write_video(out / "film.mp4", film(grid, paintings), fps=FILM_FPS)
    for name in FILES:
        if (out / name).exists():
            print(out / name)


def _write_text(path: Path, text: str) -> None:
    with storage_errors(path), atomic_path(path) as partial:
        partial.write_text(text, encoding="utf-8")
