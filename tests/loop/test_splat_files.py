"""Splat files as other programs write them: odd rows, other layouts, packed kinds, and what is refused by
name.
"""

from __future__ import annotations

import importlib.util
import struct
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.assets.export.splat_cloud import SplatCloud, sh0_from_rgb
from engine.assets.export.splat_files import SUFFIXES, read_splats
from engine.assets.export.splat_packed import CHUNK
from engine.assets.meshes.mesh_file import read_reference
from engine.errors import FileFormatError
from engine.loop.init_from_file import read_start_file
from engine.loop.spec import RunSpec

COUNT = 600
NAMES = (
    "x",
    "y",
    "z",
    "f_dc_0",
    "f_dc_1",
    "f_dc_2",
    "opacity",
    *(f"scale_{i}" for i in range(3)),
    *(f"rot_{i}" for i in range(4)),
)


def columns(count: int = COUNT, seed: int = 0) -> dict[str, np.ndarray]:
    """A box of splats 1 x 2 x 3 large, as 3DGS stores them."""
    rng = np.random.default_rng(seed)
    quats = rng.normal(size=(count, 4))
    quats /= np.linalg.norm(quats, axis=1, keepdims=True)
    table = np.concatenate(
        [
            rng.uniform(-0.5, 0.5, (count, 3)) * (1, 2, 3),
            sh0_from_rgb(rng.uniform(0.05, 0.95, (count, 3))),
            rng.uniform(1.5, 4, (count, 1)),
            np.log(rng.uniform(0.02, 0.06, (count, 3))),
            quats,
        ],
        1,
    )
    return dict(zip(NAMES, table.T, strict=True))


def write(
    path: Path,
    told: dict[str, np.ndarray],
    before: str = "",
    lead: bytes = b"",
    kind: str = "binary_little_endian",
) -> Path:
    table = np.stack(list(told.values()), 1)
    head = f"ply\nformat {kind} 1.0\n{before}element vertex {len(table)}\n"
    head += "".join(f"property float {name}\n" for name in told) + "end_header\n"
    words = "\n".join(" ".join(f"{number:.9g}" for number in row) for row in table).encode()
    path.write_bytes(head.encode() + lead + (words if kind == "ascii" else table.astype("<f4").tobytes()))
    return path


def same(found: SplatCloud, told: dict[str, np.ndarray], atol: float = 1e-5) -> None:
    np.testing.assert_allclose(found.means, np.stack([told[axis] for axis in "xyz"], 1), atol=atol)
    np.testing.assert_allclose(
        found.scales, np.exp(np.stack([told[f"scale_{i}"] for i in range(3)], 1)), atol=atol
    )
    turns = np.abs((found.quats * np.stack([told[f"rot_{i}"] for i in range(4)], 1)).sum(1))
    np.testing.assert_allclose(turns, 1, atol=10 * atol)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x", np.nan),
        ("f_dc_1", np.inf),
        ("scale_2", np.inf),
        ("scale_0", 200.0),
        ("rot_3", np.nan),
        ("opacity", np.nan),
    ],
)
def test_a_few_rows_of_no_use_are_left_out_and_counted(name: str, value: float, tmp_path: Path) -> None:
    told = columns()
    told[name][:10] = value
    found = read_splats(write(tmp_path / "a.ply", told))
    assert len(found.means) == COUNT - 10 and any(f"10 of {COUNT} splats" in note for note in found.notes)
    same(found, {key: column[10:] for key, column in told.items()})


def test_rows_of_zeros_are_no_splats(tmp_path: Path) -> None:
    told = {name: np.concatenate([column, np.zeros(50)]) for name, column in columns().items()}
    found = read_splats(write(tmp_path / "a.ply", told))
    assert len(found.means) == COUNT and "rotations" in found.notes[0]


def test_endless_logits_are_opaque_and_nothing(tmp_path: Path) -> None:
    told = columns()
    told["opacity"][:5], told["opacity"][5:8] = np.inf, -np.inf
    found = read_splats(write(tmp_path / "a.ply", told))
    assert (found.opacities[:5] == 1).all() and len(found.means) == COUNT - 3
    assert any("3 splats that cannot be seen" in note for note in found.notes)


def test_discs_of_two_scales_are_given_a_thickness(tmp_path: Path) -> None:
    told = columns()
    thick = told.pop("scale_2")
    found = read_splats(write(tmp_path / "a.ply", told))
    assert len(thick) == len(found.means) and any("discs" in note for note in found.notes)
    np.testing.assert_allclose(found.scales[:, 2], 0.3 * found.scales[:, :2].min(1), rtol=1e-5)


def test_words_and_elements_before_the_splats_are_read(tmp_path: Path) -> None:
    told = columns(40)
    same(read_splats(write(tmp_path / "a.ply", told, kind="ascii")), told)
    camera = "element camera 2\nproperty float f\nproperty uchar n\n"
    same(read_splats(write(tmp_path / "b.ply", told, camera, struct.pack("<fBfB", 1, 2, 3, 4))), told)
    lists = "element strip 2\nproperty list uchar int index\n"
    same(read_splats(write(tmp_path / "c.ply", told, lists, struct.pack("<B2iB1i", 2, 7, 7, 1, 7))), told)


def test_linear_scales_and_opacities_are_recognised(tmp_path: Path) -> None:
    told = columns()
    linear = {name: np.exp(column) if name.startswith("scale") else column for name, column in told.items()}
    linear["opacity"] = 1 / (1 + np.exp(-told["opacity"]))
    found = read_splats(write(tmp_path / "a.ply", linear))
    same(found, told)
    np.testing.assert_allclose(found.opacities, linear["opacity"], atol=1e-6)
    assert any("not for logarithms" in note for note in found.notes)


def test_logarithms_of_a_scene_in_millimetres_stay_logarithms(tmp_path: Path) -> None:
    told = columns()
    for name in "xyz":
        told[name] = 1000 * told[name]
    for i in range(3):
        told[f"scale_{i}"] = told[f"scale_{i}"] + np.log(1000)
    found = read_splats(write(tmp_path / "a.ply", told))
    assert found.scales.max() == pytest.approx(60, rel=0.02) and not found.notes


def test_plain_colours_take_the_place_of_harmonics(tmp_path: Path) -> None:
    told = {name: column for name, column in columns().items() if not name.startswith("f_dc")}
    told |= {"red": np.full(COUNT, 255.0), "green": np.zeros(COUNT), "blue": np.full(COUNT, 127.5)}
    found = read_splats(write(tmp_path / "a.ply", told))
    np.testing.assert_allclose(found.sh0[0], sh0_from_rgb(np.array([1, 0, 0.5])), atol=1e-6)


def packed(told: dict[str, np.ndarray]) -> bytes:
    """The packed PLY of columns, written here by its own arithmetic."""
    count = len(told["x"])
    starts = range(0, count, CHUNK)
    names = ["x", "y", "z", "scale_0", "scale_1", "scale_2"]
    low, high = (
        {n: np.array([end(told[n][s : s + CHUNK]) for s in starts]) for n in names}
        for end in (np.min, np.max)
    )
    chunk = np.arange(count) // CHUNK

    def share(name: str, most: int) -> np.ndarray:
        return np.round((told[name] - low[name][chunk]) / (high[name] - low[name])[chunk] * most).astype(
            np.uint64
        )

    words = np.zeros((count, 4), np.uint64)
    for word, triple in ((0, names[:3]), (2, names[3:])):
        words[:, word] = (
            (share(triple[0], 2047) << 21) | (share(triple[1], 1023) << 11) | share(triple[2], 2047)
        )
    quats = np.stack([told[f"rot_{i}"] for i in range(4)], 1)
    for row, quat in enumerate(quats):
        k = int(np.abs(quat).argmax())
        word = k
        for part in np.delete(quat * np.sign(quat[k]), k):
            word = (word << 10) | round((part / np.sqrt(2) + 0.5) * 1023)
        words[row, 1] = word
    rgba = [0.5 + 0.28209479177387814 * told[f"f_dc_{i}"] for i in range(3)] + [
        1 / (1 + np.exp(-told["opacity"]))
    ]
    for value in rgba:
        words[:, 3] = (words[:, 3] << 8) | np.round(255 * value).astype(np.uint64)
    bounds = [
        f"{end}_{axis}"
        for group in ("", "scale_")
        for end in ("min", "max")
        for axis in (f"{group}x", f"{group}y", f"{group}z")
    ]
    table = np.stack(
        [{"min": low, "max": high}[b[:3]][names["xyz".index(b[-1]) + 3 * ("scale" in b)]] for b in bounds], 1
    )
    head = f"ply\nformat binary_little_endian 1.0\nelement chunk {len(table)}\n" + "".join(
        f"property float {b}\n" for b in bounds
    )
    head += f"element vertex {count}\n" + "".join(
        f"property uint packed_{n}\n" for n in ("position", "rotation", "scale", "color")
    )
    return head.encode() + b"end_header\n" + table.astype("<f4").tobytes() + words.astype("<u4").tobytes()


def test_a_packed_ply_is_unpacked(tmp_path: Path) -> None:
    told = columns()
    (tmp_path / "a.ply").write_bytes(packed(told))
    found = read_splats(tmp_path / "a.ply")
    same(found, told, atol=3e-3)
    np.testing.assert_allclose(found.sh0, np.stack([told[f"f_dc_{i}"] for i in range(3)], 1), atol=0.01)
    np.testing.assert_allclose(found.opacities, 1 / (1 + np.exp(-told["opacity"])), atol=0.003)
    shape = read_reference(tmp_path / "a.ply")
    assert shape.splats and len(shape.faces) > COUNT


def test_a_splat_file_is_read(tmp_path: Path) -> None:
    told = columns()
    rows = np.zeros(COUNT, np.dtype([("p", "<f4", 3), ("s", "<f4", 3), ("c", "u1", 4), ("r", "u1", 4)]))
    rows["p"] = np.stack([told[axis] for axis in "xyz"], 1)
    rows["s"] = np.exp(np.stack([told[f"scale_{i}"] for i in range(3)], 1))
    rows["c"] = np.round(
        255
        * np.stack(
            [*(0.5 + 0.28209479 * told[f"f_dc_{i}"] for i in range(3)), 1 / (1 + np.exp(-told["opacity"]))], 1
        )
    )
    rows["r"] = np.clip(np.round(128 * np.stack([told[f"rot_{i}"] for i in range(4)], 1) + 128), 0, 255)
    (tmp_path / "a.splat").write_bytes(rows.tobytes())
    same(read_splats(tmp_path / "a.splat"), told, atol=1e-3)
    assert read_reference(tmp_path / "a.splat").splats
    for wrong in (rows.tobytes()[:-5], b"", np.random.default_rng(0).bytes(3200)):
        (tmp_path / "b.splat").write_bytes(wrong)
        with pytest.raises(FileFormatError):
            read_splats(tmp_path / "b.splat")
    rows["r"] = 128  # turns of length 0
    (tmp_path / "c.splat").write_bytes(rows.tobytes())
    with pytest.raises(FileFormatError, match="rotations, in rot") as caught:
        read_splats(tmp_path / "c.splat")
    assert caught.value.remedy == "Export it again from its source."


@pytest.mark.parametrize("kind", ["spz", "sog", "ksplat"])
def test_other_packed_kinds_are_read_by_a_library_or_named(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{kind}"
    path.write_bytes(b"\x1f\x8b no such thing")
    here = importlib.util.find_spec("gaussforge") is not None
    for read in (read_splats, read_reference):
        with pytest.raises(FileFormatError, match="damaged" if here else "needs a package") as told:
            read(path)
        assert "PLY" in told.value.remedy or here
    if not here:
        return
    import gaussforge

    plain = columns()
    data = write(tmp_path / "a.ply", plain).read_bytes()
    path.write_bytes(gaussforge.GaussForge().convert(data, "ply", kind)["data"])
    assert len(read_splats(path).means) == COUNT


def cone(up: str, sign: int) -> dict[str, np.ndarray]:
    """Columns of a solid cone on its foot, whose axis ``sign`` ``up`` is up; each splat is thin along that
    axis.
    """
    rng = np.random.default_rng(0)
    told = columns(2000)
    height = rng.uniform(0, 1, 2000) ** 2  # heavy at the foot
    for axis in "xyz":
        told[axis] = sign * 2 * height if axis == up else rng.uniform(-1, 1, 2000) * (1 - 0.8 * height)
    for i, axis in enumerate("xyz"):
        told[f"scale_{i}"] = np.full(2000, np.log(0.005 if axis == up else 0.05))
    told |= {f"rot_{i}": np.full(2000, float(i == 0)) for i in range(4)}
    return told


def test_a_foreign_file_is_taken_to_have_y_down(tmp_path: Path) -> None:
    shape = read_reference(write(tmp_path / "cone.ply", cone("y", -1)))
    assert shape.up == "-y" and shape.vertices[shape.faces].mean(1)[:, 2].mean() < 0


@pytest.mark.parametrize(("up", "sign"), [("y", -1), ("y", 1), ("z", 1)])
def test_a_foreign_start_stands_upright_and_says_so(up: str, sign: int, tmp_path: Path) -> None:
    start = read_start_file(write(tmp_path / "cone.ply", cone(up, sign)))
    z = start.splats.means[:, 2]
    assert z.mean() < 0.5 * (z.min() + z.max()), "its heavy foot is below"
    thin = start.splats.scales.argmin(dim=1)
    axes = rotations(start.splats.unit_quats)[torch.arange(len(thin)), :, thin]
    np.testing.assert_allclose(axes[:, 2].abs(), 1, atol=1e-5)  # each splat was turned, too
    assert (
        len(start.notes) == 1
        and ("-" if sign < 0 else "") + up in start.notes[0]
        and start.notes[0].startswith("cone.ply: ")
    )


def rotations(quats: torch.Tensor) -> torch.Tensor:
    """Matrices (N,3,3) of quaternions (N,4) w x y z."""
    from scipy.spatial.transform import Rotation

    return torch.from_numpy(Rotation.from_quat(quats.numpy()[:, [1, 2, 3, 0]]).as_matrix())


@pytest.mark.parametrize("factor", [1e-3, 1.0, 300.0])
def test_a_start_comes_to_size_whatever_its_units(factor: float, tmp_path: Path) -> None:
    told = columns()
    for name in "xyz":
        told[name] = factor * told[name] / 2
    for i in range(3):
        told[f"scale_{i}"] = told[f"scale_{i}"] + np.log(factor / 2)
    splats = read_start_file(write(tmp_path / "a.ply", told)).splats
    assert 0.5 < splats.means.norm(dim=1).max() < 1.6
    assert 0.004 < splats.scales.median() < 0.06


def test_every_kind_of_splat_file_may_be_a_start(tmp_path: Path) -> None:
    for suffix in (".ply", *SUFFIXES):
        assert RunSpec("a mug", start="file", start_file=f"a{suffix}").start_file == f"a{suffix}"
