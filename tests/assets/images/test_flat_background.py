"""Objects before flat tones: walls over tables, bars, frames, checkerboards, holes, specks and shadows."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.assets.images.crop import crop_of
from engine.assets.images.flat_background import border_tones
from engine.assets.images.preprocessing import cut_photo, doubts_of
from engine.assets.images.segmentation import cut_out
from tests.assets.images import pictures as draw

SEVERAL = {
    "wall over table": draw.wall_and_table(0.6),
    "low table": draw.wall_and_table(0.8),
    "bars": draw.letterbox(),
    "upright bars": np.ascontiguousarray(draw.letterbox().transpose(1, 0, 2)),
    "white bars": 1 - 0.5 * draw.letterbox(),
    "checkerboard": draw.checkerboard(),
}


@pytest.mark.parametrize("name", SEVERAL)
def test_several_tones_are_a_background(name: str) -> None:
    truth = draw.mug()
    cut, how = cut_out(draw.before(truth, SEVERAL[name]))
    assert how == "background of several tones"
    assert draw.iou(cut[..., 3], truth[..., 3]) > 0.95


def test_a_picture_within_a_dark_frame_is_looked_at_within() -> None:
    truth = draw.mug()
    assert draw.iou(cut_out(draw.before(truth, draw.frame()))[0][..., 3], truth[..., 3]) > 0.95


def test_an_object_that_leaves_the_picture_at_the_foot_is_no_second_tone() -> None:
    bust = np.zeros((draw.SIDE, draw.SIDE, 4), np.float32)
    bust[
        (np.hypot(draw.X - 0.5, draw.Y - 0.35) < 0.17) | ((np.abs(draw.X - 0.5) < 0.35) & (draw.Y > 0.55))
    ] = (0.3, 0.2, 0.1, 1)
    cut, how = cut_out(draw.before(bust, (0.9, 0.9, 0.9)))
    assert how == "flat background" and draw.iou(cut[..., 3], bust[..., 3]) > 0.98


def test_a_border_that_is_half_uneven_is_not_flat() -> None:
    rng = np.random.default_rng(0)
    wood = np.where(draw.Y[..., None] < 0.55, 1.0, 0.4 + 0.2 * rng.random((draw.SIDE, draw.SIDE, 3)))
    assert border_tones(wood, 6) == ()
    assert len(border_tones(draw.wall_and_table(), 6)) == 2


def test_what_shows_through_a_hole_goes_and_is_told() -> None:
    truth = draw.mug()
    shown = draw.before(truth, (1, 1, 1))
    cut, how = cut_out(shown)
    assert draw.iou(cut[..., 3], truth[..., 3]) > 0.97
    assert any("holes" in note for note in doubts_of(shown, cut, how))


def test_a_small_gleam_of_the_background_s_colour_stays() -> None:
    truth = draw.mug()
    gleam = np.hypot(draw.X - 0.35, draw.Y - 0.4) < 0.014
    truth[gleam, :3] = 1
    assert (cut_out(draw.before(truth, (1, 1, 1)))[0][gleam, 3] == 1).all()


@pytest.mark.parametrize("alpha", [False, True])
def test_specks_do_not_move_the_frame(alpha: bool) -> None:
    truth = draw.mug()
    specks = truth.copy()
    for row in range(8, 180, 40):
        specks[row : row + 3, 2:6] = (0.5, 0.5, 0.5, 1)
    picture = (255 * specks).astype(np.uint8) if alpha else draw.before(specks, (1, 1, 1))
    wanted, got = (crop_of(each[..., 3], 0.8) for each in (truth, cut_out(picture)[0]))
    assert np.allclose(
        [got.centre_x, got.centre_y, got.side], [wanted.centre_x, wanted.centre_y, wanted.side], atol=3
    )


def test_many_small_pieces_are_the_object() -> None:
    alpha = np.zeros((100, 100))
    alpha[4:96:6, 4:96:6] = 1
    assert crop_of(alpha, 1.0).side == 91


@pytest.mark.parametrize("background", [(1, 1, 1), (0.85, 0.85, 0.85)])
def test_a_soft_shadow_is_no_part_of_the_object(background: tuple[float, float, float]) -> None:
    truth = draw.mug()
    cut, _ = cut_out(draw.before(truth, draw.with_shadow(background)))
    assert draw.iou(cut[..., 3], truth[..., 3]) > 0.93
    assert crop_of(cut[..., 3], 0.8).side == pytest.approx(crop_of(truth[..., 3], 0.8).side, rel=0.05)


def test_a_pale_object_with_an_outline_stays_and_is_warned_of() -> None:
    truth = draw.mug((0.96, 0.96, 0.96))
    shown = draw.before(truth, (1, 1, 1))
    cut, how = cut_out(shown)
    assert draw.iou(cut[..., 3], truth[..., 3]) > 0.95
    assert any("hardly differs" in note for note in doubts_of(shown, cut, how))
    clear = draw.before(draw.mug(), (1, 1, 1))
    assert not any("hardly differs" in note for note in doubts_of(clear, *cut_out(clear)))


def test_a_compressed_picture_has_no_halo() -> None:
    truth, stream = draw.mug(), io.BytesIO()
    Image.fromarray(draw.before(truth, (0, 0, 0))[..., :3]).save(stream, "JPEG", quality=75)
    shown = np.asarray(Image.open(stream).convert("RGBA"))
    assert draw.iou(cut_out(shown)[0][..., 3], truth[..., 3]) > 0.93


def test_half_transparent_objects_stay(tmp_path: Path) -> None:
    glass = draw.mug() * 0.15
    Image.fromarray(
        np.concatenate([draw.before(draw.mug(), 0)[..., :3], (255 * glass[..., 3:]).astype(np.uint8)], -1)
    ).save(tmp_path / "glass.png")
    cut = cut_photo(tmp_path / "glass.png")
    assert cut.rgba[..., 3].max() == pytest.approx(0.15, abs=0.01)
    assert crop_of(cut.rgba[..., 3], 0.8).side == pytest.approx(crop_of(glass[..., 3] / 0.15, 0.8).side)
