"""All that the live picture and the 3D viewport of a page share: the camera, and the box that crops an
export.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from studio.linked_cameras import Orbit
from studio.linked_halves import Linked

NAME = re.compile(r"[0-9a-f]{16,64}")
LEADS_SECONDS = 0.4
FURTHEST, THINNEST = 1.2, 0.02  # of a box's sides, in world units: as the export sheet's sliders have them

Box = tuple[float, ...]
"""Low x y z, high x y z in world units; () where no box is shown."""


@dataclass(frozen=True, eq=False)
class PageLinks:
    """Both, by the names of pages."""

    cameras: Linked[Orbit] = field(default_factory=partial(Linked, LEADS_SECONDS))
    crops: Linked[Box] = field(default_factory=Linked)


def box_of(values: Any) -> Box:
    """A box as a browser sends it, within reach. Raises ValueError or TypeError for what is none."""
    numbers = [float(value) for value in values]
    if len(numbers) not in (0, 6) or not all(map(math.isfinite, numbers)):
        raise ValueError(f"expected no or six finite numbers, got {values!r}")
    return kept_apart(tuple(numbers))


def kept_apart(box: Box) -> Box:
    """Each side within reach, and each high one above its low one."""
    low = [min(max(value, -FURTHEST), FURTHEST - THINNEST) for value in box[:3]]
    high = [max(min(value, FURTHEST), least + THINNEST) for value, least in zip(box[3:], low)]
    return (*low, *high)
