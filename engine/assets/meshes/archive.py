"""A model in a ZIP, with its materials and textures beside it, read without unpacking anything onto the
disk.
"""

from __future__ import annotations

import posixpath
import zipfile
import zlib
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path, PurePosixPath

from engine.assets.meshes.untrusted_files import MAX_BYTES, Folder, plain_name, too_large
from engine.errors import FileFormatError

MOST_ENTRIES = 5000


@dataclass(frozen=True)
class Archive(Folder):
    """The folder of a model within a ZIP; ``inside`` is its path there."""

    inside: str = ""
    data: bytes = b""

    def read(self, name: str) -> bytes:
        """The bytes of an entry beside or below the model. Raises `FileFormatError` where there is none, or
        it is too large.
        """
        with _opened(self.data) as packed:
            return self._bytes(packed, self._entry(packed, name))

    def holds(self, name: str) -> bool:
        """Whether there is an entry of that name."""
        with _opened(self.data) as packed:
            try:
                return bool(self._entry(packed, name))
            except FileFormatError:
                return False

    def _entry(self, packed: zipfile.ZipFile, name: str) -> zipfile.ZipInfo:
        wanted = posixpath.normpath(posixpath.join(self.inside, plain_name(name))).lower()
        for entry in packed.infolist():
            if entry.filename.replace("\\", "/").lower() == wanted:
                return entry
        raise FileFormatError(
            f"It needs the file {name[:80]!r}, which is not in the archive.", "Pack it too."
        )

    def _bytes(self, packed: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
        room = MAX_BYTES - sum(self.used)
        try:
            with packed.open(entry) as stream:
                data = stream.read(room + 1)
        except (
            zipfile.BadZipFile,
            RuntimeError,
            NotImplementedError,
            EOFError,
            zlib.error,
            OSError,
        ) as error:
            raise FileFormatError(
                f"It is an archive whose file {entry.filename[:80]!r} is damaged.", "Pack it again."
            ) from error
        if len(data) > room:
            raise too_large(entry.filename, sum(self.used) + len(data))
        self.used.append(len(data))
        return data


def model_in(data: bytes, path: Path, suffixes: tuple[str, ...]) -> tuple[str, bytes, Archive]:
    """The name and the bytes of the largest model in a ZIP, and what lies beside it. Raises `FileFormatError`
    for no such ZIP.
    """
    with _opened(data) as packed:
        entries = packed.infolist()
        models = [
            entry
            for entry in entries
            if PurePosixPath(entry.filename).suffix.lower() in suffixes and entry.file_size
        ]
        if len(entries) > MOST_ENTRIES or not models:
            what = f"It is a packed archive of {len(entries):,} files without a model."
            raise FileFormatError(what, "Unpack it yourself, and choose the model inside.")
        chosen = max(models, key=lambda entry: entry.file_size)
        name = chosen.filename.replace("\\", "/")
        beside = Archive(path.parent, inside=posixpath.dirname(name), data=data)
        return posixpath.basename(name), beside._bytes(packed, chosen), beside


def entry_names(data: bytes) -> list[str]:
    """The names in a ZIP. Errors as `model_in`'s."""
    with _opened(data) as packed:
        return packed.namelist()


def _opened(data: bytes) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(BytesIO(data))
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise FileFormatError(
            f"It is a packed archive that cannot be opened ({error}).", "Unpack it yourself."
        ) from error
