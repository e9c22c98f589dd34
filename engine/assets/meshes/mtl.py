"""MTL (Wavefront): colours, opacities and textures of an OBJ, with the options before a texture's name."""

from __future__ import annotations

from dataclasses import dataclass

from engine.assets.meshes.face_colours import CLAMP, REPEAT

_OPTIONS = {"-blendu": 1, "-blendv": 1, "-boost": 1, "-bm": 1, "-cc": 1, "-clamp": 1, "-colorspace": 1,
    "-imfchan": 1,
            "-mm": 2, "-o": 3, "-s": 3, "-t": 3, "-texres": 1, "-type": 1}  # fmt: skip


@dataclass(frozen=True)
class Map:
    """A texture's file ``name``, and how places in it are ``scale``d and ``offset``; ``beyond`` says what is
    past its edges.
    """

    name: str
    scale: tuple[float, float] = (1.0, 1.0)
    offset: tuple[float, float] = (0.0, 0.0)
    beyond: str = REPEAT


@dataclass(frozen=True)
class Material:
    """What an MTL says of one surface: display ``colour``, if any, ``alpha``, and a texture."""

    colour: tuple[float, float, float] | None = None
    alpha: float = 1.0
    texture: Map | None = None


def read_mtl(text: str) -> dict[str, Material]:
    """Every material by name; lines that are not understood are passed over."""
    materials: dict[str, Material] = {}
    name = ""
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        word, _, rest = line.strip().replace("\t", " ").partition(" ")
        rest = rest.strip()
        if word.lower() == "newmtl":
            name = rest
            materials[name] = Material()
        elif name and rest:
            materials[name] = _with(materials[name], word.lower(), rest)
    return materials


def _with(known: Material, word: str, rest: str) -> Material:
    if word == "map_kd" or (word == "map_ka" and known.texture is None):
        return Material(known.colour, known.alpha, read_map(rest))
    numbers = _numbers(rest)
    if word == "kd" and numbers:
        red, green, blue = (numbers * 3)[:3] if len(numbers) < 3 else numbers[:3]
        return Material((red, green, blue), known.alpha, known.texture)
    if word in ("d", "tr") and numbers:
        return Material(known.colour, numbers[-1] if word == "d" else 1 - numbers[-1], known.texture)
    return known


def _numbers(text: str) -> list[float]:
    numbers = []
    for word in text.split():
        try:
            numbers.append(float(word))
        except ValueError:
            continue
    return numbers


def read_map(text: str) -> Map:
    """A texture statement: options with their numbers, then the name, which may hold spaces."""
    words, options = text.split(), {}
    while words and words[0].lower() in _OPTIONS:
        option = words.pop(0).lower()
        values: list[str] = []
        while words and len(values) < _OPTIONS[option] and (_OPTIONS[option] < 3 or _numbers(words[0])):
            values.append(words.pop(0))
        options[option] = values
    scale, offset = (
        _pair(options.get(option, []), default) for option, default in (("-s", 1.0), ("-o", 0.0))
    )
    beyond = CLAMP if options.get("-clamp", ["off"])[0].lower() == "on" else REPEAT
    return Map(" ".join(words).strip('"'), scale, offset, beyond)


def _pair(values: list[str], default: float) -> tuple[float, float]:
    numbers = [*_numbers(" ".join(values)), default, default][:2] if values else [default, default]
    return (numbers[0], numbers[1])
