"""Splat PLY: bytes in the layout other programs expect, numbers and recipe back as they were, damage
named.
"""

from __future__ import annotations

import math
import struct
from pathlib import Path

import numpy as np
import pytest
import trimesh

from engine.assets.export import ply, read_recipe
from engine.errors import FileFormatError, InputError

RECIPE = 'prompt = "crème brûlée; 茶碗"\n\n  [[change]]\nstep = 3\n' + "x" * 1000 + "\n"


def cloud(n: int = 50) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    quats = rng.normal(size=(n, 4))
    return {
        "means": rng.normal(size=(n, 3)),
        "scales": rng.uniform(0.001, 2.0, (n, 3)),
        "quats": quats / np.linalg.norm(quats, axis=1, keepdims=True),
        "opacities": rng.uniform(0.01, 0.99, n),
        "sh0": rng.normal(size=(n, 3)),
    }


@pytest.mark.parametrize("n", [0, 1, 50])
def test_numbers_comments_and_recipe_come_back(n: int, tmp_path: Path) -> None:
    path, given = tmp_path / "scene.ply", cloud(n)
    ply.write_splat_ply(path, **given, comments=["made for a test"], recipe=RECIPE)
    back = ply.read_splat_ply(path)
    for name, values in given.items():
        np.testing.assert_allclose(getattr(back, name), values, rtol=1e-5, atol=1e-6)
    assert back.comments == ("made for a test",)
    assert read_recipe(path) == RECIPE


def test_the_header_stays_short_whatever_the_recipe(tmp_path: Path) -> None:
    path, given = tmp_path / "scene.ply", cloud(20)
    recipe = RECIPE + "".join(
        f"[[change]]\ntotal_step = {step}\nguidance_scale = 2.5 # é\n" for step in range(500)
    )
    ply.write_splat_ply(path, **given, comments=["made for a test"], recipe=recipe)
    data = path.read_bytes()
    assert data.index(b"end_header") < 8_000 < len(recipe)
    assert read_recipe(path) == recipe
    np.testing.assert_allclose(ply.read_splat_ply(path).means, given["means"], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(trimesh.load(path).vertices, given["means"], rtol=1e-5, atol=1e-6)
    path.write_bytes(data[:-5])
    with pytest.raises(FileFormatError, match="damaged"):
        read_recipe(path)


def test_the_bytes_are_those_of_the_reference_layout(tmp_path: Path) -> None:
    path = tmp_path / "one.ply"
    ply.write_splat_ply(
        path, *(np.array([row]) for row in ([1, 2, 3], [0.1, 0.2, 0.4], [2, 0, 0, 0], 0.25, [0.5, 0, -0.5]))
    )
    header, data = path.read_bytes().split(b"end_header\n")
    properties = [
        line.split()[2].decode() for line in header.splitlines() if line.startswith(b"property float")
    ]
    expected_order = (
        "x y z nx ny nz f_dc_0 f_dc_1 f_dc_2 opacity scale_0 scale_1 scale_2 rot_0 rot_1 rot_2 rot_3"
    )
    assert " ".join(properties) == expected_order
    expected = [1, 2, 3, 0, 0, 0, 0.5, 0, -0.5, math.log(0.25 / 0.75), *np.log([0.1, 0.2, 0.4]), 1, 0, 0, 0]
    np.testing.assert_allclose(struct.unpack("<17f", data), expected, rtol=1e-6)
    assert trimesh.load(path).vertices.tolist() == [[1.0, 2.0, 3.0]]


def test_colour_and_harmonics_are_inverse_and_anchored_at_grey() -> None:
    rgb = np.random.default_rng(0).random((9, 3))
    np.testing.assert_allclose(ply.rgb_from_sh0(ply.sh0_from_rgb(rgb)), rgb, atol=1e-12)
    assert ply.sh0_from_rgb(np.full(3, 0.5)).tolist() == [0, 0, 0]
    np.testing.assert_allclose(ply.SH_C0, 0.5 / math.sqrt(math.pi), rtol=1e-12)


def test_opacity_zero_and_one_and_scale_zero_stay_finite(tmp_path: Path) -> None:
    given = cloud(2) | {"opacities": np.array([0.0, 1.0]), "scales": np.zeros((2, 3))}
    ply.write_splat_ply(tmp_path / "s.ply", **given)
    back = ply.read_splat_ply(tmp_path / "s.ply")
    np.testing.assert_allclose(back.opacities, [0, 1], atol=1e-5)
    assert (back.scales < 1e-10).all()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("means", np.full((50, 3), np.nan)),
        ("scales", np.ones((49, 3))),
        ("quats", np.zeros((50, 4))),
        ("sh0", np.full((50, 3), np.inf)),
    ],
)
def test_unusable_numbers_are_refused_before_anything_is_written(
    field: str, value: np.ndarray, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=field) as caught:
        ply.write_splat_ply(tmp_path / "s.ply", **(cloud() | {field: value}))
    assert caught.value.remedy and not list(tmp_path.iterdir())


def test_a_comment_that_would_break_the_header_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        ply.write_splat_ply(tmp_path / "s.ply", **cloud(), comments=["one\nend_header"])


def written(tmp_path: Path) -> tuple[Path, bytes]:
    path = tmp_path / "s.ply"
    ply.write_splat_ply(path, **cloud(4), recipe="a = 1\n")
    return path, path.read_bytes()


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b"ply\n", b"PNG\n", "not a PLY"),
        (b"end_header\n", b"", "cut off"),
        (b"binary_little_endian", b"ascii", "not binary"),
        (b"element vertex 4", b"element vertex 400", "4 of 400"),
        (b"element vertex 4", b"element vertex -4", "vertex -4"),
        (b"element vertex 4", b"element vertex 99999999999", "99999999999"),
        (b"element vertex 4", b"element vertex four", "four"),
        (b"property float rot_0", b"property float other", "rot_0"),
        (b"property float nx", b"property list uchar int nx", "plain number"),
        (b"property float nx", b"property float x", "x"),
    ],
)
def test_a_damaged_file_is_named_with_its_fault(old: bytes, new: bytes, reason: str, tmp_path: Path) -> None:
    path, data = written(tmp_path)
    path.write_bytes(data.replace(old, new, 1))
    with pytest.raises(FileFormatError, match=reason) as caught:
        ply.read_splat_ply(path)
    assert str(path) in caught.value.what and caught.value.remedy


def test_a_file_that_is_mostly_not_finite_is_refused(tmp_path: Path) -> None:
    path, data = written(tmp_path)
    rows = np.frombuffer(data[-4 * 17 * 4 :], "<f4").reshape(4, 17).copy()
    rows[:3, -1] = math.nan
    path.write_bytes(data[: -4 * 17 * 4] + rows.tobytes())
    with pytest.raises(FileFormatError, match="rot_3"):
        ply.read_splat_ply(path)


def test_foreign_files_with_more_properties_doubles_and_another_byte_order_are_read(tmp_path: Path) -> None:
    given, path = cloud(3), tmp_path / "foreign.ply"
    names = ["opacity", "x", "y", "z", "f_rest_0", *(f"f_dc_{i}" for i in range(3)),
        *(f"scale_{i}" for i in range(3)),
             *(f"rot_{i}" for i in range(4))]  # fmt: skip
    logits = np.log(given["opacities"] / (1 - given["opacities"]))[:, None]
    rows = np.concatenate(
        [logits, given["means"], np.ones((3, 1)), given["sh0"], np.log(given["scales"]), 5 * given["quats"]],
        1,
    )
    header = "ply\r\nformat binary_big_endian 1.0\r\nelement vertex 3\r\n" + "".join(
        f"property double {n}\r\n" for n in names
    )
    header += "element face 0\r\nproperty list uchar int vertex_indices\r\nend_header\r\n"
    path.write_bytes(header.encode() + rows.astype(">f8").tobytes())
    back = ply.read_splat_ply(path)
    for name, values in given.items():
        np.testing.assert_allclose(getattr(back, name), values, rtol=1e-5, atol=1e-6)


def test_a_file_that_is_not_there_is_the_callers_mistake(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="could not be read"):
        ply.read_splat_ply(tmp_path / "none.ply")
