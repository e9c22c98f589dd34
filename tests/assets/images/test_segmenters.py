"""The ways in which an object can be cut out of its picture."""

from __future__ import annotations

import numpy as np
import pytest

from engine.assets.images import segmenters
from engine.assets.images.segmenters import box_of, cut_by
from engine.errors import InputError, MissingError
from engine.prior.vision.entries import photo_ids


def picture(*, transparent: bool = False) -> np.ndarray:
    """A red block before a light wall; ``transparent``: of which an artist has kept the upper half alone."""
    rgba = np.full((80, 100, 4), 240, np.uint8)
    rgba[..., 3] = 255
    rgba[20:60, 30:60, :3] = (200, 40, 30)
    if transparent:
        rgba[..., 3] = 0
        rgba[20:40, 30:60, 3] = 255
    return rgba


BLOCK = np.zeros((80, 100), bool)
BLOCK[20:60, 30:60] = True


class Boxes:
    """Stands in for a model: it says that the object is all of its box."""

    def __init__(self) -> None:
        self.boxes: list[segmenters.Box] = []

    def mask(self, rgb: np.ndarray, box: segmenters.Box) -> np.ndarray:
        self.boxes.append(box)
        height, width = rgb.shape[:2]
        mask = np.zeros((height, width), np.float32)
        mask[
            round(box[1] * height) : round(box[3] * height), round(box[0] * width) : round(box[2] * width)
        ] = 1
        return mask


@pytest.fixture
def boxes(monkeypatch: pytest.MonkeyPatch) -> Boxes:
    model = Boxes()
    monkeypatch.setattr(segmenters, "load_segmenter", lambda model_id, folder: model)
    return model


def overlap(rgba: np.ndarray, wanted: np.ndarray) -> float:
    inside = rgba[..., 3] > 0.5
    return (inside & wanted).sum() / (inside | wanted).sum()


def test_auto_and_alpha_respect_alpha_and_classical_does_not() -> None:
    upper = BLOCK & (np.arange(80) < 40)[:, None]
    for way in ("auto", "alpha"):
        rgba, how = cut_by(way, picture(transparent=True))
        assert overlap(rgba, upper) == 1 and how == "alpha"
    shown = picture(transparent=True)
    # nearly clear to an artist, not to who looks at the colours over white
    shown[50:60, 30:60] = (
        0,
        0,
        200,
        40,
    )
    rgba, how = cut_by("classical", shown)
    assert how == "flat background" and overlap(rgba, upper) < 0.8


def test_an_opaque_picture_has_no_alpha_to_go_by() -> None:
    assert overlap(cut_by("auto", picture())[0], BLOCK) > 0.9
    with pytest.raises(InputError, match="opaque") as told:
        cut_by("alpha", picture())
    assert "auto" in told.value.remedy


def test_none_leaves_everything() -> None:
    rgba, _ = cut_by("none", picture())
    assert (rgba[..., 3] == 1).all() and np.allclose(rgba, picture() / 255, atol=1e-6)


def test_a_model_is_shown_where_the_object_seems_to_be_and_what_it_says_is_taken(boxes: Boxes) -> None:
    rgba, how = cut_by("sam-base", picture())
    (box,) = boxes.boxes
    assert box == pytest.approx((0.3, 0.25, 0.6, 0.75), abs=0.06)
    assert overlap(rgba, BLOCK) > 0.6 and "sam-base" in how, "the box is a little wider than the block"
    assert (rgba[~(rgba[..., 3] > 0)] == 0).all(), "premultiplied"


def test_a_model_is_not_asked_where_the_artist_has_cut_already(boxes: Boxes) -> None:
    cut_by("sam-base", picture(transparent=True))
    assert boxes.boxes == []


def test_where_nothing_stands_out_the_box_is_nearly_everything() -> None:
    box = box_of(np.full((40, 40, 3), 0.5, np.float32))
    assert min(box[:2]) > 0 and box[2] - box[0] > 0.9 and box[3] - box[1] > 0.9


def test_a_model_that_is_not_here_says_how_to_get_it(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    segmenters.load_segmenter.cache_clear()
    for model_id in photo_ids("mask"):
        with pytest.raises(MissingError, match="licence") as told:
            cut_by(model_id, picture())
        assert f"--fetch {model_id}" in told.value.remedy
