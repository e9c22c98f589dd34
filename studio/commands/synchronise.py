"""``python -m studio playground --sync KIND``: wide pictures, panoramas, and pictures that show something
else when turned.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from tqdm import tqdm

from engine.assets.export.sheet import BACKGROUND, write_png
from engine.core.views import Views
from engine.loop.devices import limit_threads
from engine.loop.prompt_words import heard
from engine.loop.spec import RunSpec
from engine.playground.grid import chosen_scales
from engine.prior.base import Prior
from engine.prior.registry import load_prior
from engine.synchronisation.pictures import Sync, draw
from studio.commands.folders import put_aside, ready

BETWEEN = "|"  # prompts of one picture
FILE = "picture.png"


def synchronise(options: argparse.Namespace) -> None:
    """Draw the picture that the options ask for and write it to ``options.out``. Raises StudioError."""
    limit_threads()
    scales = chosen_scales(options.guidance)
    how = Sync(
        kind=options.sync,
        prompts=tuple(part.strip() for part in options.prompt.split(BETWEEN)),
        views=tuple(part.strip() for part in options.views.split(",")),
        width=options.width,
        stride=options.stride,
        case=options.case,
        steps=options.sampling_steps,
        guidance_scale=scales[0] if len(scales) == 1 else Sync.guidance_scale,
        seed=options.seed,
        coherence=options.coherence,
    )
    ready(options.out)
    prior = load_prior(options.prior)
    how = replace(how, prompts=tuple(_read(prompt, options.prior, prior) for prompt in how.prompts))
    views = _last(draw(how, prior), how.steps, quiet=options.quiet)
    put_aside(options.out, (FILE,))
    write_png(options.out / FILE, _on_paper(views))
    print(options.out / FILE)


def _last(drawn: Iterator[Views], steps: int, *, quiet: bool) -> Views:
    for views in tqdm(drawn, total=steps, disable=quiet, unit="step"):
        last = views
    return last


def _read(prompt: str, prior_id: str, prior: Prior) -> str:
    if not prior.info.taught_words:
        return prompt
    read = heard(RunSpec(prompt, prior=prior_id, scene="canvas"))
    for note in read.notes:
        tqdm.write(f"note: {note}")
    return read.prompt


def _on_paper(views: Views) -> np.ndarray:
    rgb, alpha = views.rgb[0].cpu().numpy(), views.alpha[0].cpu().numpy()
    return (np.clip(rgb * 255 + (1 - alpha) * np.array(BACKGROUND), 0, 255) + 0.5).astype(np.uint8)
