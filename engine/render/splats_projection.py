"""Numba kernels that project splats for the CPU renderer, and the gradient of that. Importing this file compiles them.

One camera a call. Arrays are float32, arithmetic on single splats float64. ``v_x`` is the gradient of the loss to ``x``.
A splat's falloff is handed on as its whitening matrix [[a, b], [0, c]], the upper root of the inverse of ``Sigma2``:

    u = a dx + b dy,    v = c dy,    alpha = o exp(-(u^2 + v^2) / 2)

which stays exact for long thin splats, where the inverse itself cancels.
"""

from __future__ import annotations

import math

import numba
import numpy as np

from engine.render.splats_torch import EPS2D, FRUSTUM_MARGIN, NEAR

OPTIONS = {"nogil": True, "cache": True, "error_model": "numpy"}


@numba.njit(**OPTIONS)
def _rotation(quat, out):
    """Rotation matrix of a quaternion w,x,y,z of any length; returns that length."""
    norm = math.sqrt(quat[0] ** 2 + quat[1] ** 2 + quat[2] ** 2 + quat[3] ** 2)
    w, x, y, z = quat[0] / norm, quat[1] / norm, quat[2] / norm, quat[3] / norm
    out[0, 0], out[0, 1], out[0, 2] = 1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)
    out[1, 0], out[1, 1], out[1, 2] = 2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)
    out[2, 0], out[2, 1], out[2, 2] = 2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)
    return norm


@numba.njit(**OPTIONS)
def _direction(value, focal, centre, size):
    """x/z of a camera point held to the frustum and its margin, and whether it was inside."""
    margin = FRUSTUM_MARGIN * 0.5 * size / focal
    low, high = -centre / focal - margin, (size - centre) / focal + margin
    return min(max(value, low), high), low <= value <= high


@numba.njit(**OPTIONS)
def _camera_point(mean, viewmat, point):
    for i in range(3):
        point[i] = viewmat[i, 0] * mean[0] + viewmat[i, 1] * mean[1] + viewmat[i, 2] * mean[2] + viewmat[i, 3]


@numba.njit(**OPTIONS)
def _camera_axes(rotation, scale, viewmat, axes):
    """The splat's three axes, as long as its standard deviations, in camera space: the columns of W R S."""
    for i in range(3):
        for j in range(3):
            total = 0.0
            for k in range(3):
                total += viewmat[i, k] * rotation[k, j]
            axes[i, j] = total * scale[j]


@numba.njit(**OPTIONS)
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


@numba.njit("void(f4[:,::1],f4[:,::1],f4[:,::1],f8[:,::1],f8[:,::1],i8,i8,f4[:,::1],f4[:,::1],f4[::1])", **OPTIONS)
def project(means, quats, scales, viewmat, K, width, height, means2d, whitening, depths):
    """Fill ``means2d`` (N,2), ``whitening`` (N,3) a,b,c and ``depths`` (N); a splat behind the camera gets its depth only."""
    fx, fy, cx, cy = K[0, 0], K[1, 1], K[0, 2], K[1, 2]
    rotation, axes, image, point = np.empty((3, 3)), np.empty((3, 3)), np.empty((2, 3)), np.empty(3)
    for n in range(len(means)):
        _camera_point(means[n], viewmat, point)
        x, y, z = point
        depths[n] = z
        if not z > NEAR:
            means2d[n] = 0.0
            whitening[n] = 0.0
            continue
        tx, _ = _direction(x / z, fx, cx, width)
        ty, _ = _direction(y / z, fy, cy, height)
        _rotation(quats[n], rotation)
        _camera_axes(rotation, scales[n], viewmat, axes)
        xx, xy, yy = _image_axes(axes, tx, ty, fx / z, fy / z, image)
        a = math.sqrt(yy / (xx * yy - xy * xy))
        means2d[n, 0], means2d[n, 1] = fx * x / z + cx, fy * y / z + cy
        whitening[n, 0], whitening[n, 1], whitening[n, 2] = a, -a * xy / yy, 1 / math.sqrt(yy)


@numba.njit(**OPTIONS)
def _covariance_gradient(xx, xy, yy, v_whitening):
    """Gradient of the covariance's xx, xy (counted once for both places), yy from that of a, b, c."""
    det = xx * yy - xy * xy
    a = math.sqrt(yy / det)
    v_a = v_whitening[0] - v_whitening[1] * xy / yy
    v_det = -0.5 * v_a * a / det
    v_yy = 0.5 * v_a * a / yy + v_whitening[1] * a * xy / (yy * yy) - 0.5 * v_whitening[2] / (yy * math.sqrt(yy)) + v_det * xx
    return v_det * yy, -v_whitening[1] * a / yy - 2 * v_det * xy, v_yy


@numba.njit(**OPTIONS)
def _axes_gradient(rotation, scale, viewmat, v_axes, v_rotation, v_scale):
    """Back through W R S to R and S."""
    for j in range(3):
        total = 0.0
        for i in range(3):
            v_world = viewmat[0, i] * v_axes[0, j] + viewmat[1, i] * v_axes[1, j] + viewmat[2, i] * v_axes[2, j]
            v_rotation[i, j] = v_world * scale[j]
            total += v_world * rotation[i, j]
        v_scale[j] = total


@numba.njit(**OPTIONS)
def _quaternion_gradient(quat, norm, v, v_quat):
    """Back through ``_rotation``; the gradient is at right angles to the quaternion, whose length has no effect."""
    w, x, y, z = quat[0] / norm, quat[1] / norm, quat[2] / norm, quat[3] / norm
    v_w = 2 * (x * (v[2, 1] - v[1, 2]) + y * (v[0, 2] - v[2, 0]) + z * (v[1, 0] - v[0, 1]))
    v_x = 2 * (-2 * x * (v[1, 1] + v[2, 2]) + y * (v[0, 1] + v[1, 0]) + z * (v[0, 2] + v[2, 0]) + w * (v[2, 1] - v[1, 2]))
    v_y = 2 * (x * (v[0, 1] + v[1, 0]) - 2 * y * (v[0, 0] + v[2, 2]) + z * (v[1, 2] + v[2, 1]) + w * (v[0, 2] - v[2, 0]))
    v_z = 2 * (x * (v[0, 2] + v[2, 0]) + y * (v[1, 2] + v[2, 1]) - 2 * z * (v[0, 0] + v[1, 1]) + w * (v[1, 0] - v[0, 1]))
    along = v_w * w + v_x * x + v_y * y + v_z * z
    v_quat[0], v_quat[1] = (v_w - along * w) / norm, (v_x - along * x) / norm
    v_quat[2], v_quat[3] = (v_y - along * y) / norm, (v_z - along * z) / norm


@numba.njit("void(f4[:,::1],f4[:,::1],f4[:,::1],f8[:,::1],f8[:,::1],i8,i8,f4[:,::1],f4[:,::1],f4[::1],"
            "f4[:,::1],f4[:,::1],f4[:,::1])", **OPTIONS)
def project_backward(means, quats, scales, viewmat, K, width, height, v_means2d, v_whitening, v_depths,
                     v_means, v_quats, v_scales):
    """Fill the gradients of ``project``'s first three arguments from those of its results; v_ marks a gradient."""
    fx, fy, cx, cy = K[0, 0], K[1, 1], K[0, 2], K[1, 2]
    rotation, axes, image, point = np.empty((3, 3)), np.empty((3, 3)), np.empty((2, 3)), np.empty(3)
    v_image, v_axes, v_rotation, v_point = np.empty((2, 3)), np.empty((3, 3)), np.empty((3, 3)), np.empty(3)
    for n in range(len(means)):
        _camera_point(means[n], viewmat, point)
        x, y, z = point
        if not z > NEAR:
            v_means[n], v_quats[n], v_scales[n] = 0.0, 0.0, 0.0
            continue
        tx, inside_x = _direction(x / z, fx, cx, width)
        ty, inside_y = _direction(y / z, fy, cy, height)
        norm = _rotation(quats[n], rotation)
        _camera_axes(rotation, scales[n], viewmat, axes)
        fx_z, fy_z = fx / z, fy / z
        xx, xy, yy = _image_axes(axes, tx, ty, fx_z, fy_z, image)

        v_xx, v_xy, v_yy = _covariance_gradient(xx, xy, yy, v_whitening[n])
        v_tx, v_ty, v_z = 0.0, 0.0, 0.0
        for j in range(3):
            v_image[0, j] = 2 * v_xx * image[0, j] + v_xy * image[1, j]
            v_image[1, j] = 2 * v_yy * image[1, j] + v_xy * image[0, j]
            v_axes[0, j] = fx_z * v_image[0, j]
            v_axes[1, j] = fy_z * v_image[1, j]
            v_axes[2, j] = -tx * v_axes[0, j] - ty * v_axes[1, j]
            v_tx -= v_axes[0, j] * axes[2, j]
            v_ty -= v_axes[1, j] * axes[2, j]
            v_z -= (v_image[0, j] * image[0, j] + v_image[1, j] * image[1, j]) / z

        v_x_over_z = fx * v_means2d[n, 0] + (v_tx if inside_x else 0.0)
        v_y_over_z = fy * v_means2d[n, 1] + (v_ty if inside_y else 0.0)
        v_point[0], v_point[1] = v_x_over_z / z, v_y_over_z / z
        v_point[2] = v_z + v_depths[n] - (v_x_over_z * x + v_y_over_z * y) / (z * z)
        for i in range(3):
            v_means[n, i] = viewmat[0, i] * v_point[0] + viewmat[1, i] * v_point[1] + viewmat[2, i] * v_point[2]
        _axes_gradient(rotation, scales[n], viewmat, v_axes, v_rotation, v_scales[n])
        _quaternion_gradient(quats[n], norm, v_rotation, v_quats[n])
