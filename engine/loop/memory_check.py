"""Whether a scene fits into memory, asked before a run is queued: what fills the machine ends everybody's
runs.

The torch renderers keep every splat's share of every pixel of its tiles for the backward pass. The compiled
ones do not, and need no more than the scene itself.
"""

from __future__ import annotations

from engine.errors import InputError
from engine.loop.settings import Settings

GIGABYTE = 1_000_000_000
# Peak of one forward and backward pass, measured from 2,000 to 20,000 splats, 48 to 96 voxels, 64 to 256 px,
# within 15 %.
SPLAT_VIEW_BYTES, SPLAT_PIXEL_BYTES = 20_500, 0.65
FIELD_SAMPLE_BYTES = 200


def step_bytes(settings: Settings) -> int:
    """About how much one step takes for drawing alone."""
    spec, views = settings.spec, settings.knobs.views_per_step
    pixels = spec.render_size**2
    if spec.backend != "torch" or spec.scene == "canvas":
        return 0
    if spec.scene == "field":
        return views * pixels * spec.voxels * FIELD_SAMPLE_BYTES
    return round(views * spec.splats * (SPLAT_VIEW_BYTES + SPLAT_PIXEL_BYTES * pixels))


def check_room(settings: Settings, free_bytes: int, share: float) -> None:
    """Raises InputError for settings that would take more than that ``share`` of what is free."""
    needed, allowed = step_bytes(settings), share * free_bytes
    if needed <= allowed:
        return
    what = (
        f"Each step would take about {needed / GIGABYTE:.0f} GB of memory, and "
        f"{allowed / GIGABYTE:.1f} GB may be used."
    )
    raise InputError(
        what,
        'Choose the renderer "auto", a smaller render size, fewer views a step, or fewer splats or voxels.',
    )
