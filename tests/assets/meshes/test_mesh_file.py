"""Every format reads into the same canonical shape, and bad files are mended with a note or refused with a
reason.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from engine.assets.export.ply import sh0_from_rgb, write_splat_ply
from engine.assets.meshes import untrusted_files
from engine.assets.meshes.canonical_pose import Orientation
from engine.assets.meshes.mesh_file import read_reference
from engine.assets.meshes.mesh_shape import ReferenceShape
from engine.errors import FileFormatError, InputError, MissingError
from tests.assets.meshes.models import (
    WEDGE,
    WEDGE_FACES,
    document,
    write_glb,
    write_obj,
    write_ply,
    write_stl,
)

Y_UP = Orientation(tip="y")


def extents(shape: ReferenceShape) -> np.ndarray:
    return np.ptp(shape.vertices, axis=0) / np.ptp(shape.vertices, axis=0).max()


def volume(shape: ReferenceShape) -> float:
    a, b, c = (shape.vertices[shape.faces[:, k]] for k in range(3))
    return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6)


WRITERS: dict[str, Callable[[Path], Path]] = {
    "glb": lambda path: write_glb(path, *document()),
    "obj": write_obj,
    "stl": write_stl,
    "ply": write_ply,
}


@pytest.mark.parametrize("kind", WRITERS)
def test_every_format_gives_the_same_canonical_shape(kind: str, tmp_path: Path) -> None:
    shape = read_reference(WRITERS[kind](tmp_path / f"wedge.{kind}"), Y_UP)
    np.testing.assert_allclose(np.linalg.norm(shape.vertices, axis=1).max(), 1, atol=1e-6)
    np.testing.assert_allclose(shape.vertices.min(0), -shape.vertices.max(0), atol=1e-6)
    np.testing.assert_allclose(extents(shape), np.array([3, 1, 2]) / 3, atol=1e-6)  # (x, y, z) -> (z, x, y)
    assert volume(shape) > 0 and len(shape.faces) == len(WEDGE_FACES) and shape.name == "wedge"


def test_gltf_says_itself_what_is_up(tmp_path: Path) -> None:
    shape = read_reference(write_glb(tmp_path / "a.glb", *document()))
    assert (shape.up, shape.confidence) == ("y", 1.0)
    top = shape.vertices[:, 0] > shape.vertices[:, 0].max() - 1e-6  # glTF's +z is the front
    # where y was 0
    np.testing.assert_allclose(shape.vertices[top][:, 2], shape.vertices[:, 2].min(), atol=1e-6)


def test_nodes_move_and_merge_what_they_hold(tmp_path: Path) -> None:
    half = np.sqrt(0.5)
    nodes = [
        {"children": [1, 2]},
        {"mesh": 0},
        {"mesh": 0, "translation": [9, 0, 0], "rotation": [0, half, 0, half], "scale": [1, 1, 2]},
    ]
    shape = read_reference(write_glb(tmp_path / "two.glb", *document(nodes=nodes)))
    assert len(shape.faces) == 2 * len(WEDGE_FACES) and any("2 parts" in note for note in shape.notes)
    # the second, its z doubled and turned about y, reaches from x 9 to 15 and from z -1 to 0
    np.testing.assert_allclose(extents(shape), np.array([4, 15, 2]) / 15, atol=1e-5)


def test_a_skeleton_poses_its_mesh_and_animation_is_noted(tmp_path: Path) -> None:
    told, binary = document()
    count = len(WEDGE)
    joints, weights = (
        np.zeros((count, 4), np.uint8).tobytes(),
        np.tile([1, 0, 0, 0], (count, 1)).astype("<f4").tobytes(),
    )
    start = len(binary)
    told["bufferViews"] += [{"buffer": 0, "byteOffset": start, "byteLength": len(joints)},
                            {"buffer": 0, "byteOffset": start + len(joints),
                                "byteLength": len(weights)}]  # fmt: skip
    told["accessors"] += [{"bufferView": 2, "componentType": 5121, "count": count, "type": "VEC4"},
                          {"bufferView": 3, "componentType": 5126, "count": count,
                              "type": "VEC4"}]  # fmt: skip
    told["meshes"][0]["primitives"][0]["attributes"] |= {"JOINTS_0": 2, "WEIGHTS_0": 3}
    told["nodes"] = [{"mesh": 0, "skin": 0, "translation": [50, 0, 0]}, {"scale": [1, 5, 1]}]
    told |= {"skins": [{"joints": [1]}], "animations": [{}], "scenes": [{"nodes": [0, 1]}]}
    shape = read_reference(write_glb(tmp_path / "man.glb", told, binary + joints + weights))
    # the joint's scale, not the node's place
    np.testing.assert_allclose(extents(shape), np.array([3, 1, 10]) / 10, atol=1e-6)
    assert any("skeleton" in note for note in shape.notes) and any("animated" in note for note in shape.notes)


def test_colours_are_those_of_the_material(tmp_path: Path) -> None:
    told, binary = document(materials=[{"pbrMetallicRoughness": {"baseColorFactor": [1, 0.2140411, 0, 1]}}])
    told["meshes"][0]["primitives"][0]["material"] = 0
    shape = read_reference(write_glb(tmp_path / "a.glb", told, binary))
    # linear to display
    np.testing.assert_allclose(shape.face_colours, np.tile([1, 0.5, 0], (8, 1)), atol=1e-4)


def test_shops_facts_are_carried(tmp_path: Path) -> None:
    asset = {
        "version": "2.0",
        "extras": {"title": "Wedge", "author": "Ann", "license": "CC-BY-4.0", "source": "https://a.b/c"},
    }
    facts = read_reference(write_glb(tmp_path / "a.glb", *document(asset=asset))).facts
    assert (facts.title, facts.author, facts.licence, facts.source) == (
        "Wedge",
        "Ann",
        "CC-BY-4.0",
        "https://a.b/c",
    )


OUTSIDE = ("/etc/hostname", "../secret.bin", "sub/../../secret.bin", "http://example.org/a.bin",
    "file:///etc/hostname",
           "..%2Fsecret.bin", "C:\\secret.bin", "..\\secret.bin", "link.bin")  # fmt: skip


@pytest.mark.parametrize("uri", OUTSIDE)
def test_buffers_outside_the_folder_are_never_read(
    uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told, binary = document()
    (tmp_path / "secret.bin").write_bytes(binary)
    inside = tmp_path / "inside"
    (inside / "sub").mkdir(parents=True)
    (inside / "link.bin").symlink_to(tmp_path / "secret.bin")
    (inside / "a.gltf").write_text(json.dumps({**told, "buffers": [{"uri": uri, "byteLength": len(binary)}]}))
    opened: list[Path] = []
    read_bytes = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: (opened.append(path), read_bytes(path))[1])
    with pytest.raises(FileFormatError, match="not beside it"):
        read_reference(inside / "a.gltf")
    assert opened == [inside / "a.gltf"]


def test_buffers_beside_and_inside_are_read(tmp_path: Path) -> None:
    told, binary = document()
    (tmp_path / "my data.bin").write_bytes(binary)
    inline = "data:application/octet-stream;base64," + base64.b64encode(binary).decode()
    for uri in ("my%20data.bin", inline):
        (tmp_path / "a.gltf").write_text(
            json.dumps({**told, "buffers": [{"uri": uri, "byteLength": len(binary)}]})
        )
        assert len(read_reference(tmp_path / "a.gltf").faces) == len(WEDGE_FACES)


def test_a_texture_elsewhere_is_left_out_with_a_note(tmp_path: Path) -> None:
    surface = {"baseColorTexture": {"index": 0}}
    more = {"images": [{"uri": "https://example.org/a.png"}], "textures": [{"source": 0}],
            "materials": [{"pbrMetallicRoughness": surface}]}  # fmt: skip
    told, binary = document(**more)
    told["meshes"][0]["primitives"][0]["material"] = 0
    shape = read_reference(write_glb(tmp_path / "a.glb", told, binary))
    assert any("texture could not be used" in note for note in shape.notes)


def test_an_objs_materials_stay_beside_it(tmp_path: Path) -> None:
    (tmp_path / "evil.mtl").write_text("newmtl red\nKd 1 0 0\n")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "good.mtl").write_text("newmtl red\nKd 1 0 0\nmap_Kd ../../etc/passwd\n")
    good = read_reference(write_obj(tmp_path / "in" / "a.obj", head="mtllib good.mtl\nusemtl red"))
    evil = read_reference(write_obj(tmp_path / "in" / "b.obj", head="mtllib ../evil.mtl\nusemtl red"))
    np.testing.assert_allclose(good.face_colours, np.tile([1, 0, 0], (8, 1)), atol=0.01)
    assert not np.allclose(evil.face_colours[0], [1, 0, 0]) and any("evil.mtl" in note for note in evil.notes)


BROKEN: dict[str, tuple[bytes, str]] = {
    "empty.obj": (b"", "empty"),
    "words.obj": (b"# nothing\n", "no triangles|damaged"),
    "a.zip": (b"PK\x03\x04" + b"\0" * 40, "archive"),
    "cut.glb": (b"glTF\x02\0\0\0\xff\xff\0\0", "whole glTF"),
    "no.gltf": (b'{"asset": {"version": "1.0"}}', "version 2"),
    "deep.gltf": (b'{"a":' + b"[" * 100_000, "whole glTF"),
    "bare.gltf": (b'{"asset": {"version": "2.0"}}', "no triangles"),
    "bad.ply": (b"ply\nformat ascii 1.0\nelement vertex x\nend_header\n", "header"),
    "liar.ply": (
        b"ply\nformat ascii 1.0\nelement vertex 3000000\nproperty float x\nelement face 9\nend_header\n",
        "bytes",
    ),
    "noise.stl": (bytes(range(256)) * 4, "no model"),
    "flat.obj": (b"v 1 1 1\nv 1 1 1\nv 1 1 1\nf 1 2 3\n", "one point"),
    "line.obj": (b"v 0 0 0\nv 1 1 1\nv 2 2 2\nf 1 2 3\n", "area"),
    "nan.obj": (b"v nan 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n", "sound corners"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_files_are_refused_with_a_reason(name: str, tmp_path: Path) -> None:
    data, reason = BROKEN[name]
    (tmp_path / name).write_bytes(data)
    with pytest.raises(FileFormatError, match=reason) as caught:
        read_reference(tmp_path / name)
    assert name in caught.value.what and caught.value.remedy


def test_no_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="cannot be read"):
        read_reference(tmp_path / "none.glb")
    with pytest.raises(MissingError):
        read_reference(tmp_path)


@pytest.mark.parametrize(
    "wrong",
    [
        {"nodes": [{"mesh": 0, "children": [0]}]},  # its own child
        {"nodes": [{"children": [1, 1]}, {"mesh": 0}]},
        {"nodes": [{"mesh": 7}]},
        {"buffers": [{"byteLength": 4, "uri": "data:;base64,AAAA"}]},
        {"nodes": [{"mesh": 0, "matrix": [1, 2]}]},
        {"nodes": 3},
    ],
)
def test_contradictions_in_a_gltf_are_refused(wrong: dict, tmp_path: Path) -> None:
    with pytest.raises(FileFormatError):
        read_reference(write_glb(tmp_path / "a.glb", *document(**wrong)))


def test_a_count_beyond_the_data_is_refused(tmp_path: Path) -> None:
    told, binary = document()
    told["accessors"][0]["count"] = 1_000_000
    with pytest.raises(FileFormatError, match="do not fit"):
        read_reference(write_glb(tmp_path / "a.glb", told, binary))


def test_a_hundred_million_faces_are_refused_before_they_are_decoded(tmp_path: Path) -> None:
    told, binary = document()
    told["accessors"][1]["count"] = 300_000_000
    with pytest.raises(InputError, match="100,000,000 faces"):
        read_reference(write_glb(tmp_path / "a.glb", told, binary))
    with pytest.raises(InputError, match="100,000,000 faces"):
        read_reference(write_ply(tmp_path / "a.ply", announced=100_000_000))
    with open(tmp_path / "a.stl", "wb") as file:
        file.truncate(84 + 50 * 100_000_000)  # a hole in the disk, not data
    with pytest.raises(InputError, match="5,000 MB"):
        read_reference(tmp_path / "a.stl")


def test_one_mesh_used_a_million_times_counts_as_often(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.assets.meshes.gltf.MAX_FACES", 100)
    nodes = [{"mesh": 0} for _ in range(13)]
    with pytest.raises(InputError, match="104 faces"):
        read_reference(
            write_glb(tmp_path / "a.glb", *document(nodes=nodes, scenes=[{"nodes": list(range(13))}]))
        )


def test_broken_vertices_are_dropped_with_a_note(tmp_path: Path) -> None:
    vertices = np.concatenate([WEDGE, [[np.nan, 0, 0], [1e35, 0, 0], [500, 500, 500]]]).astype(np.float32)
    faces = np.concatenate([WEDGE_FACES, [[0, 1, 6], [1, 2, 7]]])
    shape = read_reference(write_glb(tmp_path / "a.glb", *document(vertices, faces)))
    assert len(shape.faces) == len(WEDGE_FACES) and any("2 broken vertices" in note for note in shape.notes)
    # the unused vertex counts for nothing
    np.testing.assert_allclose(extents(shape), np.array([3, 1, 2]) / 3, atol=1e-6)


@pytest.mark.parametrize("factor", [1000, 1e-3])
def test_any_size_becomes_the_studios(factor: float, tmp_path: Path) -> None:
    shape = read_reference(write_stl(tmp_path / "a.stl", WEDGE * np.float32(factor)), Y_UP)
    np.testing.assert_allclose(np.linalg.norm(shape.vertices, axis=1).max(), 1, atol=1e-6)
    assert any("units large" in note for note in shape.notes)


def test_inside_out_is_turned_and_open_is_noted(tmp_path: Path) -> None:
    turned = read_reference(write_stl(tmp_path / "a.stl", faces=WEDGE_FACES[:, ::-1]))
    assert volume(turned) > 0 and any("inside out" in note for note in turned.notes)
    assert any(
        "open" in note for note in read_reference(write_stl(tmp_path / "b.stl", faces=WEDGE_FACES[:-1])).notes
    )


def test_parts_far_away_are_pointed_out(tmp_path: Path) -> None:
    many = np.concatenate([WEDGE + [0, 0, 4 * k] for k in range(8)] + [WEDGE + [5000, 0, 0]]).astype(
        np.float32
    )
    faces = np.concatenate([WEDGE_FACES + 6 * k for k in range(8)] + [WEDGE_FACES[:2] + 48])
    assert any(
        "far away" in note
        for note in read_reference(write_glb(tmp_path / "a.glb", *document(many, faces))).notes
    )


def test_fine_meshes_are_coarsened_to_the_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.assets.meshes.repair.KEPT_FACES", 16_000)
    side = 100
    a, b = np.meshgrid(np.arange(side + 1), np.arange(side + 1), indexing="ij")
    polar, around = np.pi * a / side, 2 * np.pi * b / side
    ball = np.stack(
        [np.sin(polar) * np.cos(around), np.sin(polar) * np.sin(around), np.cos(polar)], -1
    ).reshape(-1, 3)
    at = (np.arange(side)[:, None] * (side + 1) + np.arange(side)).reshape(-1, 1)
    faces = np.concatenate([at + [0, side + 1, 1], at + [1, side + 1, side + 2]])
    shape = read_reference(write_stl(tmp_path / "ball.stl", ball, faces))
    assert 4_000 < len(shape.faces) <= 16_000 and any("coarsened" in note for note in shape.notes)
    assert volume(shape) == pytest.approx(4 / 3 * np.pi, rel=0.05)


def test_splats_become_bodies_and_strays_are_left_out(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(size=(800, 3))
    points = np.concatenate([points / np.linalg.norm(points, axis=1, keepdims=True), [[500, 0, 0]]])
    flat = np.tile([0.1, 0.1, 0.001], (len(points), 1))
    opacity = np.where(np.arange(len(points)) % 2, 0.9, 0.02)
    opacity[-1] = 0.9
    quats, colours = (
        np.tile([1.0, 0, 0, 0], (len(points), 1)),
        sh0_from_rgb(np.tile([1.0, 0.5, 0], (len(points), 1))),
    )
    write_splat_ply(tmp_path / "a.ply", points, flat, quats, opacity, colours, recipe='prompt = "a ball"')
    shape = read_reference(tmp_path / "a.ply")
    # of each visible splat two triangles
    assert shape.splats and shape.up == "z" and len(shape.faces) == 2 * 400
    assert any("1 stray" in note for note in shape.notes)
    np.testing.assert_allclose(shape.face_colours, np.tile([1, 0.5, 0], (800, 1)), atol=0.01)


def test_points_become_a_shape_too(tmp_path: Path) -> None:
    lines = [f"{x} {y} {z}" for x, y, z in np.random.default_rng(0).uniform(size=(50, 3))]
    head = [
        "ply",
        "format ascii 1.0",
        "element vertex 50",
        *(f"property float {axis}" for axis in "xyz"),
        "end_header",
    ]
    (tmp_path / "points.ply").write_text("\n".join([*head, *lines]) + "\n")
    shape = read_reference(tmp_path / "points.ply")
    assert len(shape.faces) == 8 * 50 and any("cloud of points" in note for note in shape.notes)


def test_pictures_that_are_bombs_are_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    from io import BytesIO

    from PIL import Image

    stored = BytesIO()
    Image.new("L", (400, 300)).save(stored, "PNG")
    assert untrusted_files.picture(stored.getvalue()).shape == (300, 400, 3)
    monkeypatch.setattr(untrusted_files, "MAX_PICTURE_PIXELS", 100_000)
    assert (
        untrusted_files.picture(stored.getvalue()) is None and untrusted_files.picture(b"no picture") is None
    )
