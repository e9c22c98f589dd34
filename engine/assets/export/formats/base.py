"""What an export format is: what it is made from, how it is written, what it needs, how large it gets."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from engine.assets.export.placement import BASE, CENTRE, Placement
from engine.errors import InputError, MissingError

if TYPE_CHECKING:  # those who only choose options do without numba
    from engine.assets.export.bake import Baked
    from engine.assets.export.splat_cloud import SplatCloud

PRINT_SIZE_M = 0.1
"""Longest side of what is printed, where no size is given: these formats are read in millimetres."""

MOST_FRAMES = 2_000
COLOUR_PATTERN = re.compile(r"#[0-9a-fA-F]{6}")


@dataclass(frozen=True)
class Trim:
    """What is left away: outside of ``box`` (low x y z, high x y z, in world units; () for none), splats that
    cover less than ``least_opacity``, that are larger than ``most_size`` (standard deviation in world units),
    or drawn out along one axis more than ``most_stretch`` times (0: no bound).
    """

    box: tuple[float, ...] = ()
    least_opacity: float = 0.0
    most_size: float = 0.0
    most_stretch: float = 0.0

    def __post_init__(self) -> None:
        sides = len(self.box) in (0, 6) and all(
            math.isfinite(value) and abs(value) <= 100 for value in self.box
        )
        if not sides or any(low >= high for low, high in zip(self.box[:3], self.box[3:], strict=True)):
            raise InputError(
                f"The box is {self.box}.", "Give low x y z and high x y z, each low one below its high one."
            )
        for name, high in {"least_opacity": 1, "most_size": 100, "most_stretch": 10_000}.items():
            if not 0 <= getattr(self, name) <= high:
                raise InputError(
                    f"{name} is {getattr(self, name)}; 0 to {high} are allowed.",
                    "Choose a number between them.",
                )


@dataclass(frozen=True)
class Lamp:
    """Light from a direction in the world, degrees; ``strength`` 0 shows the colours as they are, 1 only what
    is lit.
    """

    strength: float = 0.0
    azimuth_deg: float = 45.0
    elevation_deg: float = 50.0

    def __post_init__(self) -> None:
        for name, (low, high) in {
            "strength": (0, 1),
            "azimuth_deg": (-360, 360),
            "elevation_deg": (-90, 90),
        }.items():
            if not low <= getattr(self, name) <= high:
                raise InputError(
                    f"The lamp's {name} is {getattr(self, name)}; {low} to {high} are allowed.", "Change it."
                )


@dataclass(frozen=True)
class ExportOptions:
    """``size_m``: longest side in metres, 0 as it is; ``up``: "" for the format's own, "y" or "z"; ``origin``
    as in `Placement`.

    ``faces`` and ``texture_size`` (texels a side) of meshes; ``frames``, ``fps`` and ``frame_size`` (pixels a
    side) of films and sheets, ``layer`` what they show (colour, depth, normal, alpha), and ``path`` a camera
    path as JSON, "" for one turn (`engine.assets.export.camera_path`). Films are lit by ``lamp`` and stand
    before ``background``, a colour such as "#f4f4f2" ("" for the format's own). ``name`` is what the object
    is called; ``recipe`` is kept where there is a place for it. Of every kind ``trim`` says what is left
    away.
    """

    size_m: float = 0.0
    up: str = ""
    origin: str = BASE
    faces: int = 20_000
    texture_size: int = 1024
    frames: int = 72
    fps: int = 24
    frame_size: int = 320
    path: str = ""
    layer: str = "colour"
    background: str = ""
    lamp: Lamp = Lamp()
    trim: Trim = Trim()
    name: str = "maquette"
    recipe: str = ""

    def __post_init__(self) -> None:
        bounds = {
            "size_m": (0, 1000),
            "faces": (100, 500_000),
            "texture_size": (64, 8192),
            "frames": (1, MOST_FRAMES),
        }
        for name, (low, high) in {**bounds, "fps": (1, 120), "frame_size": (16, 2048)}.items():
            value = getattr(self, name)
            if not low <= value <= high:  # also false for what is no number
                raise InputError(
                    f"{name} is {value}; {low} to {high} are allowed.", "Choose a number between them."
                )
        if self.origin not in (BASE, CENTRE):
            raise InputError(
                f"origin is {self.origin!r}; {BASE} and {CENTRE} are allowed.", "Choose one of them."
            )
        if self.background and not COLOUR_PATTERN.fullmatch(self.background):
            raise InputError(
                f"The background is {self.background!r:.40}.", 'Give a colour such as "#ffffff".'
            )
        if self.up not in ("", "y", "z"):
            raise InputError(
                f"up is {self.up!r}; y and z are allowed.", "Leave it away for the format's usual axis."
            )

    @property
    def ground(self) -> str:
        """The colour that films stand before, "" for the format's own: a matte, which is white, stands before
        black.
        """
        return self.background or ("#000000" if self.layer == "alpha" else "")

    @property
    def placement(self) -> Placement:
        """Where the object stands, and how large it is."""
        return Placement(self.origin, self.size_m)


@dataclass(frozen=True, eq=False)
class MeshContent:
    """``vertices`` (N,3), +z up, in metres, ``faces`` (F,3), display ``colours`` (N,3) in 0..1."""

    vertices: np.ndarray
    faces: np.ndarray
    colours: np.ndarray


@dataclass(frozen=True, eq=False)
class FilmContent:
    """Premultiplied RGBA frames (H,W,4) uint8 as they come."""

    frames: Iterator[np.ndarray]


Content: TypeAlias = "MeshContent | Baked | SplatCloud | FilmContent"
"""What a format is made from, by its ``content``; a cloud lies in the world, +z up."""


@dataclass(frozen=True)
class ExportFormat:
    """A format.

    ``count(path)`` says how many faces, splats or pictures are found in a file again; None where it holds one
    picture. ``content`` says which kind of content ``write(path, content, options)`` takes. ``options`` are
    names of `ExportOptions` that matter, and ``up`` the axis that it has where none is chosen ("" where it is
    fixed). ``package`` must be importable, which the extra ``extra`` installs. ``bytes_each`` is the usual
    size of a face, splat or pixel of a film, ``bytes_texel`` of a texel.
    """

    title: str
    suffix: str
    content: Literal["mesh", "texture", "splats", "film"]
    write: Callable[[Path, Any, ExportOptions], None]  # of the one kind of `Content` that ``content`` names
    bytes_each: float
    help: str
    count: Callable[[Path], int] | None = None
    options: tuple[str, ...] = ()
    up: str = ""
    package: str = ""
    extra: str = ""
    bytes_texel: float = 0.0
    print_size: bool = False

    @property
    def available(self) -> bool:
        """Whether the package that it needs is here."""
        return not self.package or find_spec(self.package) is not None

    @property
    def remedy(self) -> str:
        """The one command that adds what is missing."""
        return f"pip install 'maquette[{self.extra}]'" if self.package else ""

    def check(self) -> None:
        """Raises `MissingError` where its package is not here."""
        if not self.available:
            raise MissingError(
                f"{self.title} needs the package {self.package}, which is not installed.", self.remedy
            )


def turned_up(vertices: np.ndarray, up: str) -> np.ndarray:
    """Points or directions (N,3) of the world, +z up and front +x, in a file's axes: "z" as they are, "y" as
    glTF has them.
    """
    return vertices[:, [1, 2, 0]] if up == "y" else vertices


FILM_OPTIONS = ("frames", "fps", "frame_size", "path", "layer", "background", "lamp")
MESH_OPTIONS = ("size_m", "up", "origin", "faces")
