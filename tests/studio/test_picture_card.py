"""The picture card without a browser: its settings travel with a run, come back with it, and belong to tabs
that ask for them.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient
from studio_doubles import catalogue, drawn_panel

from engine.assets.images.image_arguments import MOST_PICTURES, crops_in, pictures_in
from engine.assets.images.preprocessing import cut_photo
from engine.session import Session
from studio.handlers import Handlers
from studio.picture_card import ENDINGS
from studio.preview import answer, preview_routes
from studio.samples import SAMPLES
from studio.tabs import IMAGE, TEXT


class Desk:
    """Handlers over a session of doubles, and two uploaded pictures."""

    def __init__(self, session: Session, uploads: Path) -> None:
        self.session = session
        self.controls = drawn_panel().controls
        self.handlers = Handlers(session, catalogue(), self.controls)
        self.pictures = [uploads / "abc" / name for name in ("front.png", "side.png")]
        self.pictures[0].parent.mkdir(parents=True)
        for shade, path in zip((40, 90), self.pictures, strict=True):
            rgba = np.zeros((64, 64, 4), np.uint8)
            rgba[16:48, 20:50] = (200, shade, 30, 255)
            Image.fromarray(rgba).save(path)

    def generate(self, tab: str, **changed: Any) -> tuple[Any, Any, str]:
        values = [
            {"refine_steps": 3, **changed}.get(field.name, field.value) for field, _ in self.controls.pairs
        ]
        return self.handlers.generate("", "ada", True, "", tab, "", "", "toybox", "sds", *values)

    def shown(self, token: str) -> dict[str, Any]:
        """What each control is set to when a run is shown."""
        updates = self.handlers.pick(token)[-len(self.controls.pairs) :]
        return {
            field.name: update.get("value")
            for (field, _), update in zip(self.controls.pairs, updates, strict=True)
        }


@pytest.fixture
def desk(session: Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Desk:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))
    return Desk(session, tmp_path / "uploads")


def test_pictures_tags_weights_and_crops_travel_and_come_back_as_the_runs_own(desk: Desk) -> None:
    front, side = desk.pictures
    crops = "auto;0.5 0.4 0.8"
    token, _, told = desk.generate(IMAGE.key, images=f"{front}@0;{side}@-90*0.5", image_crops=crops)
    assert told == "" and token
    shown = desk.shown(token)
    kept = pictures_in(shown["images"])
    assert [(each.azimuth_deg, each.weight) for each in kept] == [(0, 1), (-90, 0.5)] and shown[
        "image_crops"
    ] == crops
    folder = desk.session.library.folder(token)
    assert all(Path(each.path).is_relative_to(folder) and each.digest for each in kept)
    front.unlink()
    side.unlink()
    again, _, told = desk.generate(IMAGE.key, images=shown["images"], image_crops=crops)
    assert told == "" and again, "the run's own pictures make the next run, when the uploads are gone"
    told_of = answer({"picture": str(kept[0]), "fill": "0.8"}, [desk.session.library.root], cut_photo)
    assert told_of["width"] == 64


def test_a_tab_without_pictures_leaves_them_out(desk: Desk) -> None:
    values = [field.value for field, _ in desk.controls.pairs]
    place = [field.name for field, _ in desk.controls.pairs].index("images")
    values[place] = f"{desk.pictures[0]}@0"
    settings = desk.handlers.settings((TEXT.key, "a red mug", "", "toybox", "sds", *values))
    assert settings.spec.images == ""
    settings = desk.handlers.settings((IMAGE.key, "", "", "toybox", "sds", *values))
    assert settings.spec.images.startswith(str(desk.pictures[0]))


def test_nothing_begins_without_a_picture_or_with_a_crop_too_many(desk: Desk) -> None:
    token, _, told = desk.generate(IMAGE.key)
    assert token == "" and "Add a picture" in told
    token, _, told = desk.generate(IMAGE.key, images=f"{desk.pictures[0]}@0", image_crops="auto;auto")
    assert token == "" and "2 crops for 1 pictures" in told


def test_the_card_offers_what_the_engine_takes() -> None:
    images = drawn_panel().controls.named("images")
    assert images.props["most"] == MOST_PICTURES and len(images.props["samples"]) == len(SAMPLES) == 4
    assert set(ENDINGS) >= {".png", ".jpg", ".webp"}
    pictures_in(";".join(f"p{i}.png@{45 * i}" for i in range(images.props["most"])))
    assert crops_in("auto", images.props["most"])


def test_previews_are_served_beside_the_page(session: Session, desk: Desk) -> None:
    with (
        ThreadPoolExecutor(1) as pool,
        TestClient(Starlette(routes=preview_routes(session.library.root, pool, cut_photo))) as client,
    ):
        told = client.get("/pictures/look", params={"picture": f"{desk.pictures[0]}@0", "fill": "0.8"}).json()
        assert told["frame"].startswith("data:image/") and told["notes"] == []
        assert client.get("/pictures/samples/car.png").headers["content-type"] == "image/png"
        assert client.get("/pictures/samples/look.css").status_code == 404
