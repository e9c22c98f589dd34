"""The pictures of a run on disk: found again by name and digest, and copied into the run's folder."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path

from engine.assets.images.decoding import check_bytes
from engine.assets.images.image_arguments import DIGEST_CHARACTERS, Listed, listing, pictures_in
from engine.core.paths import given_path
from engine.errors import InputError, storage_errors

COPIES = Path("given") / "images"
"""Where they lie in a run's folder."""


def kept_with(images: str, folder: Path | None) -> str:
    """The setting ``images`` with the digests of its pictures, which are copied into the run's ``folder``
    where there is one.

    Raises InputError for a picture that is missing or is not the one it was, StorageError if it cannot be
    copied.
    """
    return listing([named(picture, folder) for picture in pictures_in(images)])


def within(images: str, folder: Path) -> str:
    """The setting ``images`` of a recipe that lies in ``folder``: the pictures that are there, by their full
    paths.
    """
    return listing([_within(picture, folder) for picture in pictures_in(images)])


def _within(listed: Listed, folder: Path) -> Listed:
    path = folder / listed.path
    return replace(listed, path=str(path.absolute())) if path.is_file() else listed


def existing_file(listed: Listed, folder: Path | None) -> Path:
    """The file: a relative name is looked for in ``folder`` first. Raises InputError if it is missing or has
    changed.
    """
    wanted = given_path(listed.path)
    inside = None if folder is None else folder / wanted
    path = inside if inside is not None and inside.is_file() else wanted
    if not path.is_file():
        raise InputError(
            f"The picture {listed.path} is not there.",
            "Check the path, or choose the picture again and start a new run.",
        )
    if listed.digest and digest(path) != listed.digest:
        raise InputError(
            f"The picture {path} is not the one that this run was made from: its contents have changed.",
            f"Bring the old picture back, or leave #{listed.digest} away to use the new one.",
        )
    return path


def digest(path: Path) -> str:
    """The beginning of the SHA-256 of a file's contents. Raises InputError for one too large to be a
    picture.
    """
    check_bytes(path)
    return hashlib.sha256(path.read_bytes()).hexdigest()[:DIGEST_CHARACTERS]


def named(listed: Listed, folder: Path | None) -> Listed:
    """With its digest, and, where there is a ``folder``, copied into it and named as seen from there. Errors
    as `existing_file`'s.
    """
    path = existing_file(listed, folder)
    known = digest(path)
    if folder is None:
        return replace(listed, digest=known)
    kept = _kept(path, known, folder)
    return replace(listed, path=kept.relative_to(folder).as_posix(), digest=known)


def _kept(path: Path, known: str, folder: Path) -> Path:
    """A copy in the folder, unless it lies there already; other pictures of the same name stay."""
    if path.resolve().is_relative_to((folder / COPIES).resolve()):
        return folder / COPIES / path.name
    copy = folder / COPIES / _plain(path.name)
    if copy.is_file() and digest(copy) != known:
        copy = copy.with_stem(f"{copy.stem}-{known}")
    with storage_errors(copy):
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    return copy


def _plain(name: str) -> str:
    """Without the characters that mean something where pictures are listed."""
    return "".join("_" if character in ";@*#" else character for character in name)
