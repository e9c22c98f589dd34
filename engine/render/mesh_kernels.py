"""Numba kernels that rasterise coloured triangle meshes.

Triangles are rasterised in homogeneous pixel coordinates (Olano & Greer, "Triangle Scan Conversion using 2D
Homogeneous Coordinates", 1997): with p_i = K x_i in camera space, the edge functions of a triangle are e_0 =
p_1 x p_2 (and cyclic), and for the pixel q = (x, y, 1)

    e_i . q / det[p_0 p_1 p_2] = lambda_i / z,

so the signs say inside or outside, the sum is the inverse depth, and the ratios are perspective-correct
barycentric coordinates. A triangle that crosses the camera plane needs no clipping.
"""

import numba
import numpy as np

NEAR = 1e-2
"""Surfaces closer to the camera plane than this are not drawn."""


@numba.njit(cache=True, nogil=True)
def rasterise(
    vertices, faces, corners, flat, normals, light, w2c, K, unproject, eyes, supersample,
    rgba, depth, normal, ccm,
):  # fmt: skip
    """Every camera in turn: project, rasterise into sample buffers, resolve to pixels. Arrays as in
    `render_mesh`; ``K`` (B,3,3) is of samples, and a sample's world position is ``eyes[camera]`` + z *
    ``unproject[camera]`` (x, y, 1).

    Neither matrix products nor slices are assigned in here: numba compiles a few lines of them for seconds.
    """
    n_cameras, height, width = depth.shape
    inverse_depth = np.empty((height * supersample, width * supersample), np.float64)
    face_index = np.empty((height * supersample, width * supersample), np.int64)
    for camera in range(n_cameras):
        projected = _project(vertices, w2c[camera], K[camera])
        inverse_depth.fill(0.0)
        face_index.fill(-1)
        for face in range(len(faces)):
            _raster_triangle(
                projected[faces[face, 0]], projected[faces[face, 1]], projected[faces[face, 2]],
                face, inverse_depth, face_index,
            )  # fmt: skip
        _resolve(
            vertices, faces, corners, flat, normals, light, unproject[camera], eyes[camera], inverse_depth,
                face_index, supersample,
            rgba[camera], depth[camera], normal[camera], ccm[camera],
        )  # fmt: skip


@numba.njit(cache=True, nogil=True)
def _project(vertices, w2c, K):
    """Homogeneous pixel coordinates K (R x + t) of all vertices; the third is the depth."""
    out = np.empty_like(vertices)
    for i in range(len(vertices)):
        x, y, z = vertices[i, 0], vertices[i, 1], vertices[i, 2]
        cx = w2c[0, 0] * x + w2c[0, 1] * y + w2c[0, 2] * z + w2c[0, 3]
        cy = w2c[1, 0] * x + w2c[1, 1] * y + w2c[1, 2] * z + w2c[1, 3]
        cz = w2c[2, 0] * x + w2c[2, 1] * y + w2c[2, 2] * z + w2c[2, 3]
        out[i, 0] = K[0, 0] * cx + K[0, 1] * cy + K[0, 2] * cz
        out[i, 1] = K[1, 1] * cy + K[1, 2] * cz
        out[i, 2] = cz
    return out


@numba.njit(cache=True, nogil=True)
def _cross(a, b):
    return (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])


@numba.njit(cache=True, nogil=True)
def _bounds(a, b, c, axis, size):
    """First and one-past-last sample whose centre the triangle may cover along an axis; all of them if it
    crosses NEAR.
    """
    if a[2] < NEAR or b[2] < NEAR or c[2] < NEAR:
        return 0, size
    u, v, w = a[axis] / a[2], b[axis] / b[2], c[axis] / c[2]
    low, high = min(u, min(v, w)), max(u, max(v, w))
    return int(np.ceil(min(max(low, 0.5), size + 0.5) - 0.5)), int(
        np.floor(max(min(high, size - 0.5), -0.5) - 0.5)
    ) + 1


@numba.njit(cache=True, nogil=True)
def _raster_triangle(a, b, c, face, inverse_depth, face_index):
    """Enter one triangle, in homogeneous sample coordinates, into the sample buffers where it is nearest."""
    if a[2] < NEAR and b[2] < NEAR and c[2] < NEAR:
        return
    height, width = inverse_depth.shape
    ea, eb, ec = _cross(b, c), _cross(c, a), _cross(a, b)
    det = a[0] * ea[0] + a[1] * ea[1] + a[2] * ea[2]
    if abs(det) < 1e-12:  # seen edge-on, or degenerate
        return
    inv = 1.0 / det
    x0, x1 = _bounds(a, b, c, 0, width)
    y0, y1 = _bounds(a, b, c, 1, height)
    for y in range(y0, y1):
        fx, fy = x0 + 0.5, y + 0.5
        la = (ea[0] * fx + ea[1] * fy + ea[2]) * inv
        lb = (eb[0] * fx + eb[1] * fy + eb[2]) * inv
        lc = (ec[0] * fx + ec[1] * fy + ec[2]) * inv
        for x in range(x0, x1):
            if la >= 0.0 and lb >= 0.0 and lc >= 0.0:
                nearness = la + lb + lc
                if nearness > inverse_depth[y, x] and nearness <= 1.0 / NEAR:
                    inverse_depth[y, x] = nearness
                    face_index[y, x] = face
            la += ea[0] * inv
            lb += eb[0] * inv
            lc += ec[0] * inv


@numba.njit(cache=True, nogil=True)
def _resolve(
    vertices, faces, corners, flat, normals, light, unproject, eye, inverse_depth, face_index, supersample,
    rgba, depth, normal, ccm,
):  # fmt: skip
    """Shade the samples of one camera and gather them into its pixels."""
    height, width = depth.shape
    share = 1.0 / (supersample * supersample)
    for py in range(height):
        for px in range(width):
            best = 0.0
            for y in range(py * supersample, (py + 1) * supersample):
                for x in range(px * supersample, (px + 1) * supersample):
                    face = face_index[y, x]
                    if face < 0:
                        continue
                    z = 1.0 / inverse_depth[y, x]
                    point = _world_point(unproject, eye, x + 0.5, y + 0.5, z)
                    side = _side(normals[face], point, eye)
                    colour = (corners[face, 0, 0], corners[face, 0, 1], corners[face, 0, 2])
                    if not flat:
                        colour = _colour_at(point, vertices, faces[face], corners[face])
                    for k in range(3):
                        rgba[py, px, k] += colour[k] * light[face, side] * share
                    rgba[py, px, 3] += share
                    if inverse_depth[y, x] > best:
                        best = inverse_depth[y, x]
                        depth[py, px] = z
                        for k in range(3):
                            normal[py, px, k] = normals[face, k] * (1 - 2 * side)
                            ccm[py, px, k] = min(max(0.5 + 0.5 * point[k], 0.0), 1.0)


@numba.njit(cache=True, nogil=True)
def _world_point(unproject, eye, x, y, z):
    return (
        eye[0] + z * (unproject[0, 0] * x + unproject[0, 1] * y + unproject[0, 2]),
        eye[1] + z * (unproject[1, 0] * x + unproject[1, 1] * y + unproject[1, 2]),
        eye[2] + z * (unproject[2, 0] * x + unproject[2, 1] * y + unproject[2, 2]),
    )


@numba.njit(cache=True, nogil=True)
def _side(face_normal, point, eye):
    """0 if the viewer sees the side the normal points to, else 1. Seen from outside, any winding is thus lit
    alike.
    """
    dot = 0.0
    for k in range(3):
        dot += face_normal[k] * (eye[k] - point[k])
    return 0 if dot >= 0.0 else 1


@numba.njit(cache=True, nogil=True)
def _colour_at(point, vertices, face, corners):
    """Corner colours interpolated at a world point of the face, which must have an area."""
    a, b, c = vertices[face[0]], vertices[face[1]], vertices[face[2]]
    ab, ac = (b[0] - a[0], b[1] - a[1], b[2] - a[2]), (c[0] - a[0], c[1] - a[1], c[2] - a[2])
    ap = (point[0] - a[0], point[1] - a[1], point[2] - a[2])
    n = _cross(ab, ac)
    nn = n[0] * n[0] + n[1] * n[1] + n[2] * n[2]
    p, q = _cross(ab, ap), _cross(ap, ac)
    wc = min(max((n[0] * p[0] + n[1] * p[1] + n[2] * p[2]) / nn, 0.0), 1.0)
    wb = min(max((n[0] * q[0] + n[1] * q[1] + n[2] * q[2]) / nn, 0.0), 1.0)
    wa = max(1.0 - wb - wc, 0.0)
    return (
        wa * corners[0, 0] + wb * corners[1, 0] + wc * corners[2, 0],
        wa * corners[0, 1] + wb * corners[1, 1] + wc * corners[2, 1],
        wa * corners[0, 2] + wb * corners[1, 2] + wc * corners[2, 2],
    )
