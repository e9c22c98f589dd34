"""What the page tells of a picture is what a run makes of it, or the engine's own words on why it cannot be
used.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from engine.assets.images.crop import Crop
from engine.assets.images.image_arguments import crops_in
from engine.assets.images.preprocessing import CutPhoto, cut_photo, square_of
from engine.loop.input_images import shown_pictures
from engine.loop.spec import RunSpec
from studio.preview import (
    FRAME_SIDE,
    SHOWN_SIDE,
    answer,
    listed_square,
    outline_of,
    picture_address,
    remembering,
)


def ball_picture(path: Path, scale: int = 1) -> Path:
    """A ball left of the middle of a grey picture, 120 x 80 pixels by ``scale``."""
    rows, columns = np.mgrid[: 80 * scale, : 120 * scale] / scale
    inside = (columns - 40) ** 2 + (rows - 40) ** 2 < 20**2
    Image.fromarray(np.where(inside[..., None], (200, 40, 30), 225).astype(np.uint8)).save(path)
    return path


def ask(path: Path, folders: Sequence[Path], **also: str) -> dict[str, Any]:
    asked = {"picture": f"{path}@0", "crop": "auto", "fill": "0.8", "way": "auto", **also}
    return answer(asked, folders, cut_photo)


def decoded(address: str) -> np.ndarray:
    """Premultiplied RGBA (H,W,4) in 0..1 of a data address."""
    rgba = (
        np.asarray(Image.open(BytesIO(base64.b64decode(address.split(",")[1]))).convert("RGBA"), np.float32)
        / 255
    )
    return np.concatenate([rgba[..., :3] * rgba[..., 3:], rgba[..., 3:]], -1)


@pytest.mark.parametrize("crop", ["auto", "whole", "0.3 0.5 0.4", "0.9 0.2 1.1"])
def test_the_frame_is_what_a_run_sees(tmp_path: Path, crop: str) -> None:
    path = ball_picture(tmp_path / "ball.png")
    told = ask(path, [tmp_path], crop=crop, fill="0.6")
    seen, _ = shown_pictures(RunSpec("", images=f"{path}@0", image_crops=crop, image_fill=0.6), FRAME_SIDE)
    assert np.abs(decoded(told["frame"]) - seen[0]).mean() < 0.01
    assert told["notes"] == ["The object was cut out by its flat background."]


def test_the_square_told_is_the_crop_that_gives_the_same_frame(tmp_path: Path) -> None:
    path = ball_picture(tmp_path / "ball.png")
    told = ask(path, [tmp_path])
    assert told["square"] == pytest.approx([40 / 120, 40 / 80, 40 / 0.8 / 120], abs=0.02)
    again = ask(path, [tmp_path], crop=" ".join(str(share) for share in told["square"]))
    assert np.abs(decoded(again["frame"]) - decoded(told["frame"])).max() < 0.02
    assert (told["width"], told["height"]) == (120, 80)


def test_squares_survive_being_listed() -> None:
    rgba, crop = np.zeros((80, 120, 4), np.float32), Crop(33.0, 52.0, 47.0)
    text = " ".join(str(share) for share in listed_square(crop, 120, 80))
    back = square_of(rgba, crops_in(text, 1)[0], 0.8)
    assert [back.centre_x, back.centre_y, back.side] == pytest.approx([33.0, 52.0, 47.0])


def test_cut_out_pictures_are_shown_small_and_see_through(tmp_path: Path) -> None:
    path = ball_picture(tmp_path / "large.png", scale=8)
    whole = decoded(ask(path, [tmp_path])["whole"])
    assert max(whole.shape) == SHOWN_SIDE and whole[0, 0, 3] == 0 and whole[..., 3].max() > 0.9


def test_colours_outlive_the_edge_of_an_object() -> None:
    rgba = np.zeros((8, 8, 4), np.float32)
    rgba[2:6, 2:6] = (0.4, 0.1, 0.05, 0.5)
    assert np.abs(decoded(picture_address(rgba, 8)) - rgba).mean() < 0.03


def _bad_files(folder: Path) -> dict[str, tuple[Path, str]]:
    files = {name: folder / f"{name}.png" for name in ("words", "cut", "empty", "small", "gone")}
    files["words"].write_text("no picture at all")
    whole = ball_picture(folder / "whole.png").read_bytes()
    files["cut"].write_bytes(whole[: len(whole) // 2])
    Image.new("RGB", (64, 64), (230, 230, 230)).save(files["empty"])
    Image.new("RGB", (8, 8)).save(files["small"])
    says = {
        "words": "not a picture that can be opened",
        "cut": "damaged",
        "empty": "nothing is left",
        "small": "needs at least 16",
        "gone": "is not there",
    }
    return {name: (files[name], says[name]) for name in files}


@pytest.mark.parametrize("name", ["words", "cut", "empty", "small", "gone"])
def test_bad_files_get_the_engines_own_words_and_a_remedy(tmp_path: Path, name: str) -> None:
    path, says = _bad_files(tmp_path)[name]
    told = ask(path, [tmp_path])
    assert says in told["problem"] and told["remedy"] and set(told) == {"problem", "remedy"}


def test_ink_colours_and_animations_are_used_and_said_so(tmp_path: Path) -> None:
    ball = Image.open(ball_picture(tmp_path / "ball.png"))
    ball.convert("CMYK").save(tmp_path / "ink.jpg", quality=97)
    ball.save(tmp_path / "moving.gif", save_all=True, append_images=[ball.rotate(90), ball.rotate(180)])
    assert any("ink colours" in note for note in ask(tmp_path / "ink.jpg", [tmp_path])["notes"])
    assert any("3 frames" in note for note in ask(tmp_path / "moving.gif", [tmp_path])["notes"])


def test_phones_pictures_stand_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.open(ball_picture(tmp_path / "ball.png")).save(tmp_path / "phone.jpg", exif=exif, quality=97)
    told = ask(tmp_path / "phone.jpg", [tmp_path])
    assert (told["width"], told["height"]) == (80, 120)


def test_other_files_of_this_machine_are_not_shown(tmp_path: Path) -> None:
    (tmp_path / "uploads").mkdir()
    secret = ball_picture(tmp_path / "secret.png")
    (tmp_path / "uploads" / "link.png").symlink_to(secret)
    for sly in (
        secret,
        tmp_path / "uploads" / ".." / "secret.png",
        tmp_path / "uploads" / "link.png",
        Path("/etc/passwd"),
    ):
        assert "not uploaded here" in ask(sly, [tmp_path / "uploads"])["problem"]


@pytest.mark.parametrize(
    "also",
    [{"fill": "much"}, {"fill": "nan"}, {"fill": "7"}, {"crop": "0 0"}, {"way": "magic"}, {"picture": ""}],
)
def test_nonsense_is_answered_in_words(tmp_path: Path, also: dict[str, str]) -> None:
    assert ask(ball_picture(tmp_path / "ball.png"), [tmp_path], **also)["problem"]


def test_a_picture_is_cut_out_once_until_it_changes(tmp_path: Path) -> None:
    calls: list[str] = []

    def cut(path: Path, way: str) -> CutPhoto:
        calls.append(way)
        return CutPhoto(np.full((20, 30, 4), 0.5, np.float32), ("note",))

    path, remembered = ball_picture(tmp_path / "ball.png"), remembering(cut)
    for _ in range(3):
        photo = remembered(path, "auto")
    assert calls == ["auto"] and photo.notes == ("note",) and np.abs(photo.rgba - 0.5).max() < 1 / 255
    remembered(path, "classical")
    path.write_bytes(path.read_bytes() + b"more")
    remembered(path, "auto")
    assert calls == ["auto", "classical", "auto"]


def test_a_doubtful_outline_is_told_and_comes_with_the_whole_picture(tmp_path: Path) -> None:
    rows, columns = np.mgrid[:240, :320]
    inside = (columns - 160) ** 2 + (rows - 120) ** 2 < 70**2
    picture = np.full((240, 320, 3), 250, np.uint8)
    picture[inside] = 238  # white on white
    Image.fromarray(picture).save(tmp_path / "pale.png")
    assert ask(tmp_path / "pale.png", [tmp_path])["doubtful"]
    path = ball_picture(tmp_path / "ball.png")
    assert not ask(path, [tmp_path])["doubtful"]
    told = answer({"picture": f"{path}@0", "way": "auto"}, [tmp_path], cut_photo, outline_of)
    original, cut = decoded(told["original"]), decoded(told["cut"])
    assert original.shape == cut.shape == (80, 120, 4) and original[..., 3].min() == 1
    assert np.abs(cut - cut_photo(path).rgba).mean() < 0.01
    assert "problem" in answer({"picture": f"{path}@0", "way": "auto"}, [], cut_photo, outline_of), (
        "not anybody's to see"
    )
