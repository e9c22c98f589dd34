"""The blocks editor: what is built becomes a file and comes back, and the page's editor moves, turns, undoes
and keeps.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from browsing import visiting
from playwright.sync_api import Browser, Page
from starlette.applications import Starlette
from starlette.testclient import TestClient

from engine.assets.meshes.blocks import MAX_BYTES, Block, blocks_in, text_of
from engine.assets.meshes.mesh_file import read_reference
from engine.errors import FileFormatError
from engine.session import Session
from studio.blocks_editor import blocks_routes, kept_build

BUILD = (Block("box", (0, 0, 0.5), (1, 1, 0.1)), Block("cone", (0, 0, 1), colour="#aa0000"))


@pytest.fixture
def uploads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))
    return tmp_path / "uploads"


@pytest.fixture
def desk(session: Session, uploads: Path) -> TestClient:
    return TestClient(Starlette(routes=blocks_routes(session)))


def test_a_build_is_kept_once_and_comes_back(desk: TestClient, uploads: Path) -> None:
    told = [desk.post("/reference/blocks", content=text_of(BUILD)).json() for _ in range(2)]
    path = Path(told[0]["reference"])
    assert told[0] == told[1] and path.is_relative_to(uploads) and blocks_in(path.read_text()) == BUILD
    back = desk.get("/reference/blocks", params={"of": str(path)}).json()
    assert blocks_in(json.dumps(back)) == BUILD
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_other_programs_get_it_as_glb(desk: TestClient, uploads: Path, tmp_path: Path) -> None:
    path = kept_build(text_of(BUILD).encode())
    (tmp_path / "a.glb").write_bytes(desk.get("/reference/blocks.glb", params={"of": str(path)}).content)
    assert len(read_reference(tmp_path / "a.glb").faces) == len(read_reference(path).faces)


def test_what_is_no_build_is_refused_and_nothing_is_written(desk: TestClient, uploads: Path) -> None:
    for sent, status in (
        (b"", 422),
        (b"{}", 422),
        (b'{"blocks": [{"kind": "torus"}]}', 422),
        (b" " * (MAX_BYTES + 1), 413),
    ):
        answer = desk.post("/reference/blocks", content=sent)
        assert answer.status_code == status and answer.json()["title"] and answer.json()["remedy"]
    assert not uploads.exists()


def test_a_link_in_the_place_of_a_build_is_not_followed(uploads: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    path = kept_build(text_of(BUILD).encode())
    path.unlink()
    path.symlink_to(victim)
    assert kept_build(text_of(BUILD).encode()) == path
    assert victim.read_text() == "mine" and not path.is_symlink()


def test_nothing_else_on_this_machine_is_told(desk: TestClient, uploads: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.json"
    secret.write_text(text_of(BUILD))
    uploads.mkdir()
    (uploads / "link.json").symlink_to(secret)
    for sly in (
        secret,
        uploads / ".." / "secret.json",
        uploads / "link.json",
        "/etc/hostname",
        uploads / "gone.json",
        "",
        "a\0b",
    ):
        answer = desk.get("/reference/blocks", params={"of": str(sly)})
        assert answer.status_code == 422 and answer.json()["title"], sly


def test_a_file_that_changed_is_told(uploads: Path) -> None:
    with pytest.raises(FileFormatError):
        kept_build(b'{"blocks": []}')


def build(page: Page) -> dict[str, str]:
    """The data-* attributes of the editor."""
    return page.evaluate("({...document.querySelector('.mq-blocks').dataset})")


def kept(page: Page, before: str = "") -> tuple[Block, ...]:
    """Wait until the editor has kept another build, and read it."""
    page.wait_for_function(
        "before => ![before, undefined].includes(document.querySelector('.mq-blocks').dataset.kept)",
        arg=before,
    )
    return blocks_in(Path(build(page)["kept"]).read_text())


@pytest.mark.heavy
@pytest.mark.browser
def test_the_editor_keeps_what_is_built(browser: Browser, double_page: str) -> None:
    with visiting(browser, double_page) as page:
        page.click('[role="tab"]:has-text("Reference")')
        page.click('[data-source="blocks"]')
        page.click('[data-example="Chair"]')
        chair = kept(page)
        assert len(chair) == 6 and build(page)["count"] == "6"
        stage = page.locator(".mq-blocks canvas").bounding_box()
        # the middle of the chair
        page.mouse.click(stage["x"] + stage["width"] / 2, stage["y"] + stage["height"] / 2)
        chosen = int(build(page)["chosen"])
        assert chosen >= 0
        page.fill('.mq-blocks [aria-label="Size z"]', "0.3")
        page.press('.mq-blocks [aria-label="Size z"]', "Enter")
        first = build(page)["kept"]
        assert kept(page, first)[chosen].size[2] == 0.3
        page.click('.mq-blocks button[title^="Add a sphere"]')
        second = build(page)["kept"]
        assert [each.kind for each in kept(page, second)][-1] == "sphere"
        page.click('.mq-blocks button[title^="Undo"]')
        page.click('.mq-blocks button[title^="Undo"]')
        assert kept(page, build(page)["kept"]) == chair, "undone to what it was, and kept again"
        page.click(".mq-blocks-done")
        assert page.locator(".mq-blocks").is_hidden()
