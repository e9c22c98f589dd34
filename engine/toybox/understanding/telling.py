"""Sentences on what became of the words of a prompt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.toybox.understanding.lexicon import COLOUR, KIND, LOOK, NUMBER, OTHER, PLAIN, UNKNOWN, Meaning
from engine.toybox.understanding.phrases import Phrase, counted

MOST_SHOWN = 60  # letters of a prompt that is told again
READ = (KIND, COLOUR, LOOK, PLAIN)


def of_letters(foreign: Mapping[str, Sequence[str]], emoji: Mapping[str, str]) -> list[str]:
    """Of scripts that are left out, and of emoji that are read by their names."""
    notes = [
        f"Toybox reads English only: {_quoted(words)} in {script} letters is left out."
        for script, words in foreign.items()
    ]
    named = [f'{sign} as "{name}"' for sign, name in emoji.items() if name]
    return notes + [f"Read by its name: {', '.join(named)}."] * bool(named)


def of_words(kept: Sequence[Phrase], main: Meaning | None) -> list[str]:
    """Of words that are read as others, and of those that are left out."""
    notes = [] if main is None or main.read == main.said or _only_plural(main) else [_nearest(main)]
    read = [(phrase, word) for phrase in kept for word in phrase.words if word != main]
    others = [
        _as(w)
        for phrase, w in read
        if w.role in READ and w.read not in ("", w.said) and not _outdone(w, phrase)
    ]
    notes += [f"Read otherwise: {_listed(others)}."] * bool(others)
    left = [
        w.said
        for phrase, w in read
        if w.role == UNKNOWN or _outdone(w, phrase) or _uncounted(w, phrase, main)
    ]
    them = "it" if len(set(left)) == 1 else "them"
    return notes + [f"Toybox was never taught {_quoted(left)} and leaves {them} out."] * bool(left)


def of_phrases(left: Sequence[Phrase], main: Meaning | None, kept: Sequence[Phrase]) -> list[str]:
    """Of phrases that are left out, and of a number of objects."""
    notes = []
    several = next((phrase for phrase in kept if main in phrase.words and counted(phrase)), None)
    if several is not None and main is not None:
        notes.append(
            f'Toybox makes one object at a time: one {main.kind or main.read}, not "{several.said()}".'
        )
    beside = [word.said for phrase in kept for word in phrase.words if word.role == OTHER]
    if beside:
        notes.append(f"Toybox makes one object at a time: {_quoted(beside)} is left out.")
    denied = [phrase.said() for phrase in left if phrase.denied]
    if denied:
        notes.append(f"Toybox does not understand a no: {_quoted(denied)} is left out, so it may be there "
                     "all the same. "
                     "What to avoid belongs in the negative prompt.")  # fmt: skip
    places = [phrase.said() for phrase in left if not phrase.denied]
    if places:
        notes.append(f"Toybox makes an object alone: {_quoted(places)} is left out.")
    return notes


def of_length(most: int, cut: str) -> str:
    """Of words that come too late."""
    return f'Toybox reads {most} words: "{cut}" comes after them and is left out.'


def refusal(prompt: str, words: Sequence[str], foreign: Mapping[str, Sequence[str]], language: str) -> str:
    """Why nothing can be made of a prompt."""
    shown = prompt.strip() if len(prompt.strip()) <= MOST_SHOWN else prompt.strip()[:MOST_SHOWN] + "..."
    if foreign and not [word for word in words if word.isalpha()]:
        return f'The prompt "{shown}" names nothing in English.'
    if language:
        return f'The prompt "{shown}" looks like {language}, and toybox reads English only.'
    return f'The prompt "{shown}" names nothing that toybox can make, nor anything like it.'


def _outdone(word: Meaning, phrase: Phrase) -> bool:
    """Whether what something is made of gives way to a colour."""
    return word.role == LOOK and any(other.role == COLOUR for other in phrase.words)


def _uncounted(word: Meaning, phrase: Phrase, main: Meaning | None) -> bool:
    return word.role == NUMBER and main not in phrase.words


def _nearest(main: Meaning) -> str:
    if main.same:
        return f'"{main.said}" is read as "{main.read}".'
    if main.guess:
        return f'Toybox does not know "{main.said}": the nearest that it knows is {_one(main.kind)}.'
    return f'"{main.said}": the nearest that toybox knows is {_one(main.kind)}.'


def _only_plural(main: Meaning) -> bool:
    """Whether a word differs from what is read by its number alone, which is told as such."""
    return main.plural and main.said[:3] == main.read[:3]


def _as(word: Meaning) -> str:
    return f'"{word.said}" as "{word.read}"'


def _one(noun: str) -> str:
    return f"{'an' if noun[:1] in tuple('aeiou') else 'a'} {noun}"


def _listed(words: Sequence[str]) -> str:
    return ", ".join(dict.fromkeys(words))


def _quoted(words: Sequence[str]) -> str:
    return _listed([f'"{word}"' for word in words])
