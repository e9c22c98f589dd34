"""USDZ with a texture, by Pixar's USD (usd-core): for iPhones, Quick Look and film pipelines."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from engine.assets.export.bake import Baked
from engine.assets.export.files import atomic_path
from engine.assets.export.formats.base import ExportFormat, ExportOptions, turned_up
from engine.assets.export.formats.counting import faces_by_usd, usd_modules
from engine.assets.export.sheet import png_of
from engine.errors import StudioError


def write(path: Path, content: Baked, options: ExportOptions) -> None:
    """Write the package: a stage in metres with one mesh and its preview material.

    The recipe stands in the stage for USD's own tools, and in the texture, where it is read again without
    them.
    """
    (UsdUtils,) = usd_modules("UsdUtils")

    with tempfile.TemporaryDirectory() as folder, atomic_path(path) as partial:
        stage_path = Path(folder) / "mesh.usdc"
        (Path(folder) / "mesh.png").write_bytes(png_of(content.texture, options.recipe))
        _stage(stage_path, content, options).Save()
        if not UsdUtils.CreateNewUsdzPackage(str(stage_path), str(partial)):
            raise StudioError("USD could not pack the file.", "Try another folder.")


def _stage(path: Path, content: Baked, options: ExportOptions) -> Any:
    Sdf, Usd, UsdGeom, Vt = usd_modules("Sdf", "Usd", "UsdGeom", "Vt")

    up = options.up or FORMAT.up
    stage = Usd.Stage.CreateNew(str(path))
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.y if up == "y" else UsdGeom.Tokens.z)
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    root = UsdGeom.Xform.Define(stage, "/Object")
    stage.SetDefaultPrim(root.GetPrim())
    root.GetPrim().SetDisplayName(options.name)
    if options.recipe:
        root.GetPrim().SetCustomDataByKey("recipe", options.recipe)
    mesh = UsdGeom.Mesh.Define(stage, "/Object/Mesh")
    points = turned_up(content.vertices, up).astype(np.float32)
    mesh.CreatePointsAttr(Vt.Vec3fArray.FromNumpy(points))
    mesh.CreateExtentAttr(Vt.Vec3fArray.FromNumpy(np.stack([points.min(0), points.max(0)])))
    mesh.CreateFaceVertexCountsAttr(Vt.IntArray.FromNumpy(np.full(len(content.faces), 3, np.int32)))
    mesh.CreateFaceVertexIndicesAttr(Vt.IntArray.FromNumpy(content.faces.astype(np.int32).reshape(-1)))
    mesh.CreateNormalsAttr(Vt.Vec3fArray.FromNumpy(turned_up(content.normals, up).astype(np.float32)))
    mesh.SetNormalsInterpolation(UsdGeom.Tokens.vertex)
    mesh.CreateSubdivisionSchemeAttr(UsdGeom.Tokens.none)
    texture = UsdGeom.PrimvarsAPI(mesh).CreatePrimvar(
        "st", Sdf.ValueTypeNames.TexCoord2fArray, UsdGeom.Tokens.vertex
    )
    texture.Set(Vt.Vec2fArray.FromNumpy((content.uv * [1, -1] + [0, 1]).astype(np.float32)))
    _paint(stage, mesh)
    return stage


def _paint(stage: Any, mesh: Any) -> None:
    """A matt preview surface whose colour is the texture's."""
    Sdf, UsdShade = usd_modules("Sdf", "UsdShade")

    material = UsdShade.Material.Define(stage, "/Object/Matt")
    shader, picture, place = (
        UsdShade.Shader.Define(stage, f"/Object/Matt/{name}") for name in ("Surface", "Texture", "Place")
    )
    place.CreateIdAttr("UsdPrimvarReader_float2")
    place.CreateInput("varname", Sdf.ValueTypeNames.String).Set("st")
    picture.CreateIdAttr("UsdUVTexture")
    picture.CreateInput("file", Sdf.ValueTypeNames.Asset).Set("mesh.png")
    picture.CreateInput("sourceColorSpace", Sdf.ValueTypeNames.Token).Set("sRGB")
    for side in ("wrapS", "wrapT"):
        picture.CreateInput(side, Sdf.ValueTypeNames.Token).Set("clamp")
    where = place.CreateOutput("result", Sdf.ValueTypeNames.Float2)
    picture.CreateInput("st", Sdf.ValueTypeNames.Float2).ConnectToSource(where)
    shader.CreateIdAttr("UsdPreviewSurface")
    colour = picture.CreateOutput("rgb", Sdf.ValueTypeNames.Float3)
    shader.CreateInput("diffuseColor", Sdf.ValueTypeNames.Color3f).ConnectToSource(colour)
    shader.CreateInput("roughness", Sdf.ValueTypeNames.Float).Set(1.0)
    shader.CreateInput("metallic", Sdf.ValueTypeNames.Float).Set(0.0)
    material.CreateSurfaceOutput().ConnectToSource(shader.CreateOutput("surface", Sdf.ValueTypeNames.Token))
    UsdShade.MaterialBindingAPI.Apply(mesh.GetPrim()).Bind(material)


FORMAT = ExportFormat(
    title="USDZ",
    suffix=".usdz",
    content="texture",
    write=write,
    count=faces_by_usd,
    bytes_each=35,
    help="For iPhone and iPad (Quick Look, AR) and film pipelines.",
    options=("size_m", "up", "origin", "faces", "texture_size"),
    up="y",
    package="pxr",
    extra="formats",
    bytes_texel=0.3,
)
