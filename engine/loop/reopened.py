"""Files of a result, opened again and compared with what the viewport shows; what differs comes back as
notes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import torch

from engine.assets.export import read_recipe
from engine.assets.export.glb import srgb_from_linear, world_from_gltf
from engine.assets.export.placement import Similarity
from engine.assets.export.ply import read_splat_ply, rgb_from_sh0
from engine.core.camera import Camera, orbit_camera
from engine.errors import StudioError
from engine.loop.frames import render_rgba
from engine.loop.messages import SceneCopy
from engine.render.mesh_numba import Shading, render_mesh
from engine.scene import splats

Notes = tuple[str, ...]

SIDE = 128
AZIMUTHS_DEG, ELEVATION_DEG = (20.0, 110.0, 200.0, 290.0), 15.0
UNLIT = Shading(1.0, 0.0)
LEAST_MASK_IOU, MOST_COLOUR_GAP = 0.9, 0.1
"""Of a mesh, which has sharp borders where splats fade out."""

LEAST_PSNR_DB = 35.0
"""Of splats, of which only bits are lost."""


def check_recipe(path: Path, recipe: str) -> None:
    """Raises `StudioError` for a file that cannot be read again, or that holds another recipe."""
    try:
        same = read_recipe(path) == recipe
    except StudioError as error:
        raise StudioError(f"{path.name} could not be read again: {error.what}", "Export it again.") from error
    if not same:
        raise StudioError(f"{path.name} holds another recipe than its own.", "Export it again.")


def mesh_differences(path: Path, copy: SceneCopy, placed: Similarity) -> Notes:
    """Outlines and unlit colours of a GLB, as trimesh reads it, beside the scene's pictures."""
    import trimesh

    (mesh,) = trimesh.load_scene(path, process=False).geometry.values()
    vertices, cameras = (
        placed.to_world(world_from_gltf(np.asarray(mesh.vertices, np.float64))),
        _cameras(copy),
    )
    poses, K = np.stack([camera.c2w for camera in cameras]), np.stack([camera.K for camera in cameras])
    corners = _display_colours(mesh)[mesh.faces]
    views = render_mesh(vertices, mesh.faces, corners, poses, K, SIDE, SIDE, shading=UNLIT).rgba
    return tuple(gaps(path.name, views, render_rgba(copy, cameras) / 255))


def splat_differences(path: Path, drawn: SceneCopy) -> Notes:
    """Pictures of a PLY's splats beside those of the splats ``drawn`` that were written."""
    cloud = read_splat_ply(path)
    colours = np.clip(rgb_from_sh0(cloud.sh0), 1e-4, 1 - 1e-4)
    opacities = np.clip(cloud.opacities, 1e-6, 1 - 1e-6)
    parts = (cloud.means, np.log(cloud.scales), cloud.quats, _logit(opacities), _logit(colours))
    scene = splats.Splats(*(torch.from_numpy(np.ascontiguousarray(part, np.float32)) for part in parts))
    cameras = _cameras(drawn)[:2]
    gap = (
        render_rgba(replace(drawn, scene=scene, backend="auto"), cameras) / 255.0
        - render_rgba(drawn, cameras) / 255.0
    )
    psnr = -10 * np.log10(max(float(np.mean(gap**2)), 1e-12))
    return () if psnr >= LEAST_PSNR_DB else (f"{path.name} looks {psnr:.0f} dB different from the viewport.",)


def film_differences(path: Path, frames: int) -> Notes:
    """Whether a film has all its pictures."""
    count = imageio_ffmpeg.count_frames_and_secs(str(path))[0]
    return () if count == frames else (f"{path.name} has {count} pictures, and {frames} were drawn.",)


def _cameras(copy: SceneCopy) -> list[Camera]:
    return [
        orbit_camera(azimuth, ELEVATION_DEG, copy.distance, copy.fov_deg, SIDE) for azimuth in AZIMUTHS_DEG
    ]


def gaps(name: str, views: np.ndarray, pictures: np.ndarray) -> Iterator[str]:
    """What differs in premultiplied RGBA (V,S,S,4) of what was made and of what is shown, 0..1."""
    made, shown = views[..., 3] > 0.5, pictures[..., 3] > 0.5
    overlap = float((made & shown).sum() / max((made | shown).sum(), 1))
    if overlap < LEAST_MASK_IOU:
        yield f"The outlines of {name} agree with the pictures by {overlap:.0%}: thin or misty parts differ."
    both = (views[..., 3] > 0.99) & (pictures[..., 3] > 0.95)
    gap = float(np.abs(views - pictures)[both][:, :3].mean()) if both.any() else 0.0
    if gap > MOST_COLOUR_GAP:
        yield f"The colours of {name} are {gap:.0%} off those of the pictures on average."


def _display_colours(mesh) -> np.ndarray:
    """Vertex colours (N,3) in 0..1 as they are shown, of linear bytes or of a texture."""
    attributes = getattr(mesh.visual, "vertex_attributes", {})
    if "color" in attributes:
        return srgb_from_linear(np.asarray(attributes["color"])[:, :3] / 255)
    return np.asarray(mesh.visual.to_color().vertex_colors)[:, :3] / 255


def _logit(share: np.ndarray) -> np.ndarray:
    return np.log(share / (1 - share))
