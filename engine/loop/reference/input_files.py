"""The reference's file: found again by name and digest, and copied into the run's folder with what it needs
beside it.

As a setting it is ``PATH[#DIGEST]``; the digest is written by a run, so that a recipe notices when the file
has changed.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from pathlib import Path

import numpy as np

from engine.assets.export.glb import write_glb
from engine.assets.meshes.gltf_document import check_parts
from engine.assets.meshes.mesh_obj import libraries_of, library_names
from engine.assets.meshes.mesh_shape import RawMesh
from engine.assets.meshes.untrusted_files import (
    MAX_BYTES,
    Folder,
    check_bytes,
    plain_name,
    read_bounded,
    too_large,
)
from engine.core.paths import given_path
from engine.errors import InputError, storage_errors
from engine.loop.reference.reference_source import parsed_reference
from engine.retrieval.items import Item

COPIES = Path("given") / "reference"
"""Where it lies in a run's folder."""

ORIGIN = "origin.json"
"""The file beside a copy that says where it comes from, and which file it is about."""

DIGEST_CHARACTERS = 16
_FORM = re.compile(r"(?P<path>.+?)(?:#(?P<digest>[0-9a-f]{16}))?")


def existing_file(reference: str, folder: Path | None) -> Path:
    """The file: a relative name is looked for in ``folder`` first. Raises InputError if it is missing or has
    changed.
    """
    if parsed_reference(reference) is not None:
        raise InputError(
            f"The reference {reference!r} was not looked up before the run.",
            "Give the path of a model, or look it up first (engine.session.reference_lookup).",
        )
    name, known = _parts(reference)
    wanted = given_path(name)
    path = folder / wanted if folder is not None and (folder / wanted).is_file() else wanted
    if not path.is_file():
        raise InputError(
            f"The reference {name} is not there.", "Check the path, or choose the reference again."
        )
    check_bytes(path)  # before anything is read or copied
    if known and digest(path) != known:
        raise InputError(
            f"The reference {path} is not the one that this run was made from: its contents have changed.",
            f"Bring the old file back, or leave #{known} away to use the new one.",
        )
    return path


def kept_with(reference: str, folder: Path | None) -> str:
    """The setting with its digest, and its file copied into ``folder`` where there is one. Raises InputError
    or StorageError.
    """
    if not reference.strip():
        return ""
    path = existing_file(reference, folder)
    kept = path if folder is None else _kept(path, folder).relative_to(folder)
    return f"{kept.as_posix()}#{digest(path)}"


def within(reference: str, folder: Path) -> str:
    """The setting of a recipe that lies in ``folder``: by its full path, where the file is there."""
    if not reference.strip():
        return ""
    name, known = _parts(reference)
    path = folder / name
    return f"{path.absolute()}{'#' * bool(known)}{known}" if path.is_file() else reference


def path_in(reference: str) -> str:
    """The path that the setting names."""
    return _parts(reference)[0]


def digest(path: Path) -> str:
    """The beginning of the SHA-256 of a file's contents. Raises InputError for one that is too large to be
    read.
    """
    check_bytes(path)
    return hashlib.sha256(path.read_bytes()).hexdigest()[:DIGEST_CHARACTERS]


def _parts(reference: str) -> tuple[str, str]:
    match = _FORM.fullmatch(reference.strip())
    assert match is not None, "an empty reference is none"
    return match["path"], match["digest"] or ""


def _kept(path: Path, folder: Path) -> Path:
    """A copy in the folder, unless it lies there already."""
    copies = folder / COPIES
    if path.resolve().is_relative_to(copies.resolve()):
        return copies / path.name
    with storage_errors(copies):
        copies.mkdir(parents=True, exist_ok=True)
        for name in (*companions(path), *_origin_beside(path)):
            target = copies / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path.parent / name, target)
        return Path(shutil.copyfile(path, copies / path.name))


def _origin_beside(path: Path) -> tuple[str, ...]:
    return (ORIGIN,) if (path.parent / ORIGIN).is_file() else ()


def companions(path: Path) -> tuple[str, ...]:
    """The files in or below its folder that a glTF or OBJ names and that are there, each once. Raises
    InputError for too much.
    """
    names = {".gltf": _gltf_names, ".obj": _obj_names}.get(path.suffix.lower())
    named = dict.fromkeys(names(path)) if names else ()
    beside = tuple(name for name in named if _is_beside(path.parent, name))
    total = sum((path.parent / name).stat().st_size for name in beside)
    if total > MAX_BYTES:
        raise too_large(f"What {path.name} needs beside it", total)
    return beside


def _gltf_names(path: Path) -> tuple[str, ...]:
    text = read_bounded(path)
    check_parts(text)
    try:
        document = json.loads(text)
        uris = [part.get("uri") for part in (*document.get("buffers", []), *document.get("images", []))]
    except (
        ValueError,
        AttributeError,
        TypeError,
        RecursionError,
    ):  # reading it has said, or will say, what is wrong
        return ()
    return tuple(plain_name(uri) for uri in uris if isinstance(uri, str) and not uri.startswith("data:"))


def _obj_names(path: Path) -> tuple[str, ...]:
    """Its libraries of materials, and their textures."""
    libraries = library_names(read_bounded(path), Folder(path.parent))
    materials, _ = libraries_of(list(libraries), Folder(path.parent))
    textures = [material.texture.name for material in materials.values() if material.texture]
    return tuple(plain_name(name) for name in (*libraries, *textures))


def _is_beside(folder: Path, name: str) -> bool:
    """Whether a name leads to a file in or below ``folder``, and nowhere else."""
    plain = Path(name)
    if ":" in name or "\0" in name or plain.is_absolute() or ".." in plain.parts:
        return False
    return (folder / plain).is_file() and (folder / plain).resolve().is_relative_to(folder.resolve())


def kept_item(item: Item, folder: Path) -> Path:
    """The thing's file, or what it builds as GLB, in the run's ``folder``. Raises InputError or
    StorageError.
    """
    if item.path is not None:
        return folder / path_in(kept_with(str(item.path), folder))
    path = folder / COPIES / f"{re.sub(r'[^A-Za-z0-9]+', '-', item.id)}.glb"
    facts = {"title": item.caption, "license": item.licence, "source": f"{item.source}, {item.id}"}
    assert item.build is not None, "what has no file is built"
    vertices, faces, colours = split_by_colour(item.build())
    write_glb(path, vertices, faces, colours, facts=facts, exact=True)
    return path


def split_by_colour(mesh: RawMesh) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vertices (N,3), faces (F,3) and vertex colours (N,3) of a mesh with one colour a face.

    A vertex is doubled where colours meet, and nowhere else, so that closed parts stay closed.
    """
    colours, of_face = np.unique(mesh.face_colours, axis=0, return_inverse=True)
    corners = mesh.faces.reshape(-1).astype(np.int64) * len(colours) + np.repeat(of_face.reshape(-1), 3)
    pairs, numbers = np.unique(corners, return_inverse=True)
    return mesh.vertices[pairs // len(colours)], numbers.reshape(-1, 3), colours[pairs % len(colours)]
