"""The words the toybox knows: colours, synonyms of kinds, parts, proportions."""

from __future__ import annotations

import numpy as np

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

# Only shades that cannot be mistaken for another colour word: "light red" would read as pink, "dark orange"
# as brown.
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
    "car": ("automobile", "auto"),
    "house": ("home",),
    "mushroom": ("toadstool",),
    "rocket": ("missile",),
    "snowman": ("snow man",),
    "bottle": ("flask",),
    "bird": ("birdie",),
    "robot": ("android", "droid"),
    "boat": ("sailboat", "yacht"),
    "sword": ("blade",),
    "airplane": ("plane", "aeroplane", "aircraft"),
    "cat": ("kitty", "kitten"),
    "sofa": ("couch",),
    "teapot": ("kettle", "tea pot"),
    "bus": ("coach",),
    "cactus": ("succulent",),
    "dog": ("puppy", "doggy", "hound"),
    "horse": ("pony", "stallion"),
    "pig": ("piggy", "hog"),
    "sheep": ("lamb",),
    "bear": ("teddy bear", "teddy"),
    "rabbit": ("bunny", "hare"),
    "dinosaur": ("dino",),
    "turtle": ("tortoise",),
    "duck": ("duckling",),
    "snake": ("serpent",),
    "frog": ("toad",),
    "truck": ("lorry",),
    "train": ("locomotive",),
    "bicycle": ("bike",),
    "motorcycle": ("motorbike",),
    "helicopter": ("chopper",),
    "spaceship": ("ufo", "spacecraft", "flying saucer"),
    "balloon": ("hot air balloon",),
    "ship": ("steamer",),
    "castle": ("fortress",),
    "church": ("chapel",),
    "skyscraper": ("high rise",),
    "bookcase": ("bookshelf",),
    "cabinet": ("cupboard", "dresser"),
    "television": ("tv", "telly"),
    "clock": ("alarm clock",),
    "computer": ("laptop", "pc"),
    "fridge": ("refrigerator",),
    "box": ("gift", "present"),
    "chest": ("treasure chest",),
    "burger": ("hamburger", "cheeseburger"),
    "donut": ("doughnut",),
    "palm": ("palm tree",),
    "bread": ("loaf",),
    "corn": ("maize",),
    "shoe": ("sneaker",),
    "dice": ("die",),
    "gem": ("diamond", "jewel"),
    "phone": ("telephone", "smartphone"),
    "glasses": ("spectacles",),
    "backpack": ("rucksack",),
    "pan": ("frying pan", "skillet"),
    "goblet": ("wineglass", "chalice"),
    "oven": ("stove", "cooker"),
    "shirt": ("tshirt", "t shirt"),
    "trousers": ("pants", "jeans"),
    "sock": ("stocking",),
    "glove": ("mitten",),
    "tie": ("necktie",),
    "pillow": ("cushion",),
    "coin": ("penny",),
    "bathtub": ("bath tub", "bath", "tub"),
    "lightbulb": ("bulb",),
    "headphones": ("headset",),
    "microphone": ("mic",),
    "speaker": ("loudspeaker",),
    "watch": ("wristwatch",),
    "wrench": ("spanner",),
    "shovel": ("spade",),
    "wheel": ("tyre", "tire"),
    "gear": ("cog", "cogwheel"),
    "grapes": ("grape",),
    "hotdog": ("hot dog",),
    "cupcake": ("muffin",),
    "cookie": ("biscuit",),
    "mouse": ("rat",),
    "monkey": ("ape", "chimp"),
    "ladybug": ("ladybird", "beetle"),
    "moon": ("crescent",),
    "mailbox": ("letterbox", "letter box"),
    "hydrant": ("fire hydrant",),
}

# Read, but never said in captions: cream is a colour there.
READ_AS: dict[str, str] = {"ice cream": "icecream", "drawers": "cabinet", "light bulb": "lightbulb"}

# Names that a kind's builder gives only to draws they fit: a pine is a conifer, a jet has engines, a cottage
# one storey.
DRAWN_NOUNS: tuple[str, ...] = ("pine", "jet", "cottage")


ADJECTIVES: tuple[str, ...] = (
    "chubby", "curved", "deep", "flat", "long", "low", "narrow", "round", "short", "slim", "tall", "thick",
    "wide",
)  # fmt: skip
ADJECTIVE_SYNONYMS: dict[str, tuple[str, ...]] = {
    "chubby": ("fat", "plump"),
    "slim": ("thin", "slender"),
    "wide": ("broad",),
    "tall": ("high",),
}
# Words that carry no meaning for the picture, so that the prior learns to read past them.
FILLERS: tuple[str, ...] = ("cute", "small", "big", "little", "large", "simple", "toy", "nice")
OPENINGS: tuple[str, ...] = (
    "a photo of",
    "a picture of",
    "an image of",
    "a 3d model of",
    "3d model of",
    "a rendering of",
)
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
    """A display sRGB colour (3,) of the family `word`, jittered by far less than the distance to the next
    family.
    """
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
