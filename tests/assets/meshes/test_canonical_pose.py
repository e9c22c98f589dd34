"""Which way is up: conventions hold, guesses follow how things stand, and the artist has the last word."""

from __future__ import annotations

import numpy as np
import pytest

from engine.assets.meshes.canonical_pose import Orientation, about_z, find_up, frame, oriented
from engine.assets.meshes.mesh_shape import RawMesh
from engine.errors import InputError
from engine.toybox.objects import KINDS, draw_object

# from our axes to those of a file with +y up, whose front is +z
Y_UP = np.array([[0, 1, 0], [0, 0, 1], [1, 0, 0]])
Z_UP = np.array([[0, 1, 0], [-1, 0, 0], [0, 0, 1]])  # the same with +z up, whose front is -y


def raw(vertices: np.ndarray, faces: np.ndarray, up: str = "", sure: bool = False) -> RawMesh:
    return RawMesh(
        vertices.astype(np.float64), faces.astype(np.int64), np.zeros((len(faces), 3)), up=up, sure=sure
    )


@pytest.mark.parametrize("up", ["z", "y", "-y", "x", "-x", "-z"])
def test_every_axis_can_be_up_by_a_proper_rotation(up: str) -> None:
    axis = np.eye(3)["xyz".index(up[-1])] * (-1 if up.startswith("-") else 1)
    mesh = raw(np.concatenate([np.eye(3), -np.eye(3), axis[None] * 2]), np.array([[0, 1, 6], [3, 4, 6]]))
    turned, named, confidence = oriented(mesh, Orientation(tip=up))
    assert turned[6].argmax() == 2 and (named, confidence) == (up, 1.0)
    np.testing.assert_allclose(np.linalg.norm(turned, axis=1).max(), 1)
    front = (0, 1) if up[-1] != "x" else (1, 1)
    np.testing.assert_allclose(np.linalg.det(frame(up, front)), 1)


def test_turns_go_counter_clockwise_seen_from_above() -> None:
    np.testing.assert_allclose(about_z(90) @ [1, 0, 0], [0, 1, 0], atol=1e-12)
    mesh = draw_object(700_001, "car").mesh
    turned = oriented(raw(mesh.vertices, mesh.faces), Orientation("z", 30))[0]
    again = oriented(raw(turned, mesh.faces), Orientation("z", -90))[0]  # -y is the front of files with +z up
    assert np.ptp(again, axis=0)[2] == pytest.approx(np.ptp(turned, axis=0)[2])


def test_most_things_are_put_upright() -> None:
    right = 0
    for number, kind in enumerate(KINDS):
        mesh = draw_object(705_000 + number, kind).mesh
        laid = mesh.vertices @ Y_UP.T if number % 2 else mesh.vertices @ Z_UP.T
        up, confidence = find_up(raw(laid, mesh.faces))
        right += up == ("y" if number % 2 else "z")
        assert 0.5 <= confidence < 1
    assert right >= 0.8 * len(KINDS)


def test_a_binding_convention_is_not_argued_with() -> None:
    mesh = draw_object(700_010, "chair").mesh
    assert find_up(raw(mesh.vertices, mesh.faces, up="y", sure=True)) == ("y", 1.0)


def test_a_usual_convention_tips_the_scales() -> None:
    ball = np.random.default_rng(0).normal(size=(60, 3))
    ball = np.concatenate([ball, -ball])
    faces = np.arange(120).reshape(-1, 3)
    assert [find_up(raw(ball, faces, up))[0] for up in ("y", "z")] == ["y", "z"]


@pytest.mark.parametrize("wrong", [{"tip": "w"}, {"turn_deg": float("nan")}])
def test_wrong_corrections_are_refused(wrong: dict) -> None:
    with pytest.raises(InputError):
        Orientation(**wrong)
