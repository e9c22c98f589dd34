"""What an energy looks at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.core.cameras import Cameras
from engine.core.views import Views

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, eq=False)
class Pictures:
    """``views`` (B,H,W,...) from ``cameras``, premultiplied over black.

    ``target`` are the views that a silhouette or a depth is to be like; ``mirrored`` the views from the
    cameras on the other side of the plane y = 0; ``region`` (B,H,W,1) in 0..1 and ``colour`` (3,) are what is
    to be coloured, and how. ``unlike`` says of premultiplied pictures (B,H,W,4) how little they show what
    they shall, (B,); None where it cannot tell.
    """

    views: Views
    cameras: Cameras
    target: Views | None = None
    mirrored: Views | None = None
    region: Tensor | None = None
    colour: Tensor | None = None
    unlike: Callable[[Tensor], Tensor | None] | None = None
