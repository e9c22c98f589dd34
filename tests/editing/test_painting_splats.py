"""Splats are painted by words, and nothing but their colours changes: in memory, and in every other byte of
their file.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from engine.assets.meshes.mesh_shape import ReferenceShape
from engine.editing.mesh_to_splats import write_mesh_as_splats
from engine.editing.painting_splats import COLOURS, PaintedSplats, paint_splats, recolour_ply
from engine.editing.texturing import Paint, Painting
from engine.errors import FileFormatError
from engine.loop.export_source import open_source
from engine.prior.registry import load_prior
from engine.toybox.objects import draw_object
from studio.cli import main

MUG = 700010


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A grey mug as splats."""
    mesh = draw_object(MUG).mesh
    grey = np.full((len(mesh.faces), 3), 0.6, np.float32)
    path = tmp_path_factory.mktemp("mug") / "scene.ply"
    write_mesh_as_splats(
        ReferenceShape(np.float32(mesh.vertices), np.int32(mesh.faces), grey), path, count=3000
    )
    return path


def test_the_words_colour_it_and_the_shape_stays_to_the_bit(file: Path) -> None:
    scene = open_source(file).scene
    how = Paint(prompt="a red mug", steps=4, views=4)
    *steps, done = paint_splats(scene, how, load_prior("toybox"))
    assert [each.step for each in steps] == [1, 2, 3, 4] and all(isinstance(each, Painting) for each in steps)
    assert isinstance(done, PaintedSplats)
    for name, tensor in scene.scene.parameters().items():
        assert torch.equal(done.splats.parameters()[name], tensor) == (name != "colours"), name
    red, green, blue = done.splats.rgb.median(dim=0).values.tolist()
    assert red > 1.8 * green and red > 1.8 * blue


def columns(data: bytes) -> tuple[bytes, np.ndarray]:
    """The header, and the rows of a file of ours."""
    end = data.index(b"end_header\n") + len(b"end_header\n")
    names = [
        line.split()[-1].decode() for line in data[:end].splitlines() if line.startswith(b"property float")
    ]
    return data[:end], np.frombuffer(data[end:], np.dtype([(name, "<f4") for name in names]))


def test_every_other_byte_of_the_file_stays(file: Path, tmp_path: Path) -> None:
    sh0 = np.random.default_rng(0).normal(size=(3000, 3)).astype(np.float32)
    recolour_ply(file, tmp_path / "red.ply", sh0)
    (head, before), (new_head, after) = (
        columns(file.read_bytes()),
        columns((tmp_path / "red.ply").read_bytes()),
    )
    assert head == new_head
    for name in before.dtype.names:
        wanted = sh0[:, COLOURS.index(name)] if name in COLOURS else before[name]
        assert np.array_equal(after[name], wanted), name


def test_a_file_of_another_kind_is_refused(file: Path, tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match="no plain splat PLY"):
        recolour_ply(file, tmp_path / "red.ply", np.zeros((7, 3), np.float32))
    (tmp_path / "mesh.ply").write_bytes(
        b"ply\nformat ascii 1.0\nelement vertex 1\nproperty float x\nend_header\n0\n"
    )
    with pytest.raises(FileFormatError, match="export"):
        recolour_ply(tmp_path / "mesh.ply", tmp_path / "red.ply", np.zeros((1, 3), np.float32))
    assert not (tmp_path / "red.ply").exists()


def test_the_command_says_what_does_not_go_together(file: Path, tmp_path: Path, capsys) -> None:
    command = ["edit", "--from", str(file), "--splats", "--quiet"]
    assert (
        main([*command, "--restyle", "a red mug", "--out", str(tmp_path / "out")]) == 2
        and "instruct-pix2pix" in capsys.readouterr().err
    )
    assert main([*command, "--paint", "a red mug", "--out", str(file.parent)]) == 2
    assert (
        main(["edit", "--from", str(tmp_path), "--splats", "--paint", "a mug", "--out", str(tmp_path / "x")])
        == 1
    )
