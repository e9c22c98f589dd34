"""Boxes: what a text says, what lies in them, and where rays enter."""

from __future__ import annotations

import pytest
import torch

from engine.core.boxes import REACH, Box, contained, first_depth, read_boxes
from engine.core.cameras import orbit_cameras
from engine.errors import InputError

BOX = Box((-0.2, -0.3, -0.4), (0.6, 0.3, 0.4))


def test_a_text_names_its_boxes_and_they_name_it() -> None:
    assert read_boxes("x=-0.2:0.6,y=-0.3:0.3,z=-0.4:0.4") == (BOX,) and read_boxes(str(BOX)) == (BOX,)
    one, other = read_boxes(" z=0.1: ; x = :0.5 ")
    assert one == Box((-REACH, -REACH, 0.1), (REACH, REACH, REACH)) and other.high[0] == 0.5
    assert one.sides == pytest.approx((2 * REACH, 2 * REACH, REACH - 0.1))


@pytest.mark.parametrize(
    "text", ["", " ; ", "w=0:1", "x", "x=1", "x=0.5:0.1", "x=a:b", "x=nan:1", "x=0.2:0.2", "x=5:6", "xy=0:1"]
)
def test_what_is_no_box_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InputError) as refused:
        read_boxes(text)
    assert "x=0.3:1" in refused.value.remedy


def test_points_lie_in_any_of_them() -> None:
    points = torch.tensor([[0.0, 0, 0], [0.9, 0, 0], [0, 0, -0.9]])
    assert contained((BOX, read_boxes("x=0.8:1")[0]), points).tolist() == [True, True, False]


def test_rays_enter_where_the_face_is() -> None:
    """From azimuth 0 the face x = 0.6 stands 3 - 0.6 before the camera, at the same depth in every pixel that
    shows it.
    """
    cameras = orbit_cameras([0.0], 0.0, 3.0, 40.0, 33)
    depth = first_depth((BOX,), cameras)[0, ..., 0]
    shown = depth.isfinite()
    assert shown[16, 16] and not shown[0, 0]
    focal = 16.5 / torch.tan(torch.deg2rad(torch.tensor(20.0)))
    rows = ((torch.arange(33) + 0.5 - 16.5) / focal).abs() * 2.4 <= 0.4  # z on the front face
    columns = ((torch.arange(33) + 0.5 - 16.5) / focal).abs() * 2.4 <= 0.3
    front = rows[:, None] & columns[None]
    assert torch.allclose(depth[front], torch.tensor(2.4), atol=1e-4)
    assert (depth[shown] >= 2.4 - 1e-4).all(), "depth along the axis, not length along the ray"


def test_a_camera_within_enters_at_once_and_one_that_looks_away_never() -> None:
    cameras = orbit_cameras([0.0], 0.0, 3.0, 40.0, 5)
    around = (Box((-9.0, -9.0, -9.0), (9.0, 9.0, 9.0)),)
    assert (first_depth(around, cameras) == 0).all()
    behind = (Box((4.0, -9.0, -9.0), (9.0, 9.0, 9.0)),)
    assert first_depth(behind, cameras).isinf().all()
