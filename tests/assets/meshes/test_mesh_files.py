"""OBJ, PLY, STL and other files as other programs write them."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.assets.meshes.mesh_file import read_reference
from engine.assets.meshes.mesh_shape import ReferenceShape, triangle_areas
from engine.assets.meshes.mtl import read_map
from engine.assets.meshes.polygons import triangulated
from engine.errors import FileFormatError
from engine.loop.reference.input_files import companions
from tests.assets.meshes.models import WEDGE, WEDGE_FACES, write_obj, write_stl

# An L and its mirror image, whose fan from the first corner leaves it.
ELL = np.array([[1, 1], [1, 3], [0, 3], [0, 0], [3, 0], [3, 1]], float)


def area(shape: ReferenceShape) -> float:
    """Of the surface, beside the square of its largest extent."""
    return float(
        triangle_areas(shape.vertices, shape.faces).sum() / np.ptp(shape.vertices, axis=0).max() ** 2
    )


def prism(flat: np.ndarray, height: float = 1.0) -> tuple[np.ndarray, list[list[int]]]:
    count = len(flat)
    vertices = np.concatenate([np.c_[flat, np.zeros(count)], np.c_[flat, np.full(count, height)]])
    sides = [[k, (k + 1) % count, (k + 1) % count + count, k + count] for k in range(count)]
    return vertices, [list(range(count))[::-1], list(range(count, 2 * count)), *sides]


@pytest.mark.parametrize("turn", range(6))
@pytest.mark.parametrize("mirrored", [False, True])
def test_concave_polygons_keep_their_area(turn: int, mirrored: bool) -> None:
    flat = np.roll(ELL, turn, axis=0)[:: -1 if mirrored else 1]
    vertices = np.c_[flat, flat @ [0.5, 0.25]]  # a tilted plane
    faces, owner = triangulated(vertices, np.array([6]), np.arange(6))
    assert len(faces) == 4 and (owner == 0).all()
    whole = np.cross(vertices, np.roll(vertices, -1, axis=0)).sum(0) / 2
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    each = np.cross(b - a, c - a) / 2
    np.testing.assert_allclose(each.sum(0), whole, atol=1e-12)
    assert (each @ whole > -1e-12).all(), "none is turned over"


def test_combs_quads_and_odd_polygons() -> None:
    teeth = [(x, y) for x in range(12) for y in ((3, 1) if x % 2 else (1, 3))]
    comb = np.array([*teeth, (11, 0), (0, 0)], float)
    dart = np.array([[0, 0], [2, 1], [0, 2], [0.5, 1]], float)  # a concave quad
    vertices = np.c_[np.concatenate([comb, dart]), np.zeros(len(comb) + 4)]
    lengths = np.array([len(comb), 4, 2, 1])
    faces, owner = triangulated(vertices, lengths, np.append(np.arange(len(vertices)), [0, 1, 2]))
    for polygon, flat in ((0, comb), (1, dart)):
        x, y = flat.T
        wanted = abs((x * np.roll(y, -1) - y * np.roll(x, -1)).sum()) / 2
        assert triangle_areas(vertices, faces[owner == polygon]).sum() == pytest.approx(wanted)
    assert set(owner) == {0, 1}


@pytest.mark.parametrize("kind", ["obj", "ply", "binary ply"])
def test_concave_faces_in_files(kind: str, tmp_path: Path) -> None:
    vertices, faces = prism(ELL)
    path = tmp_path / f"a.{kind[-3:]}"
    if kind == "obj":
        lines = [
            *(f"v {x} {y} {z}" for x, y, z in vertices),
            *("f " + " ".join(str(k + 1) for k in face) for face in faces),
        ]
        path.write_text("\n".join(lines))
    else:
        order = "ascii" if kind == "ply" else "binary_big_endian"
        head = f"ply\nformat {order} 1.0\nelement vertex {len(vertices)}\n" + "".join(
            f"property float {a}\n" for a in "xyz"
        )
        head += f"element face {len(faces)}\nproperty list uchar int vertex_indices\nend_header\n"
        rows = "\n".join(
            " ".join(map(str, row)) for row in [*vertices.tolist(), *([len(f), *f] for f in faces)]
        ).encode()
        packed = vertices.astype(">f4").tobytes() + b"".join(
            struct.pack(f">B{len(f)}i", len(f), *f) for f in faces
        )
        path.write_bytes(head.encode() + (rows if kind == "ply" else packed))
    assert area(read_reference(path)) == pytest.approx((2 * 5 + 12) / 9, rel=1e-4)


def tile(path: Path, picture: Image.Image | None = None) -> None:
    if picture is None:
        picture = Image.new("RGB", (16, 16), (220, 30, 30))
        picture.paste((30, 60, 220), (8, 0, 16, 16))
    path.parent.mkdir(exist_ok=True)
    picture.save(path)


TEXTURED = "usemtl a b\n" + "".join(f"v {x} {y} {z}\n" for x, y, z in WEDGE) + "vt 0.7 0.5\n"
TEXTURED += "".join("f " + " ".join(f"{k + 1}/1" for k in face) + "\n" for face in WEDGE_FACES)


@pytest.mark.parametrize(
    ("library", "statement"),
    [
        ("newmtl a b\nKd 1 1 1\nmap_Kd tex.png\n", "mtllib a.mtl"),
        ("newmtl a b\nmap_Kd -s 1 1 1 -o 0 0 0 -clamp on tex.png\n", "mtllib a.mtl"),
        ("newmtl\ta b\n\tKd\t1 1 1\n\tmap_Kd\ttex.png\n", "mtllib\ta.mtl"),
        ("newmtl a b\nmap_Kd -bm 0.5 -blendu off my maps\\tex.png\n", "mtllib other.mtl a.mtl"),
        ("newmtl a b\nmap_Kd C:\\Users\\me\\tex.png\n", "mtllib a.mtl"),
        ("newmtl a b\r\nmap_Kd tex.png\r\n", "mtllib a.mtl"),
        ("newmtl a b\nmap_Kd ./my maps/tex.png\n", "mtllib my lib.mtl"),
        ("newmtl a b\nmap_Kd -o 0.5 0 tex2.png\n", "mtllib a.mtl"),
    ],
)
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_materials_are_found_however_they_are_written(
    library: str, statement: str, ends: str, tmp_path: Path
) -> None:
    tile(tmp_path / "tex.png")
    tile(tmp_path / "tex2.png", Image.open(tmp_path / "tex.png").transpose(Image.Transpose.FLIP_LEFT_RIGHT))
    tile(tmp_path / "my maps" / "tex.png")
    for name in ("a.mtl", "my lib.mtl"):
        (tmp_path / name).write_bytes(library.encode())
    (tmp_path / "other.mtl").write_text("newmtl c\nKd 0 1 0\n")
    path = tmp_path / "a.obj"
    path.write_bytes((statement + "\n" + TEXTURED).replace("\n", ends).encode())
    np.testing.assert_allclose(
        read_reference(path).face_colours, np.tile(np.array([30, 60, 220]) / 255, (8, 1)), atol=0.01
    )


def test_the_options_of_a_map_are_told_from_its_name() -> None:
    told = read_map("-s 2 3 1 -o 0.5 -mm 0 1 -clamp on my wood 2.png")
    assert (told.name, told.scale, told.offset, told.beyond) == ("my wood 2.png", (2, 3), (0.5, 0), "clamp")


def test_colours_of_vertices_negative_numbers_and_continued_lines(tmp_path: Path) -> None:
    lines = [f"v {x} {y} {z} 1 0 0" for x, y, z in WEDGE]
    lines += [f"f {a - 6} \\\n {b - 6} {c - 6}" for a, b, c in WEDGE_FACES.astype(int)]
    (tmp_path / "a.obj").write_text("\n".join(lines))
    shape = read_reference(tmp_path / "a.obj")
    assert len(shape.faces) == 8
    np.testing.assert_allclose(shape.face_colours, np.tile([1, 0, 0], (8, 1)), atol=1e-6)


def test_an_obj_of_points_becomes_a_shape(tmp_path: Path) -> None:
    points = np.random.default_rng(0).uniform(size=(60, 3))
    (tmp_path / "a.obj").write_text("\n".join(f"v {x} {y} {z}" for x, y, z in points))
    assert len(read_reference(tmp_path / "a.obj").faces) == 8 * 60


def test_what_an_obj_needs_is_copied_with_it(tmp_path: Path) -> None:
    tile(tmp_path / "my maps" / "tex.png")
    (tmp_path / "a.mtl").write_text("newmtl a b\nmap_Kd -s 1 1 1 my maps\\tex.png\nmap_Bump ../bump.png\n")
    (tmp_path / "a.obj").write_text("mtllib a.mtl gone.mtl\n" + TEXTURED)
    assert set(companions(tmp_path / "a.obj")) == {"a.mtl", "my maps/tex.png"}


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("order", ["<", ">", ""])
def test_ply_headers_with_any_line_end(ends: str, order: str, tmp_path: Path) -> None:
    name = {"<": "binary_little_endian", ">": "binary_big_endian", "": "ascii"}[order]
    head = (
        f"ply\nformat {name} 1.0\nelement vertex 6\nproperty float x\nproperty float y\nproperty float "
        "z\nelement face 8\n"
    )
    head += (
        "property list uchar int vertex_index\nproperty uchar red\nproperty uchar green\nproperty "
        "uchar blue\nend_header\n"
    )
    words = [
        *(" ".join(map(str, row)) for row in WEDGE.tolist()),
        *(f"3 {a} {b} {c} 255 0 0" for a, b, c in WEDGE_FACES),
    ]
    rows = b"".join(struct.pack(f"{order}B3i3B", 3, *map(int, face), 255, 0, 0) for face in WEDGE_FACES)
    body = ends.join(words).encode() if not order else WEDGE.astype(f"{order}f4").tobytes() + rows
    (tmp_path / "a.ply").write_bytes(head.replace("\n", ends).encode() + body)
    shape = read_reference(tmp_path / "a.ply")
    assert len(shape.faces) == 8
    np.testing.assert_allclose(shape.face_colours, np.tile([1, 0, 0], (8, 1)), atol=1e-6)


def test_strips_of_triangles(tmp_path: Path) -> None:
    head = (
        "ply\nformat ascii 1.0\nelement vertex 4\nproperty float x\nproperty float y\nproperty float "
        "z\nelement tristrips 1\n"
    )
    head += "property list int int vertex_indices\nend_header\n"
    (tmp_path / "a.ply").write_text(head + "0 0 0\n1 0 0\n0 1 0\n0 0 1\n11 0 2 1 3 -1 2 0 3 -1 0 1\n")
    shape = read_reference(tmp_path / "a.ply")
    assert len(shape.faces) == 3


def test_a_ply_with_a_texture(tmp_path: Path) -> None:
    tile(tmp_path / "tex.png")
    head = "ply\nformat ascii 1.0\ncomment TextureFile tex.png\nelement vertex 6\n"
    head += (
        "".join(f"property float {n}\n" for n in ("x", "y", "z", "s", "t"))
        + "element face 8\nproperty list uchar int vertex_indices\n"
    )
    rows = [*(f"{x} {y} {z} 0.8 0.5" for x, y, z in WEDGE), *(f"3 {a} {b} {c}" for a, b, c in WEDGE_FACES)]
    (tmp_path / "a.ply").write_text(head + "end_header\n" + "\n".join(rows))
    np.testing.assert_allclose(
        read_reference(tmp_path / "a.ply").face_colours[0], np.array([30, 60, 220]) / 255, atol=0.01
    )


def test_a_ply_that_is_cut_off_is_told(tmp_path: Path) -> None:
    head = (
        "ply\nformat binary_little_endian 1.0\nelement vertex 6\nproperty float x\nproperty float "
        "y\nproperty float z\n"
    )
    head += "element face 2\nproperty list uchar int vertex_indices\nend_header\n"
    body = WEDGE.astype("<f4").tobytes() + struct.pack("<B3iB", 3, 0, 1, 2, 200)
    for cut in (body, body[:-14], body[:20]):
        (tmp_path / "a.ply").write_bytes(head.encode() + cut + b" " * 8)
        with pytest.raises(FileFormatError, match=r"a\.ply"):
            read_reference(tmp_path / "a.ply")


def stl_words(case: str) -> str:
    lines = ["solid box"]
    for face in WEDGE_FACES:
        lines += [
            "facet normal 0 0 0",
            "outer loop",
            *(f"vertex {x} {y} {z:e}" for x, y, z in WEDGE[face]),
            "endloop",
            "endfacet",
        ]
    return getattr("\n".join([*lines, "endsolid box"]), case)()


@pytest.mark.parametrize("case", ["upper", "lower", "title"])
def test_stl_in_words_of_any_case(case: str, tmp_path: Path) -> None:
    (tmp_path / "a.stl").write_text(stl_words(case))
    assert len(read_reference(tmp_path / "a.stl").faces) == 8


def test_bytes_are_stl_only_if_their_length_says_so(tmp_path: Path) -> None:
    whole = write_stl(tmp_path / "a.stl").read_bytes()
    (tmp_path / "b.stl").write_bytes(b"solid, though in bytes".ljust(80) + whole[80:])
    (tmp_path / "c.stl").write_bytes(whole + bytes(20))
    for name in ("a.stl", "b.stl", "c.stl"):
        assert len(read_reference(tmp_path / name).faces) == 8
    rng = np.random.default_rng(0)
    other = bytearray(rng.uniform(0, 1, 1500).astype("<f4").tobytes())
    other[80:84] = struct.pack("<I", 9)
    for name in ("other.bin", "other.stl"):
        (tmp_path / name).write_bytes(other)
        with pytest.raises(FileFormatError, match="no model"):
            read_reference(tmp_path / name)


def test_a_zip_with_an_obj_is_read_without_being_unpacked(tmp_path: Path) -> None:
    stream = io.BytesIO()
    tile(tmp_path / "tex.png")
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("car/a.obj", "mtllib A.mtl\n" + TEXTURED)
        packed.writestr("car/a.mtl", "newmtl a b\nmap_Kd maps/tex.png\n")
        packed.write(tmp_path / "tex.png", "car/maps/tex.png")
        packed.writestr("readme.txt", "v 1 2 3")
    before = sorted(tmp_path.iterdir())
    shape = read_reference(tmp_path / "a.zip")
    np.testing.assert_allclose(shape.face_colours[0], np.array([30, 60, 220]) / 255, atol=0.01)
    assert (
        any("a.obj" in note for note in shape.notes)
        and sorted(tmp_path.iterdir()) == before
        and not stream.getvalue()
    )
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as packed:
        packed.writestr("../evil.txt", "x")
    with pytest.raises(FileFormatError, match="without a model"):
        read_reference(tmp_path / "b.zip")


def test_a_zip_bomb_is_not_inflated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.assets.meshes.archive.MAX_BYTES", 100_000)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("a.obj", "v 0 0 0\n" * 50_000)
    with pytest.raises(Exception, match="MB"):
        read_reference(tmp_path / "a.zip")


def test_off_is_read(tmp_path: Path) -> None:
    rows = [*(f"{x} {y} {z}" for x, y, z in WEDGE), *(f"3 {a} {b} {c}" for a, b, c in WEDGE_FACES)]
    (tmp_path / "a.off").write_text("\n".join(["OFF", "6 8 0", *rows]))
    assert len(read_reference(tmp_path / "a.off").faces) == 8


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"Kaydara FBX Binary  \0" + bytes(50), "FBX"),
        (b"BLENDER-v300" + bytes(50), "Blender"),
        (b"#usda 1.0\n", "USD"),
        (b"ISO-10303-21;", "STEP"),
        (b"<?xml version='1.0'?><COLLADA></COLLADA>", "DAE"),
        (b"\x89PNG\r\n\x1a\n" + bytes(90), "picture"),
    ],
)
def test_other_kinds_are_named_with_what_to_do(data: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / "a.glb").write_bytes(data)
    with pytest.raises(FileFormatError, match=words) as told:
        read_reference(tmp_path / "a.glb")
    assert told.value.remedy


def test_a_mesh_of_many_materials_is_one_shape(tmp_path: Path) -> None:
    (tmp_path / "a.mtl").write_text("newmtl red\nKd 1 0 0\nnewmtl gone\nKd 0 1 0\nd 0\n")
    path = write_obj(tmp_path / "a.obj", head="mtllib a.mtl")
    lines = path.read_text().splitlines()
    faces = [line for line in lines if line.startswith("f ")]
    rest = [line for line in lines if not line.startswith("f ")]
    path.write_text(
        "\n".join([*rest, "usemtl red", *faces[:5], "usemtl gone", *faces[5:6], "usemtl none", *faces[6:]])
    )
    shape = read_reference(path)
    assert len(shape.faces) == 7 and (shape.face_colours[:, 0] > 0.99).sum() == 5
