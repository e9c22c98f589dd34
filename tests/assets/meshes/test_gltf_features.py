"""What a glTF may say beside plain triangles: copies, hidden parts, morphs, sparse numbers, looks, points,
packed geometry.
"""

from __future__ import annotations

import importlib.util
import io
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from engine.assets.meshes.mesh_file import read_reference
from engine.assets.meshes.mesh_shape import ReferenceShape, triangle_areas
from engine.errors import FileFormatError
from tests.assets.meshes.models import WEDGE, WEDGE_FACES, document, write_glb

KINDS = {
    np.dtype("u1"): 5121,
    np.dtype("<i2"): 5122,
    np.dtype("<u2"): 5123,
    np.dtype("<u4"): 5125,
    np.dtype("<f4"): 5126,
}
SHAPES = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4"}


class Glb:
    """A document that grows: the wedge of `models`, and what a test adds."""

    def __init__(self, **more: Any) -> None:
        self.told, self.binary = document(**more)
        self.primitive = self.told["meshes"][0]["primitives"][0]

    def view(self, data: bytes, **more: Any) -> int:
        self.binary += b"\0" * (-len(self.binary) % 4)
        self.told["bufferViews"].append(
            {"buffer": 0, "byteOffset": len(self.binary), "byteLength": len(data), **more}
        )
        self.binary += data
        self.told["buffers"][0]["byteLength"] = len(self.binary)
        return len(self.told["bufferViews"]) - 1

    def array(self, values: np.ndarray, **more: Any) -> int:
        values = np.asarray(values).reshape(len(values), -1)
        self.told["accessors"].append(
            {
                "bufferView": self.view(values.tobytes()),
                "componentType": KINDS[values.dtype.newbyteorder("<")],
                "count": len(values),
                "type": SHAPES[values.shape[1]],
                **more,
            }
        )
        return len(self.told["accessors"]) - 1

    def picture(self, picture: Image.Image, kind: str = "PNG") -> int:
        stream = io.BytesIO()
        picture.save(stream, kind, **({"lossless": True} if kind == "WEBP" else {}))
        self.told.setdefault("images", []).append(
            {"bufferView": self.view(stream.getvalue()), "mimeType": f"image/{kind.lower()}"}
        )
        return len(self.told["images"]) - 1

    def textured(
        self, uv: np.ndarray, texture: dict[str, Any], look: dict[str, Any] | None = None, **material: Any
    ) -> None:
        self.primitive["attributes"]["TEXCOORD_0"] = self.array(
            np.asarray(uv, "<f4") if np.asarray(uv).dtype == float else uv
        )
        self.told["textures"] = [texture]
        self.paint({"pbrMetallicRoughness": {"baseColorTexture": {"index": 0, **(look or {})}}, **material})

    def paint(self, material: dict[str, Any]) -> None:
        self.told["materials"] = [material]
        self.primitive["material"] = 0

    def read(self, tmp_path: Path) -> ReferenceShape:
        return read_reference(write_glb(tmp_path / "a.glb", self.told, self.binary))


def halves() -> Image.Image:
    """Red on the left, blue on the right."""
    picture = Image.new("RGB", (32, 32), (220, 30, 30))
    picture.paste((30, 60, 220), (16, 0, 32, 32))
    return picture


RED, BLUE = np.array([220, 30, 30]) / 255, np.array([30, 60, 220]) / 255
AT_LEFT, BEYOND = np.tile([0.2, 0.5], (6, 1)), np.tile([1.2, 0.5], (6, 1))


def colour(shape: ReferenceShape) -> np.ndarray:
    """The mean colour of the surface."""
    areas = triangle_areas(shape.vertices, shape.faces)
    return (shape.face_colours * areas[:, None]).sum(0) / areas.sum()


@pytest.mark.parametrize(
    ("uv", "look", "sampler", "wanted"),
    [
        (AT_LEFT, {}, {}, RED),
        (BEYOND, {}, {}, RED),
        (BEYOND, {}, {"wrapS": 33071}, BLUE),
        (BEYOND, {}, {"wrapS": 33648}, BLUE),
        (AT_LEFT, {"offset": [0.5, 0]}, {}, BLUE),
        (AT_LEFT, {"scale": [4, 1]}, {}, BLUE),
        (
            AT_LEFT + [0, 0.2],
            {"rotation": np.pi / 2},
            {"wrapS": 33071},
            BLUE,
        ),  # counter-clockwise: (0.2, 0.7) comes to (0.7, -0.2)
        (
            AT_LEFT,
            {"rotation": -np.pi / 2, "offset": [0.6, 0]},
            {"wrapS": 33071},
            RED,
        ),  # to (-0.5, 0.2), and to 0.1
    ],
)
def test_textures_are_placed_as_the_file_says(
    uv: np.ndarray, look: dict, sampler: dict, wanted: np.ndarray, tmp_path: Path
) -> None:
    glb = Glb(samplers=[sampler])
    glb.textured(
        uv,
        {"source": glb.picture(halves()), "sampler": 0},
        {"extensions": {"KHR_texture_transform": look}} if look else {},
    )
    np.testing.assert_allclose(colour(glb.read(tmp_path)), wanted, atol=0.01)


def test_whole_numbers_as_places_in_a_texture_are_scaled_by_the_transform(tmp_path: Path) -> None:
    glb = Glb()
    look = {"extensions": {"KHR_texture_transform": {"scale": [1 / 4095, 1 / 4095]}}}
    glb.textured(np.tile(np.array([3000, 2000], "<u2"), (6, 1)), {"source": glb.picture(halves())}, look)
    np.testing.assert_allclose(colour(glb.read(tmp_path)), BLUE, atol=0.01)


def test_a_texture_of_another_kind_is_used_or_left_out_but_never_refuses(tmp_path: Path) -> None:
    glb = Glb()
    glb.textured(BEYOND, {"extensions": {"EXT_texture_webp": {"source": glb.picture(halves(), "WEBP")}}})
    np.testing.assert_allclose(colour(glb.read(tmp_path)), RED, atol=0.01)
    for texture in ({"extensions": {"KHR_texture_basisu": {"source": 0}}}, {}, {"source": 9}):
        glb = Glb(images=[{"mimeType": "image/ktx2"}], extensionsRequired=["KHR_texture_basisu"])
        glb.textured(AT_LEFT, texture)
        glb.told["materials"][0]["pbrMetallicRoughness"]["baseColorFactor"] = [0.1, 0.2, 0.9, 1]
        shape = glb.read(tmp_path)
        np.testing.assert_allclose(colour(shape), [0.349, 0.485, 0.955], atol=0.01)
        assert any("texture could not be used" in note for note in shape.notes)


def test_other_ways_to_give_a_colour(tmp_path: Path) -> None:
    glossy = {"extensions": {"KHR_materials_pbrSpecularGlossiness": {"diffuseFactor": [1, 0, 0, 1]}}}
    shining = {"pbrMetallicRoughness": {"baseColorFactor": [0, 0, 0, 1]}, "emissiveFactor": [0, 0.25, 0],
               "extensions": {"KHR_materials_emissive_strength": {"emissiveStrength": 4}}}  # fmt: skip
    for material, wanted in ((glossy, [1, 0, 0]), (shining, [0, 1, 0])):
        glb = Glb()
        glb.paint(material)
        np.testing.assert_allclose(colour(glb.read(tmp_path)), wanted, atol=0.01)


def test_a_large_face_with_a_picture_is_split(tmp_path: Path) -> None:
    square = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, -0.01]], np.float32)
    glb = Glb()
    glb.told, glb.binary = document(square, np.array([[0, 1, 2], [0, 2, 3], [0, 4, 1]], np.uint32))
    glb.primitive = glb.told["meshes"][0]["primitives"][0]
    shifted = {"extensions": {"KHR_texture_transform": {"offset": [0.3, 0]}}}
    uv = np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]], float)
    glb.textured(uv, {"source": glb.picture(halves())}, shifted)
    shape = glb.read(tmp_path)
    areas = triangle_areas(shape.vertices, shape.faces)
    red, blue = (
        areas[np.abs(shape.face_colours - wanted).max(1) < 0.02].sum() / areas.sum() for wanted in (RED, BLUE)
    )
    assert (
        len(shape.faces) > 100
        and red == pytest.approx(0.5, abs=0.04)
        and blue == pytest.approx(0.5, abs=0.04)
    )
    assert areas.sum() / np.ptp(shape.vertices, axis=0).max() ** 2 == pytest.approx(1.005, rel=1e-4), (
        "the pieces fill the faces"
    )


def test_copies_of_a_mesh_are_there(tmp_path: Path) -> None:
    glb = Glb()
    places = np.array([[0, 0, 0], [10, 0, 0], [20, 0, 0]], "<f4")
    scales = np.array([[1, 1, 1], [1, 1, 1], [2, 2, 2]], "<f4")
    glb.told["nodes"][0]["extensions"] = {
        "EXT_mesh_gpu_instancing": {
            "attributes": {"TRANSLATION": glb.array(places), "SCALE": glb.array(scales)}
        }
    }
    glb.told["extensionsRequired"] = ["EXT_mesh_gpu_instancing"]
    shape = glb.read(tmp_path)
    assert len(shape.faces) == 3 * len(WEDGE_FACES)
    extents = np.sort(np.ptp(shape.vertices, axis=0))
    np.testing.assert_allclose(extents / extents[-1], np.array([4, 6, 22]) / 22, atol=1e-5)


def test_what_is_hidden_or_invisible_does_not_count(tmp_path: Path) -> None:
    for node, material in (
        ({"extensions": {"KHR_node_visibility": {"visible": False}}}, {}),
        ({}, {"alphaMode": "BLEND", "pbrMetallicRoughness": {"baseColorFactor": [1, 1, 1, 0]}}),
        ({}, {"alphaMode": "MASK", "pbrMetallicRoughness": {"baseColorFactor": [1, 1, 1, 0.3]}}),
    ):
        glb = Glb()
        glb.told["nodes"] = [{"mesh": 0, "children": [1]}, {"mesh": 1, "scale": [9, 9, 9], **node}]
        glb.told["meshes"].append({"primitives": [{**glb.primitive, "material": 0}]})
        glb.told["materials"] = [material]
        assert len(glb.read(tmp_path).faces) == len(WEDGE_FACES)


def test_a_mask_cuts_a_leaf_out_of_its_square(tmp_path: Path) -> None:
    leaf = np.zeros((64, 64, 4), np.uint8)
    leaf[:, 32:] = (20, 160, 40, 255)
    glb = Glb()
    uv = np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0], [1, 0]], float)
    glb.textured(uv, {"source": glb.picture(Image.fromarray(leaf))}, alphaMode="MASK")
    shape = glb.read(tmp_path)
    np.testing.assert_allclose(colour(shape), np.array([20, 160, 40]) / 255, atol=0.03)


def test_morph_targets_rest_at_their_weights(tmp_path: Path) -> None:
    for where in ("node", "mesh"):
        glb = Glb()
        glb.primitive["targets"] = [{"POSITION": glb.array((WEDGE * [2, 0, 0]).astype("<f4"))}, {}]
        glb.told["meshes"][0]["weights"] = [0.5, 0]
        if where == "node":
            glb.told["nodes"][0]["weights"] = [1.0, 0]
        extents = np.sort(np.ptp(glb.read(tmp_path).vertices, axis=0))
        wide = 3 if where == "node" else 2
        np.testing.assert_allclose(extents / extents[-1], np.sort([wide, 2, 3]) / 3, atol=1e-5)


def test_more_than_four_joints_pull(tmp_path: Path) -> None:
    glb, count = Glb(), len(WEDGE)
    for k, joint in ((0, 0), (1, 1)):
        weights = np.tile(np.array([0.5, 0, 0, 0], "<f4"), (count, 1))
        glb.primitive["attributes"] |= {
            f"JOINTS_{k}": glb.array(np.full((count, 4), joint, "u1")),
            f"WEIGHTS_{k}": glb.array(weights),
        }
    glb.told["nodes"] = [{"mesh": 0, "skin": 0}, {}, {"scale": [5, 1, 1]}]
    glb.told |= {"skins": [{"joints": [1, 2]}], "scenes": [{"nodes": [0, 1, 2]}]}
    extents = np.sort(np.ptp(glb.read(tmp_path).vertices, axis=0))
    np.testing.assert_allclose(extents / extents[-1], np.array([2, 3, 3]) / 3, atol=1e-5)


def sparse(glb: Glb, accessor: int, numbers: np.ndarray, values: np.ndarray) -> None:
    glb.told["accessors"][accessor]["sparse"] = {
        "count": len(numbers),
        "indices": {"bufferView": glb.view(numbers.astype("<u2").tobytes()), "componentType": 5123},
        "values": {"bufferView": glb.view(values.astype("<f4").tobytes())},
    }


def test_sparse_numbers_replace_others(tmp_path: Path) -> None:
    glb = Glb()
    sparse(glb, 0, np.array([2, 3]), WEDGE[[2, 3]] * [1, 2, 1])
    extents = np.sort(np.ptp(glb.read(tmp_path).vertices, axis=0))
    np.testing.assert_allclose(extents / extents[-1], np.array([1, 3, 4]) / 4, atol=1e-5)
    nothing = Glb()
    del nothing.told["accessors"][0]["bufferView"]
    sparse(nothing, 0, np.arange(6), WEDGE)
    assert len(nothing.read(tmp_path).faces) == len(WEDGE_FACES), "of zeros, all replaced"
    wrong = Glb()
    sparse(wrong, 0, np.array([600]), WEDGE[:1])
    with pytest.raises(FileFormatError, match="element 600 of 6"):
        wrong.read(tmp_path)


def test_points_alone_become_a_shape(tmp_path: Path) -> None:
    glb, rng = Glb(), np.random.default_rng(0)
    colours = np.tile(np.array([255, 0, 0, 255], "u1"), (500, 1))
    glb.told["meshes"][0]["primitives"] = [{
        "mode": 0,
        "attributes": {"POSITION": glb.array(rng.uniform(0, 1, (500, 3)).astype("<f4") * np.array([1, 2, 3],
        "<f4")),
                       "COLOR_0": glb.array(colours, normalized=True)},
    }]  # fmt: skip
    shape = glb.read(tmp_path)
    assert shape.splats and shape.up == "y" and any("cloud of points" in note for note in shape.notes)
    np.testing.assert_allclose(colour(shape), [1, 0, 0], atol=0.01)


def test_unknown_extensions_are_named(tmp_path: Path) -> None:
    glb = Glb(extensionsRequired=["ACME_hair", "KHR_materials_sheen"])
    notes = glb.read(tmp_path).notes
    assert any("ACME_hair" in note for note in notes) and not any("sheen" in note for note in notes)
    glb.told["meshes"][0]["primitives"] = [{"attributes": {}, "extensions": {"ACME_hair": {}}}]
    with pytest.raises(FileFormatError, match="ACME_hair"):
        glb.read(tmp_path)


def draco(glb: Glb) -> None:
    glb.primitive["extensions"] = {
        "KHR_draco_mesh_compression": {"bufferView": glb.view(b"DRACO"), "attributes": {"POSITION": 0}}
    }


@pytest.mark.skipif(
    importlib.util.find_spec("DracoPy") is not None, reason="asks what happens without the package"
)
def test_draco_without_its_package_reads_the_plain_form_or_says_what_to_install(tmp_path: Path) -> None:
    glb = Glb()
    draco(glb)
    assert len(glb.read(tmp_path).faces) == len(WEDGE_FACES)
    del glb.told["accessors"][0]["bufferView"]
    with pytest.raises(FileFormatError, match="compressed with Draco") as told:
        glb.read(tmp_path)
    assert "maquette[models]" in told.value.remedy


def test_draco_is_unpacked_where_its_package_is(tmp_path: Path) -> None:
    draco_py = pytest.importorskip("DracoPy")
    glb = Glb()
    data = draco_py.encode(WEDGE, WEDGE_FACES, quantization_bits=14)
    glb.primitive["extensions"] = {
        "KHR_draco_mesh_compression": {"bufferView": glb.view(data), "attributes": {"POSITION": 0}}
    }
    for accessor in glb.told["accessors"]:
        accessor.pop("bufferView")
    extents = np.sort(np.ptp(glb.read(tmp_path).vertices, axis=0))
    np.testing.assert_allclose(extents / extents[-1], np.array([1, 2, 3]) / 3, atol=1e-3)
    glb.told["bufferViews"][-1]["byteLength"] = 20
    with pytest.raises(FileFormatError, match="damaged"):
        glb.read(tmp_path)


def meshopt_view(glb: Glb, data: bytes, count: int, stride: int, fallback: int) -> None:
    packed = glb.view(data)
    told = glb.told["bufferViews"][packed]
    glb.told["bufferViews"][0] = {
        "buffer": fallback,
        "byteLength": count * stride,
        "extensions": {
            "EXT_meshopt_compression": {**told, "byteStride": stride, "count": count, "mode": "ATTRIBUTES"}
        },
    }


def test_meshopt_is_unpacked_or_named(tmp_path: Path) -> None:
    here = importlib.util.find_spec("meshopt") is not None
    glb = Glb()
    glb.told["buffers"].append({"byteLength": WEDGE.nbytes})
    data = b"nothing"
    if here:
        import meshopt

        data = meshopt.encode_gltf_buffer(np.ascontiguousarray(WEDGE, "<f4"), "ATTRIBUTES")
    meshopt_view(glb, bytes(data), len(WEDGE), 12, 1)
    if not here:
        with pytest.raises(FileFormatError, match="compressed with meshopt"):
            glb.read(tmp_path)
        return
    assert len(glb.read(tmp_path).faces) == len(WEDGE_FACES)
    meshopt_view(glb, b"\xa0" + struct.pack("<f", 1), len(WEDGE), 12, 1)
    with pytest.raises(FileFormatError, match="damaged"):
        glb.read(tmp_path)
