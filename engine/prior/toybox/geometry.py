"""The canonical toybox camera: every training picture was taken with it, so the prior is best asked through it."""

FOV_DEG = 40.0
"""Vertical field of view in degrees."""

DISTANCE = 3.05
"""Distance of the camera from the origin; an object fits the unit sphere, which then just fits the picture."""

RESOLUTION = 64
"""Side of the square picture in pixels."""
