"""The box of an export's crop in the 3D viewport: two gizmos, which the page and the hand move."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from types import SimpleNamespace

import numpy as np
import pytest

from studio.linked_halves import Linked
from studio.page_links import FURTHEST, THINNEST, Box
from studio.viewport import _viser_server
from studio.viewport_crop import ANYTHING, close_to, edges_of, extent_of, join_crop

NAME, BOX = "a" * 32, (-1.0, -0.5, 0.0, 1.0, 0.5, 0.8)
FURTHEST_BOX = (*[-FURTHEST] * 3, *[FURTHEST] * 3)


@pytest.fixture(scope="module")
def server():
    server = _viser_server("secret", {})
    yield server
    server.stop()


def gizmos(server) -> dict[str, object]:
    return {
        name: handle
        for name, handle in server.scene._handle_from_node_name.items()
        if name.startswith("/crop/")
    }


def drag(handle, position: tuple[float, ...], phase: str = "update") -> None:
    handle.position = np.asarray(position)
    (told,) = handle._impl_aux.update_cb
    asyncio.run(told(SimpleNamespace(phase=phase, target=handle)))


def test_the_page_shows_moves_and_hides_it_and_a_hand_drags_it(server) -> None:
    crops: Linked[Box] = Linked()
    heard: list[Box] = []
    with ExitStack() as page, ExitStack() as client:
        page.enter_context(crops.joined(NAME, "picture", heard.append))
        crops.move(NAME, "picture", BOX)
        join_crop(server, NAME, crops, lambda: FURTHEST_BOX, client)
        nodes = gizmos(server)
        assert set(nodes) == {"/crop/edges", "/crop/low", "/crop/high"}
        low, high = nodes["/crop/low"], nodes["/crop/high"]
        assert low.position == pytest.approx(BOX[:3]) and high.position == pytest.approx(BOX[3:])

        drag(high, (0.7, 0.5, 0.8))
        assert heard[-1] == pytest.approx((*BOX[:3], 0.7, 0.5, 0.8))
        drag(high, (-3.0, 0.5, 0.8))
        assert heard[-1][3] == pytest.approx(BOX[0] + THINNEST), "it stays above the other corner"
        assert high.position[0] == pytest.approx(-3.0), "nothing is pulled out of the hand"
        drag(high, (-3.0, 0.5, 0.8), "end")
        assert high.position[0] == pytest.approx(BOX[0] + THINNEST)

        crops.move(NAME, "picture", (-0.3, *BOX[1:]))
        assert low.position[0] == pytest.approx(-0.3) and len(heard) == 3, "the page hears no echo"
        crops.move(NAME, "picture", ())
        assert gizmos(server) == {}
        crops.move(NAME, "picture", BOX)
        assert len(gizmos(server)) == 3
        crops.move(NAME, "picture", ())


def test_a_side_beyond_the_object_is_drawn_close_to_it_and_stays_what_it_is(server) -> None:
    crops: Linked[Box] = Linked()
    heard: list[Box] = []
    with ExitStack() as page, ExitStack() as client:
        page.enter_context(crops.joined(NAME, "picture", heard.append))
        join_crop(server, NAME, crops, lambda: BOX, client)
        crops.move(NAME, "picture", FURTHEST_BOX)
        high = gizmos(server)["/crop/high"]
        assert high.position == pytest.approx(BOX[3:])
        drag(high, (1.0, 0.5, 0.3), "end")
        assert heard == [pytest.approx((*FURTHEST_BOX[:5], 0.3))], "only what was dragged is cropped"
        crops.move(NAME, "picture", ())


def test_the_extent_is_that_of_what_can_be_seen() -> None:
    centers = np.random.default_rng(0).uniform(-0.5, 0.5, (3000, 3)).astype(np.float32)
    centers[:1500] *= 2  # and these cover nothing
    opacities = np.where(np.arange(3000) < 1500, 0.01, 0.9)[:, None]
    cloud = SimpleNamespace(centers=centers, opacities=opacities)
    assert extent_of(cloud) == pytest.approx((*[-0.55] * 3, *[0.55] * 3), abs=0.03)
    assert extent_of(None) == extent_of(SimpleNamespace(centers=centers, opacities=0 * opacities)) == ANYTHING
    elsewhere = (0.9, 0.9, 0.9, 1.0, 1.0, 1.0)
    assert close_to(elsewhere, ANYTHING) == elsewhere, "a box that misses the object is drawn where it is"


def test_the_edges_are_those_of_the_box() -> None:
    edges = edges_of(BOX)
    assert edges.shape == (12, 2, 3)
    lengths = sorted(np.linalg.norm(edges[:, 1] - edges[:, 0], axis=1))
    assert lengths == pytest.approx(sorted([2.0] * 4 + [1.0] * 4 + [0.8] * 4))
    assert edges.reshape(-1, 3).min(0) == pytest.approx(BOX[:3]) and edges.reshape(-1, 3).max(
        0
    ) == pytest.approx(BOX[3:])
