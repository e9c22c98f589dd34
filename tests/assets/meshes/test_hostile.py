"""Files that are made to hurt: what they cost is bounded, what they name is never opened, and each is told
why.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.assets.meshes import (
    gltf_buffers,
    gltf_document,
    gltf_materials,
    gltf_nodes,
    mesh_ply,
    untrusted_files,
)
from engine.assets.meshes.canonical_pose import Orientation
from engine.assets.meshes.mesh_file import read_reference
from engine.errors import FileFormatError, InputError, MissingError
from engine.loop.reference.input_files import companions, kept_with
from tests.assets.meshes.models import WEDGE, WEDGE_FACES, document, write_glb, write_obj, write_stl


def sparse(path: Path, size: int) -> Path:
    """A file that announces ``size`` bytes and holds none."""
    with path.open("wb") as stream:
        stream.truncate(size)
    return path


def forbid(monkeypatch: pytest.MonkeyPatch, owner: object, name: str) -> None:
    monkeypatch.setattr(owner, name, lambda *_, **__: pytest.fail(f"{name} was called"))


@pytest.mark.parametrize("kind", ["glb", "gltf", "obj", "ply", "stl", "json"])
def test_two_gigabytes_are_refused_by_their_size_alone(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, run = sparse(tmp_path / f"a.{kind}", 2_000_000_000), tmp_path / "run"
    forbid(monkeypatch, Path, "read_bytes")
    for use in (lambda: read_reference(path), lambda: kept_with(str(path), run)):
        with pytest.raises(InputError, match="2,000 MB"):
            use()
    assert not run.exists(), "nothing of it was copied"


def test_pipes_devices_and_folders_are_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.glb")
    for path in (tmp_path / "pipe.glb", Path("/dev/zero"), tmp_path, tmp_path / "a\0.glb"):
        with pytest.raises(MissingError, match="cannot be read"):
            read_reference(path)


def test_text_that_would_fill_the_memory_is_not_parsed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bomb = b'{"asset": {"version": "2.0"}, "extras": [' + b"[]," * 1_600_000 + b"[]]}"
    (tmp_path / "a.gltf").write_bytes(bomb)
    forbid(monkeypatch, gltf_document.json, "loads")
    with pytest.raises(InputError, match="3,200,005 parts"):
        read_reference(tmp_path / "a.gltf")
    with pytest.raises(InputError, match="parts"):
        kept_with(str(tmp_path / "a.gltf"), tmp_path / "run")


def strip_of(corners: int) -> bytes:
    """A PLY of one strip of triangles over three vertices."""
    told = (
        "ply\nformat binary_little_endian 1.0\nelement vertex 3\nproperty float x\nproperty float "
        "y\nproperty float z\n"
    )
    told += "element tristrips 1\nproperty list int int vertex_indices\nend_header\n"
    places = np.arange(9, dtype="<f4").tobytes()
    return told.encode() + places + np.array([corners, *(np.arange(corners) % 3)], "<i4").tobytes()


REFUSED = {
    "a.gltf": (
        b'{"asset": {"version": "2.0"}, "extras": [' + b"[]," * 1_600_000 + b"[]]}",
        "3,200,005 parts",
    ),
    "a.obj": (b"v 0 0 0\nv 1 0 0\nv 0 1 0\n", "too few points"),
    "a.ply": (strip_of(3000), "2,998 faces"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_damage_is_not_called_damage(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, what = REFUSED[name]
    monkeypatch.setattr(mesh_ply, "MAX_FACES", 2000)
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError, match=what) as caught:
        read_reference(tmp_path / name)
    assert (
        "damaged" not in caught.value.what
        and "Error" not in caught.value.what
        and "whole" not in caught.value.what
    )


def test_what_a_gltf_brings_is_counted_once_and_bounded(tmp_path: Path) -> None:
    told, binary = document()
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.bin").write_bytes(binary)
    buffers = [
        {"uri": uri, "byteLength": len(binary)} for uri in ["sub\\a.bin", "sub/a.bin", "sub%2Fa.bin"] * 1000
    ]
    (tmp_path / "a.gltf").write_text(json.dumps({**told, "buffers": buffers}))
    assert companions(tmp_path / "a.gltf") == ("sub/a.bin",)
    kept = tmp_path / "run" / kept_with(str(tmp_path / "a.gltf"), tmp_path / "run").split("#")[0]
    assert len(read_reference(kept).faces) == len(WEDGE_FACES), (
        "the copy is whole, however its author wrote slashes"
    )
    sparse(tmp_path / "sub" / "a.bin", 500_000_000)
    with pytest.raises(InputError, match="beside it has 500 MB"):
        kept_with(str(tmp_path / "a.gltf"), tmp_path / "other")
    with pytest.raises(InputError, match="500 MB"):
        read_reference(tmp_path / "a.gltf")


OUTSIDE = (
    "../secret.bin",
    "/etc/hostname",
    "%2e%2e/secret.bin",
    "sub/../../secret.bin",
    "..\\secret.bin",
    "link.bin",
    "a\0.bin",
)


@pytest.mark.parametrize("uri", OUTSIDE)
def test_nothing_from_outside_is_copied_and_nothing_written_outside(uri: str, tmp_path: Path) -> None:
    inside, run = tmp_path / "inside", tmp_path / "runs" / "one"
    (inside / "sub").mkdir(parents=True)
    run.mkdir(parents=True)
    (tmp_path / "secret.bin").write_bytes(b"secret")
    (inside / "link.bin").symlink_to(tmp_path / "secret.bin")
    told, binary = document()
    (inside / "a.gltf").write_text(json.dumps({**told, "buffers": [{"uri": uri, "byteLength": len(binary)}]}))
    before = {path for path in tmp_path.rglob("*") if not path.is_relative_to(run)}
    kept_with(str(inside / "a.gltf"), run)
    assert {path for path in tmp_path.rglob("*") if not path.is_relative_to(run)} == before
    assert [path.name for path in run.rglob("*") if path.is_file()] == ["a.gltf"]


@pytest.mark.parametrize("where", ["buffer", "image"])
@pytest.mark.parametrize(
    "uri", ["http://example.org/a.bin", "file:///etc/hostname", "/etc/hostname", "gone.bin"]
)
def test_a_glb_gets_nothing_from_elsewhere(uri: str, where: str, tmp_path: Path) -> None:
    told, binary = document()
    if where == "buffer":
        told["buffers"] = [{"uri": uri, "byteLength": len(binary)}]
        with pytest.raises(FileFormatError, match=r"not beside it|not there"):
            read_reference(write_glb(tmp_path / "a.glb", told, binary))
        return
    told["meshes"][0]["primitives"][0]["material"] = 0
    surface = {"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}}
    told |= {"images": [{"uri": uri}], "textures": [{"source": 0}], "materials": [surface]}
    shape = read_reference(write_glb(tmp_path / "a.glb", told, binary))
    assert any("texture could not be used" in note for note in shape.notes)


def test_only_so_many_pixels_of_textures_are_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(untrusted_files, "MAX_TEXTURE_PIXELS", 25_000)
    told, binary = document()
    for number in range(4):
        Image.new("RGB", (100, 100), (255, 0, 0)).save(tmp_path / f"{number}.png")
    told["images"] = [{"uri": f"{number}.png"} for number in range(4)]
    told["textures"] = [{"source": number} for number in range(4)]
    look = gltf_materials.Materials(gltf_buffers.Buffers(told, binary, untrusted_files.Folder(tmp_path)))
    assert [look.texture(number) is not None for number in range(4)] == [True, True, False, False]
    assert sum(look.pixels) == 20_000 and len(look.notes) == 1


def test_a_skeleton_moves_slices_as_it_would_the_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng, count = np.random.default_rng(0), len(WEDGE)
    told, binary = document()
    joints, weights = (
        rng.integers(0, 2, (count, 4)).astype(np.uint8),
        rng.uniform(0.1, 1, (count, 4)).astype("<f4"),
    )
    for data, kind in ((joints, 5121), (weights, 5126)):
        told["bufferViews"].append({"buffer": 0, "byteOffset": len(binary), "byteLength": data.nbytes})
        told["accessors"].append(
            {
                "bufferView": len(told["bufferViews"]) - 1,
                "componentType": kind,
                "count": count,
                "type": "VEC4",
            }
        )
        binary += data.tobytes()
    told["meshes"][0]["primitives"][0]["attributes"] |= {"JOINTS_0": 2, "WEIGHTS_0": 3}
    told["nodes"] = [{"mesh": 0, "skin": 0}, {"translation": [3, 0, 0]}, {"scale": [1, 2, 1]}]
    told |= {"skins": [{"joints": [1, 2]}], "scenes": [{"nodes": [0, 1, 2]}]}
    path = write_glb(tmp_path / "a.glb", told, binary)
    whole = read_reference(path).vertices
    monkeypatch.setattr(gltf_nodes, "SLICE", 4)
    np.testing.assert_array_equal(read_reference(path).vertices, whole)
    by_hand = np.zeros((count, 3))
    for vertex in range(count):
        shares = weights[vertex] / weights[vertex].sum(dtype=np.float64)
        placed = [WEDGE[vertex] + [3, 0, 0], WEDGE[vertex] * [1, 2, 1]]
        by_hand[vertex] = sum(share * placed[joint] for share, joint in zip(shares, joints[vertex]))
    plain = read_reference(write_obj(tmp_path / "a.obj", by_hand), Orientation(tip="y")).vertices
    np.testing.assert_allclose(np.ptp(whole, axis=0), np.ptp(plain, axis=0), atol=1e-5)


def test_a_scene_a_kilometre_wide_becomes_the_studios_size(tmp_path: Path) -> None:
    shape = read_reference(write_stl(tmp_path / "a.stl", WEDGE * np.float32(1000)))
    assert np.linalg.norm(shape.vertices, axis=1).max() == pytest.approx(1, abs=1e-6)
    assert any("3,000 units large" in note for note in shape.notes)


RENAMED = {
    "program.glb": b"MZ\x90\x00" + bytes(range(256)) * 8,
    "program.stl": b"\x7fELF\x02\x01\x01" + bytes(200),
    "page.obj": b"<!DOCTYPE html><html><body>v 1 2 3</body></html>",
    "picture.ply": b"\x89PNG\r\n\x1a\n" + bytes(100),
    "nothing.glb": b"",
    "packed.gltf": b"PK\x03\x04" + b"../../evil.gltf" + bytes(60),
    "squeezed.glb": b"\x1f\x8b\x08" + bytes(60),
}


@pytest.mark.parametrize("name", RENAMED)
def test_a_suffix_makes_no_model(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(RENAMED[name])
    with pytest.raises(FileFormatError) as caught:
        read_reference(tmp_path / name)
    assert name in caught.value.what and caught.value.remedy
    assert [path.name for path in tmp_path.iterdir()] == [name], "nothing was unpacked"
