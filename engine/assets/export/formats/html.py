"""A page with a viewer inside: one file that any browser opens, also without network; splats are drawn by
WebGL 2.
"""

from __future__ import annotations

import base64
import html
import json
from importlib.resources import files
from pathlib import Path

import numpy as np

from engine.assets.export.files import atomic_path
from engine.assets.export.formats.base import ExportFormat, ExportOptions
from engine.assets.export.formats.counting import splats_of_page
from engine.assets.export.splat_cloud import SplatCloud, rgb_from_sh0
from engine.assets.export.splat_packed import SPLAT_ROW
from engine.errors import InputError

TEMPLATE = "viewer.html"
MOST_SPLATS = 1_000_000
VISIBLE = 0.1
"""Opacity from which on a splat counts for where the camera stands."""


def write(path: Path, content: SplatCloud, options: ExportOptions) -> None:
    """Write it. Raises `InputError` for no splats or too many."""
    count = len(content.means)
    if not 0 < count <= MOST_SPLATS:
        raise InputError(
            f"There are {count:,} splats; 1 to {MOST_SPLATS:,} can be shown in a page.", "Export them as SPZ."
        )
    page = files("engine.assets.export.formats").joinpath(TEMPLATE).read_text(encoding="utf-8")
    visible = (
        content.means[content.opacities > VISIBLE] if (content.opacities > VISIBLE).any() else content.means
    )
    low, high = visible.min(axis=0), visible.max(axis=0)
    fields = {
        "TITLE": html.escape(options.name),
        "MIDDLE": json.dumps(((low + high) / 2).round(6).tolist()),
        "RADIUS": json.dumps(max(float(np.linalg.norm(high - low)) / 2, 1e-6)),
        "SPLATS": base64.b64encode(_rows(content).tobytes()).decode(),
        "RECIPE": json.dumps(options.recipe).replace("<", "\\u003c"),
    }
    for name, value in fields.items():
        page = page.replace(f"%{name}%", value)
    with atomic_path(path) as partial:
        partial.write_text(page, encoding="utf-8")


def _rows(cloud: SplatCloud) -> np.ndarray:
    """Rows (N,) of 32 bytes as in ``.splat``, in our axes."""
    rows = np.zeros(len(cloud.means), SPLAT_ROW)
    rows["position"], rows["scale"] = cloud.means, cloud.scales
    rows["rgba"] = np.rint(np.clip(np.column_stack([rgb_from_sh0(cloud.sh0), cloud.opacities]), 0, 1) * 255)
    rows["rotation"] = np.clip(np.rint(cloud.quats * 128 + 128), 0, 255)
    return rows


FORMAT = ExportFormat(
    title="HTML viewer",
    suffix=".html",
    content="splats",
    write=write,
    count=splats_of_page,
    bytes_each=43,
    help="One file that shows the object in any browser, without network.",
    options=("size_m", "origin"),
)
