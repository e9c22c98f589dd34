"""A mesh's texture as a canonical space: texels on a surface, seen by cameras (SyncTweedies, arXiv
2403.14370, section 4).

A pixel sees the texel that is nearest to its point of the surface; a texel hears the pixels where it falls,
weighted by how squarely it is seen. Texels that no camera sees take the value of the nearest one that is
seen, which is exact Voronoi filling.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from scipy.spatial import KDTree
from torch import Tensor

from engine.core.cameras import Cameras
from engine.errors import InputError
from engine.render.mesh_numba import MeshBuffers

GRAZING = 0.15  # cosine under which a texel is seen too flatly to be believed
DEPTH_SLACK = 0.03  # how far behind what a pixel shows a texel may lie and still be the one that is seen
NORMAL_SHARE = 0.15  # of the distance between texels: tells the two sides of a thin wall apart


@dataclass(frozen=True, eq=False)
class TextureSpace:
    """T texels under N cameras of ``side`` pixels.

    ``nearest`` (N,side*side) is the texel of each pixel, ``mask`` (N,1,side,side) where there is one;
    ``places`` (N,T,2) where each texel falls, -1..1, ``weights`` (N,T) how much it believes what is there,
    ``filled`` (T) whose value it takes.
    """

    side: int
    nearest: Tensor
    mask: Tensor
    places: Tensor
    weights: Tensor
    filled: Tensor

    @property
    def count(self) -> int:
        return len(self.places)

    def shape(self, channels: int) -> tuple[int, ...]:
        return channels, self.places.shape[1]

    def project(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """What the cameras see of texels z (C,T); nothing is interpolated, so that noise keeps its
        variance.
        """
        instances = z[:, self.nearest].transpose(0, 1).reshape(self.count, len(z), self.side, self.side)
        mask = self.mask.to(z)
        return instances * mask, mask

    def unproject(self, instances: Tensor) -> Tensor:
        values, weights = self.said(instances)
        z = (weights[:, None] * values).sum(0) / weights.sum(0).clamp(min=1e-9)
        return z[:, self.filled]

    def said(self, instances: Tensor) -> tuple[Tensor, Tensor]:
        """What each picture says of each texel (N,C,T), and how much that is to be believed (N,T); 0 where it
        is not seen.
        """
        mask = self.mask.to(instances)
        # what lies outside must not bleed in
        sums = self._sampled(torch.cat([instances * mask, mask], dim=1))
        share = sums[:, -1:]
        return sums[:, :-1] / share.clamp(min=1e-6), self.weights.to(instances) * (share[:, 0] > 0.25)

    def _sampled(self, pictures: Tensor) -> Tensor:
        grid = self.places[:, None].to(pictures)
        return F.grid_sample(pictures, grid, mode="bilinear", padding_mode="border", align_corners=False)[
            :, :, 0
        ]


def texture_space(
    points: np.ndarray, normals: np.ndarray, maps: MeshBuffers, cameras: Cameras, cosine_power: float = 1.0
) -> TextureSpace:
    """The space of texels at ``points`` (T,3) with ``normals`` (T,3), under ``cameras``, from which ``maps``
    was rendered.

    Raises InputError if no camera sees any texel.
    """
    side = cameras.width
    mask = maps.rgba[..., 3] > 0.5
    places, depth, cosine = _on_pictures(points, normals, cameras)
    visible = _visible(places, depth, cosine, maps, side)
    weights = np.where(visible, np.maximum(cosine, 0.0) ** cosine_power, 0.0)
    tree = KDTree(np.concatenate([points, NORMAL_SHARE * normals], axis=1))
    nearest = np.zeros(mask.shape, np.int64)
    surface = np.concatenate([2 * maps.ccm[mask] - 1, NORMAL_SHARE * maps.normal[mask]], axis=1)
    nearest[mask] = tree.query(surface, workers=1)[1] if mask.any() else 0
    heard = weights.sum(0) > 0
    if not heard.any():
        raise InputError(
            "No camera sees the surface.", "Check that the mesh is not empty, and not inside out."
        )
    known = np.flatnonzero(heard)
    filled = np.arange(len(points))
    filled[~heard] = known[KDTree(points[known]).query(points[~heard])[1]]
    parts = (
        nearest.reshape(len(mask), -1),
        mask[:, None].astype(np.float32),
        places.astype(np.float32),
        weights.astype(np.float32),
    )
    return TextureSpace(side, *(torch.from_numpy(np.ascontiguousarray(part)) for part in (*parts, filled)))


def _on_pictures(
    points: np.ndarray, normals: np.ndarray, cameras: Cameras
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where texels fall (N,T,2) in -1..1, their depth (N,T), and the cosine (N,T) at which they are seen."""
    c2w, K = cameras.c2w.cpu().double().numpy(), cameras.K.cpu().double().numpy()
    offsets = points[None] - c2w[:, None, :3, 3]
    local = np.einsum("nti,nij->ntj", offsets, c2w[:, :3, :3])
    depth = np.maximum(local[..., 2], 1e-6)
    pixels = np.einsum("nij,ntj->nti", K, local)[..., :2] / depth[..., None]
    towards = -offsets / np.linalg.norm(offsets, axis=-1, keepdims=True)
    return 2 * pixels / cameras.width - 1, local[..., 2], (towards * normals).sum(-1)


def _visible(
    places: np.ndarray, depth: np.ndarray, cosine: np.ndarray, maps: MeshBuffers, side: int
) -> np.ndarray:
    pixel = np.floor((places + 1) / 2 * side).astype(int)
    inside = ((pixel >= 0) & (pixel < side)).all(-1) & (depth > 0)
    column, row = np.clip(pixel, 0, side - 1).transpose(2, 0, 1)
    shown = maps.depth[np.arange(len(places))[:, None], row, column]
    slack = DEPTH_SLACK / np.maximum(cosine, GRAZING)
    return inside & (cosine > GRAZING) & (shown > 0) & (depth < shown + slack)
