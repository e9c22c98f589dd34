"""What is left away of an export: outside of a box, haze, specks, needles; the run itself stays as it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from engine.assets.export.formats.base import ExportOptions, Trim
from engine.assets.export.splat_files import read_splats
from engine.core.camera import orbit_camera
from engine.errors import InputError
from engine.loop.export_preview import Previews
from engine.loop.export_source import open_source, scene_of
from engine.loop.exporting import export
from engine.loop.messages import SceneCopy
from engine.loop.trimming import BINS, histograms, kept_splats, trimmed
from engine.scene.splats import Splats
from tests.loop.test_exporting import write_result

CAMERA = orbit_camera(30, 15, 3.05, 40, 64)


def a_scene() -> Splats:
    """A ball of ten small round splats, a mist, a speck as large as the ball, a needle, and one that lies
    outside.
    """
    means = torch.zeros(14, 3)
    means[:10] = torch.linspace(-0.3, 0.3, 10)[:, None]
    means[13] = torch.tensor([0.9, 0.0, 0.0])
    scales = torch.full((14, 3), 0.05)
    scales[11], scales[12] = 0.6, torch.tensor([0.4, 0.01, 0.01])
    opacities = torch.full((14,), 0.9)
    opacities[10] = 0.02
    return Splats(
        means,
        scales.log(),
        torch.tensor([[1.0, 0, 0, 0]]).repeat(14, 1),
        opacities.logit(),
        torch.zeros(14, 3),
    )


@pytest.mark.parametrize(
    ("trim", "gone"),
    [
        (Trim(), []),
        (Trim(least_opacity=0.1), [10]),
        (Trim(most_size=0.5), [11]),
        (Trim(most_stretch=8), [12]),
        (Trim(box=(-0.5, -0.5, -0.5, 0.5, 0.5, 0.5)), [13]),
        (Trim((-0.5, -0.5, -0.5, 0.5, 0.5, 0.5), 0.1, 0.5, 8), [10, 11, 12, 13]),
    ],
)
def test_each_selection_takes_what_it_names(trim: Trim, gone: list[int]) -> None:
    assert np.flatnonzero(~kept_splats(a_scene(), trim)).tolist() == gone


def test_histograms_count_every_splat() -> None:
    counts = histograms(a_scene())
    assert {name: (len(bars), sum(bars)) for name, bars in counts.items()} == dict.fromkeys(
        ("opacity", "size", "stretch"), (BINS, 14)
    )
    assert counts["opacity"][0] == 1 and counts["stretch"][-8:].count(1) == 1


def test_a_trimmed_export_says_so_and_holds_the_rest(tmp_path: Path) -> None:
    """Of the egg the upper half, in splats and in a mesh; the result beside it stays whole."""
    upper = Trim(box=(-2, -2, 0, 2, 2, 2))
    before = (write_result(tmp_path) / "scene.ply").read_bytes()
    splats = export(tmp_path, "splat", ExportOptions(trim=upper), tmp_path / "a.splat")
    count = len(read_splats(tmp_path / "a.splat").means)
    assert 1000 < count < 1500 and any(f"{2500 - count:,} of 2,500 splats" in note for note in splats.notes)
    mesh = export(tmp_path, "stl", ExportOptions(trim=upper, size_m=0.7, faces=2000), tmp_path / "a.stl")
    import trimesh

    size = trimesh.load(tmp_path / "a.stl").extents
    assert size[2] == pytest.approx(700 * 0.75 / 0.77, rel=0.1) and "splats" in " ".join(mesh.notes)
    assert (tmp_path / "scene.ply").read_bytes() == before
    with pytest.raises(InputError, match="Nothing is left"):
        export(tmp_path, "ply", ExportOptions(trim=Trim(box=(5, 5, 5, 6, 6, 6))), tmp_path / "b.ply")
    assert not (tmp_path / "b.ply").exists()


def test_a_mesh_is_cut_by_the_box(tmp_path: Path) -> None:
    write_result(tmp_path)
    export(tmp_path, "glb", ExportOptions(faces=2000), tmp_path / "egg.glb")
    source = open_source(tmp_path / "egg.glb")
    cut, notes = trimmed(source, Trim(box=(-2, -2, 0, 2, 2, 2)))
    assert 0.3 < len(cut.mesh.faces) / len(source.mesh.faces) < 0.6 and cut.mesh.vertices[:, 2].min() >= 0
    assert "not closed" in notes[0] and cut.mesh.faces.max() == len(cut.mesh.vertices) - 1


def test_the_preview_shows_what_would_be_written(tmp_path: Path) -> None:
    previews, folder = Previews(), write_result(tmp_path)
    facts = previews.facts(folder)
    assert facts.splats == 2500 and sum(facts.histograms["size"]) == 2500
    whole = previews.picture(folder, "splat", ExportOptions(), CAMERA)
    half = previews.picture(folder, "splat", ExportOptions(trim=Trim(box=(-2, -2, 0, 2, 2, 2))), CAMERA)
    assert whole.shape == (64, 64, 3) and painted(half) < 0.75 * painted(whole)
    assert painted(half[:32]) == pytest.approx(painted(whole[:32]), rel=0.15), "the upper half is there"
    meshed = previews.picture(folder, "stl", ExportOptions(faces=2000), CAMERA)
    assert painted(meshed) == pytest.approx(painted(whole), rel=0.2)
    told = previews.estimate(folder, "splat", ExportOptions(trim=Trim(box=(-2, -2, 0, 2, 2, 2))))
    assert (
        told["all"] == 2500
        and 1000 < told["splats"] < 1500
        and told["bytes"] == pytest.approx(32 * told["splats"], rel=0.1)
    )
    with pytest.raises(InputError, match="Nothing is left"):
        previews.estimate(folder, "splat", ExportOptions(trim=Trim(least_opacity=0.99)))


def painted(picture: np.ndarray) -> int:
    return int((np.abs(picture.astype(int) - 244) > 40).any(axis=-1).sum())


def test_lamp_ground_and_layers_act_on_films_alone(tmp_path: Path) -> None:
    previews, folder = Previews(), write_result(tmp_path)
    plain = previews.picture(folder, "mp4", ExportOptions(), CAMERA)
    red = previews.picture(folder, "mp4", ExportOptions(background="#ff0000"), CAMERA)
    assert red[0, 0].tolist() == [255, 0, 0] and plain[0, 0].tolist() != [255, 0, 0]
    depth = previews.picture(folder, "mp4", ExportOptions(layer="depth"), CAMERA)
    assert np.ptp(depth[32, 32]) == 0 and np.ptp(plain[32, 32]) > 20
    matte = previews.picture(folder, "mp4", ExportOptions(layer="alpha"), CAMERA)
    assert matte[0, 0].max() == 0 and matte[32, 32].min() > 240, "white before black, or it could not be seen"
    same = previews.picture(folder, "splat", ExportOptions(layer="depth"), CAMERA)
    assert np.array_equal(same, previews.picture(folder, "splat", ExportOptions(), CAMERA))


def test_a_layer_is_what_a_live_picture_shows_before_black() -> None:
    from engine.core.camera import LayerCamera
    from engine.core.layers import LAYERS
    from engine.loop.frames import render_frame

    shown = {layer: render_frame(fine_ball(), LayerCamera(**vars(CAMERA), layer=layer)) for layer in LAYERS}
    assert np.array_equal(shown["colour"], render_frame(fine_ball(), CAMERA))
    assert all(shown[layer][0, 0].max() == 0 and shown[layer][32, 32].max() > 90 for layer in LAYERS[1:])
    assert shown["alpha"][32, 32].min() > 240 and shown["normal"][32, 32, 2] > 240, "blue towards the viewer"


def test_a_lamp_lights_the_side_it_stands_on() -> None:
    from engine.assets.export.formats.base import Lamp
    from engine.loop.layers import render_layer

    ball = fine_ball()
    plain = render_layer(ball, [CAMERA])[0].astype(float)
    sides = {
        azimuth: render_layer(ball, [CAMERA], lamp=Lamp(1.0, azimuth, 0.0))[0].astype(float)
        for azimuth in (120, -60)
    }
    solid = plain[..., 3] > 250
    left, right = (solid & (np.arange(64) < 30)[None], solid & (np.arange(64) > 34)[None])
    brightness = {
        azimuth: (picture[left].mean(), picture[right].mean()) for azimuth, picture in sides.items()
    }
    assert brightness[-60][0] > 1.15 * brightness[-60][1] and brightness[120][1] > 1.15 * brightness[120][0]
    assert (sides[120][..., :3] <= sides[120][..., 3:] + 1).all(), "premultiplied"


def fine_ball() -> SceneCopy:
    from engine.assets.export.splat_cloud import SplatCloud, sh0_from_rgb

    rng = np.random.default_rng(0)
    points = rng.normal(size=(3000, 3))
    points = 0.6 * points / np.linalg.norm(points, axis=1, keepdims=True)
    quats = np.tile([1.0, 0, 0, 0], (3000, 1))
    return scene_of(
        SplatCloud(
            points,
            np.full((3000, 3), 0.03),
            quats,
            np.full(3000, 0.95),
            sh0_from_rgb(np.full((3000, 3), 0.5)),
        )
    )
