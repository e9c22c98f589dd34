"""From where a browser looks at a run, and what it sees there."""

from __future__ import annotations

import math
from dataclasses import dataclass

from engine.core.camera import Camera, LayerCamera, orbit_camera
from engine.core.layers import COLOUR, LAYERS

SETTLE_SECONDS = 0.3  # how long after the last move the picture becomes sharp again
FOV_DEG, DISTANCE = 40.0, 3.05  # the cameras that priors are at home with
SIZE_LIMITS = (64, 768)


@dataclass
class Eye:
    """Where this browser looks from, and how large its canvas is."""

    azimuth_deg: float = 35.0
    elevation_deg: float = 18.0
    distance: float = DISTANCE
    width: int = 384
    height: int = 384
    moved_at: float = -math.inf
    layer: str = COLOUR

    def camera(self, now: float, running: bool) -> Camera:
        """The camera to render: half the size while the hand moves it, so that the answer is immediate, or
        while the run goes.

        A run loses time to every pixel that is drawn of it; once it pauses or ends, the picture is sharp.
        """
        divisor = 2 if running or self.blurred_seconds(now) > 0 else 1
        width, height = self.width // divisor, self.height // divisor
        look = (self.azimuth_deg, self.elevation_deg, self.distance)
        camera = orbit_camera(*look, vertical_fov_deg(width / height), width, height)
        return camera if self.layer == COLOUR else LayerCamera(**vars(camera), layer=self.layer)

    def blurred_seconds(self, now: float) -> float:
        """How long it is until the picture may be sharp after the last move; 0 where it may be already."""
        return max(0.0, self.moved_at + SETTLE_SECONDS - now)

    def turn(self, azimuth_deg: float, elevation_deg: float, distance: float, now: float) -> None:
        """Look from elsewhere; the values come from outside and are brought into range."""
        self.azimuth_deg = azimuth_deg % 360
        self.elevation_deg = min(max(elevation_deg, -89.0), 89.0)
        self.distance = min(max(distance, 1.2), 12.0)
        self.moved_at = now

    def show(self, layer: str) -> None:
        """Show another layer. Raises ValueError for one that there is not."""
        if layer not in LAYERS:
            raise ValueError(f"expected one of {LAYERS}, got {layer!r}")
        self.layer = layer

    def resize(self, width: float, height: float) -> None:
        """The canvas has another size, in pixels."""
        low, high = SIZE_LIMITS
        scale = min(1.0, high / max(width, height, 1.0))
        self.width, self.height = (int(min(max(side * scale, low), high)) for side in (width, height))


def vertical_fov_deg(aspect: float) -> float:
    """The vertical field of view of a picture ``aspect`` times as wide as high, whose shorter side spans
    ``FOV_DEG``.
    """
    return math.degrees(2 * math.atan(math.tan(math.radians(FOV_DEG) / 2) / min(aspect, 1.0)))
