"""Pictures as settings name them, there and back."""

from __future__ import annotations

import pytest

from engine.assets.images.image_arguments import (
    AUTO,
    MOST_PICTURES,
    Listed,
    ListedCrop,
    crops_in,
    listing,
    pictures_in,
)
from engine.errors import InputError
from engine.loop.spec import RunSpec


@pytest.mark.parametrize(
    ("text", "picture"),
    [
        ("mug.png", Listed("mug.png")),
        ("mug.png@30", Listed("mug.png", 30)),
        ("a b/mug.png@-45.5*.25", Listed("a b/mug.png", -45.5, 0.25)),
        ("me@2.home*3.png", Listed("me@2.home*3.png")),
        ("mug.png*2", Listed("mug.png", 0, 2)),
        ("mug.png@90#0123456789abcdef", Listed("mug.png", 90, 1, "0123456789abcdef")),
        ("C:\\pictures\\mug.png@180", Listed("C:\\pictures\\mug.png", 180)),
    ],
)
def test_one_picture(text: str, picture: Listed) -> None:
    assert pictures_in(text) == (picture,)
    assert pictures_in(listing([picture])) == (picture,)


def test_several_pictures_and_none() -> None:
    three = (Listed("a.png"), Listed("b.png", 90, 0.5), Listed("c.png", -90, 1, "f" * 16))
    assert pictures_in(listing(three)) == three and pictures_in("  ") == ()


@pytest.mark.parametrize(
    "text", ["a.png;;b.png", "a.png@400", "a.png*0", "a.png@3*11", ";".join(["a.png"] * (MOST_PICTURES + 1))]
)
def test_what_is_not_of_the_form_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="images"):
        pictures_in(text)
    with pytest.raises(InputError, match="images"):
        RunSpec("a mug", images=text)


def test_crops() -> None:
    assert crops_in("", 2) == (AUTO, AUTO)
    assert crops_in("whole", 3) == ("whole",) * 3
    assert crops_in("auto; .5 .4 .8", 2) == (AUTO, ListedCrop(0.5, 0.4, 0.8))


@pytest.mark.parametrize(
    ("text", "count"), [("auto;auto", 3), ("half", 1), ("1 2", 1), ("0.5 0.5 0", 1), ("nan 0 1", 1)]
)
def test_crops_that_are_none_are_refused(text: str, count: int) -> None:
    with pytest.raises(InputError, match="image_crops"):
        crops_in(text, count)


def test_a_run_needs_words_or_pictures() -> None:
    assert RunSpec("", images="mug.png").prompt == ""
    with pytest.raises(InputError, match="The prompt is empty"):
        RunSpec(" ")
