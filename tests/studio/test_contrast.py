"""Everything that is to be read can be read: 4.5:1 (WCAG 2.2, 1.4.3) in both themes."""

from __future__ import annotations

import re

import pytest

from studio.theme import STYLES, asset

LEAST = 4.5
WORDS, GROUNDS = ("ink", "muted", "faint", "accent", "live", "bad"), ("bg", "panel", "raised", "hover")
PAIRS = [(word, ground) for word in WORDS for ground in GROUNDS]
OWN = [("on-accent", "accent"), ("live", "live-soft"), ("ink", "live-soft"), ("ink", "bad-soft"),
    ("bad", "bad-soft"),
       ("ink", "accent-soft"), ("on-paper", "paper")]  # fmt: skip


def colours(theme: str) -> dict[str, str]:
    """The variables of a theme, by name; what the dark one does not say is as in the light one."""
    sheet = asset("look.css")
    light, dark = (
        re.search(rf"^{re.escape(rule)} \{{(.*?)^\}}", sheet, re.S | re.M)[1] for rule in (":root", ".dark")
    )
    return dict(re.findall(r"--mq-([\w-]+): (#[0-9a-f]{6});", light + (dark if theme == "dark" else "")))


def luminance(colour: str) -> float:
    shares = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_measured_as_the_standard_says() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21) and contrast(
        "#777777", "#ffffff"
    ) == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_words_stand_out_from_their_ground(theme: str) -> None:
    known = colours(theme)
    found = {
        f"{word} on {ground}": round(contrast(known[word], known[ground]), 2)
        for word, ground in (*PAIRS, *OWN)
    }
    assert not {pair: value for pair, value in found.items() if value < LEAST}


def test_words_on_pictures_stand_out_too() -> None:
    """The paper of pictures is light in both themes, so what is written on it has colours of its own."""
    sheet = asset("stage.css")
    for colour in set(re.findall(r"(?<![-\w])color: (#[0-9a-f]{6});", sheet)):
        assert contrast(colour, colours("light")["paper"]) >= LEAST, colour
    assert "var(--mq-bad)" not in re.search(r'data-field="warning"\] \{[^}]*', sheet)[0], (
        "plain information is no alarm"
    )
    assert len(STYLES) > 5
