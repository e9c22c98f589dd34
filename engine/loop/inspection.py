"""What is understood of a file before anything is made of it: a picture, a model, splats, or an earlier
result.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from engine.assets.export import read_recipe
from engine.assets.images.decoding import FORMATS, read_photo
from engine.assets.images.preprocessing import cut_photo, square_of
from engine.assets.meshes.file_kinds import BLOCKS_SUFFIX, SUFFIXES
from engine.assets.meshes.mesh_file import read_reference
from engine.assets.meshes.mesh_shape import triangle_areas
from engine.errors import InputError, MissingError
from engine.loop.recipe import Recipe

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif", ".heic", ".heif")
RECIPE = "recipe.toml"
FILL = 0.8
SEEN = 0.5  # alpha from which a pixel counts for an object's size


@dataclass(frozen=True)
class Understood:
    """A file's ``kind`` ("picture", "model", "splats" or "result"), what is known of it by name, and
    ``notes`` in words.
    """

    file: str
    kind: str
    facts: dict[str, object] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, object]:
        """For ``--json``."""
        return {**asdict(self), "notes": list(self.notes)}


def understood(path: Path) -> Understood:
    """What is understood of a file, or of the folder of a result. Raises StudioError where that is
    nothing.
    """
    if not path.exists():
        raise MissingError(f"{path} is not there.", "Check the path.")
    if path.is_dir() or path.suffix.lower() in (".toml", ".mp4"):
        return of_result(path)
    if path.suffix.lower() in (*SUFFIXES, BLOCKS_SUFFIX):
        return of_model(path)
    if path.suffix.lower() in PICTURES:
        return of_picture(path)
    return _by_content(path)


def of_picture(path: Path) -> Understood:
    """The object that would be cut out of a picture. Raises as `cut_photo`."""
    height, width = read_photo(path).rgba.shape[:2]
    cut = cut_photo(path)
    alpha = cut.rgba[..., 3]
    square = square_of(cut.rgba, "auto", FILL)
    colour = cut.rgba[..., :3].sum((0, 1)) / max(float(alpha.sum()), 1e-9)
    facts = {
        "width": width,
        "height": height,
        "object_share": round(float((alpha > SEEN).mean()), 4),
        "object_side": round(square.side * FILL),
        "colour": _hex(colour),
    }
    return Understood(str(path), "picture", {**facts, **_made_here(path)}, cut.notes)


def of_model(path: Path) -> Understood:
    """A model, or splats, in the pose that a run would use. Raises as `read_reference`."""
    shape = read_reference(path)
    areas = triangle_areas(shape.vertices, shape.faces)
    facts: dict[str, object] = {
        "faces": len(shape.faces),
        "size": [round(float(extent), 3) for extent in np.ptp(shape.vertices, axis=0)],
        "colour": _hex((shape.face_colours * areas[:, None]).sum(0) / areas.sum()),
        "up": shape.up,
        "confidence": round(shape.confidence, 2),
    }
    known = {name: value for name, value in asdict(shape.facts).items() if value}
    return Understood(
        str(path), "splats" if shape.splats else "model", {**facts, **known, **_made_here(path)}, shape.notes
    )


def of_result(path: Path) -> Understood:
    """An earlier result: its folder, its recipe, or a file that holds it. Raises InputError where there is no
    recipe.
    """
    file = path / RECIPE if path.is_dir() else path
    if not file.is_file():
        raise InputError(f"{path} holds no {RECIPE}.", "Give the folder of a result, or one of its files.")
    return Understood(str(path), "result", _of_recipe(recipe_text(file)))


def recipe_text(path: Path) -> str:
    """The recipe in a TOML file or in a file that Maquette exported. Raises InputError where it is none."""
    if path.suffix.lower() != ".toml":
        return read_recipe(path)
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path} is not text in UTF-8 ({error.reason}).", "Save it as UTF-8, or use the original file."
        ) from error
    except OSError as error:
        raise InputError(
            f"{path} could not be read ({error.strerror or error}).", "Check the path."
        ) from error


def _of_recipe(text: str) -> dict[str, object]:
    spec = Recipe.from_toml(text).settings.spec
    return {"prompt": spec.prompt, "prior": spec.prior, "scene": spec.scene, "seed": spec.seed}


def _made_here(path: Path) -> dict[str, object]:
    """The prompt of a file that Maquette exported."""
    try:
        return {"made with": "Maquette", "prompt": _of_recipe(read_recipe(path))["prompt"]}
    except InputError:
        return {}


def _by_content(path: Path) -> Understood:
    """A file whose name says nothing."""
    try:
        return of_model(path)
    except InputError as error:
        model = error
    try:
        return of_picture(path)
    except InputError:
        raise InputError(
            f"{model.what} It is no picture either ({', '.join(FORMATS)}).", model.remedy
        ) from model


def _hex(colour: np.ndarray) -> str:
    return "#" + "".join(f"{round(255 * float(np.clip(part, 0, 1))):02x}" for part in colour)
