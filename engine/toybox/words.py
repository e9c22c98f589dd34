"""The words the toybox knows: colours, kinds, parts, proportions, and the closed vocabulary of its captions."""

from __future__ import annotations

import numpy as np

from engine.toybox.models.labels import model_nouns

BASE_COLOURS: dict[str, tuple[float, float, float]] = {
    "red": (0.85, 0.10, 0.10),
    "orange": (0.97, 0.50, 0.06),
    "yellow": (0.98, 0.86, 0.12),
    "lime": (0.62, 0.92, 0.14),
    "green": (0.10, 0.56, 0.18),
    "cyan": (0.10, 0.80, 0.84),
    "blue": (0.12, 0.28, 0.86),
    "purple": (0.50, 0.14, 0.70),
    "pink": (0.97, 0.50, 0.72),
    "brown": (0.46, 0.27, 0.13),
    "beige": (0.90, 0.80, 0.62),
    "black": (0.13, 0.13, 0.14),
    "gray": (0.53, 0.54, 0.55),
    "white": (0.93, 0.93, 0.92),
}

# Only shades that cannot be mistaken for another colour word: "light red" would read as pink, "dark orange" as brown.
SHADES: dict[str, tuple[float, float, float]] = {
    "light blue": (0.52, 0.70, 0.98),
    "light green": (0.56, 0.86, 0.60),
    "light purple": (0.74, 0.60, 0.93),
    "light brown": (0.72, 0.53, 0.36),
    "light gray": (0.76, 0.77, 0.78),
    "dark red": (0.46, 0.05, 0.08),
    "dark green": (0.05, 0.29, 0.11),
    "dark blue": (0.07, 0.11, 0.42),
    "dark purple": (0.27, 0.06, 0.38),
    "dark cyan": (0.05, 0.43, 0.46),
    "dark brown": (0.25, 0.14, 0.08),
    "dark gray": (0.30, 0.31, 0.32),
}

COLOURS: dict[str, tuple[float, float, float]] = {**BASE_COLOURS, **SHADES}

COLOUR_SYNONYMS: dict[str, tuple[str, ...]] = {
    "red": ("crimson", "scarlet"),
    "orange": ("tangerine",),
    "yellow": ("lemon",),
    "green": ("emerald",),
    "cyan": ("turquoise", "aqua"),
    "blue": ("azure",),
    "purple": ("violet",),
    "pink": ("rose",),
    "brown": ("chocolate",),
    "beige": ("cream",),
    "black": ("ebony",),
    "gray": ("grey",),
    "white": ("ivory",),
    "light purple": ("lavender",),
    "light brown": ("tan",),
    "light gray": ("silver",),
    "dark red": ("maroon",),
    "dark blue": ("navy",),
    "dark cyan": ("teal",),
    "dark gray": ("charcoal",),
}

KIND_SYNONYMS: dict[str, tuple[str, ...]] = {
    "mug": ("cup",),
    "chair": ("seat",),
    "table": ("desk",),
    "car": ("automobile", "auto"),
    "house": ("home",),
    "mushroom": ("toadstool",),
    "rocket": ("spaceship", "spacecraft"),
    "snowman": ("snow man",),
    "bottle": ("flask",),
    "bird": ("birdie",),
    "robot": ("android", "droid"),
    "boat": ("sailboat", "ship"),
    "sword": ("blade",),
    "airplane": ("plane", "aeroplane", "aircraft"),
    "cat": ("kitty", "kitten"),
    "sofa": ("couch",),
    "teapot": ("kettle", "tea pot"),
    "bus": ("coach",),
    "cactus": ("succulent",),
}

# Names that a kind's builder gives only to draws they fit: a pine is a conifer, a jet has engines, a cottage one storey.
DRAWN_NOUNS: tuple[str, ...] = ("pine", "jet", "cottage")

PART_SYNONYMS: dict[str, tuple[str, ...]] = {
    "roof": ("top",),
    "wheels": ("tires", "tyres"),
    "legs": ("feet",),
    "handle": ("grip",),
    "cap": ("stopper",),
    "cushion": ("pillow",),
    "cushions": ("pillows",),
    "stem": ("stalk",),
    "spots": ("dots",),
    "nose": ("tip",),
    "icing": ("frosting",),
    "sail": ("sails",),
    "shade": ("lampshade",),
    "beak": ("bill",),
    "fins": ("fin",),
    "flowers": ("blossoms",),
    "hilt": ("handle",),
}

# "a red-roofed house": the participle that says an object has a coloured part.
PART_PARTICIPLES: dict[str, str] = {
    "handle": "handled",
    "rim": "rimmed",
    "legs": "legged",
    "cushion": "cushioned",
    "cushions": "cushioned",
    "wheels": "wheeled",
    "roof": "roofed",
    "stem": "stemmed",
    "spots": "spotted",
    "hat": "hatted",
    "shade": "shaded",
    "cap": "capped",
    "label": "labelled",
    "wings": "winged",
    "beak": "beaked",
    "head": "headed",
    "icing": "iced",
    "sail": "sailed",
    "hilt": "hilted",
    "tail": "tailed",
    "paws": "pawed",
    "fins": "finned",
    "stripes": "striped",
    "lid": "lidded",
    "spout": "spouted",
    "neck": "necked",
    "pot": "potted",
    "flowers": "flowered",
    "nose": "nosed",
    "door": "doored",
    "trunk": "trunked",
}

PARTS: tuple[str, ...] = (
    "beak",
    "candles",
    "cap",
    "cushion",
    "cushions",
    "door",
    "fins",
    "flag",
    "flowers",
    "handle",
    "hat",
    "head",
    "hilt",
    "icing",
    "label",
    "legs",
    "lid",
    "neck",
    "nose",
    "paws",
    "pommel",
    "pot",
    "rim",
    "roof",
    "sail",
    "scarf",
    "shade",
    "spots",
    "spout",
    "stem",
    "stripes",
    "tail",
    "trunk",
    "wheels",
    "wings",
)
PLURAL_PARTS: frozenset[str] = frozenset(
    (
        "blossoms",
        "candles",
        "cushions",
        "dots",
        "feet",
        "fins",
        "flowers",
        "legs",
        "paws",
        "pillows",
        "sails",
        "spots",
        "stripes",
        "tires",
        "tyres",
        "wheels",
        "wings",
    )
)
# Parts made of a substance take no article either: "with white icing".
MASS_PARTS: frozenset[str] = frozenset(("icing", "frosting"))

ADJECTIVES: tuple[str, ...] = ("chubby", "curved", "flat", "long", "low", "narrow", "round", "short", "slim", "tall", "wide")
ADJECTIVE_SYNONYMS: dict[str, tuple[str, ...]] = {
    "chubby": ("fat", "plump"),
    "slim": ("thin", "slender"),
    "wide": ("broad",),
    "tall": ("high",),
}
# Words that carry no meaning for the picture, so that the prior learns to read past them.
FILLERS: tuple[str, ...] = ("cute", "small", "big", "little", "large", "simple", "toy", "nice")
OPENINGS: tuple[str, ...] = ("a photo of", "a picture of", "an image of", "a 3d model of", "3d model of", "a rendering of")
GRAMMAR_WORDS: tuple[str, ...] = (
    "a",
    "an",
    "the",
    "with",
    "and",
    "has",
    "its",
    "that",
    "is",
    "of",
    "coloured",
    "colored",
    "in",
    "toy",
)


def draw_colour(word: str, rng: np.random.Generator) -> np.ndarray:
    """A display sRGB colour (3,) of the family `word`, jittered by far less than the distance to the next family."""
    brightness = rng.uniform(0.95, 1.05)
    return np.clip(np.asarray(COLOURS[word]) * brightness + rng.normal(0.0, 0.012, 3), 0.04, 0.97)


def nearest_colour_word(colour: np.ndarray) -> str:
    """The colour words whose family centre lies nearest to a display colour (3,)."""
    names = list(COLOURS)
    distance = ((np.asarray([COLOURS[name] for name in names]) - colour) ** 2).sum(1)
    return names[int(distance.argmin())]


def tokens(text: str) -> list[str]:
    """Lower-case runs of letters and digits, as the tokenizer splits them: "red-roofed" gives two."""
    return "".join(c if c.isascii() and c.isalnum() else " " for c in text.lower()).split()


def _vocabulary() -> tuple[str, ...]:
    """Every word that a caption may contain."""
    phrases = [
        *COLOURS,
        *KIND_SYNONYMS,
        "tree",
        "lamp",
        "cake",
        "fish",
        "guitar",
        *DRAWN_NOUNS,
        *model_nouns(),
        *PARTS,
        *PART_PARTICIPLES.values(),
        *ADJECTIVES,
        *FILLERS,
    ]
    phrases += [*OPENINGS, *GRAMMAR_WORDS]
    for table in (COLOUR_SYNONYMS, KIND_SYNONYMS, PART_SYNONYMS, ADJECTIVE_SYNONYMS):
        phrases += [word for group in table.values() for word in group]
    return tuple(sorted({token for phrase in phrases for token in tokens(phrase)}))


VOCABULARY: tuple[str, ...] = _vocabulary()
