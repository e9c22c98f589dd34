"""The reference over the live picture: its triangles are those of the run's reference, few enough, and it can
be turned there.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from browsing import generate, launch, visiting
from playwright.sync_api import sync_playwright
from starlette.applications import Starlette
from starlette.testclient import TestClient

from engine.assets.meshes.blocks import Block, text_of
from engine.assets.meshes.canonical_pose import Orientation
from engine.assets.meshes.mesh_file import read_reference
from engine.assets.meshes.mesh_shape import ReferenceShape
from engine.session import Session
from studio.blocks_editor import kept_build
from studio.reference_overlay import MOST_FACES, ghost_bytes, ghost_routes

STAIRS = tuple(
    Block("box", (0.2 * k, 0, 0.1 + 0.1 * k), (0.2, 1, 0.2 + 0.2 * k), colour="#336699") for k in range(4)
)


def unpacked(data: bytes) -> tuple[np.ndarray, np.ndarray]:
    (count,) = struct.unpack_from("<I", data)
    corners = np.frombuffer(data, "<i2", 9 * count, 4).reshape(-1, 3, 3) / 32767
    return corners, np.frombuffer(data, np.uint8, 3 * count, 4 + 18 * count).reshape(-1, 3)


@pytest.fixture
def stairs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))
    return kept_build(text_of(STAIRS).encode())


@pytest.mark.parametrize("up", ["auto", "y", "-x"])
def test_the_browser_gets_the_runs_reference(up: str, stairs: Path, session: Session) -> None:
    desk = TestClient(Starlette(routes=ghost_routes(session)))
    corners, colours = unpacked(desk.get("/reference/ghost", params={"of": str(stairs), "up": up}).content)
    shape = read_reference(stairs, Orientation(up))
    np.testing.assert_allclose(corners, shape.vertices[shape.faces], atol=1 / 32767)
    np.testing.assert_array_equal(colours, np.tile([0x33, 0x66, 0x99], (len(shape.faces), 1)))


def test_what_cannot_be_shown_is_told(stairs: Path, session: Session, tmp_path: Path) -> None:
    (tmp_path / "secret.glb").write_bytes(b"glTF")
    desk = TestClient(Starlette(routes=ghost_routes(session)))
    for asked in (
        {},
        {"of": "gone.glb"},
        {"of": str(tmp_path / "secret.glb")},
        {"of": str(stairs), "up": "w"},
        {"of": "a\0b"},
    ):
        answer = desk.get("/reference/ghost", params=asked)
        assert answer.status_code == 422 and answer.json()["title"]


def test_a_fine_mesh_becomes_few_faces_of_the_same_size() -> None:
    side = 120
    a, b = np.meshgrid(np.linspace(0, np.pi, side), np.linspace(0, 2 * np.pi, side), indexing="ij")
    ball = (
        np.stack([np.sin(a) * np.cos(b), np.sin(a) * np.sin(b), np.cos(a)], -1)
        .reshape(-1, 3)
        .astype(np.float32)
    )
    at = (np.arange(side - 1)[:, None] * side + np.arange(side - 1)).reshape(-1, 1)
    faces = np.concatenate([at + [0, side, 1], at + [1, side, side + 1]]).astype(np.int32)
    corners, _ = unpacked(ghost_bytes(ReferenceShape(ball, faces, np.full((len(faces), 3), 0.5, np.float32))))
    assert len(faces) > MOST_FACES >= len(corners) > 500
    radii = np.linalg.norm(corners.reshape(-1, 3), axis=1)
    assert radii.min() > 0.9 and radii.max() <= 1.001


@pytest.mark.heavy
def test_the_ghost_is_turned_in_the_live_picture(double_page: str) -> None:
    with sync_playwright() as playwright, visiting(launch(playwright), double_page) as page:
        page.click('[role="tab"]:has-text("Reference")')
        page.click('[data-source="blocks"]')
        page.click('[data-example="Chair"]')
        page.wait_for_function("document.querySelector('.mq-blocks').dataset.kept")
        generate(page, "a red chair")
        page.click('[data-act="ghost"]')
        page.wait_for_function("Number(document.querySelector('.mq-live').dataset.ghostPixels) > 2000")
        page.press(".mq-ghost-knob", "ArrowRight")
        page.wait_for_function(
            "document.querySelector('#mq-reference_turn_deg input[type=number]').value === '5'"
        )
        page.click('.mq-ghost-bar button:text-is("x")')
        page.wait_for_function("document.querySelector('.mq-live').dataset.ghostOf.endsWith(' x')")
        assert page.evaluate("[maquette.reference.up, maquette.reference.turn]") == ["x", 5], (
            "the card and the ghost agree"
        )
