"""Say in words what a toy object is: one plain sentence, or a draw from a small grammar with synonyms."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.toybox.objects.mesh import ToyObject
from engine.toybox.part_words import MASS_PARTS, PART_PARTICIPLES, PART_SYNONYMS, PLURAL_PARTS
from engine.toybox.words import ADJECTIVE_SYNONYMS, COLOUR_SYNONYMS, FILLERS, KIND_SYNONYMS, OPENINGS, tokens

MAX_TOKENS = 14
SYNONYM_SHARE = 0.25
FORGOTTEN_PART_SHARE = 0.04
USUAL_PART_SHARE = 0.06


def plain_caption(obj: ToyObject) -> str:
    """The standard sentence: "a blue chair with yellow legs"; only deliberately coloured parts are named."""
    colour = f"{obj.part_colours['body']} " if "body" in obj.bound else ""
    parts = [(part, obj.part_colours[part]) for part in obj.bound if part != "body"][:2]
    return _with_article(colour + obj.kind) + _with_clause([_part_phrase(part, word) for part, word in parts])


def caption(obj: ToyObject, rng: np.random.Generator) -> str:
    """One sentence drawn from the grammar, at most 14 tokens; every colour it gives to a part is that
    part's.
    """
    noun = _noun(obj, rng)
    colour = _synonym(obj.part_colours["body"], COLOUR_SYNONYMS, rng) if "body" in obj.bound else ""
    parts = [
        (_synonym(part, PART_SYNONYMS, rng), _synonym(obj.part_colours[part], COLOUR_SYNONYMS, rng), part)
        for part in _mentioned(obj, rng)
    ]
    describing = _adjectives(obj, rng)
    sentence = _sentence(noun, colour, parts, describing, rng)
    if rng.random() < 0.1:
        sentence = f"{_pick(OPENINGS, rng)} {sentence}"
    return sentence if len(tokens(sentence)) <= MAX_TOKENS else plain_caption(obj)


def _pick(options: Sequence[str], rng: np.random.Generator) -> str:
    """One of the options, all equally likely."""
    return options[int(rng.integers(len(options)))]


def _synonym(word: str, table: dict[str, tuple[str, ...]], rng: np.random.Generator) -> str:
    """The word itself, or now and then one that means the same."""
    return _pick(table[word], rng) if word in table and rng.random() < SYNONYM_SHARE else word


def _noun(obj: ToyObject, rng: np.random.Generator) -> str:
    """The kind's name, one of its synonyms, or a name that fits only draws like this one."""
    others = (*obj.nouns[1:], *KIND_SYNONYMS.get(obj.kind, ()))
    return _pick(others, rng) if others and rng.random() < 1.2 * SYNONYM_SHARE else obj.kind


def _mentioned(obj: ToyObject, rng: np.random.Generator) -> list[str]:
    """At most two parts to name: nearly always the bound ones, now and then one in its usual colour."""
    parts = [
        part
        for part in obj.bound
        if part != "body" and ("body" not in obj.bound or rng.random() >= FORGOTTEN_PART_SHARE)
    ]
    usual = [part for part in obj.part_colours if part != "body" and part not in obj.bound]
    if usual and not obj.natural and rng.random() < USUAL_PART_SHARE:
        parts.append(_pick(usual, rng))
    return [parts[k] for k in rng.permutation(len(parts))[:2]]


def _adjectives(obj: ToyObject, rng: np.random.Generator) -> list[str]:
    """Zero to two true words on proportions, and sometimes one that says nothing about the picture."""
    count = int(rng.choice(3, p=(0.62, 0.34, 0.04)))
    true = [
        _synonym(obj.adjectives[k], ADJECTIVE_SYNONYMS, rng)
        for k in rng.permutation(len(obj.adjectives))[:count]
    ]
    return [_pick(FILLERS, rng), *true] if rng.random() < 0.08 else true


def _sentence(
    noun: str, colour: str, parts: list[tuple[str, str, str]], describing: list[str], rng: np.random.Generator
) -> str:
    """Put the words in one of the grammar's orders."""
    form = rng.random()
    lead = " ".join([*describing, noun])
    if colour and not parts and form < 0.14:
        return _with_article(lead) + _pick((" in ", " coloured ", " colored ", " that is "), rng) + colour
    if len(parts) == 1 and parts[0][2] in PART_PARTICIPLES and form < 0.2:
        _, part_colour, part = parts[0]
        return _begun(
            " ".join(filter(None, [*describing, f"{part_colour}-{PART_PARTICIPLES[part]}", colour, noun])),
            rng,
        )
    if colour and len(parts) == 1 and parts[0][0] not in PLURAL_PARTS and form > 0.95:
        return f"{_with_article(' '.join([*describing, colour, noun]))}, its {parts[0][0]} is {parts[0][1]}"
    words = [colour, *describing] if describing and form > 0.85 else [*describing, colour]
    clause = [_part_phrase(part, part_colour, rng.random() < 0.75) for part, part_colour, _ in parts]
    return _begun(" ".join(filter(None, [*words, noun])), rng) + _with_clause(
        clause, " that has " if 0.8 < form < 0.85 else " with "
    )


def _begun(phrase: str, rng: np.random.Generator) -> str:
    """The noun phrase with "a" or "an", with "the", or bare."""
    draw = rng.random()
    return phrase if draw < 0.16 else f"the {phrase}" if draw < 0.22 else _with_article(phrase)


def _with_article(phrase: str) -> str:
    """The phrase after "a", or "an" before a vowel."""
    return f"an {phrase}" if phrase[0] in "aeiou" else f"a {phrase}"


def _part_phrase(part: str, colour: str, article: bool = True) -> str:
    """A coloured part: "yellow legs", "a red roof", "white icing"."""
    bare = part in PLURAL_PARTS or part in MASS_PARTS or not article
    return f"{colour} {part}" if bare else _with_article(f"{colour} {part}")


def _with_clause(phrases: list[str], opening: str = " with ") -> str:
    """The clause that lists parts, or nothing."""
    return opening + " and ".join(phrases) if phrases else ""
