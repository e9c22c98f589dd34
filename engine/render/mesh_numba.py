"""A z-buffer for coloured triangle meshes on one CPU core: colour, depth, normals and canonical coordinates.

Shading is fixed to the world, not to the camera, so that pictures of one object from all sides fit one
coloured 3D model.
"""

from dataclasses import dataclass

import numpy as np

from engine.errors import InputError
from engine.render.mesh_kernels import rasterise


@dataclass(frozen=True)
class Shading:
    """Wrapped Lambert light from a world direction: ``ambient + diffuse * (1 + n . l) / 2``.

    The wrap keeps a gradient on the side turned away from the light, where plain Lambert would be one flat
    tone.
    """

    ambient: float = 0.62
    diffuse: float = 0.38
    direction: tuple[float, float, float] = (0.45, 0.35, 0.82)


@dataclass(frozen=True)
class MeshBuffers:
    """Pictures of a mesh from B cameras. Geometry is that of the nearest surface sample within a pixel, 0
    where empty.

    ``rgba`` (B,H,W,4) float32 premultiplied, 0..1; ``depth`` (B,H,W) view-space z; ``normal`` (B,H,W,3) unit,
    in world axes, turned to the viewer; ``ccm`` (B,H,W,3) canonical coordinates: world position mapped from
    [-1,1] to [0,1], clipped.
    """

    rgba: np.ndarray
    depth: np.ndarray
    normal: np.ndarray
    ccm: np.ndarray


def render_mesh(
    vertices: np.ndarray,
    faces: np.ndarray,
    face_colours: np.ndarray,
    c2w: np.ndarray,
    K: np.ndarray,
    width: int,
    height: int,
    *,
    supersample: int = 2,
    shading: Shading = Shading(),
) -> MeshBuffers:
    """Draw a mesh (vertices (N,3), faces (F,3)) from B cameras (``c2w`` (B,4,4) OpenCV axes, ``K`` (B,3,3)
    pixels).

    ``face_colours`` is (F,3), one colour a face, or (F,3,3), one a corner (``vertex_colours[faces]``), in
    0..1. Colour is box-filtered over ``supersample`` x ``supersample`` samples a pixel. Raises `InputError`
    on wrong shapes, indices out of range and non-finite numbers.
    """
    vertices = np.array(vertices, np.float64).reshape(-1, 3)
    faces = np.array(faces, np.int64).reshape(-1, 3)
    corners = _corner_colours(face_colours, len(faces))
    _check(vertices, faces, corners, c2w, K, supersample)
    w2c = np.ascontiguousarray(np.linalg.inv(np.array(c2w, np.float64)))
    samples = np.array(K, np.float64) * [[supersample], [supersample], [1]]
    rotation = w2c[:, :3, :3].swapaxes(1, 2)
    unproject, eyes = rotation @ np.linalg.inv(samples), -(rotation @ w2c[:, :3, 3:])[..., 0]
    buffers = _empty_buffers(len(w2c), height, width)
    normals = _face_normals(vertices, faces)
    flat = bool((corners == corners[:, :1]).all())
    rasterise(
        vertices, faces, corners, flat, normals, _light(normals, shading), w2c, samples, unproject, eyes,
            supersample,
        buffers.rgba, buffers.depth, buffers.normal, buffers.ccm,
    )  # fmt: skip
    return buffers


def _corner_colours(colours: np.ndarray, n_faces: int) -> np.ndarray:
    colours = np.array(colours, np.float64)
    if n_faces == 0:
        return np.zeros((0, 3, 3))
    if colours.shape == (n_faces, 3):
        return np.ascontiguousarray(np.broadcast_to(colours[:, None], (n_faces, 3, 3)))
    if colours.shape == (n_faces, 3, 3):
        return colours
    raise InputError(
        f"face_colours has shape {colours.shape}, allowed are ({n_faces}, 3) and ({n_faces}, 3, 3)",
        remedy="Give one colour a face, or vertex_colours[faces].",
    )


def _check(
    vertices: np.ndarray,
    faces: np.ndarray,
    corners: np.ndarray,
    c2w: np.ndarray,
    K: np.ndarray,
    supersample: int,
) -> None:
    if np.shape(c2w)[1:] != (4, 4) or np.shape(K) != (len(c2w), 3, 3):
        raise InputError(
            f"cameras have shapes c2w {np.shape(c2w)} and K {np.shape(K)}, allowed are (B, 4, 4) and (B, "
            "3, 3)",
            remedy="Stack one c2w and one K a camera.",
        )
    if len(faces) and (faces.min() < 0 or faces.max() >= len(vertices)):
        raise InputError(
            f"faces index vertices {faces.min()} to {faces.max()}, but there are {len(vertices)}",
            remedy="Check that the mesh was read completely.",
        )
    if not (
        np.isfinite(vertices).all()
        and np.isfinite(corners).all()
        and np.isfinite(c2w).all()
        and np.isfinite(K).all()
    ):
        raise InputError(
            "mesh or cameras contain NaN or infinity", remedy="Repair the mesh or drop the broken vertices."
        )
    if supersample < 1:
        raise InputError(
            f"supersample is {supersample}, allowed is 1 or more", remedy="Use 1 (fast) or 2 (smooth)."
        )


def _empty_buffers(n: int, height: int, width: int) -> MeshBuffers:
    return MeshBuffers(
        rgba=np.zeros((n, height, width, 4), np.float32),
        depth=np.zeros((n, height, width), np.float32),
        normal=np.zeros((n, height, width, 3), np.float32),
        ccm=np.zeros((n, height, width, 3), np.float32),
    )


def _face_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    normals = np.cross(b - a, c - a)
    return np.ascontiguousarray(normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-300))


def _light(normals: np.ndarray, shading: Shading) -> np.ndarray:
    """(F,2) light on the side the winding calls outward, and on the other side."""
    direction = np.asarray(shading.direction, np.float64)
    cosine = normals @ (direction / np.linalg.norm(direction))
    return shading.ambient + shading.diffuse * 0.5 * (1.0 + np.stack([cosine, -cosine], axis=1))
