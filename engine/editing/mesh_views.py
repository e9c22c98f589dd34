"""A mesh under cameras: its texture as a canonical space, its pictures, and those of what became of it."""

from __future__ import annotations

import numpy as np
import torch

from engine.assets.export.bake import TexelMap, texels_of
from engine.assets.export.sheet import BACKGROUND
from engine.assets.meshes.mesh_shape import ReferenceShape
from engine.assets.meshes.render_maps import DISTANCE, FOV_DEG
from engine.core.cameras import Cameras, orbit_cameras
from engine.core.views import Views
from engine.editing.mesh_checks import check_mesh
from engine.render.mesh_numba import MeshBuffers, render_mesh
from engine.synchronisation.texture import TextureSpace, texture_space

SHEET_SIDE, SHEET_ELEVATION_DEG = 256, 15.0
WORK_TEXELS = (
    256  # a side, of the texture while it is denoised: several texels for each pixel that the prior draws
)


def mesh_space(
    shape: ReferenceShape, texels: TexelMap, cameras: Cameras, cosine_power: float
) -> TextureSpace:
    """The texture of a mesh under cameras. Raises InputError if they see none of it."""
    return texture_space(texels.points, texels.normals, rendered(shape, cameras), cameras, cosine_power)


def rendered(shape: ReferenceShape, cameras: Cameras) -> MeshBuffers:
    """Its colours, depth and surface as they are seen."""
    c2w, K = cameras.c2w.cpu().numpy(), cameras.K.cpu().numpy()
    return render_mesh(
        shape.vertices, shape.faces, shape.face_colours, c2w, K, cameras.width, cameras.height, supersample=1
    )


def work_texels(shape: ReferenceShape) -> TexelMap:
    """The texture while it is denoised. Raises InputError for a mesh that has no surface."""
    check_mesh(shape)
    return texels_of(shape.vertices.astype(np.float64), shape.faces, WORK_TEXELS)


def sheet_cameras() -> Cameras:
    """Those from which results are shown."""
    return orbit_cameras([45.0 * k for k in range(8)], SHEET_ELEVATION_DEG, DISTANCE, FOV_DEG, SHEET_SIDE)


def on_paper(views: Views) -> np.ndarray:
    """uint8 (N,H,W,3): premultiplied views over the light ground of sheets."""
    paper = views.rgb.new_tensor(BACKGROUND) / 255
    rgb = views.rgb + (1 - views.alpha) * paper
    return (rgb.clamp(0, 1) * 255 + 0.5).to(torch.uint8).cpu().numpy()
