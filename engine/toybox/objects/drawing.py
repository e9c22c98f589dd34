"""Draw one object from a seed: its kind, the colours of its parts, then its shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from engine.errors import InputError
from engine.toybox.objects.catalogue import CATALOGUE, FIRST_KINDS
from engine.toybox.objects.kinds import Kind, Part
from engine.toybox.objects.mesh import ToyObject
from engine.toybox.words import BASE_COLOURS, COLOURS, SHADES, draw_colour

NATURAL_SHARE = 0.06
PART_ONLY_SHARE = 0.06
SHADE_SHARE = 0.12
BOUND_PART_SHARES = (0.36, 0.46, 0.18)
"""How often 0, 1 and 2 parts beside the body are given a colour of their own."""

_BY_NAME = {kind.name: kind for kind in CATALOGUE}
_BASE_WORDS, _SHADE_WORDS = tuple(BASE_COLOURS), tuple(SHADES)
_KIND_STREAM, _COLOUR_STREAM, _SHAPE_STREAM, _ANY_KIND_STREAM = 1, 2, 3, 4


def any_kind(seed: int, kinds: Sequence[str] = ()) -> str:
    """The kind that a seed draws among ``kinds``, or among all: where more than the first ones are wanted."""
    names = tuple(kinds) or tuple(_BY_NAME)
    return names[int(_stream(seed, _ANY_KIND_STREAM).integers(len(names)))]


def parts_of(kind: str) -> tuple[str, ...]:
    """Names of the parts of `kind` that take a colour, the body first. Raises InputError for an unknown
    kind.
    """
    return tuple(part.name for part in _kind_named(kind).parts)


def draw_object(seed: int, kind: str | None = None, colours: Mapping[str, str] | None = None) -> ToyObject:
    """Draw the object of `seed`, of one of the first kinds or of the one given; `colours` binds parts to
    colour words.

    The same arguments always give the same object, and `colours` changes nothing but colours.
    Raises InputError for an unknown kind, part or colour word.
    """
    chosen = (
        _kind_named(kind)
        if kind is not None
        else FIRST_KINDS[int(_stream(seed, _KIND_STREAM).integers(len(FIRST_KINDS)))]
    )
    rng = _stream(seed, _COLOUR_STREAM)
    bound = _draw_bindings(chosen, rng) if colours is None else _checked(chosen, colours)
    words = _part_words(chosen, bound, rng)
    paint = {part: draw_colour(word, rng) for part, word in words.items()}
    for part in chosen.parts[1:]:
        if words[part.name] == words["body"] and part.name not in bound:
            paint[part.name] = paint["body"]
    assembly = chosen.build(_stream(seed, _SHAPE_STREAM), paint)
    nouns = (chosen.name, *assembly.nouns)
    return ToyObject(
        chosen.name, assembly.mesh(), words, tuple(assembly.adjectives), not bound, tuple(bound), nouns
    )


def _stream(seed: int, number: int) -> np.random.Generator:
    """An independent random stream of a seed, so that colours do not move shapes."""
    return np.random.default_rng((number, seed))


def _kind_named(name: str) -> Kind:
    """The catalogue's entry of a kind."""
    if name not in _BY_NAME:
        raise InputError(f"draw_object: there is no kind {name!r}.", f"Choose one of: {', '.join(_BY_NAME)}.")
    return _BY_NAME[name]


def _checked(kind: Kind, colours: Mapping[str, str]) -> dict[str, str]:
    """The forced colours in the kind's part order, after checking every name."""
    names = [part.name for part in kind.parts]
    for part, word in colours.items():
        if part not in names:
            raise InputError(
                f"draw_object: a {kind.name} has no part {part!r}.", f"Choose among: {', '.join(names)}."
            )
        if word not in COLOURS:
            raise InputError(
                f"draw_object: {word!r} is not a colour word.", f"Choose among: {', '.join(COLOURS)}."
            )
    return {name: colours[name] for name in names if name in colours}


def _draw_bindings(kind: Kind, rng: np.random.Generator) -> dict[str, str]:
    """Which parts get a free colour, and which: none (natural), one part on a natural body, or the body and
    0-2 parts.
    """
    mode = rng.random()
    if mode < NATURAL_SHARE:
        return {}
    others = [part.name for part in kind.parts[1:]]
    if mode < NATURAL_SHARE + PART_ONLY_SHARE:
        return {others[int(rng.integers(len(others)))]: _draw_word(rng)}
    count = min(int(rng.choice(3, p=BOUND_PART_SHARES)), len(others))
    picked = {others[k] for k in rng.permutation(len(others))[:count]}
    return {name: _draw_word(rng) for name in ("body", *others) if name == "body" or name in picked}


def _draw_word(rng: np.random.Generator) -> str:
    """A colour word, now and then a light or dark one."""
    words = _SHADE_WORDS if rng.random() < SHADE_SHARE else _BASE_WORDS
    return words[int(rng.integers(len(words)))]


def _part_words(kind: Kind, bound: Mapping[str, str], rng: np.random.Generator) -> dict[str, str]:
    """The colour words of all parts: the bound ones, and for the rest the body's or the kind's usual
    colour.
    """
    words: dict[str, str] = {}
    for part in kind.parts:
        usual = part.natural[int(rng.integers(len(part.natural)))] if part.natural else words["body"]
        words[part.name] = bound.get(part.name) or _unbound_word(part, usual, words, "body" in bound)
    return words


def _unbound_word(part: Part, usual: str, words: Mapping[str, str], body_bound: bool) -> str:
    """A part without a colour of its own follows a coloured body where its kind does so, else looks as
    usual.
    """
    return words["body"] if part.follows and body_bound else usual
