"""One camera for both halves of a stage: moves are passed on, echoes are not, and pages do not hear of each other."""

from __future__ import annotations

from contextlib import ExitStack

import numpy as np
import pytest

from engine.core.camera import orbit_position
from studio.linked_cameras import LEADS_SECONDS, LinkedCameras, Orbit, orbit_of

NAME, OTHER = "a" * 32, "b" * 32
HERE, THERE = Orbit(30, 10, 3), Orbit(90, 20, 4)


@pytest.mark.parametrize(("azimuth", "elevation", "distance"), [(0, 0, 3), (-120, 80, 1.5), (35, -60, 8)])
def test_orbits_survive_positions(azimuth: float, elevation: float, distance: float) -> None:
    middle = np.array([0.1, -0.2, 0.3])
    found = orbit_of(orbit_position(azimuth, elevation, distance) + middle, middle)
    assert found is not None
    assert (found.azimuth_deg, found.elevation_deg, found.distance) == pytest.approx((azimuth, elevation, distance))
    assert orbit_of(middle, middle) is None


class Page:
    """The two halves of a page, and what each was told."""

    def __init__(self, cameras: LinkedCameras, name: str, stack: ExitStack) -> None:
        self.told: dict[str, list[Orbit]] = {"picture": [], "viewport": []}
        for half in ("picture", "viewport"):
            stack.enter_context(cameras.joined(name, half, self.told[half].append))  # type: ignore[arg-type]


def test_each_half_hears_of_the_other_and_never_of_itself_or_of_other_pages() -> None:
    now = [0.0]
    cameras = LinkedCameras(lambda: now[0])
    with ExitStack() as stack:
        page, other = Page(cameras, NAME, stack), Page(cameras, OTHER, stack)
        cameras.move(NAME, "picture", HERE)
        assert (page.told, cameras.orbit(NAME)) == ({"picture": [], "viewport": [HERE]}, HERE)
        now[0] = 2 * LEADS_SECONDS
        cameras.move(NAME, "viewport", THERE)
        assert page.told == {"picture": [THERE], "viewport": [HERE]} and cameras.orbit(NAME) == THERE
        assert other.told == {"picture": [], "viewport": []} and cameras.orbit(OTHER) is None
    assert cameras.orbit(NAME) is None, "who has left is forgotten"
    cameras.move(NAME, "picture", HERE)
    assert cameras.orbit(NAME) is None


def test_what_the_follower_reports_meanwhile_is_an_echo() -> None:
    now = [0.0]
    cameras = LinkedCameras(lambda: now[0])
    with ExitStack() as stack:
        page = Page(cameras, NAME, stack)
        cameras.move(NAME, "picture", HERE)
        now[0] = 0.5 * LEADS_SECONDS
        cameras.move(NAME, "viewport", THERE)
        cameras.move(NAME, "picture", THERE)
        assert page.told == {"picture": [], "viewport": [HERE, THERE]}
