"""Every export format: what another program reads of it is the same ball, as large, as coloured, the same way
up.
"""

from __future__ import annotations

import dataclasses
import io
import json
import locale
import shutil
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np
import pytest
import trimesh
from PIL import Image

from engine.assets.export import read_recipe
from engine.assets.export.camera_path import viewpoints
from engine.assets.export.formats import export_formats
from engine.assets.export.formats.base import ExportOptions
from engine.assets.export.formats.counting import locale_kept
from engine.assets.export.glb import srgb_from_linear
from engine.assets.export.ply import write_splat_ply
from engine.assets.export.splat_cloud import AXES_COMMENT, rgb_from_sh0, sh0_from_rgb, to_file
from engine.assets.export.splat_files import read_splats
from engine.core.camera import orbit_camera
from engine.errors import FileFormatError, InputError, MissingError, StudioError
from engine.loop.exporting import estimated_bytes, export, format_named, open_source
from engine.loop.layers import render_layer
from engine.loop.recipe import Recipe
from engine.loop.settings import Settings
from engine.loop.spec import Knobs, RunSpec

COLOUR = np.array([0.8, 0.3, 0.2])
SIZE_M = 0.2
OPTIONS = ExportOptions(size_m=SIZE_M, faces=3000, texture_size=256, frames=4, fps=10, frame_size=64)
RECIPE = Recipe(Settings(RunSpec(prompt="a red bäll"), Knobs())).to_toml()
SPLATS = ("ply", "ply_compressed", "splat", "spz", "sog")


def write_result(folder: Path) -> Path:
    """An upright egg: longer along z, its front (+x) end blue."""
    rng = np.random.default_rng(0)
    points = rng.normal(size=(2500, 3))
    points = points / np.linalg.norm(points, axis=1, keepdims=True) * [0.35, 0.35, 0.7]
    colours = np.where(points[:, :1] > 0.25, [0.1, 0.2, 0.9], COLOUR)
    count = len(points)
    quats = np.tile([1.0, 0, 0, 0], (count, 1))
    means, quats = to_file(points.astype(np.float32), quats.astype(np.float32))
    shape = (np.full((count, 3), 0.035), quats, np.full(count, 0.95), sh0_from_rgb(colours))
    write_splat_ply(folder / "scene.ply", means, *shape, comments=[AXES_COMMENT], recipe=RECIPE)
    return folder


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_result(tmp_path_factory.mktemp("result"))


@cache
def exported(key: str, result: Path, changes: tuple[tuple[str, Any], ...]) -> Path:
    """Made once for all tests, which get copies."""
    options = ExportOptions(**{**vars(OPTIONS), **dict(changes)})
    (result / "made").mkdir(exist_ok=True)
    path = result / "made" / f"{key}-{abs(hash(changes))}{format_named(key).suffix}"
    done = export(result, key, options, path)
    assert done.path == path and path.stat().st_size > 0
    assert done.notes == (("STL keeps the shape alone, without colours.",) if key == "stl" else ())
    assert done.picture is None or np.ptp(done.picture) > 100
    return path


def made(key: str, result: Path, folder: Path, **changes) -> Path:
    chosen = format_named(key)
    if not chosen.available:
        pytest.skip(chosen.remedy)
    return Path(
        shutil.copy(exported(key, result, tuple(sorted(changes.items()))), folder / f"egg{chosen.suffix}")
    )


def check_egg(
    vertices: np.ndarray, up: int, size: float = SIZE_M, front: int | None = None, colours=None
) -> None:
    """Stands on 0, is ``size`` high along the axis ``up`` and half as wide; where it is blue is its front."""
    low, high = vertices.min(0), vertices.max(0)
    assert (high - low)[up] == pytest.approx(size, rel=0.02) and low[up] == pytest.approx(0, abs=0.01 * size)
    others = [axis for axis in range(3) if axis != up]
    assert (high - low)[others] == pytest.approx(size * 0.53, rel=0.1)
    if colours is not None:
        blue = colours[:, 2] > colours[:, 0]
        assert 0.02 < blue.mean() < 0.4 and vertices[blue][:, front].min() > 0.1 * size
        assert np.abs(np.median(colours[~blue], axis=0) - COLOUR).max() < 0.08


def test_glb_with_vertex_colours(result: Path, tmp_path: Path) -> None:
    path = made("glb", result, tmp_path)
    (mesh,) = trimesh.load_scene(path, process=False).geometry.values()
    assert mesh.is_watertight and 0.95 * 3000 <= len(mesh.faces) <= 3000
    check_egg(
        mesh.vertices,
        1,
        front=2,
        colours=srgb_from_linear(mesh.visual.vertex_attributes["color"][:, :3] / 255),
    )
    assert read_recipe(path) == RECIPE and "a red bäll" in trimesh.load_scene(path).geometry


def test_glb_with_a_texture(result: Path, tmp_path: Path) -> None:
    path = made("glb_textured", result, tmp_path)
    (mesh,) = trimesh.load_scene(path, process=False).geometry.values()
    check_egg(mesh.vertices, 1, front=2, colours=mesh.visual.to_color().vertex_colors[:, :3] / 255)
    assert read_recipe(path) == RECIPE


@pytest.mark.parametrize(("up", "axis", "front"), [("", 1, 2), ("z", 2, 0)])
def test_obj_in_a_zip(up: str, axis: int, front: int, result: Path, tmp_path: Path) -> None:
    path = made("obj", result, tmp_path, up=up)
    with zipfile.ZipFile(path) as archive:
        assert set(archive.namelist()) == {"mesh.obj", "mesh.mtl", "mesh.png", "recipe.toml"}
        assert archive.read("recipe.toml").decode() == RECIPE
        archive.extractall(tmp_path)
    mesh = trimesh.load(tmp_path / "mesh.obj", process=False, force="mesh")
    check_egg(mesh.vertices, axis, front=front, colours=mesh.visual.to_color().vertex_colors[:, :3] / 255)
    outward = mesh.vertices - mesh.vertices.mean(0)
    assert ((mesh.vertex_normals * outward).sum(1) > 0).mean() > 0.99


def test_stl_is_in_millimetres(result: Path, tmp_path: Path) -> None:
    mesh = trimesh.load(made("stl", result, tmp_path))
    check_egg(mesh.vertices, 2, 1000 * SIZE_M)
    assert mesh.is_watertight and mesh.volume > 0
    unsized = trimesh.load(made("stl", result, tmp_path, size_m=0.0))
    assert unsized.extents.max() == pytest.approx(100, rel=1e-3), (
        "ten centimetres, where nobody said how large"
    )


def test_threemf_is_in_millimetres_and_in_colour(result: Path, tmp_path: Path) -> None:
    before = locale.setlocale(locale.LC_ALL)
    path = made("threemf", result, tmp_path)
    assert locale.setlocale(locale.LC_ALL) == before, "lib3mf changes it, for all threads"
    lib3mf = pytest.importorskip("lib3mf")
    wrapper = lib3mf.get_wrapper()
    model = wrapper.CreateModel()
    with locale_kept():
        model.QueryReader("3mf").ReadFromFile(str(path))
    assert model.GetUnit() == lib3mf.Lib3MF.ModelUnit.MilliMeter
    assert model.GetMetaDataGroup().GetMetaDataByKey("", "Description").GetValue() == RECIPE
    objects, groups = model.GetMeshObjects(), model.GetColorGroups()
    assert objects.MoveNext() and groups.MoveNext()
    mesh, group = objects.GetCurrentMeshObject(), groups.GetCurrentColorGroup()
    assert mesh.IsManifoldAndOriented() and mesh.GetName() == "a red bäll"
    vertices = np.array([list(vertex.Coordinates) for vertex in mesh.GetVertices()])
    corners = np.array([list(triangle.Indices) for triangle in mesh.GetTriangleIndices()])
    shades = {number: group.GetColor(number) for number in group.GetAllPropertyIDs()}
    colours = np.zeros((len(vertices), 3))
    for face, told in zip(corners, mesh.GetAllTriangleProperties(), strict=True):
        for corner, number in zip(face, told.PropertyIDs, strict=True):
            shade = shades[number]
            colours[corner] = np.array([shade.Red, shade.Green, shade.Blue]) / 255
    check_egg(vertices, 2, 1000 * SIZE_M, front=0, colours=colours)


@pytest.mark.parametrize(("up", "axis", "front"), [("", 1, 2), ("z", 2, 0)])
def test_usdz_opens_in_usd(up: str, axis: int, front: int, result: Path, tmp_path: Path) -> None:
    path = made("usdz", result, tmp_path, up=up)
    from pxr import Usd, UsdGeom, UsdShade

    stage = Usd.Stage.Open(str(path))
    assert UsdGeom.GetStageMetersPerUnit(stage) == 1 and UsdGeom.GetStageUpAxis(stage) == (
        "Y" if axis == 1 else "Z"
    )
    assert stage.GetDefaultPrim().GetCustomDataByKey("recipe") == RECIPE
    mesh = UsdGeom.Mesh(stage.GetPrimAtPath("/Object/Mesh"))
    points, faces = (
        np.array(mesh.GetPointsAttr().Get()),
        np.array(mesh.GetFaceVertexIndicesAttr().Get()).reshape(-1, 3),
    )
    check_egg(points, axis)
    assert trimesh.Trimesh(points, faces).volume > 0
    assert remarks_of_usd(stage) == []
    material, _ = UsdShade.MaterialBindingAPI(mesh.GetPrim()).ComputeBoundMaterial()
    assert material.GetPath() == "/Object/Matt"
    with zipfile.ZipFile(path) as archive:
        assert all(entry.compress_type == zipfile.ZIP_STORED for entry in archive.infolist())
        (picture_name,) = (name for name in archive.namelist() if name.endswith(".png"))
        picture = np.asarray(Image.open(io.BytesIO(archive.read(picture_name))).convert("RGB")) / 255
    uv = np.array(UsdGeom.PrimvarsAPI(mesh).GetPrimvar("st").Get())
    row, column = ((1 - uv[:, 1]) * 255.99).astype(int), (uv[:, 0] * 255.99).astype(int)
    check_egg(points, axis, front=front, colours=picture[row, column])


def remarks_of_usd(stage) -> list[str]:
    """What USD's own validators have to say, where this version has them."""
    validation = pytest.importorskip("pxr.UsdValidation")
    validators = validation.ValidationRegistry().GetOrLoadAllValidators()
    return [str(error.GetMessage()) for error in validation.ValidationContext(validators).Validate(stage)]


@pytest.mark.parametrize("key", SPLATS)
def test_splats_come_back_upright_and_as_large(key: str, result: Path, tmp_path: Path) -> None:
    path = made(key, result, tmp_path)
    cloud = read_splats(path)
    means = cloud.means @ (np.eye(3) if key == "ply" else np.array([[0, -1, 0], [0, 0, -1], [1, 0, 0]]))
    check_egg(means, 2, front=0, colours=rgb_from_sh0(cloud.sh0))
    assert np.median(cloud.scales) == pytest.approx(0.035 * SIZE_M / 1.4, rel=0.1)
    assert np.median(cloud.opacities) == pytest.approx(0.95, abs=0.02)


@pytest.mark.parametrize("key", [key for key in SPLATS if key != "ply"])
def test_another_library_reads_packed_splats(key: str, result: Path, tmp_path: Path) -> None:
    gaussforge = pytest.importorskip("gaussforge")
    kind = "compressed.ply" if key == "ply_compressed" else key
    converted = gaussforge.GaussForge().convert(made(key, result, tmp_path).read_bytes(), kind, "ply")
    (tmp_path / "again.ply").write_bytes(converted["data"])
    assert len(read_splats(tmp_path / "again.ply").means) == 2500


def test_spz_is_of_the_version_that_viewers_read(result: Path, tmp_path: Path) -> None:
    import gzip

    header = np.frombuffer(gzip.decompress(made("spz", result, tmp_path).read_bytes())[:8], "<u4")
    assert header.tolist() == [0x5053474E, 3]


def test_splats_in_gltf(result: Path, tmp_path: Path) -> None:
    path = made("gltf_splats", result, tmp_path)
    (points,) = trimesh.load_scene(path).geometry.values()
    check_egg(
        np.asarray(points.vertices),
        1,
        front=2,
        colours=srgb_from_linear(np.asarray(points.colors)[:, :3] / 255),
    )
    data = path.read_bytes()
    length = int.from_bytes(data[12:16], "little")
    document, binary = json.loads(data[20 : 20 + length]), data[28 + length :]
    primitive = document["meshes"][0]["primitives"][0]
    assert document["extensionsUsed"] == ["KHR_gaussian_splatting"] and primitive["mode"] == 0

    def rows(name: str, width: int) -> np.ndarray:
        accessor = document["accessors"][primitive["attributes"][f"KHR_gaussian_splatting:{name}"]]
        start = document["bufferViews"][accessor["bufferView"]]["byteOffset"]
        return np.frombuffer(binary, "<f4", accessor["count"] * width, start).reshape(-1, width)

    np.testing.assert_allclose(np.linalg.norm(rows("ROTATION", 4), axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(rows("SCALE", 3), 0.035 * SIZE_M / 1.4, rtol=0.05)
    np.testing.assert_allclose(rows("OPACITY", 1), 0.95, atol=1e-3)
    assert np.abs(np.median(rgb_from_sh0(rows("SH_DEGREE_0_COEF_0", 3)), axis=0) - COLOUR).max() < 0.02
    assert read_recipe(path) == RECIPE


def rgba_of(path: Path) -> np.ndarray:
    """The first picture (H,W,4) of a film."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-c:v", "libvpx-vp9", "-i", str(path)]
    import subprocess

    data = subprocess.run(
        [*command, "-f", "rawvideo", "-pix_fmt", "rgba", "-"], capture_output=True, check=True
    ).stdout
    return np.frombuffer(data, np.uint8).reshape(-1, 64, 64, 4)


def test_webm_keeps_transparency(result: Path, tmp_path: Path) -> None:
    path = made("webm", result, tmp_path)
    frames = rgba_of(path)
    assert read_recipe(path) == RECIPE
    assert len(frames) == 4 and frames[0, 2, 2, 3] < 10 and frames[0, 32, 32, 3] > 240
    assert np.abs(frames[2, 32, 32, :3] / 255 - COLOUR).max() < 0.1, "seen from behind it is red"


@pytest.mark.parametrize(("key", "mode"), [("webp", "RGBA"), ("gif", "RGB")])
def test_animated_pictures(key: str, mode: str, result: Path, tmp_path: Path) -> None:
    path = made(key, result, tmp_path)
    with Image.open(path) as film:
        assert film.n_frames == 4 and film.info["loop"] == 0 and film.info.get("duration", 100) == 100
        film.seek(2)
        pixels = np.asarray(film.convert(mode)) / 255
    assert read_recipe(path) == RECIPE
    assert np.abs(pixels[32, 32, :3] - COLOUR).max() < 0.1
    assert pixels[2, 2, 3] == 0 if key == "webp" else np.abs(pixels[2, 2] * 255 - [244, 243, 240]).max() < 6


def test_mp4_along_a_camera_path(result: Path, tmp_path: Path) -> None:
    above = json.dumps([{"azimuth_deg": 0, "elevation_deg": 5}, {"azimuth_deg": 180, "distance": 6}])
    path = made("mp4", result, tmp_path, path=above, frames=6)
    reader = imageio_ffmpeg.read_frames(str(path))
    meta = next(reader)
    frames = [np.frombuffer(frame, np.uint8).reshape(64, 64, 3) / 255 for frame in reader]
    assert len(frames) == 6 and meta["fps"] == 10 and read_recipe(path) == RECIPE
    assert frames[0][32, 32, 2] > frames[0][32, 32, 0] and frames[-1][32, 32, 0] > frames[-1][32, 32, 2]
    covered = [
        (np.abs(frame - np.array([244, 243, 240]) / 255).max(-1) > 0.1).mean()
        for frame in (frames[0], frames[-1])
    ]
    assert covered[1] < 0.4 * covered[0], "further away"


def test_a_sheet_of_normals(result: Path, tmp_path: Path) -> None:
    path = made("png", result, tmp_path, layer="normal", frames=2)
    with Image.open(path) as sheet:
        pixels = np.asarray(sheet.convert("RGB")) / 255
    assert pixels.shape == (8 + 64 + 8, 2 * 72 + 8, 3) and read_recipe(path) == RECIPE
    front = pixels[8:72, 8:72]
    assert front[32, 32] == pytest.approx([0.5, 0.5, 1.0], abs=0.1), "towards the viewer"
    assert front[32, 24, 0] < 0.4 < 0.6 < front[32, 40, 0] and front[12, 32, 1] > 0.6 > 0.4 > front[52, 32, 1]
    with pytest.raises(InputError, match="too large"):
        export(result, "png", ExportOptions(frames=500, frame_size=16), tmp_path / "a.png")
    with pytest.raises(InputError, match="no layer"):
        export(result, "png", ExportOptions(frames=1, frame_size=16, layer="heat"), tmp_path / "a.png")


@pytest.mark.parametrize(("layer", "nearer"), [("depth", True), ("alpha", False)])
def test_depth_and_alpha_as_pictures(layer: str, nearer: bool, result: Path) -> None:
    scene = open_source(result).scene
    camera = orbit_camera(0.0, 0.0, scene.distance, scene.fov_deg, 64)
    (picture,) = render_layer(scene, [camera], layer) / 255
    middle, rim = picture[32, 32, 0], picture[32, 21, 0]
    assert picture[2, 2].max() == 0 and picture[32, 32, 3] > 0.95
    assert (middle > rim + 0.04) if nearer else (middle > 0.95)
    if nearer:
        assert middle == pytest.approx(0.5 + 0.35 / 2, abs=0.05), "0.35 before the middle of the space"


def test_a_camera_path_meets_its_keyframes_and_does_not_overshoot() -> None:
    path = json.dumps(
        [{"azimuth_deg": 0, "time": 0}, {"azimuth_deg": 10, "time": 1}, {"azimuth_deg": 100, "time": 2}]
    )
    azimuths = [view.azimuth_deg for view in viewpoints(path, 21, 3.0)]
    assert azimuths[0] == 0 and azimuths[10] == pytest.approx(10) and azimuths[-1] == pytest.approx(100)
    assert (np.diff(azimuths) >= 0).all() and {view.distance for view in viewpoints(path, 5, 3.0)} == {3.0}


@pytest.mark.parametrize(
    "path",
    [
        "{", "[]", "3", '[{"azimuth_deg": '
                        '0}]', '[{"azimuth_deg": "a"}, {}]', '[{"roll": 0}, {}]', '[{"distance": 1e9}, {}]',
        '[{"time": 2}, {"time": 1}]', '[{"elevation_deg": NaN}, {}]', "[[], []]",
    ],
)  # fmt: skip
def test_what_is_no_camera_path_is_refused(path: str) -> None:
    with pytest.raises(InputError, match="camera path") as caught:
        viewpoints(path, 10, 3.0)
    assert caught.value.remedy


@pytest.mark.parametrize(
    "changes",
    [
        {"size_m": -1},
        {"size_m": float("nan")},
        {"faces": 3},
        {"up": "x"},
        {"frames": 0},
        {"texture_size": 9},
        {"origin": "left"},
    ],
)
def test_options_that_cannot_be_are_refused(changes: dict) -> None:
    with pytest.raises(InputError):
        ExportOptions(**changes)


def test_every_format_says_what_it_is_how_large_and_what_it_needs() -> None:
    formats = export_formats()
    assert len(formats) >= 16 and len({each.suffix for each in formats.values()}) >= 14
    names = set(vars(ExportOptions()))
    for key, each in formats.items():
        assert each.title and each.help.endswith(".") and set(each.options) <= names
        assert each.remedy.startswith("pip install") == bool(each.package)
        assert estimated_bytes(key, ExportOptions()) > 1000


@pytest.mark.parametrize(
    "key", ["glb", "stl", "ply", "gltf_splats", "splat", "ply_compressed", "obj", "mp4", "html"]
)
def test_estimates_are_right_within_three_times(key: str, result: Path, tmp_path: Path) -> None:
    size = made(key, result, tmp_path).stat().st_size
    assert 1 / 3 < estimated_bytes(key, OPTIONS, 2500) / size < 3


@pytest.mark.parametrize("key", [key for key, each in export_formats().items() if each.count is not None])
def test_every_file_is_opened_again_and_counted(key: str, result: Path, tmp_path: Path, monkeypatch) -> None:
    chosen = format_named(key)
    path = made(key, result, tmp_path)
    assert chosen.count(path) == {"splats": 2500, "film": 4}.get(chosen.content, chosen.count(path)) > 0
    short = dataclasses.replace(chosen, write=lambda path, *_: path.write_bytes(b"broken"))
    monkeypatch.setattr("engine.loop.exporting.format_named", lambda key: short)
    try:
        done = export(result, key, OPTIONS, tmp_path / f"bad{chosen.suffix}")
    except StudioError as error:
        assert "read again" in error.what and error.remedy
    else:
        assert "holds 0 of" in done.notes[0]


def test_a_format_whose_package_is_missing_says_how_to_add_it(
    result: Path, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr("engine.assets.export.formats.base.find_spec", lambda name: None)
    with pytest.raises(MissingError, match="lib3mf") as caught:
        export(result, "threemf", OPTIONS, tmp_path / "a.3mf")
    assert caught.value.remedy == "pip install 'maquette[formats]'" and not list(tmp_path.iterdir())


def test_a_mesh_file_is_exported_again_but_has_no_splats(result: Path, tmp_path: Path) -> None:
    first = made("glb", result, tmp_path)
    done = export(first, "stl", ExportOptions(faces=1000, size_m=0.05), tmp_path / "again.stl")
    mesh = trimesh.load(done.path)
    check_egg(mesh.vertices, 2, 50.0)
    assert 900 <= len(mesh.faces) <= 1000
    baked = export(first, "obj", ExportOptions(faces=1000, texture_size=128), tmp_path / "again.zip")
    assert zipfile.is_zipfile(baked.path)
    for key in ("ply", "mp4"):
        with pytest.raises(InputError, match="splats"):
            export(first, key, OPTIONS, tmp_path / "no")


@pytest.mark.parametrize("fault", ["nothing", "empty folder", "no format", "no model"])
def test_what_cannot_be_exported_is_said(fault: str, result: Path, tmp_path: Path) -> None:
    source, key = result, "glb"
    if fault == "nothing":
        source = tmp_path / "missing"
    elif fault == "empty folder":
        source = tmp_path
    elif fault == "no format":
        key = "docx"
    else:
        source = tmp_path / "a.glb"
        source.write_bytes(b"no model")
    with pytest.raises(InputError) as caught:
        export(source, key, OPTIONS, tmp_path / "out.bin")
    assert caught.value.remedy and not (tmp_path / "out.bin").exists()


@pytest.mark.parametrize("key", ["obj", "threemf", "html", "usdz"])
def test_archives_and_pages_hold_the_recipe(key: str, result: Path, tmp_path: Path) -> None:
    path = made(key, result, tmp_path)
    assert read_recipe(path) == RECIPE
    for damage in (b"", b"nothing", path.read_bytes()[:200]):
        path.write_bytes(damage)
        with pytest.raises(FileFormatError, match="no recipe"):
            read_recipe(path)


def test_a_recipe_of_another_version_does_not_keep_the_shape_back(result: Path, tmp_path: Path) -> None:
    scene = (result / "scene.ply").read_bytes()
    (tmp_path / "scene.ply").write_bytes(scene.replace(b"maquette_recipe = 1", b"maquette_recipe = 9"))
    source = open_source(tmp_path)
    assert source.name == "maquette" and "maquette_recipe = 9" in source.recipe and source.scene is not None
