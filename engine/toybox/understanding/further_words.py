"""Words that stand beside what a prompt names: further colours, sizes, numbers, negations, places."""

from __future__ import annotations

COLOURS: dict[str, str] = {
    **dict.fromkeys(("ruby", "vermilion", "carmine"), "red"),
    **dict.fromkeys(("amber", "apricot", "copper", "ginger", "rust", "terracotta"), "orange"),
    **dict.fromkeys(("gold", "golden", "mustard", "blond", "blonde", "canary"), "yellow"),
    **dict.fromkeys(("jade",), "green"),
    **dict.fromkeys(("sapphire", "cobalt", "ultramarine", "cerulean"), "blue"),
    **dict.fromkeys(("magenta", "orchid", "amethyst"), "purple"),
    **dict.fromkeys(("fuchsia", "coral", "salmon", "peach"), "pink"),
    **dict.fromkeys(("bronze", "sienna", "umber", "chestnut", "mahogany"), "brown"),
    **dict.fromkeys(("khaki", "sand", "ecru", "wheat"), "beige"),
    **dict.fromkeys(("onyx", "obsidian", "jet"), "black"),
    **dict.fromkeys(("slate", "ash"), "gray"),
    **dict.fromkeys(("snowy", "alabaster"), "white"),
    **dict.fromkeys(("burgundy", "wine", "oxblood"), "dark red"),
    **dict.fromkeys(("olive", "moss"), "dark green"),
    **dict.fromkeys(("indigo",), "dark blue"),
    **dict.fromkeys(("plum", "aubergine"), "dark purple"),
    **dict.fromkeys(("mint", "pistachio"), "light green"),
    **dict.fromkeys(("lilac", "mauve"), "light purple"),
    **dict.fromkeys(("sky blue", "baby blue", "powder blue"), "light blue"),
    **dict.fromkeys(("royal blue", "electric blue"), "blue"),
    **dict.fromkeys(("navy blue", "midnight blue"), "dark blue"),
    **dict.fromkeys(("lime green", "neon green"), "lime"),
    **dict.fromkeys(("forest green", "olive green"), "dark green"),
    **dict.fromkeys(("hot pink", "light red"), "pink"),
}
"""Names of colours that the captions do not have, each as the family it lies in."""

SHADES: dict[str, str] = {
    "pale": "light",
    "pastel": "light",
    "deep": "dark",
    "bright": "",
    "vivid": "",
    "neon": "",
}
"""Words before a colour: as a shade of it, where there is one, or as the colour itself."""

LOOKS: dict[str, str] = {"wooden": "brown", "metal": "gray", "metallic": "gray", "steel": "gray",
    "iron": "dark gray",
                         "stone": "gray", "marble": "white"}  # fmt: skip
"""What is made of something looks like this, unless it is given a colour, too."""

SIZES: dict[str, str] = {
    **dict.fromkeys(("huge", "giant", "gigantic", "massive", "enormous"), "big"),
    **dict.fromkeys(("tiny", "mini", "miniature", "wee"), "small"),
    **dict.fromkeys(("adorable", "sweet", "lovely", "pretty"), "cute"),
    **dict.fromkeys(("beautiful", "good", "great"), "nice"),
}

NUMBERS = frozenset(
    ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "dozen",
    "dozens", "hundred",
     "several", "many", "some", "few", "couple", "pair", "pairs", "both", "multiple", "various", "group",
     "bunch", "lots")
)  # fmt: skip
NEGATIONS = frozenset(("without", "no", "not", "never", "lacking", "minus", "except", "nor"))
PLACES = frozenset(
    ("on", "at", "under", "over", "near", "beside", "besides", "behind", "next", "from", "into", "onto",
    "inside", "outside",
     "above", "below", "between", "among", "around", "against", "across", "through", "before", "after", "by",
     "for", "beneath",
     "underneath", "atop", "along", "in", "to")
)  # fmt: skip
"""Prepositions after which a place or a companion is told, not the object."""

ACTIONS = frozenset(
    ("riding", "eating", "chasing", "sitting", "standing", "lying", "flying", "playing",
     "running", "jumping", "sleeping", "who", "which", "while", "when", "where")
)  # fmt: skip
"""What an object does, and with what."""

JOINING: dict[str, str] = dict.fromkeys(("wearing", "holding", "carrying", "having"), "with")
"""Words that give an object something, which the captions say with another word."""

BETWEEN = frozenset(("with", "and", "has", "have", "that", "its", "of", "or", "but", "plus"))
"""Words that part one phrase from the next and begin a new one."""

COURTESIES = frozenset(
    ("please", "make", "me", "i", "we", "want", "would", "like", "create", "generate", "draw", "build",
    "give", "show", "need",
     "some", "one", "single", "very", "really", "quite", "my", "your", "his", "her", "our", "this", "it",
     "just", "so", "also",
     "s", "can", "you", "could", "let", "us", "do", "does", "are", "be", "there", "kind", "sort")
)  # fmt: skip
"""Words that say nothing of an object and are passed over in silence."""

HOLDERS = frozenset(
    ("statue", "figurine", "figure", "sculpture", "model", "piece", "slice", "set", "bust", "miniature",
    "version", "style",
     "thing", "object", "design", "print", "render", "sketch", "drawing", "painting", "photo", "picture",
     "image", "icon",
     "shape", "asset", "mesh", "scene", "cartoon", "character")
)  # fmt: skip
"""Nouns that tell in what form the object that is named comes."""

LANGUAGES: dict[str, frozenset[str]] = {
    "German": frozenset(
        ("ein", "eine", "einen", "der", "das", "mit", "und", "ohne", "auf", "roter", "rote", "rotes", "blaue")
    ),
    "French": frozenset(
        ("un", "une", "le", "les", "avec", "et", "sur", "rouge", "bleu", "bleue", "vert", "petit", "petite")
    ),
    "Spanish": frozenset(
        ("un", "una", "el", "los", "las", "con", "y", "sobre", "rojo", "roja", "azul", "verde", "pequeño")
    ),
    "Italian": frozenset(
        ("un", "uno", "una", "il", "lo", "gli", "con", "e", "di", "rosso", "rossa", "blu", "piccolo")
    ),
    "Portuguese": frozenset(
        ("um", "uma", "o", "os", "com", "e", "em", "vermelho", "vermelha", "azul", "verde", "pequeno")
    ),
    "Dutch": frozenset(("een", "het", "met", "en", "zonder", "op", "rode", "blauwe", "groene")),
}
"""Words that give a language away, as far as they are none in English."""
