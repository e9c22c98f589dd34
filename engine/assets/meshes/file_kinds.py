"""What a file's bytes are, by how they begin; the name only helps where that says nothing."""

from __future__ import annotations

from pathlib import Path

from engine.assets.export.splat_files import SUFFIXES as SPLAT_SUFFIXES
from engine.assets.meshes.archive import entry_names
from engine.assets.meshes.blocks import is_blocks
from engine.assets.meshes.mesh_stl import is_stl_text, stl_faces
from engine.errors import FileFormatError

SUFFIXES = (".glb", ".gltf", ".obj", ".ply", ".stl", ".off", ".dae", ".3mf", ".zip", *SPLAT_SUFFIXES)
"""Of the files that are read, beside blocks."""

BLOCKS_SUFFIX = ".json"

_OTHERS = {
    b"Kaydara FBX Binary": "an FBX file",
    b"; FBX": "an FBX file",
    b"BLENDER": "a Blender file",
    b"PXR-USDC": "a USD file",
    b"#usda": "a USD file",
    b"ISO-10303-21": "a STEP file",
    b"#VRML": "a VRML file",
    b"\xd0\xcf\x11\xe0": "a 3ds Max or Office file",
    b"\x1f\x8b": "a packed archive",
    b"Rar!": "a packed archive",
    b"7z\xbc\xaf": "a packed archive",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"DRACO": "a bare Draco file",
    b"%PDF": "a PDF file",
}


def kind_of(data: bytes, name: str) -> str:
    """One of gltf, ply, stl, obj, off, dae, 3mf, zip, blocks and splats. Raises `FileFormatError` for all
    else.
    """
    start, suffix = data[:512].lstrip(), Path(name).suffix.lower()
    if not data:
        raise FileFormatError("It is empty.", "Save or download it again.")
    if data[:4] == b"glTF":
        return "gltf"
    if start.startswith(b"ply"):
        return "ply"
    if suffix in SPLAT_SUFFIXES:
        return "splats"
    if start.startswith((b"{", b"\xef\xbb\xbf{")):
        return "blocks" if is_blocks(data) or suffix == BLOCKS_SUFFIX else "gltf"
    if data[:2] == b"PK":
        return _packed(data)
    other = next((words for sign, words in _OTHERS.items() if start.startswith(sign)), "")
    if other:
        raise FileFormatError(
            f"It is {other}, which is not read.", "Unpack it, or save it as GLB (Blender: Export, glTF 2.0)."
        )
    return _by_content(data, start, suffix)


def _packed(data: bytes) -> str:
    names = [name.lower() for name in entry_names(data)]
    if any(name.endswith(".model") and name.startswith("3d/") for name in names):
        return "3mf"
    if any(name.endswith((".usdc", ".usda")) for name in names):
        raise FileFormatError(
            "It is a USDZ file, which is not read.", "Save it as GLB (Blender: Import, then Export)."
        )
    return "zip"


def _by_content(data: bytes, start: bytes, suffix: str) -> str:
    if stl_faces(data) or is_stl_text(data):
        return "stl"
    if start[:4].rstrip().upper() in (b"OFF", b"COFF", b"NOFF", b"STOF") or (
        suffix == ".off" and start[:1].isalpha()
    ):
        return "off"
    if b"<COLLADA" in data[:2048]:
        return "dae"
    lines = data[:65536].replace(b"\r", b"\n").split(b"\n")
    if suffix == ".obj" or any(line.startswith((b"v ", b"f ", b"v\t", b"f\t")) for line in lines):
        return "obj"
    raise FileFormatError("It is no model that can be read.", f"Choose one of: {', '.join(SUFFIXES)}.")
