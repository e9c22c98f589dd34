"""What the toybox understands of a prompt: the words that it knows, the nearest ones for others, and what it
leaves out.

Everything that becomes of a word is told. Nouns are looked up in `engine.toybox.wordnet`: a kind of a known
kind first (an eagle is a bird), then what is like one (a wolf and a dog).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from engine.toybox.objects import parts_of
from engine.toybox.part_words import PART_SYNONYMS
from engine.toybox.prompt_parser import read_prompt
from engine.toybox.understanding import telling
from engine.toybox.understanding.lexicon import (
    ARTICLES,
    BREAK,
    COLOUR,
    KIND,
    LOOK,
    NUMBER,
    OTHER,
    SILENT,
    UNKNOWN,
    Lexicon,
    Meaning,
)
from engine.toybox.understanding.phrases import Phrase, counted, phrases_of, with_one_object
from engine.toybox.understanding.scripts import language_of, latin
from engine.toybox.words import tokens as words_of

MOST_WORDS = 15
LEFT = (UNKNOWN, OTHER, NUMBER, SILENT)


@dataclass(frozen=True)
class Understanding:
    """``prompt`` is what the prior reads, ``notes`` are sentences for a person; ``refused`` says why nothing
    can be made.
    """

    prompt: str
    notes: tuple[str, ...] = ()
    refused: str = ""


def understood(
    prompt: str,
    vocabulary: Collection[str],
    kinds: Collection[str],
    most_words: int = MOST_WORDS,
    *,
    alone: bool = True,
) -> Understanding:
    """``prompt`` in words of ``vocabulary`` that name one of ``kinds``, at most ``most_words`` without
    articles.

    A prompt that is understood as it is stays as it is. Where the words are not ``alone`` (there is a picture
    too), they need not name an object.
    """
    text, foreign, emoji = latin(prompt)
    words = re.findall(r"[a-z0-9]+|,", _spelt_out(text))
    lexicon = Lexicon(frozenset(vocabulary), frozenset(kinds))
    phrases, main = _about_one(phrases_of(words, lexicon), lexicon)
    notes = telling.of_letters(foreign, emoji)
    language = "" if main is not None and main.read == main.said else language_of(words)
    if alone and (main is None or language):
        return Understanding("", tuple(notes), telling.refusal(prompt, words, foreign, language))
    kept, left = _kept(phrases, main)
    read, cut = _shortened(_worded(kept, main), most_words)
    notes += [*telling.of_words(kept, main), *telling.of_phrases(left, main, kept)]
    notes += [telling.of_length(most_words, cut)] if cut else []
    same = not foreign and not emoji and _bare(words_of(text)) == _bare(read.split())
    return Understanding(prompt if same else read, tuple(notes))


def words_for_parts(prompt: str, learned: Collection[str]) -> frozenset[str]:
    """Words for the parts of what ``prompt`` names, of which the shelf builds it; none if its kind is among
    the ``learned``.
    """
    objects = read_prompt(prompt)
    if not objects or objects[0].kind in learned:
        return frozenset()
    names = {name for part in parts_of(objects[0].kind) for name in (part, *PART_SYNONYMS.get(part, ()))}
    return frozenset(word for name in names for word in words_of(name))


def _spelt_out(text: str) -> str:
    """Contractions in full, and every sign that parts phrases as a comma."""
    text = re.sub(r"(\w)n't\b", r"\1 not", text)
    return re.sub(r"[.,;:!?()\[\]\n/&+]+(?=\s|$)", " , ", text)


def _about_one(phrases: Sequence[Phrase], lexicon: Lexicon) -> tuple[tuple[Phrase, ...], Meaning | None]:
    """The phrases with the one object that the first of them names that names any, and that object.

    What is told of places and companions counts where nothing else names an object, and then only what is
    surely one.
    """
    for nearby in (False, True):
        for k, phrase in enumerate(phrases):
            if not phrase.denied and (nearby or not phrase.elsewhere):
                one, main = with_one_object(phrase, lexicon)
                if main is not None and not (nearby and main.guess):
                    return (*phrases[:k], one, *phrases[k + 1 :]), main
    return tuple(phrases), None


def _kept(phrases: Sequence[Phrase], main: Meaning | None) -> tuple[list[Phrase], list[Phrase]]:
    """What is read, and what is left out: denials, and further objects and places unless all their words are
    known.
    """
    kept, left = list[Phrase](), list[Phrase]()
    for phrase in phrases:
        further = phrase.elsewhere or any(word.role == KIND for word in phrase.words)
        out = phrase.denied or (
            main is not None and main not in phrase.words and further and not _known(phrase)
        )
        (left if out else kept).append(phrase)
    return kept, left


def _known(phrase: Phrase) -> bool:
    """Whether a phrase is of known words alone; what opens it need not be, where it only gives an object
    something.
    """
    opening = () if phrase.opening is None or phrase.opening.role == BREAK else (phrase.opening,)
    return all(word.said == word.read for word in (*phrase.words, *opening))


def _worded(phrases: Sequence[Phrase], main: Meaning | None) -> list[str]:
    """The words that are read, each phrase behind the words that join it to what stands before."""
    words, joining, nameless, named = list[str](), list[str](), False, False
    for phrase in phrases:
        joining += [phrase.opening.read] if phrase.opening is not None and phrase.opening.read else []
        inside = _inside(phrase, main)
        if (
            main in phrase.words and words and nameless
        ):  # "a red statue of a horse": what came before describes it
            words = ["a", *_bare(words), *_bare(inside)]
        elif _bare(inside) and not (named and _nameless(phrase)):
            words += [*joining * bool(words), *inside]
        joining = [] if phrase.words else joining
        nameless, named = any(word.role == UNKNOWN for word in phrase.words), named or main in phrase.words
    plural = main.kind if main is not None and main.kind.endswith("s") else None  # a pair of glasses
    pairs = [(word, after) for word, after in zip(words, [*words[1:], ""]) if word != "a" or after != plural]
    return [
        word if word not in ("a", "an") else "an" if after[:1] in tuple("aeiou") else "a"
        for word, after in pairs
    ]


def _nameless(phrase: Phrase) -> bool:
    """Whether a further phrase is about a thing that is not known: "a golden halo" is not just golden."""
    said = [word for word in phrase.words if word.role != SILENT]
    return said[-1].role == UNKNOWN and all(
        word.role in (COLOUR, LOOK, UNKNOWN) or word.said in ARTICLES for word in said
    )


def _inside(phrase: Phrase, main: Meaning | None) -> list[str]:
    coloured = any(word.role == COLOUR for word in phrase.words)
    left = (*LEFT, LOOK) if coloured else LEFT
    parts = [part for word in phrase.words if word.role not in left for part in word.read.split()]
    return ["a", *_bare(parts)] if main in phrase.words and counted(phrase) else parts


def _bare(words: Sequence[str]) -> list[str]:
    return [word for word in words if word not in ARTICLES]


def _shortened(words: Sequence[str], most: int) -> tuple[str, str]:
    """As many words as the prior reads, articles aside, and those that are too many."""
    ends = [k for k, word in enumerate(words, 1) if word not in ARTICLES][:most]
    end = ends[-1] if len(ends) == most else len(words)
    return " ".join(words[:end]), " ".join(words[end:])
