"""A contact sheet of toybox objects: all kinds, a few seeds of each, from a few sides, each with a caption."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from engine.errors import storage_errors
from engine.toybox.captions import caption
from engine.toybox.objects import KINDS, draw_object
from engine.toybox.pictures import on_white, render_object

LABEL_HEIGHT = 28


def write_sheet(
    path: Path,
    *,
    kinds: Sequence[str] = KINDS,
    seeds: Sequence[int] = (0, 1, 2),
    azimuths_deg: Sequence[float] = (0.0, 60.0, 180.0),
    elevation_deg: float = 20.0,
    resolution: int = 96,
    columns: int = 3,
) -> None:
    """Write a PNG with one block a kind: for each seed a label over its azimuths side by side."""
    blocks = [_block(kind, seeds, azimuths_deg, elevation_deg, resolution) for kind in kinds]
    blocks += [np.full_like(blocks[0], 255)] * (-len(blocks) % columns)
    rows = [np.concatenate(blocks[i : i + columns], axis=1) for i in range(0, len(blocks), columns)]
    with storage_errors(path):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.concatenate(rows)).save(path)


def _block(kind: str, seeds: Sequence[int], azimuths_deg: Sequence[float], elevation_deg: float, size: int) -> np.ndarray:
    """One kind as an RGB image: for each seed a label and its views."""
    return np.concatenate([_cell(kind, seed, azimuths_deg, elevation_deg, size) for seed in seeds], axis=1)


def _cell(kind: str, seed: int, azimuths_deg: Sequence[float], elevation_deg: float, size: int) -> np.ndarray:
    obj = draw_object(seed, kind)
    rgba = render_object(obj, azimuths_deg, [elevation_deg] * len(azimuths_deg), size).rgba
    strip = np.concatenate(list(on_white(rgba)), axis=1)
    label = Image.new("RGB", (strip.shape[1], LABEL_HEIGHT), "white")
    text = f"{kind}, seed {seed}\n{caption(obj, np.random.default_rng(seed))}"
    ImageDraw.Draw(label).text((3, 1), text, fill="black", spacing=1)
    return np.concatenate([np.asarray(label), strip])
