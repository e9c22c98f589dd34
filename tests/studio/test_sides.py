"""Left and right mean one thing everywhere: the object's own."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from engine.core.camera import SIDES, orbit_position, side_name
from studio.theme import SCRIPTS, asset, head

README = Path(__file__).parents[2] / "README.md"
FRONT, UP = np.array([1.0, 0.0, 0.0]), np.array([0.0, 0.0, 1.0])  # where an object faces, and its head


@pytest.mark.parametrize(
    ("azimuth_deg", "name"),
    [(0, "Front"), (90, "Left"), (180, "Back"), (270, "Right"), (-90, "Right"), (450, "Left")],
)
def test_sides_are_those_of_somebody_who_faces_the_front(azimuth_deg: float, name: str) -> None:
    own_left = np.cross(UP, FRONT)
    seen_from = {"Front": FRONT, "Back": -FRONT, "Left": own_left, "Right": -own_left}[name]
    assert side_name(azimuth_deg) == name
    np.testing.assert_allclose(orbit_position(azimuth_deg, 0.0, 1.0), seen_from, atol=1e-9)


def test_between_the_sides_there_are_degrees() -> None:
    assert side_name(45) == "45°" and side_name(-22.5) == "337.5°"


def test_the_page_has_the_words_from_here_and_none_of_its_own() -> None:
    told = re.search(r"window\.maquetteSides = (\{.*?\});", head())
    assert told and {int(azimuth): name for azimuth, name in json.loads(told[1]).items()} == SIDES
    own = {name: re.findall(r"""["'](Left|Right)["']""", asset(name)) for name in SCRIPTS}
    assert not {name: words for name, words in own.items() if words}


def test_the_documentation_agrees() -> None:
    text = README.read_text(encoding="utf-8")
    azimuths = {int(found) for found in re.findall(r"left\.jpg@(\d+)", text)}
    assert azimuths and all(side_name(azimuth) == "Left" for azimuth in azimuths)
