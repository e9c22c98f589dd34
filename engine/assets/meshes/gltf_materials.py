"""What a glTF's surfaces look like: factors, vertex colours and textures multiplied in linear light, with
what shines added.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.assets.export.glb import linear_from_srgb
from engine.assets.meshes.face_colours import CLAMP, MIRROR, REPEAT, Paint, Texture, of_corners, plain
from engine.assets.meshes.gltf_buffers import Buffers
from engine.assets.meshes.gltf_document import (
    EMISSIVE_STRENGTH,
    SPECULAR,
    TEXTURE_SOURCES,
    TRANSFORM,
    UNLIT,
    extension,
)
from engine.assets.meshes.mesh_shape import GRAY
from engine.assets.meshes.untrusted_files import bytes_of_uri, picture
from engine.errors import InputError

_WRAPS = {33071: CLAMP, 33648: MIRROR, 10497: REPEAT}
BLEND_HIDDEN = 0.05
"""Alpha under which a see-through surface is not there."""


@dataclass(eq=False)
class Materials:
    """The looks of one document; a texture is decoded when it is first needed."""

    buffers: Buffers
    notes: dict[str, None] = field(default_factory=dict)  # in order, each once
    textures: dict[int, np.ndarray | None] = field(default_factory=dict)  # by image
    pixels: list[int] = field(default_factory=list)  # of the textures decoded so far

    def look(
        self, primitive: Mapping[str, Any], faces: np.ndarray, packed: Mapping[str, np.ndarray]
    ) -> tuple[Paint, float]:
        """How triangles (F,3) look, and the alpha under which they are hidden."""
        document = self.buffers.document
        material = document["materials"][primitive["material"]] if "material" in primitive else {}
        colours = self._attribute("COLOR_0", primitive, packed)
        glossy = extension(material, SPECULAR)
        surface = material.get("pbrMetallicRoughness", {}) if glossy is None else glossy
        names = (
            ("diffuseFactor", "diffuseTexture")
            if glossy is not None
            else ("baseColorFactor", "baseColorTexture")
        )
        shining = self._shining(material, primitive, faces, packed)
        if not surface and colours is None and shining is None:
            return plain(GRAY), 0.0
        factor = np.array([*surface.get(names[0], (1, 1, 1, 1)), 1][:4], np.float64)
        layer = self._layer(surface.get(names[1], {}), primitive, faces, packed)

        def paint(rows: np.ndarray, shares: np.ndarray) -> np.ndarray:
            linear = np.tile(factor, (len(rows), 1))
            if colours is not None:
                linear *= of_corners(colours, faces, rows, shares)
            if layer is not None:
                linear *= layer(rows, shares)
            if shining is not None:
                linear[:, :3] += shining(rows, shares)
            return np.concatenate([_display(linear[:, :3]), np.clip(np.nan_to_num(linear[:, 3:]), 0, 1)], 1)

        return paint, self._hidden(material)

    def _hidden(self, material: Mapping[str, Any]) -> float:
        mode = material.get("alphaMode", "OPAQUE")
        if mode == "MASK":
            return float(material.get("alphaCutoff", 0.5))
        if mode == "BLEND":
            self.notes["Its transparent surfaces count as solid."] = None
            return BLEND_HIDDEN
        return 0.0

    def _shining(
        self,
        material: Mapping[str, Any],
        primitive: Mapping[str, Any],
        faces: np.ndarray,
        packed: Mapping[str, np.ndarray],
    ) -> Paint | None:
        """Linear light (K,3) that a surface sends out itself; None where it sends none."""
        strength = (extension(material, EMISSIVE_STRENGTH) or {}).get("emissiveStrength", 1.0)
        factor = float(strength) * np.array(material.get("emissiveFactor", (0, 0, 0)), np.float64)
        if not factor.any() or extension(material, UNLIT) is not None:
            return None
        layer = self._layer(material.get("emissiveTexture", {}), primitive, faces, packed)
        if layer is None:
            return (
                None
                if "emissiveTexture" in material
                else lambda rows, shares: np.tile(factor, (len(rows), 1))
            )
        return lambda rows, shares: factor * layer(rows, shares)[:, :3]

    def _layer(
        self,
        slot: Mapping[str, Any],
        primitive: Mapping[str, Any],
        faces: np.ndarray,
        packed: Mapping[str, np.ndarray],
    ) -> Paint | None:
        """Linear colour and alpha (K,4) of a texture on triangles; None where there is none, or it cannot be
        used.
        """
        if "index" not in slot:
            return None
        turned = extension(slot, TRANSFORM) or {}
        uv = self._attribute(f"TEXCOORD_{turned.get('texCoord', slot.get('texCoord', 0))}", primitive, packed)
        texture = self.texture(slot["index"])
        if texture is None or uv is None:
            return None
        places = _transformed(uv[:, :2].astype(np.float64), turned)

        def layer(rows: np.ndarray, shares: np.ndarray) -> np.ndarray:
            texels = texture.at(of_corners(places, faces, rows, shares)).astype(np.float64)
            return np.concatenate([linear_from_srgb(texels[:, :3]), texels[:, 3:]], 1)

        return layer

    def _attribute(
        self, name: str, primitive: Mapping[str, Any], packed: Mapping[str, np.ndarray]
    ) -> np.ndarray | None:
        """An attribute (N,D) in fractions; vertex colours with alpha."""
        if name not in primitive["attributes"]:
            return None
        index = primitive["attributes"][name]
        accessor = self.buffers.document["accessors"][index]
        values = np.asarray(packed[name] if name in packed else self.buffers.array(index))
        if name in packed and accessor.get("normalized") and values.dtype.kind in "iu":
            values = values / np.iinfo(values.dtype.type).max
        if not name.startswith("COLOR"):
            return values
        if values.dtype.kind in "iu":  # not marked as fractions, as they must be
            values = values / np.iinfo(values.dtype.type).max
        return values if values.shape[1] == 4 else np.concatenate([values, np.ones((len(values), 1))], 1)

    def texture(self, index: int) -> Texture | None:
        """A texture, its picture decoded once; without it the surface keeps its plain colour."""
        document = self.buffers.document
        entry = document["textures"][index]
        sources = [
            entry.get("source"),
            *((extension(entry, name) or {}).get("source") for name in TEXTURE_SOURCES),
        ]
        image = next(
            (
                decoded
                for source in sources
                if source is not None and (decoded := self._image(source)) is not None
            ),
            None,
        )
        if image is None:
            self.notes["A texture could not be used; its surface has a plain colour."] = None
            return None
        sampler = document["samplers"][entry["sampler"]] if "sampler" in entry else {}
        u, v = (_WRAPS.get(sampler.get(name, 10497), REPEAT) for name in ("wrapS", "wrapT"))
        return Texture(image, u, v)

    def _image(self, index: int) -> np.ndarray | None:
        if index not in self.textures:
            try:
                image = self.buffers.document["images"][index]
                inside = "bufferView" in image
                data = (
                    self.buffers.view(image["bufferView"])
                    if inside
                    else bytes_of_uri(image["uri"], self.buffers.beside)
                )
                self.textures[index] = picture(data, self.pixels)
            except (InputError, KeyError, IndexError, TypeError, ValueError, AttributeError, OSError):
                self.textures[index] = None  # whatever is wrong with it, the model can be read
        return self.textures[index]


def _transformed(uv: np.ndarray, slot: Mapping[str, Any]) -> np.ndarray:
    """Places (N,2) scaled, turned and moved as KHR_texture_transform says."""
    scale, offset = (
        np.array(slot.get("scale", (1, 1)), np.float64),
        np.array(slot.get("offset", (0, 0)), np.float64),
    )
    c, s = np.cos(slot.get("rotation", 0.0)), np.sin(slot.get("rotation", 0.0))
    return (uv * scale) @ np.array([[c, -s], [s, c]]) + offset


def _display(linear: np.ndarray) -> np.ndarray:
    linear = np.clip(np.nan_to_num(linear), 0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
