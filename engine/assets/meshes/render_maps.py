"""What cameras see of a reference: canonical coordinate maps for the controller, and thumbnails for
people.
"""

from __future__ import annotations

import numpy as np
import torch

from engine.assets.meshes.mesh_shape import ReferenceShape
from engine.core.camera import intrinsics, orbit_c2w
from engine.core.cameras import Cameras
from engine.prior.reference.maps import ReferenceMaps
from engine.render.mesh_numba import render_mesh

THUMBNAIL_AZIMUTH_DEG, THUMBNAIL_ELEVATION_DEG = 35.0, 20.0
DISTANCE, FOV_DEG = 3.05, 40.0


def reference_maps(shape: ReferenceShape, cameras: Cameras) -> ReferenceMaps:
    """The reference's maps (1,V,...) from V cameras of any kind, one sample a pixel, on their device (arXiv
    2409.11406, 3.1).
    """
    c2w, K = cameras.c2w.cpu().numpy(), cameras.K.cpu().numpy()
    rendered = render_mesh(
        shape.vertices, shape.faces, shape.face_colours, c2w, K, cameras.width, cameras.height, supersample=1
    )
    ccm, mask = (
        torch.from_numpy(part).movedim(-1, 1)[None].to(cameras.c2w.device)
        for part in (rendered.ccm, rendered.rgba[..., 3:])
    )
    return ReferenceMaps(ccm, mask)


def reference_pictures(shape: ReferenceShape, cameras: Cameras) -> torch.Tensor:
    """The reference itself, premultiplied RGBA (V,H,W,4) in 0..1, from V cameras of any kind, on their
    device.
    """
    c2w, K = cameras.c2w.cpu().numpy(), cameras.K.cpu().numpy()
    rendered = render_mesh(
        shape.vertices, shape.faces, shape.face_colours, c2w, K, cameras.width, cameras.height
    )
    return torch.from_numpy(rendered.rgba).to(cameras.c2w.device)


def pictures_of(
    shape: ReferenceShape, azimuths_deg: np.ndarray, elevation_deg: float, size: int
) -> np.ndarray:
    """Premultiplied RGBA (V,size,size,4) in 0..1 from cameras all round."""
    poses = np.stack([orbit_c2w(float(azimuth), elevation_deg, DISTANCE) for azimuth in azimuths_deg])
    K = np.broadcast_to(intrinsics(FOV_DEG, size, size), (len(poses), 3, 3))
    return render_mesh(shape.vertices, shape.faces, shape.face_colours, poses, K, size, size).rgba


def thumbnail(shape: ReferenceShape, size: int = 160) -> np.ndarray:
    """One picture (size,size,4) uint8, premultiplied, a little from the side and from above."""
    picture = pictures_of(shape, np.array([THUMBNAIL_AZIMUTH_DEG]), THUMBNAIL_ELEVATION_DEG, size)[0]
    return (np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8)
