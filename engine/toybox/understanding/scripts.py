"""Letters that are not English: accents taken off, emoji read by their names, other scripts and languages
told.
"""

from __future__ import annotations

import re
import unicodedata

from engine.toybox.understanding.further_words import LANGUAGES

APART = {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ł": "l", "’": "'", "‘": "'"}
JOINERS = ("\u200d", "\ufe0f", "\ufe0e")


def latin(prompt: str) -> tuple[str, dict[str, list[str]], dict[str, str]]:
    """The prompt in a-z and signs; words of other scripts by script, which are left out; emoji by what they
    are read as.
    """
    plain, others, emoji = [], dict[str, list[str]](), dict[str, str]()
    for run in re.findall(r"\w+|\W", "".join(APART.get(c, c) for c in prompt.lower())):
        bare = "".join(c for c in unicodedata.normalize("NFKD", run) if not unicodedata.combining(c))
        if bare.isascii():
            plain.append(bare)
        elif any(c.isalpha() for c in bare):
            others.setdefault(script_of(bare), []).append(run)
            plain.append(" ")
        elif unicodedata.category(run[0]) == "So":
            emoji[run] = name_of(run[0])
            plain.append(f" {emoji[run]} ")
        elif run not in JOINERS:
            plain.append(", ")
    return "".join(plain), others, emoji


def script_of(word: str) -> str:
    """The script of the first letter that is not Latin: *Cyrillic*, *Chinese* ..."""
    letter = next(c for c in word if c.isalpha() and not c.isascii())
    first = unicodedata.name(letter, "unknown").split()[0].capitalize()
    return {"Cjk": "Chinese", "Hiragana": "Japanese", "Katakana": "Japanese", "Hangul": "Korean"}.get(
        first, first
    )


def name_of(emoji: str) -> str:
    """Its name in Unicode without what only describes the drawing: "cat face" is a cat."""
    words = unicodedata.name(emoji, "").lower().replace("-", " ").split()
    return " ".join(word for word in words if word not in ("face", "symbol", "sign", "emoji", "with"))


def language_of(words: list[str]) -> str:
    """The language that the words look like, if two of them or more give it away; else empty."""
    counts = {name: len(known.intersection(words)) for name, known in LANGUAGES.items()}
    best = max(counts, key=counts.__getitem__)
    return best if counts[best] >= 2 else ""
