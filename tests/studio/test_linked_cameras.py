"""One camera for both halves of a stage: moves are passed on, echoes are not, and pages do not hear of each
other.
"""

from __future__ import annotations

from contextlib import ExitStack

import numpy as np
import pytest

from engine.core.camera import orbit_position
from studio.linked_cameras import Orbit, orbit_of
from studio.linked_halves import Linked
from studio.page_links import FURTHEST, LEADS_SECONDS, THINNEST, box_of

NAME, OTHER = "a" * 32, "b" * 32
HERE, THERE = Orbit(30, 10, 3), Orbit(90, 20, 4)


@pytest.mark.parametrize(("azimuth", "elevation", "distance"), [(0, 0, 3), (-120, 80, 1.5), (35, -60, 8)])
def test_orbits_survive_positions(azimuth: float, elevation: float, distance: float) -> None:
    middle = np.array([0.1, -0.2, 0.3])
    found = orbit_of(orbit_position(azimuth, elevation, distance) + middle, middle)
    assert found is not None
    assert (found.azimuth_deg, found.elevation_deg, found.distance) == pytest.approx(
        (azimuth, elevation, distance)
    )
    assert orbit_of(middle, middle) is None


class Page:
    """The two halves of a page, and what each was told."""

    def __init__(self, cameras: Linked[Orbit], name: str, stack: ExitStack) -> None:
        self.told: dict[str, list[Orbit]] = {"picture": [], "viewport": []}
        for half in ("picture", "viewport"):
            stack.enter_context(cameras.joined(name, half, self.told[half].append))  # type: ignore[arg-type]


def test_each_half_hears_of_the_other_and_never_of_itself_or_of_other_pages() -> None:
    now = [0.0]
    cameras = Linked(LEADS_SECONDS, lambda: now[0])
    with ExitStack() as stack:
        page, other = Page(cameras, NAME, stack), Page(cameras, OTHER, stack)
        cameras.move(NAME, "picture", HERE)
        assert (page.told, cameras.value(NAME)) == ({"picture": [], "viewport": [HERE]}, HERE)
        now[0] = 2 * LEADS_SECONDS
        cameras.move(NAME, "viewport", THERE)
        assert page.told == {"picture": [THERE], "viewport": [HERE]} and cameras.value(NAME) == THERE
        assert other.told == {"picture": [], "viewport": []} and cameras.value(OTHER) is None
    assert cameras.value(NAME) is None, "who has left is forgotten"
    cameras.move(NAME, "picture", HERE)
    assert cameras.value(NAME) is None


def test_what_the_follower_reports_meanwhile_is_an_echo() -> None:
    now = [0.0]
    cameras = Linked(LEADS_SECONDS, lambda: now[0])
    with ExitStack() as stack:
        page = Page(cameras, NAME, stack)
        cameras.move(NAME, "picture", HERE)
        now[0] = 0.5 * LEADS_SECONDS
        cameras.move(NAME, "viewport", THERE)
        cameras.move(NAME, "picture", THERE)
        assert page.told == {"picture": [], "viewport": [HERE, THERE]}


def test_a_box_is_brought_within_reach_and_its_sides_are_kept_apart() -> None:
    assert box_of([]) == () and box_of([-1, -1, -1, 1, 1, 1]) == (-1, -1, -1, 1, 1, 1)
    assert box_of([-9, 0.5, 9, 9, 0.1, 9]) == pytest.approx(
        (-FURTHEST, 0.5, FURTHEST - THINNEST, FURTHEST, 0.5 + THINNEST, FURTHEST)
    )
    for wrong in ([1, 2, 3], [0, 0, 0, 1, 1, float("nan")], ["x"] * 6):
        with pytest.raises(ValueError):
            box_of(wrong)
    with pytest.raises(TypeError):
        box_of(3)
