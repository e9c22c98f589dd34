"""Numba kernels that project splats for the CPU renderer, and the gradient of that. Importing this file
compiles them.

One camera a call. Arrays are float32, arithmetic is float64. ``v_x`` is the gradient of the loss to ``x``. A
splat's falloff is handed on as its whitening matrix [[a, b], [0, c]], the upper root of the inverse of
``Sigma2``:

    u = a dx + b dy,    v = c dy,    alpha = o exp(-(u^2 + v^2) / 2)

which stays exact for long thin splats, where the inverse itself cancels.
"""

from __future__ import annotations

import math

import numba
import numpy as np

from engine.render.splats_surface import OPTIONS
from engine.render.splats_torch import EPS2D, FRUSTUM_MARGIN, NEAR

# The helpers are inlined before compilation and take whole arrays: a call, or a view of a row, costs a
# reference count.


@numba.njit(inline="always")
def _rotation(quats, n, out):
    """Rotation matrix of quaternion n, w,x,y,z of any length; returns the unit quaternion and one over that
    length.
    """
    w, x, y, z = float(quats[n, 0]), float(quats[n, 1]), float(quats[n, 2]), float(quats[n, 3])
    inverse = 1 / math.sqrt(w * w + x * x + y * y + z * z)
    w, x, y, z = w * inverse, x * inverse, y * inverse, z * inverse
    out[0, 0], out[0, 1], out[0, 2] = 1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)
    out[1, 0], out[1, 1], out[1, 2] = 2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)
    out[2, 0], out[2, 1], out[2, 2] = 2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)
    return w, x, y, z, inverse


@numba.njit(inline="always")
def _limits(focal, centre, size):
    """The range of x/z within the image and its margin, where the expansion of the projection may be
    taken.
    """
    margin = FRUSTUM_MARGIN * 0.5 * size / focal
    return -centre / focal - margin, (size - centre) / focal + margin


@numba.njit(inline="always")
def _camera_point(means, n, viewmat, i):
    return (
        viewmat[i, 0] * means[n, 0]
        + viewmat[i, 1] * means[n, 1]
        + viewmat[i, 2] * means[n, 2]
        + viewmat[i, 3]
    )


@numba.njit(inline="always")
def _camera_axes(rotation, scales, n, viewmat, axes):
    """The splat's three axes, as long as its standard deviations, in camera space: the columns of W R S."""
    for j in range(3):
        for i in range(3):
            along = (
                viewmat[i, 0] * rotation[0, j]
                + viewmat[i, 1] * rotation[1, j]
                + viewmat[i, 2] * rotation[2, j]
            )
            axes[i, j] = along * scales[n, j]


@numba.njit(inline="always")
def _image_axes(axes, tx, ty, fx_z, fy_z, image):
    """The columns of J W R S; returns the blurred covariance xx, xy, yy."""
    xx, xy, yy = EPS2D, 0.0, EPS2D
    for j in range(3):
        image[0, j] = fx_z * (axes[0, j] - tx * axes[2, j])
        image[1, j] = fy_z * (axes[1, j] - ty * axes[2, j])
        xx += image[0, j] * image[0, j]
        xy += image[0, j] * image[1, j]
        yy += image[1, j] * image[1, j]
    return xx, xy, yy


@numba.njit(
    "void(f4[:,::1],f4[:,::1],f4[:,::1],f8[:,::1],f8[:,::1],i8,i8,f4[:,::1],f4[:,::1],f4[::1])", **OPTIONS
)
def project(means, quats, scales, viewmat, K, width, height, means2d, whitening, depths):
    """Fill ``means2d`` (N,2), ``whitening`` (N,3) a,b,c and ``depths`` (N); a splat behind the camera gets
    its depth only.
    """
    fx, fy, cx, cy = K[0, 0], K[1, 1], K[0, 2], K[1, 2]
    (left, right), (top, bottom) = _limits(fx, cx, width), _limits(fy, cy, height)
    rotation, axes, image = np.empty((3, 3)), np.empty((3, 3)), np.empty((2, 3))
    for n in range(len(means)):
        z = _camera_point(means, n, viewmat, 2)
        depths[n] = z
        means2d[n, 0], means2d[n, 1] = 0, 0
        whitening[n, 0], whitening[n, 1], whitening[n, 2] = 0, 0, 0
        if not z > NEAR:
            continue
        nearness = 1 / z
        x_z, y_z = (
            _camera_point(means, n, viewmat, 0) * nearness,
            _camera_point(means, n, viewmat, 1) * nearness,
        )
        _rotation(quats, n, rotation)
        _camera_axes(rotation, scales, n, viewmat, axes)
        tx, ty = min(max(x_z, left), right), min(max(y_z, top), bottom)
        xx, xy, yy = _image_axes(axes, tx, ty, fx * nearness, fy * nearness, image)
        a = math.sqrt(yy / (xx * yy - xy * xy))
        means2d[n, 0], means2d[n, 1] = fx * x_z + cx, fy * y_z + cy
        whitening[n, 0], whitening[n, 1], whitening[n, 2] = a, -a * xy / yy, 1 / math.sqrt(yy)


@numba.njit(inline="always")
def _covariance_gradient(xx, xy, yy, v_whitening, n):
    """Gradient of the covariance's xx, xy (counted once for both places), yy from that of a, b, c."""
    inverse_yy, inverse_det = 1 / yy, 1 / (xx * yy - xy * xy)
    a, slope = math.sqrt(yy * inverse_det), xy * inverse_yy
    v_a = v_whitening[n, 0] - v_whitening[n, 1] * slope
    v_det = -0.5 * v_a * a * inverse_det
    v_yy = a * (0.5 * v_a + v_whitening[n, 1] * slope) - 0.5 * v_whitening[n, 2] * math.sqrt(inverse_yy)
    v_yy = v_yy * inverse_yy + v_det * xx
    return v_det * yy, -v_whitening[n, 1] * a * inverse_yy - 2 * v_det * xy, v_yy


@numba.njit(inline="always")
def _image_axes_gradient(v_xx, v_xy, v_yy, axes, image, tx, ty, fx_z, fy_z, v_axes):
    """Back through ``_image_axes``; returns the gradients of tx, ty and the logarithm of 1/z."""
    v_tx, v_ty, v_log = 0.0, 0.0, 0.0
    for j in range(3):
        v_0 = 2 * v_xx * image[0, j] + v_xy * image[1, j]
        v_1 = 2 * v_yy * image[1, j] + v_xy * image[0, j]
        v_log += v_0 * image[0, j] + v_1 * image[1, j]
        v_axes[0, j], v_axes[1, j] = fx_z * v_0, fy_z * v_1
        v_axes[2, j] = -tx * v_axes[0, j] - ty * v_axes[1, j]
        v_tx -= v_axes[0, j] * axes[2, j]
        v_ty -= v_axes[1, j] * axes[2, j]
    return v_tx, v_ty, v_log


@numba.njit(inline="always")
def _camera_axes_gradient(rotation, scales, n, viewmat, v_axes, v_rotation, v_scales):
    """Back through ``_camera_axes`` to R and S."""
    for j in range(3):
        along = 0.0
        for i in range(3):
            v_world = (
                viewmat[0, i] * v_axes[0, j] + viewmat[1, i] * v_axes[1, j] + viewmat[2, i] * v_axes[2, j]
            )
            v_rotation[i, j] = v_world * scales[n, j]
            along += v_world * rotation[i, j]
        v_scales[n, j] = along


@numba.njit(inline="always")
def _rotation_gradient(w, x, y, z, inverse, v, v_quats, n):
    """Back through ``_rotation``; the result is at right angles to the quaternion, whose length has no
    effect.
    """
    v_w = 2 * (x * (v[2, 1] - v[1, 2]) + y * (v[0, 2] - v[2, 0]) + z * (v[1, 0] - v[0, 1]))
    v_x = 2 * (
        -2 * x * (v[1, 1] + v[2, 2])
        + y * (v[0, 1] + v[1, 0])
        + z * (v[0, 2] + v[2, 0])
        + w * (v[2, 1] - v[1, 2])
    )
    v_y = 2 * (
        x * (v[0, 1] + v[1, 0])
        - 2 * y * (v[0, 0] + v[2, 2])
        + z * (v[1, 2] + v[2, 1])
        + w * (v[0, 2] - v[2, 0])
    )
    v_z = 2 * (
        x * (v[0, 2] + v[2, 0])
        + y * (v[1, 2] + v[2, 1])
        - 2 * z * (v[0, 0] + v[1, 1])
        + w * (v[1, 0] - v[0, 1])
    )
    along = v_w * w + v_x * x + v_y * y + v_z * z
    v_quats[n, 0], v_quats[n, 1] = (v_w - along * w) * inverse, (v_x - along * x) * inverse
    v_quats[n, 2], v_quats[n, 3] = (v_y - along * y) * inverse, (v_z - along * z) * inverse


@numba.njit(
    "void(f4[:,::1],f4[:,::1],f4[:,::1],f8[:,::1],f8[:,::1],i8,i8,f4[:,::1],f4[:,::1],f4[::1],f4[:,::1],f4[:,::1],f4[:,::1])",
    **OPTIONS,
)
def project_backward(
    means,
    quats,
    scales,
    viewmat,
    K,
    width,
    height,
    v_means2d,
    v_whitening,
    v_depths,
    v_means,
    v_quats,
    v_scales,
):
    """Fill the gradients of ``project``'s first three arguments, given as zeros, from those of its
    results.
    """
    fx, fy, cx, cy = K[0, 0], K[1, 1], K[0, 2], K[1, 2]
    (left, right), (top, bottom) = _limits(fx, cx, width), _limits(fy, cy, height)
    rotation, axes, image = np.empty((3, 3)), np.empty((3, 3)), np.empty((2, 3))
    v_axes, v_rotation = np.empty((3, 3)), np.empty((3, 3))
    for n in range(len(means)):
        z = _camera_point(means, n, viewmat, 2)
        idle = (
            v_means2d[n, 0] == 0
            and v_means2d[n, 1] == 0
            and v_whitening[n, 0] == 0
            and v_whitening[n, 2] == 0
        )
        if not z > NEAR or (idle and v_whitening[n, 1] == 0 and v_depths[n] == 0):
            continue
        nearness = 1 / z
        x_z, y_z = (
            _camera_point(means, n, viewmat, 0) * nearness,
            _camera_point(means, n, viewmat, 1) * nearness,
        )
        tx, ty, fx_z, fy_z = (
            min(max(x_z, left), right),
            min(max(y_z, top), bottom),
            fx * nearness,
            fy * nearness,
        )
        qw, qx, qy, qz, inverse = _rotation(quats, n, rotation)
        _camera_axes(rotation, scales, n, viewmat, axes)
        xx, xy, yy = _image_axes(axes, tx, ty, fx_z, fy_z, image)

        v_xx, v_xy, v_yy = _covariance_gradient(xx, xy, yy, v_whitening, n)
        v_tx, v_ty, v_log = _image_axes_gradient(v_xx, v_xy, v_yy, axes, image, tx, ty, fx_z, fy_z, v_axes)
        v_x_z = fx * v_means2d[n, 0] + (v_tx if tx == x_z else 0.0)
        v_y_z = fy * v_means2d[n, 1] + (v_ty if ty == y_z else 0.0)
        v_x, v_y = v_x_z * nearness, v_y_z * nearness
        v_z = v_depths[n] - nearness * (v_log + v_x_z * x_z + v_y_z * y_z)
        for i in range(3):
            v_means[n, i] = viewmat[0, i] * v_x + viewmat[1, i] * v_y + viewmat[2, i] * v_z
        _camera_axes_gradient(rotation, scales, n, viewmat, v_axes, v_rotation, v_scales)
        _rotation_gradient(qw, qx, qy, qz, inverse, v_rotation, v_quats, n)
