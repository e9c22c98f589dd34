"""English plurals: what one of them is called."""

from __future__ import annotations

from collections.abc import Iterator

IRREGULAR: dict[str, str] = {
    "men": "man", "women": "woman", "children": "child", "people": "person", "mice": "mouse", "geese": "goose",
    "feet": "foot", "teeth": "tooth", "oxen": "ox", "wolves": "wolf", "knives": "knife", "leaves": "leaf", "loaves": "loaf",
    "shelves": "shelf", "bookshelves": "bookshelf", "halves": "half", "calves": "calf", "scarves": "scarf", "elves": "elf",
    "dwarves": "dwarf", "hooves": "hoof", "thieves": "thief", "wives": "wife", "lives": "life", "cacti": "cactus",
    "octopi": "octopus", "fungi": "fungus", "snowmen": "snowman", "policemen": "policeman", "firemen": "fireman",
    "rhinoceri": "rhinoceros", "hippopotami": "hippopotamus", "aircraft": "aircraft", "lenses": "lens", "buses": "bus",
}  # fmt: skip


def singulars(word: str) -> Iterator[str]:
    """What ``word`` may be the plural of, the likeliest first; nothing for a word that cannot be one."""
    if word in IRREGULAR:
        yield IRREGULAR[word]
        return
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us")):
        return
    if word.endswith("ies"):
        yield word[:-3] + "y"
    yield word[:-1]
    if word.endswith(("ses", "xes", "zes", "ches", "shes", "oes")):
        yield word[:-2]
