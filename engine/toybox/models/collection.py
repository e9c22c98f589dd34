"""Open a folder of named models: packed collections (``NAME.json`` beside ``NAME.npz``), and GLB, glTF, OBJ,
PLY or STL files.

A packed collection is a list of rows (name, kind, licence, by, source) and arrays ``v`` int16 vertices (/
32767, inside the unit sphere), ``f`` faces, ``c`` uint8 a face, with offsets ``vo`` and ``fo`` of each row;
+z up, front +x.

What the models of known collections are: one pass by hand over their names and pictures, kept as a small
table.

A row is *source, name, kind, noun*; the n-th model of a name in a collection is called ``name#n`` from the
second on. Models of these sources that are not in the table are left out: torn, several objects at once,
invisible, or nothing that has a name.
"""

from __future__ import annotations

import csv
import json
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path

import numpy as np

from engine.errors import FileFormatError, InputError, StudioError
from engine.toybox.objects import KINDS
from engine.toybox.objects.assembly import canonical
from engine.toybox.objects.mesh import ToyMesh
from engine.toybox.words import tokens

TABLE = Path(__file__).with_name("labels.tsv")

MODEL_FILES = (".glb", ".gltf", ".obj", ".ply", ".stl")
LARGEST_FILE_BYTES = 64 << 20
HELD_OUT_SHARE = 0.1
_INT16 = 32767.0


@dataclass(frozen=True)
class Label:
    """A model's ``kind``, and a narrower ``noun`` where there is one (a taxi is a car)."""

    kind: str
    noun: str = ""


@cache
def labels() -> Mapping[tuple[str, str], Label]:
    """Every label by (source, name)."""
    with open(TABLE, encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t")
        return {(row["source"], row["name"]): Label(row["kind"], row["noun"]) for row in rows}


@cache
def model_kinds() -> tuple[str, ...]:
    """The kinds of all labels, sorted."""
    return tuple(sorted({label.kind for label in labels().values()}))


def model_nouns() -> tuple[str, ...]:
    """Every noun of the labels, kinds and narrower ones."""
    return tuple(sorted({word for label in labels().values() for word in (label.kind, label.noun) if word}))


@dataclass(frozen=True)
class Model:
    """One named model: where it comes from, what it is, and how to read its mesh."""

    source: str
    name: str
    label: Label
    licence: str
    by: str
    read: Callable[[], ToyMesh] = field(compare=False)

    @property
    def held_out(self) -> bool:
        """Whether it is never trained on: a tenth of all models, by a hash of source and name."""
        return zlib.crc32(f"{self.source}/{self.name}".encode()) % 1000 < 1000 * HELD_OUT_SHARE


@dataclass(frozen=True)
class Collection:
    """The models of a folder, and why others were left out: a reason for each name."""

    models: tuple[Model, ...]
    skipped: Mapping[str, str]

    def of_kind(self, kind: str, held_out: bool = False) -> tuple[Model, ...]:
        """The models of a kind that may be trained on, or those that are held out."""
        return tuple(
            model for model in self.models if model.label.kind == kind and model.held_out == held_out
        )

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds with at least one model that may be trained on, sorted."""
        return tuple(sorted({model.label.kind for model in self.models if not model.held_out}))


def open_collection(folder: Path) -> Collection:
    """Every model of a folder that has a name to learn.

    Raises `InputError` if nothing in it can be used; files that cannot are named in ``skipped``.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(
            f"--models: {folder} is not a folder.", "Give a folder of named models (GLB, OBJ, or packed)."
        )
    models, skipped = [], {}
    for model in (*_packed_models(folder, skipped), *_file_models(folder, skipped)):
        models.append(model)
    if not models:
        raise InputError(
            f"--models: {folder} holds no model that can be used ({_counted(skipped)}).",
            f"Name files after what they show, for instance chair_01.glb; read are {', '.join(MODEL_FILES)}.",
        )
    return Collection(tuple(models), skipped)


def _counted(skipped: Mapping[str, str]) -> str:
    counts = Counter(skipped.values())
    return ", ".join(f"{number} {reason}" for reason, number in counts.most_common()) or "it is empty"


def _packed_models(folder: Path, skipped: dict[str, str]) -> Iterator[Model]:
    for path in sorted(folder.glob("*.json")):
        arrays = path.with_suffix(".npz")
        if not arrays.is_file():
            continue
        rows, packed = _open_packed(path, arrays)
        for i, (name, row) in enumerate(zip(_unique([str(row.get("name", "")) for row in rows]), rows)):
            label = labels().get((str(row.get("source", "")), name))
            if label is None:
                skipped[f"{path.name}: {name}"] = "without a label"
                continue
            read = partial(_unpacked, packed, i)
            yield Model(
                str(row["source"]), name, label, str(row.get("licence", "")), str(row.get("by", "")), read
            )


def _open_packed(rows_path: Path, arrays_path: Path) -> tuple[list[dict], Mapping[str, np.ndarray]]:
    try:
        rows = json.loads(rows_path.read_text(encoding="utf-8"))
        with np.load(arrays_path, allow_pickle=False) as file:
            packed = {name: file[name] for name in ("v", "f", "c", "vo", "fo")}
        if not len(rows) + 1 == len(packed["vo"]) == len(packed["fo"]):
            raise ValueError(f"{len(rows)} rows, {len(packed['vo']) - 1} meshes")
    except (OSError, ValueError, KeyError) as error:
        raise FileFormatError(
            f"{rows_path} and {arrays_path.name} are not a packed collection ({error}).",
            "Leave them out, or pack them again.",
        ) from error
    return rows, packed


def _unique(names: list[str]) -> list[str]:
    """The n-th of equal names gets ``#n``."""
    counts: Counter[str] = Counter()
    return [
        name if not counts.update([name]) and counts[name] == 1 else f"{name}#{counts[name]}"
        for name in names
    ]


def _unpacked(packed: Mapping[str, np.ndarray], i: int) -> ToyMesh:
    vertices = slice(*packed["vo"][i : i + 2])
    faces = slice(*packed["fo"][i : i + 2])
    return _toy_mesh(packed["v"][vertices] / _INT16, packed["f"][faces], packed["c"][faces] / 255.0)


def _file_models(folder: Path, skipped: dict[str, str]) -> Iterator[Model]:
    nouns = sorted({*KINDS, *model_nouns()}, key=len, reverse=True)
    for path in sorted(path for path in folder.rglob("*") if path.suffix.lower() in MODEL_FILES):
        kind = _noun_of(path.stem, nouns)
        if not kind:
            skipped[path.name] = "without a noun that is known"
        elif path.stat().st_size > LARGEST_FILE_BYTES:
            skipped[path.name] = f"larger than {LARGEST_FILE_BYTES >> 20} MiB"
        elif (error := _unreadable(path)) is not None:
            skipped[path.name] = f"unreadable: {error}"
        else:
            yield Model(folder.name, path.stem, Label(kind), "", "", partial(_read_file, path))


def _noun_of(stem: str, nouns: list[str]) -> str:
    """The longest known noun among the words of a file name, digits aside."""
    words = [word.strip("0123456789") for word in tokens(stem.replace("_", " "))]
    text = f" {' '.join(filter(None, words))} "
    return next((noun for noun in nouns if f" {noun} " in text), "")


def _unreadable(path: Path) -> str | None:
    try:
        _read_file(path)
    except StudioError as error:
        return error.what
    return None


def _read_file(path: Path) -> ToyMesh:
    from engine.assets.meshes.mesh_file import read_reference  # readers are not needed for packed collections

    mesh = read_reference(path)
    return _toy_mesh(mesh.vertices, mesh.faces, mesh.face_colours)


def _toy_mesh(vertices: np.ndarray, faces: np.ndarray, colours: np.ndarray) -> ToyMesh:
    return ToyMesh(canonical(vertices).astype(np.float32), faces.astype(np.int32), colours.astype(np.float32))
