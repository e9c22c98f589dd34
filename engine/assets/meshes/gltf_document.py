"""glTF 2.0's description: checked before it is believed, and the extensions that it asks for."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any

from engine.assets.meshes.mesh_shape import Facts
from engine.assets.meshes.untrusted_files import MAX_JSON_PARTS
from engine.errors import FileFormatError, InputError

_JSON, _BIN = 0x4E4F534A, 0x004E4942

DRACO = "KHR_draco_mesh_compression"
MESHOPT = ("EXT_meshopt_compression", "KHR_meshopt_compression")
INSTANCING, VISIBILITY, TRANSFORM = "EXT_mesh_gpu_instancing", "KHR_node_visibility", "KHR_texture_transform"
TEXTURE_SOURCES = ("EXT_texture_webp", "EXT_texture_avif", "MSFT_texture_dds", "KHR_texture_basisu")
SPECULAR, EMISSIVE_STRENGTH, UNLIT = (
    "KHR_materials_pbrSpecularGlossiness",
    "KHR_materials_emissive_strength",
    "KHR_materials_unlit",
)
_UNDERSTOOD = {DRACO, *MESHOPT, INSTANCING, VISIBILITY, TRANSFORM, *TEXTURE_SOURCES, "KHR_mesh_quantization"}
_HARMLESS = (
    "KHR_materials_",
    "KHR_lights_",
    "KHR_xmp",
    "KHR_animation_",
    "EXT_lights_",
    "KHR_audio",
    "KHR_physics",
    "VRM",
)
"""Of extensions that do not change where a surface is, nor, much, its colour."""


def parsed(data: bytes) -> tuple[dict[str, Any], bytes]:
    """The JSON and the binary chunk of a GLB or glTF. Raises `FileFormatError`, or InputError for one too
    large in memory.
    """
    text, binary = data, b""
    try:
        if data[:4] == b"glTF":
            text, binary = _chunks(data)
        check_parts(text)
        document = json.loads(text.decode("utf-8-sig"))
        if not isinstance(document, dict) or str(document["asset"]["version"]).split(".")[0] != "2":
            raise ValueError("not version 2")
    except InputError:
        raise
    except (ValueError, KeyError, TypeError, struct.error, RecursionError) as error:
        raise FileFormatError(
            f"It is not a whole glTF 2.0 file ({error}).", "Save or download it again."
        ) from error
    return document, binary


def _chunks(data: bytes) -> tuple[bytes, bytes]:
    version, length = struct.unpack_from("<II", data, 4)
    size, kind = struct.unpack_from("<II", data, 12)
    if version != 2 or kind != _JSON or length > len(data) or 20 + size > len(data):
        raise ValueError(f"version {version}, {len(data):,} of {length:,} bytes")
    binary = b""
    if len(data) >= 28 + size and struct.unpack_from("<I", data, 24 + size)[0] == _BIN:
        binary = data[28 + size : 28 + size + struct.unpack_from("<I", data, 20 + size)[0]]
    return data[20 : 20 + size], binary


def check_parts(text: bytes) -> None:
    """Refuse JSON that would be far larger in memory than on disk. Raises InputError."""
    parts = sum(text.count(sign) for sign in (b",", b"[", b"{"))
    if parts > MAX_JSON_PARTS:
        raise InputError(
            f"Its description has {parts:,} parts; at most {MAX_JSON_PARTS:,} are allowed.",
            "Save it as GLB, or reduce it.",
        )


def unknown_extensions(document: Mapping[str, Any]) -> tuple[str, ...]:
    """The extensions without which, as the file says, it cannot be read, and that are not known here."""
    required = document.get("extensionsRequired", [])
    names = [name for name in required if isinstance(name, str)] if isinstance(required, list) else []
    return tuple(name for name in names if name not in _UNDERSTOOD and not name.startswith(_HARMLESS))


def extension(part: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    """What an extension says of a part of the document; None where it says nothing."""
    value = part.get("extensions", {}).get(name)
    return value if isinstance(value, dict) else None


def facts_of(asset: Mapping[str, Any]) -> Facts:
    """Title, author, licence and source, as shops write them into a file's ``asset``."""
    extras = asset.get("extras")
    facts = extras if isinstance(extras, dict) else {}

    def line(value: object) -> str:
        return " ".join(str(value or "").split())[:200]

    title, author, licence, source = (
        line(facts.get(name)) for name in ("title", "author", "license", "source")
    )
    return Facts(title, author, licence or line(asset.get("copyright")), source)
