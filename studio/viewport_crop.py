"""The box that crops an export, in the 3D viewport: its edges, and a transform gizmo at each of two opposite
corners.

A side that lies beyond the object is drawn close to it, where it is in sight, and stays what it is until it
is dragged.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

import numpy as np
from viser import ClientHandle, LineSegmentsHandle, TransformControlsEvent, TransformControlsHandle

from engine.session import Cloud
from studio.linked_halves import Linked
from studio.page_links import Box, kept_apart

ACCENT_RGB = (29, 107, 92)  # --mq-accent of the page
EDGE_PIXELS, GIZMO = 2.0, 0.35  # how thick, and how large in world units
CORNERS = ("low", "high")
ANYTHING: Box = (-0.85, -0.85, -0.85, 0.85, 0.85, 0.85)  # what an object takes of which nothing is known
VISIBLE, OUTLIERS_PERCENT, MARGIN, STILL = 0.1, 0.5, 0.06, 1e-4

Extent = Callable[[], Box]


def extent_of(cloud: Cloud | None) -> Box:
    """The box of all splats that can be seen but a few strays, with a margin; `ANYTHING` where there are
    none.
    """
    visible = cloud.centers[cloud.opacities[:, 0] > VISIBLE] if cloud is not None else np.zeros((0, 3))
    if not len(visible):
        return ANYTHING
    low, high = np.percentile(visible, (OUTLIERS_PERCENT, 100 - OUTLIERS_PERCENT), axis=0)
    return tuple(map(float, (*(low - MARGIN), *(high + MARGIN))))


def join_crop(client: ClientHandle, name: str, crops: Linked[Box], extent: Extent, link: ExitStack) -> None:
    """Show a client the box of the page ``name`` and let it be dragged, until ``link`` is closed.

    ``extent`` tells what the object takes, at once.
    """
    gizmos = CropGizmos(client, extent, lambda box: crops.move(name, "viewport", box))
    link.enter_context(crops.joined(name, "viewport", gizmos.show))
    gizmos.show(crops.value(name) or ())


class CropGizmos:
    """The box as one client sees it; ``moved`` is told where it is dragged to."""

    def __init__(self, client: ClientHandle, extent: Extent, moved: Callable[[Box], None]) -> None:
        self._scene, self._extent, self._moved = client.scene, extent, moved
        self._box: Box = ()
        self._drawn: Box = ()  # the same, with the sides that lie beyond the object close to it
        self._edges: LineSegmentsHandle | None = None
        self._corners: list[TransformControlsHandle] = []

    def show(self, box: Box) -> None:
        """Put the box there; () takes it away."""
        self._box = box
        if not box:
            self._remove()
            return
        self._drawn = close_to(box, self._extent())
        if self._edges is None:
            self._draw()
        assert self._edges is not None, "it was drawn"
        self._edges.points = edges_of(self._drawn)
        for corner, side in zip(self._corners, (self._drawn[:3], self._drawn[3:])):
            corner.position = np.asarray(side)

    def _draw(self) -> None:
        self._edges = self._scene.add_line_segments(
            "/crop/edges", edges_of(self._drawn), ACCENT_RGB, thickness=EDGE_PIXELS, thickness_units="screen"
        )
        self._corners = [self._corner(place) for place in range(len(CORNERS))]

    def _corner(self, place: int) -> TransformControlsHandle:
        handle = self._scene.add_transform_controls(
            f"/crop/{CORNERS[place]}", GIZMO, disable_rotations=True, depth_test=False
        )

        @handle.on_update
        async def dragged(event: TransformControlsEvent) -> None:
            if self._box:
                self._drag(place, np.asarray(handle.position), over=event.phase == "end")

        return handle

    def _drag(self, place: int, position: np.ndarray, over: bool) -> None:
        """A corner that is dragged beyond the opposite one, or out of reach, comes back once it is let go."""
        box, drawn = list(self._box), list(self._drawn)
        for axis, value in enumerate(map(float, position)):
            if abs(value - drawn[3 * place + axis]) > STILL:
                box[3 * place + axis] = drawn[3 * place + axis] = value
        self._box, self._drawn = kept_apart(tuple(box)), kept_apart(tuple(drawn))
        if over:
            self.show(self._box)
        elif self._edges is not None:
            self._edges.points = edges_of(self._drawn)
        self._moved(self._box)

    def _remove(self) -> None:
        for handle in (*self._corners, *([self._edges] if self._edges is not None else [])):
            handle.remove()
        self._edges, self._corners = None, []


def close_to(box: Box, extent: Box) -> Box:
    """``box`` without what of it lies beyond ``extent``; as it is where the two do not meet."""
    within = (*np.maximum(box[:3], extent[:3]).tolist(), *np.minimum(box[3:], extent[3:]).tolist())
    return within if all(low < high for low, high in zip(within[:3], within[3:])) else box


def edges_of(box: Box) -> np.ndarray:
    """The twelve edges of a box, as segments (12,2,3) float32."""
    corners = np.array(
        [[box[3 * bit + axis] for axis, bit in enumerate(bits)] for bits in np.ndindex(2, 2, 2)]
    )
    pairs = [(i, i | bit) for bit in (1, 2, 4) for i in range(8) if not i & bit]
    return corners[pairs].astype(np.float32)
